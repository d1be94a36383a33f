"""The operations of TensorFlow Lite files by torch's functions: those that our files need."""

import math
from collections.abc import Callable, Sequence
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


# Each maker reads its options, and gives the step and those of its constants that the step takes, by place among the
# inputs. The others it takes as numbers. A step gets its tensors in the order of the inputs.
Made = tuple[Step, dict[int, NDArray[Any]]]
Shape = tuple[int, ...]
Constants = Sequence[NDArray[Any] | None]


class Options:
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
    def make(options: Options, constants: Constants, _shapes: list[Shape]) -> Made:
        activation = options.activation() if len(constants) == 2 else (lambda x: x)
        return lambda *given: activation(of(*given)), {n: one for n, one in enumerate(constants) if one is not None}

    return make


def _convolution(options: Options, constants: Constants, shapes: list[Shape]) -> Made:
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


def _max_pool(options: Options, _constants: Constants, shapes: list[Shape]) -> Made:
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
    def make(options: Options, constants: Constants, _shapes: list[Shape]) -> Made:
        axes, keep = _number(options.name, constants[1]), bool(options.get("keepDims"))
        return lambda x: of(x, axes, keep), {}

    return make


def _pad(options: Options, constants: Constants, _shapes: list[Shape]) -> Made:
    from torch.nn import functional

    numbers = _number(options.name, constants[1])
    pairs = [numbers[n : n + 2] for n in range(0, len(numbers), 2)]
    return lambda x: functional.pad(x, [side for pair in reversed(pairs) for side in pair]), {}


def _reshape(options: Options, constants: Constants, _shapes: list[Shape]) -> Made:
    stated = options.get("newShape", None)
    wanted = _number(options.name, constants[1]) if len(constants) > 1 else [int(side) for side in stated]
    return lambda x: x.reshape(wanted), {}


def _strided_slice(options: Options, constants: Constants, shapes: list[Shape]) -> Made:
    begins, ends, strides = (_number(options.name, constant) for constant in constants[1:])
    open_begins, open_ends, single = (options.get(f"{name}Mask") for name in ("begin", "end", "shrinkAxis"))
    where: list[slice | int] = []
    for axis, (begin, end, stride) in enumerate(zip(begins, ends, strides, strict=True)):
        if stride <= 0 or begin < 0:
            raise TfliteError(f"{options.name} from {begin} in steps of {stride}")
        span = slice(None if open_begins >> axis & 1 else begin, None if open_ends >> axis & 1 else end, stride)
        where.append(begin if single >> axis & 1 else span)
    return lambda x: x[tuple(where)], {}


def _transpose(options: Options, constants: Constants, _shapes: list[Shape]) -> Made:
    order = _number(options.name, constants[1])
    return lambda x: x.permute(order), {}


def _concatenation(options: Options, constants: Constants, _shapes: list[Shape]) -> Made:
    import torch

    axis, activation = options.get("axis"), options.activation()
    return lambda *given: activation(torch.cat(given, axis)), {
        n: one for n, one in enumerate(constants) if one is not None
    }


def _softmax(options: Options, _constants: Constants, _shapes: list[Shape]) -> Made:
    beta = options.get("beta")
    return lambda x: (beta * x).softmax(-1), {}


def _resize_bilinear(options: Options, constants: Constants, _shapes: list[Shape]) -> Made:
    from torch.nn import functional

    size = _number(options.name, constants[1])
    options.known("halfPixelCenters", True)
    options.known("alignCorners", False)

    def step(x: "Tensor") -> "Tensor":
        return functional.interpolate(x.permute(0, 3, 1, 2), size, mode="bilinear", align_corners=False).permute(
            0, 2, 3, 1
        )

    return step, {}


def _depth_to_space(options: Options, _constants: Constants, shapes: list[Shape]) -> Made:
    side = options.get("blockSize")
    _, height, width, depth = shapes[0]

    def step(x: "Tensor") -> "Tensor":
        x = x.reshape(1, height, width, side, side, depth // side**2).permute(0, 1, 3, 2, 4, 5)
        return x.reshape(1, height * side, width * side, depth // side**2)

    return step, {}


OPERATIONS: dict[str, Callable[..., Made]] = {
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
