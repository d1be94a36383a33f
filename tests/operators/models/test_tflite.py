"""Small files made here with the answers worked out by hand, and the networks we run. That these answer as MediaPipe
does is tested on faces, in `faces/`.
"""

import zipfile
from typing import Any

import flatbuffers
import numpy as np
import pytest
import torch
from mediapipe.tasks.metadata import schema_py_generated as schema
from torch._subclasses.fake_tensor import FakeTensorMode

from operators.models.catalogue import (
    EMOTION,
    FACE_DETECTOR_FULL_RANGE,
    FACE_DETECTOR_SHORT_RANGE,
    FACE_LANDMARKER,
    HAND_LANDMARKS,
)
from operators.models.tflite import TfliteNetwork
from operators.models.tflite_operations import TfliteError

TYPES = {
    np.dtype(np.float32): "FLOAT32",
    np.dtype(np.float16): "FLOAT16",
    np.dtype(np.int8): "INT8",
    np.dtype(np.int32): "INT32",
}


def made(
    operation: str,
    given: tuple[int, ...],
    constants: list[np.ndarray],
    out: tuple[int, ...],
    options: Any = None,
    scales: Any = None,
) -> bytes:
    """A file of one operation, of an input of that shape and of constants; the last constant is in 8 bits where it has
    scales.
    """
    model: Any = schema.ModelT()
    graph: Any = schema.SubGraphT()
    code, one = schema.OperatorCodeT(), schema.OperatorT()
    code.builtinCode = getattr(schema.BuiltinOperator, operation)
    code.deprecatedBuiltinCode = min(code.builtinCode, 127)
    model.version, model.operatorCodes, model.subgraphs, model.buffers = 3, [code], [graph], [schema.BufferT()]
    graph.tensors, graph.operators, graph.inputs, graph.outputs = [], [one], [0], [len(constants) + 1]
    for shape, values in [(given, None), *((constant.shape, constant) for constant in constants), (out, None)]:
        tensor: Any = schema.TensorT()
        tensor.shape, tensor.buffer = list(shape), 0
        if values is not None:
            tensor.type, tensor.buffer = getattr(schema.TensorType, TYPES[values.dtype]), len(model.buffers)
            buffer: Any = schema.BufferT()
            buffer.data = np.frombuffer(values.tobytes(), np.uint8)
            model.buffers.append(buffer)
            if values.dtype == np.int8:
                stored: Any = schema.QuantizationParametersT()
                stored.scale, stored.zeroPoint = np.array(scales, np.float32), np.zeros(len(scales), np.int64)
                tensor.quantization = stored
        graph.tensors.append(tensor)
    one.opcodeIndex, one.inputs, one.outputs = 0, list(range(len(constants) + 1)), [len(constants) + 1]
    if options is not None:
        one.builtinOptions, one.builtinOptionsType = (
            options,
            getattr(schema.BuiltinOptions, type(options).__name__.removesuffix("T")),
        )
    builder = flatbuffers.Builder(1024)
    builder.Finish(model.Pack(builder), file_identifier=b"TFL3")
    return bytes(builder.Output())


def answer(content: bytes, *samples: np.ndarray) -> np.ndarray:
    return TfliteNetwork(content)(*(torch.from_numpy(sample) for sample in samples))[0].numpy()


def convolution(**stated: int) -> Any:
    options = schema.Conv2DOptionsT()
    options.padding, options.strideH, options.strideW = schema.Padding.SAME, 2, 2
    for name, value in stated.items():
        setattr(options, name, value)
    return options


PICTURES = np.random.default_rng(2).normal(size=(3, 4, 6, 2)).astype(np.float32)


def slowly(pictures: np.ndarray, weights: np.ndarray, bias: np.ndarray) -> np.ndarray:
    """A convolution of 3 x 3 in steps of 2 over even sides: no padding at the left and the top, one line at the right
    and the bottom.
    """
    wide = np.pad(pictures, ((0, 0), (0, 1), (0, 1), (0, 0)))
    found = np.zeros((len(pictures), 2, 3, len(weights)), np.float32)
    for y in range(2):
        for x in range(3):
            window = wide[:, 2 * y : 2 * y + 3, 2 * x : 2 * x + 3]
            found[:, y, x] = np.tensordot(window, weights, axes=([1, 2, 3], [1, 2, 3])) + bias
    return found


def test_a_convolution_pads_at_the_right_and_the_bottom_first():
    weights, bias = (
        np.random.default_rng(3).normal(size=(5, 3, 3, 2)).astype(np.float32),
        np.arange(5, dtype=np.float32) - 2,
    )
    content = made("CONV_2D", (1, 4, 6, 2), [weights, bias], (1, 2, 3, 5), convolution())
    assert answer(content, PICTURES) == pytest.approx(slowly(PICTURES, weights, bias), abs=1e-5)
    positive = made("CONV_2D", (1, 4, 6, 2), [weights, bias], (1, 2, 3, 5), convolution(fusedActivationFunction=1))
    assert answer(positive, PICTURES) == pytest.approx(slowly(PICTURES, weights, bias).clip(0), abs=1e-5)


