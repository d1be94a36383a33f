"""TensorFlow Lite files as networks of torch: in batches, on a CPU or a GPU.

MediaPipe runs its networks on the CPU, a picture at a time, and offers no way to run any but its own tasks. Here the
graph of a file is carried out with torch's functions, as the file has it: operation by operation, channels last, every
tensor in the shape that the file states. What is stored in 16 bits, in 8 bits or without its zeros becomes float32
once, when the file is read. Only what our files need is known; whatever else a file asks for is an error that names it,
never a guess.

Schema: https://github.com/tensorflow/tensorflow/blob/master/tensorflow/lite/schema/schema.fbs, of which MediaPipe has
the classes.
"""

import math
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from operators.models.tflite_operations import OPERATIONS, Options, Shape, Step, TfliteError

if TYPE_CHECKING:
    from torch import Tensor


class TfliteNetwork:
    """The network of a file. It keeps no state from call to call.

    Attributes:
        inputs, outputs: shapes of one sample's tensors, as the file has them.
    """

    def __init__(self, content: bytes, device: str = "cpu"):
        """
        Args:
            content: of the file.

        Raises:
            TfliteError: for an operation, an option or a form of storage that is not known here, or a constant that
                nothing asks for.
        """
        import torch

        schema = _schema()
        if content[4:8] != b"TFL3":
            raise TfliteError("no TFL3 at its bytes 4 to 8: this is no TensorFlow Lite file")
        model = schema.ModelT.InitFromObj(schema.Model.GetRootAs(content))
        if len(model.subgraphs) != 1:
            raise TfliteError(f"it holds {len(model.subgraphs)} graphs, where one is known")
        graph = model.subgraphs[0]
        self._shapes = [_shape(tensor) for tensor in graph.tensors]
        types = _of(schema.TensorType)
        stored = {n: _constant(model, tensor, types) for n, tensor in enumerate(graph.tensors)}
        constants = {n: constant for n, constant in stored.items() if constant is not None}
        self._inputs, self._outputs = list(graph.inputs), list(graph.outputs)
        self.inputs, self.outputs = ([self._shapes[n] for n in some] for some in (self._inputs, self._outputs))

        names, floats = _of(schema.BuiltinOperator), {}
        self._steps: list[tuple[str, Step, list[int], int]] = []
        asked: set[int] = set(self._outputs)
        for operator in graph.operators:
            code = model.operatorCodes[operator.opcodeIndex]
            name = names[max(code.builtinCode, code.deprecatedBuiltinCode)]
            given = [int(n) for n in operator.inputs]
            (made,) = (int(n) for n in operator.outputs)
            asked.update(given)
            if name in ("DEQUANTIZE", "DENSIFY"):  # of weights, kept small in the file
                if given[0] not in constants:
                    raise TfliteError(f"{name} of what is no constant")
                constants[made] = constants[given[0]]
                continue
            if (make := OPERATIONS.get(name)) is None:
                raise TfliteError(f"the operation {name} is not known here")
            options = Options(name, operator.builtinOptions)
            step, tensors = make(options, [constants.get(n) for n in given], [self._shapes[n] for n in given])
            options.all_read()
            for n, constant in tensors.items():
                floats[given[n]] = torch.from_numpy(np.ascontiguousarray(constant, np.float32)).to(device)
            kept = [n for at, n in enumerate(given) if at in tensors or n not in constants]
            self._steps.append((name, step, kept, made))
        if unasked := {n for n in constants if n not in asked}:
            raise TfliteError(f"nothing asks for its constants {sorted(unasked)}")
        self._constants, self.device = floats, device

    def __call__(self, *samples: "Tensor") -> "list[Tensor]":
        """The outputs for a batch of samples.

        Args:
            samples: for each input of the file (n, ...), float32 on the network's device, a sample in the shape of
                `inputs` without its leading 1.

        Returns:
            for each output of the file (n, ...), a sample in the shape of `outputs` without its leading 1, where it has
            one.

        Raises:
            TfliteError: for samples of another shape than the file's.
        """
        import torch

        if len(samples) != len(self.inputs):
            raise TfliteError(f"{len(samples)} inputs given, where the network has {len(self.inputs)}")
        for sample, shape in zip(samples, self.inputs, strict=True):
            if (1, *sample.shape[1:]) != shape:
                raise TfliteError(f"samples of {tuple(sample.shape[1:])} given, where the network takes {shape[1:]}")
        exact = torch.backends.cudnn.flags(
            enabled=True, deterministic=True, allow_tf32=False
        )  # of a GPU: products are not rounded to 10 bits
        with torch.inference_mode(), exact:
            found = torch.vmap(self._one)(*(sample[:, None] for sample in samples))
            return [out[:, 0] if shape[:1] == (1,) else out for out, shape in zip(found, self.outputs, strict=True)]

    def _one(self, *samples: "Tensor") -> "tuple[Tensor, ...]":
        """The outputs of one sample: torch's vmap makes a batch of it."""
        there: dict[int, Any] = {**self._constants, **dict(zip(self._inputs, samples, strict=True))}
        for name, step, given, made in self._steps:
            there[made] = step(*(there[n] for n in given))
            if tuple(there[made].shape) != self._shapes[made]:
                raise TfliteError(f"{name} gave {tuple(there[made].shape)}, where the file says {self._shapes[made]}")
        return tuple(there[n] for n in self._outputs)


