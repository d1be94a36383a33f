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
from collections.abc import Callable, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from torch import Tensor

Step = Callable[..., "Tensor"]
SAME, VALID = 0, 1
# of integer arithmetic, which is not done here
_UNUSED = {"potScaleInt16", "quantizedBiasType", "asymmetricQuantizeInputs"}


class TfliteError(ValueError):
    """A file that cannot be run as it says. The text tells what of it."""


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
            if (make := _OPERATIONS.get(name)) is None:
                raise TfliteError(f"the operation {name} is not known here")
            options = _Options(name, operator.builtinOptions)
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


# The operations: each maker reads its options, and gives the step and those of its constants that the step takes, by
# place among the inputs. The others it takes as numbers. A step gets its tensors in the order of the inputs.

Made = tuple[Step, dict[int, NDArray[Any]]]
Shape = tuple[int, ...]
Constants = Sequence[NDArray[Any] | None]


class _Options:
    """What an operation of a file states besides its tensors; all of it must be read."""

    def __init__(self, name: str, stated: Any):
        self.name, self._left = (
            name,
            {key: value for key, value in vars(stated).items() if key not in _UNUSED} if stated else {},
        )

    def get(self, key: str, default: Any = 0) -> Any:
        return self._left.pop(key, default)

    def known(self, key: str, *values: Any) -> Any:
        """One of the values that are known here."""
        if (value := self.get(key)) not in values:
            raise TfliteError(f"{self.name}.{key} is {value!r}, where {values} are known")
        return value

    def activation(self) -> Callable[["Tensor"], "Tensor"]:
        from torch.nn import functional

        return (lambda x: x, functional.relu)[self.known("fusedActivationFunction", 0, 1)]

    def all_read(self) -> None:
        if left := {key: value for key, value in self._left.items() if value}:
            raise TfliteError(f"{self.name} states {left}, which is not known here")


def _number(name: str, constant: NDArray[Any] | None) -> list[int]:
    """Whole numbers that an operation takes as a tensor, such as axes."""
    if constant is None or constant.dtype != np.int32:
        raise TfliteError(f"{name} takes numbers that are worked out while it runs, or no whole ones")
    return [int(value) for value in constant.ravel()]


def _elementwise(of: Callable[..., "Tensor"]) -> Callable[..., Made]:
    def make(options: _Options, constants: Constants, _shapes: list[Shape]) -> Made:
        activation = options.activation() if len(constants) == 2 else (lambda x: x)
        return lambda *given: activation(of(*given)), {n: one for n, one in enumerate(constants) if one is not None}

    return make


def _convolution(options: _Options, constants: Constants, shapes: list[Shape]) -> Made:
    from torch.nn import functional

    weights, bias = constants[1], constants[2]
    if weights is None or bias is None:
        raise TfliteError(f"{options.name} whose weights or bias are no constants")
    depthwise = options.name == "DEPTHWISE_CONV_2D"
    groups = shapes[0][3] if depthwise else 1
    if depthwise and (multiplier := options.get("depthMultiplier")) * groups != weights.shape[3]:
        raise TfliteError(
            f"{options.name} of {groups} channels with {weights.shape[3]} filters says {multiplier} a channel"
        )
    weights = weights.transpose(3, 0, 1, 2) if depthwise else weights.transpose(0, 3, 1, 2)
    stride, dilation = (
        (options.get(f"{kind}H{what}"), options.get(f"{kind}W{what}"))
        for kind, what in (("stride", ""), ("dilation", "Factor"))
    )
    span = [dilation[n] * (weights.shape[2 + n] - 1) + 1 for n in (0, 1)]
    pads, activation = _pads(options.known("padding", SAME, VALID), shapes[0], span, stride), options.activation()

    def step(x: "Tensor", weights: "Tensor", bias: "Tensor") -> "Tensor":
        x = functional.pad(x.permute(0, 3, 1, 2), pads)
        return activation(functional.conv2d(x, weights, bias, stride, 0, dilation, groups).permute(0, 2, 3, 1))

    return step, {1: weights, 2: bias}