def test_weights_in_8_bits_have_a_scale_a_filter():
    whole, scales = (
        np.random.default_rng(4).integers(-127, 128, (5, 3, 3, 2)).astype(np.int8),
        [0.5, 0.1, 0.02, 1.0, 0.3],
    )
    content = made("CONV_2D", (1, 4, 6, 2), [whole, np.zeros(5, np.float32)], (1, 2, 3, 5), convolution(), scales)
    weights = whole * np.array(scales, np.float32)[:, None, None, None]
    assert answer(content, PICTURES) == pytest.approx(slowly(PICTURES, weights, np.zeros(5)), abs=1e-3)


def test_depth_goes_to_space_block_by_block():
    options = schema.DepthToSpaceOptionsT()
    options.blockSize = 2
    content = made("DEPTH_TO_SPACE", (1, 1, 2, 4), [], (1, 2, 4, 1), options)
    assert answer(content, np.arange(8, dtype=np.float32).reshape(1, 1, 2, 4))[0, ..., 0].tolist() == [
        [0, 1, 4, 5],
        [2, 3, 6, 7],
    ]


def test_what_is_not_known_is_named():
    weights, bias = np.zeros((5, 3, 3, 2), np.float32), np.zeros(5, np.float32)
    with pytest.raises(TfliteError, match=r"fusedActivationFunction is 3, where \(0, 1\)"):
        TfliteNetwork(
            made("CONV_2D", (1, 4, 6, 2), [weights, bias], (1, 2, 3, 5), convolution(fusedActivationFunction=3))
        )
    with pytest.raises(TfliteError, match="the operation GELU is not known"):
        TfliteNetwork(made("GELU", (1, 4), [], (1, 4)))
    with pytest.raises(TfliteError, match="fusedActivationFunction is 3"):
        TfliteNetwork(HAND_LANDMARKS.path().read_bytes())
    with pytest.raises(TfliteError, match="no TensorFlow Lite file"):
        TfliteNetwork(b"PK\x03\x04 and something else")


def test_a_shape_that_the_file_does_not_say_is_an_error():
    weights, bias = np.zeros((5, 3, 3, 2), np.float32), np.zeros(5, np.float32)
    lying = made("CONV_2D", (1, 4, 6, 2), [weights, bias], (1, 3, 3, 5), convolution())
    with pytest.raises(TfliteError, match=r"CONV_2D gave \(1, 2, 3, 5\), where the file says \(1, 3, 3, 5\)"):
        answer(lying, PICTURES)
    with pytest.raises(TfliteError, match=r"samples of \(6, 4, 2\) given"):
        answer(made("RELU", (1, 4, 6, 2), [], (1, 4, 6, 2)), PICTURES.transpose(0, 2, 1, 3))


def networks() -> dict[str, bytes]:
    with zipfile.ZipFile(FACE_LANDMARKER.path()) as parts:
        inner = {name: parts.read(name) for name in parts.namelist() if name.endswith(".tflite")}
    return inner | {
        weight.file: weight.path().read_bytes()
        for weight in (FACE_DETECTOR_FULL_RANGE, FACE_DETECTOR_SHORT_RANGE, EMOTION)
    }


def test_a_sample_of_a_batch_is_answered_as_it_is_alone():
    for name, content in networks().items():
        network = TfliteNetwork(content)
        samples = torch.from_numpy(
            np.random.default_rng(1).uniform(-1, 1, (2, *network.inputs[0][1:])).astype(np.float32)
        )
        for whole, alone in zip(network(samples), network(samples[1:]), strict=True):
            assert torch.allclose(whole[1], alone[0], atol=1e-4 * float(whole.abs().max())), name
            assert not torch.allclose(whole[0], alone[0], atol=1e-3 * float(whole.abs().max())), (
                "else they prove nothing"
            )


@pytest.mark.slow
def test_all_of_it_runs_on_the_device_it_was_loaded_on():
    """torch's fake tensors tell of devices without having one; of convolutions they do not, so the constants are asked
    too.
    """
    with FakeTensorMode():
        for name, content in networks().items():
            network = TfliteNetwork(content, "cuda")
            found = network(torch.empty(4, *network.inputs[0][1:], device="cuda"))
            assert {tensor.device.type for tensor in (*found, *network._constants.values())} == {"cuda"}, name


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU here")
def test_a_gpu_answers_as_a_cpu():
    for name, content in networks().items():
        here, there = TfliteNetwork(content), TfliteNetwork(content, "cuda")
        samples = torch.from_numpy(
            np.random.default_rng(1).uniform(-1, 1, (32, *here.inputs[0][1:])).astype(np.float32)
        )
        for one, other in zip(here(samples), there(samples.to("cuda")), strict=True):
            assert torch.allclose(one, other.cpu(), atol=1e-4 * float(one.abs().max())), name