# What a file stores.


@cache
def _schema() -> Any:
    from operators.models.device import system_libraries

    with system_libraries():
        from mediapipe.tasks.metadata import schema_py_generated

    return schema_py_generated


def _of(enumeration: Any) -> dict[int, str]:
    return {value: name for name, value in vars(enumeration).items() if isinstance(value, int)}


def _shape(tensor: Any) -> Shape:
    return () if tensor.shape is None else tuple(int(side) for side in tensor.shape)


def _constant(model: Any, tensor: Any, types: dict[int, str]) -> NDArray[Any] | None:
    """A tensor of the file's: float32, or int32 for numbers that operations take. None for what is worked out."""
    data = model.buffers[tensor.buffer].data
    if data is None:
        return None
    if (kind := types[tensor.type]) not in ("FLOAT32", "FLOAT16", "INT8", "INT32"):
        raise TfliteError(f"a constant of {kind}, which is not known here")
    values = np.frombuffer(np.asarray(data, np.uint8).tobytes(), np.dtype(kind.lower()).newbyteorder("<"))
    if tensor.sparsity is not None:
        values = _dense(tensor.sparsity, values, _shape(tensor))
    if values.size != math.prod(_shape(tensor)):
        raise TfliteError(f"a constant of {values.size} numbers, where its shape is {_shape(tensor)}")
    values = values.reshape(_shape(tensor))
    if kind == "INT8":
        scales, zeros = (
            np.asarray(part, np.float32) for part in (tensor.quantization.scale, tensor.quantization.zeroPoint)
        )
        along = [1] * values.ndim
        along[tensor.quantization.quantizedDimension] = len(scales)
        return (values.astype(np.float32) - zeros.reshape(along)) * scales.reshape(along)
    return values.astype(np.int32 if kind == "INT32" else np.float32)


def _dense(sparsity: Any, values: NDArray[Any], shape: Shape) -> NDArray[Any]:
    """The numbers of a tensor stored without its zeros: of its last axis only some, which are told by row as compressed
    sparse rows are.
    """
    *outer, last = sparsity.dimMetadata
    plain = list(sparsity.traversalOrder) == list(range(len(shape))) and not len(
        sparsity.blockMap if sparsity.blockMap is not None else ()
    )
    if not plain or any(one.format for one in outer) or last.format != 1:
        raise TfliteError("a sparse constant of another form than rows with the places of what is not zero")
    ends, places = (np.asarray(part.values, np.int64) for part in (last.arraySegments, last.arrayIndices))
    found = np.zeros((math.prod(shape[:-1]), shape[-1]), values.dtype)
    found[np.repeat(np.arange(len(found)), np.diff(ends)), places] = values
    return found