def _pads(padding: int, given: Shape, span: Sequence[int], stride: Sequence[int]) -> list[int]:
    """Left, right, top, bottom. What is odd goes to the right and the bottom."""
    if padding == VALID:
        return [0, 0, 0, 0]
    height, width = (
        max((math.ceil(given[1 + n] / stride[n]) - 1) * stride[n] + span[n] - given[1 + n], 0) for n in (0, 1)
    )
    return [width // 2, width - width // 2, height // 2, height - height // 2]


def _max_pool(options: _Options, _constants: Constants, shapes: list[Shape]) -> Made:
    from torch.nn import functional

    span, stride = (
        [options.get("filterHeight"), options.get("filterWidth")],
        [options.get("strideH"), options.get("strideW")],
    )
    pads, activation = _pads(options.known("padding", SAME, VALID), shapes[0], span, stride), options.activation()

    def step(x: "Tensor") -> "Tensor":
        x = functional.pad(x.permute(0, 3, 1, 2), pads, value=-math.inf)
        return activation(functional.max_pool2d(x, span, stride).permute(0, 2, 3, 1))

    return step, {}


def _reduced(of: Callable[..., "Tensor"]) -> Callable[..., Made]:
    def make(options: _Options, constants: Constants, _shapes: list[Shape]) -> Made:
        axes, keep = _number(options.name, constants[1]), bool(options.get("keepDims"))
        return lambda x: of(x, axes, keep), {}

    return make


def _pad(options: _Options, constants: Constants, _shapes: list[Shape]) -> Made:
    from torch.nn import functional

    numbers = _number(options.name, constants[1])
    pairs = [numbers[n : n + 2] for n in range(0, len(numbers), 2)]
    return lambda x: functional.pad(x, [side for pair in reversed(pairs) for side in pair]), {}


def _reshape(options: _Options, constants: Constants, _shapes: list[Shape]) -> Made:
    stated = options.get("newShape", None)
    wanted = _number(options.name, constants[1]) if len(constants) > 1 else [int(side) for side in stated]
    return lambda x: x.reshape(wanted), {}


def _strided_slice(options: _Options, constants: Constants, shapes: list[Shape]) -> Made:
    begins, ends, strides = (_number(options.name, constant) for constant in constants[1:])
    open_begins, open_ends, single = (options.get(f"{name}Mask") for name in ("begin", "end", "shrinkAxis"))
    where: list[slice | int] = []
    for axis, (begin, end, stride) in enumerate(zip(begins, ends, strides, strict=True)):
        if stride <= 0 or begin < 0:
            raise TfliteError(f"{options.name} from {begin} in steps of {stride}")
        span = slice(None if open_begins >> axis & 1 else begin, None if open_ends >> axis & 1 else end, stride)
        where.append(begin if single >> axis & 1 else span)
    return lambda x: x[tuple(where)], {}


def _transpose(options: _Options, constants: Constants, _shapes: list[Shape]) -> Made:
    order = _number(options.name, constants[1])
    return lambda x: x.permute(order), {}


def _concatenation(options: _Options, constants: Constants, _shapes: list[Shape]) -> Made:
    import torch

    axis, activation = options.get("axis"), options.activation()
    return lambda *given: activation(torch.cat(given, axis)), {
        n: one for n, one in enumerate(constants) if one is not None
    }


def _softmax(options: _Options, _constants: Constants, _shapes: list[Shape]) -> Made:
    beta = options.get("beta")
    return lambda x: (beta * x).softmax(-1), {}


def _resize_bilinear(options: _Options, constants: Constants, _shapes: list[Shape]) -> Made:
    from torch.nn import functional

    size = _number(options.name, constants[1])
    options.known("halfPixelCenters", True)
    options.known("alignCorners", False)

    def step(x: "Tensor") -> "Tensor":
        return functional.interpolate(x.permute(0, 3, 1, 2), size, mode="bilinear", align_corners=False).permute(
            0, 2, 3, 1
        )

    return step, {}


def _depth_to_space(options: _Options, _constants: Constants, shapes: list[Shape]) -> Made:
    side = options.get("blockSize")
    _, height, width, depth = shapes[0]

    def step(x: "Tensor") -> "Tensor":
        x = x.reshape(1, height, width, side, side, depth // side**2).permute(0, 1, 3, 2, 4, 5)
        return x.reshape(1, height * side, width * side, depth // side**2)

    return step, {}


_OPERATIONS: dict[str, Callable[..., Made]] = {
    "ADD": _elementwise(lambda x, y: x + y),
    "CONCATENATION": _concatenation,
    "CONV_2D": _convolution,
    "DEPTHWISE_CONV_2D": _convolution,
    "DEPTH_TO_SPACE": _depth_to_space,
    "DIV": _elementwise(lambda x, y: x / y),
    "LOGISTIC": _elementwise(lambda x: x.sigmoid()),
    "MAX_POOL_2D": _max_pool,
    "MEAN": _reduced(lambda x, axes, keep: x.mean(axes, keep)),
    "MUL": _elementwise(lambda x, y: x * y),
    "NEG": _elementwise(lambda x: -x),
    "PAD": _pad,
    "PRELU": _elementwise(lambda x, slope: x.relu() - slope * (-x).relu()),
    "RELU": _elementwise(lambda x: x.relu()),
    "RESHAPE": _reshape,
    "RESIZE_BILINEAR": _resize_bilinear,
    "RSQRT": _elementwise(lambda x: x.rsqrt()),
    "SOFTMAX": _softmax,
    "SQRT": _elementwise(lambda x: x.sqrt()),
    "SQUARED_DIFFERENCE": _elementwise(lambda x, y: (x - y).square()),
    "STRIDED_SLICE": _strided_slice,
    "SUB": _elementwise(lambda x, y: x - y),
    "SUM": _reduced(lambda x, axes, keep: x.sum(axes, keep)),
    "TRANSPOSE": _transpose,
}


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
