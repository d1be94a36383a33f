"""LR-ASD's encoder of mouth crops for a CPU: the same sums, laid out for its caches and made once.

The published network is a chain of convolutions across a picture and along time, each with a batch norm. Here each norm
is folded into its convolution. Pictures lie with their channels last, so that (ticks, height, width, channels) is at
once a batch of pictures and a picture of time by place, and nothing is copied from one kind to the other. Of a long
film a few ticks are seen at once, and each convolution along time keeps the last ticks of its own input for the next,
so that no tick is encoded twice.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils.fusion import fuse_conv_bn_weights

AT_ONCE = 25  # ticks: what a CPU's caches hold is done faster
MEAN, DEVIATION = 0.4161, 0.1688  # of the published training crops, 0 to 1

Filter = tuple[Tensor, Tensor]  # weights (out, in, height, width) and bias


@dataclass
class _AlongTime:
    """One convolution along time over a stream of (ticks, channels, height, width), with zeros beyond both ends."""

    filter: Filter
    held: Tensor | None = field(default=None, init=False)

    def __call__(self, pictures: Tensor, is_last: bool) -> Tensor:
        weight, bias = self.filter
        size = weight.shape[2]
        beyond = pictures.new_zeros((size // 2, *pictures.shape[1:]))
        parts = [beyond if self.held is None else self.held, pictures, *([beyond] if is_last else [])]
        given = torch.cat(parts).contiguous(memory_format=torch.channels_last)
        self.held = given[1 - size :]
        ticks, channels, height, width = given.shape
        if ticks < size:
            return given.new_empty((0, len(bias), height, width))
        series = given.permute(0, 2, 3, 1).reshape(1, ticks, height * width, channels).permute(0, 3, 1, 2)
        made = functional.conv2d(series, weight, bias).relu_()
        return made.permute(0, 2, 3, 1).reshape(-1, height, width, len(bias)).permute(0, 3, 1, 2)


class StreamedSight:
    """What the encoder `sight` of an `LrAsd` sees, within 1e-5 of it."""

    def __init__(self, sight: nn.Sequential):
        """
        Args:
            sight: in evaluation mode, on the CPU; it is not changed.
        """
        self._makers: list[Callable[[], Callable[[Tensor, bool], Tensor]]] = []
        for part in sight.children():
            if isinstance(part, nn.MaxPool3d):
                self._makers.append(lambda: lambda pictures, _: functional.max_pool2d(pictures, 3, 2, 1))
                continue
            layers = dict(part.named_children())
            for name in ("s_1", "s_2", "t_1", "t_2"):
                layer, norm = layers[name], layers["{}_norm_{}".format(*name.split("_"))]
                assert isinstance(layer, nn.Conv3d)
                assert isinstance(norm, nn.BatchNorm3d)
                self._makers.append(_maker(layer, _folded(layer, norm)))

    def __call__(self, faces: Tensor) -> Tensor:
        """Grey crops (ticks, 112, 112), 0 to 255, to (1, ticks, 128)."""
        steps = [make() for make in self._makers]
        parts = []
        for first in range(0, len(faces), AT_ONCE):
            given = (faces[first : first + AT_ONCE, None].float() / 255 - MEAN) / DEVIATION
            for step in steps:
                given = step(given, first + AT_ONCE >= len(faces))
            parts.append(given.amax((-2, -1)))
        return torch.cat(parts)[None]


def _folded(layer: nn.Conv3d, norm: nn.BatchNorm3d) -> Filter:
    assert norm.running_mean is not None
    assert norm.running_var is not None
    weight, bias = fuse_conv_bn_weights(
        layer.weight, layer.bias, norm.running_mean, norm.running_var, norm.eps, norm.weight, norm.bias
    )
    flat = weight[:, :, 0] if layer.kernel_size[0] == 1 else weight[..., 0]
    return flat.detach().contiguous(memory_format=torch.channels_last), bias.detach()


def _maker(layer: nn.Conv3d, filter: Filter) -> Callable[[], Callable[[Tensor, bool], Tensor]]:
    """What makes the step of a layer: one along time holds a stream's last ticks, so that each stream has its own."""
    if layer.kernel_size[0] > 1:
        return lambda: _AlongTime(filter)
    stride, padding = layer.stride[1:], tuple(int(side) for side in layer.padding[1:])

    def across(pictures: Tensor, _: bool) -> Tensor:
        given = pictures.contiguous(memory_format=torch.channels_last)
        return functional.conv2d(given, *filter, stride, padding).relu_()

    return lambda: across
