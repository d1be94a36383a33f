"""CAM++ for a CPU: the same sums, with what never changes worked out once.

Norms that follow a convolution are folded into it, the others are a factor and a summand. The pictures of the head lie
with their channels last; behind it, time comes first, so that every layer is a product of matrices, and a dense block
writes what its layers add into one table instead of copying all before it each time.
"""

from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils.fusion import fuse_conv_bn_weights

PIECE = 100  # steps of time whose mean is a layer's context: 2 s


class FoldedCampplus:
    """What a `CamPlusPlus` in evaluation mode on the CPU embeds, within 1e-5 of it. The model is not changed."""

    def __init__(self, head: Any, xvector: nn.Sequential):
        """
        Args:
            head, xvector: the parts of a `CamPlusPlus`.
        """
        layers = dict(xvector.named_children())
        self._begin = _folded(head.conv1, head.bn1)
        self._residuals = [_Residual.of(part) for part in (*head.layer1, *head.layer2)]
        self._end = _folded(head.conv2, head.bn2)
        tdnn: Any = layers["tdnn"]
        self._tdnn = _folded(tdnn.linear, tdnn.nonlinear.batchnorm)
        self._tdnn_steps = tdnn.linear.stride, tdnn.linear.padding
        self._blocks = [
            ([_Dense.of(layer) for layer in layers[f"block{n}"].children()], *_norm_then_linear(layers[f"transit{n}"]))
            for n in (1, 2, 3)
        ]
        out: Any = layers["out_nonlinear"]
        self._out, self._last = _scaled(out.batchnorm), layers["dense"]

    def __call__(self, features: Tensor) -> Tensor:
        """(frames, 80) log mel energies less their mean over time, to (192,)."""
        maps = features.t()[None, None].contiguous(memory_format=torch.channels_last)
        maps = functional.conv2d(maps, *self._begin, padding=1).relu_()
        for residual in self._residuals:
            maps = residual(maps)
        maps = functional.conv2d(maps, *self._end, stride=(2, 1), padding=1).relu_().flatten(1, 2)
        x = functional.conv1d(maps, *self._tdnn, *self._tdnn_steps).relu_()[0].t().contiguous()
        for layers, (factor, summand), linear in self._blocks:
            count = x.shape[1]
            table = x.new_empty(len(x), count + sum(layer.adds for layer in layers))
            table[:, :count] = x
            for layer in layers:
                table[:, count : count + layer.adds] = layer(table[:, :count])
                count += layer.adds
            x = torch.addcmul(summand, table, factor).relu_() @ linear
        factor, summand = self._out
        x = torch.addcmul(summand, x, factor).relu_()
        return self._last(torch.cat([x.mean(dim=0), x.std(dim=0)])[None])[0]


class _Residual(NamedTuple):
    first: tuple[Tensor, Tensor]
    second: tuple[Tensor, Tensor]
    shortcut: tuple[Tensor, Tensor] | None
    stride: tuple[int, int]

    @classmethod
    def of(cls, part: Any) -> "_Residual":
        shortcut = _folded(*part.shortcut) if len(part.shortcut) else None
        return cls(_folded(part.conv1, part.bn1), _folded(part.conv2, part.bn2), shortcut, part.conv1.stride)

    def __call__(self, maps: Tensor) -> Tensor:
        inner = functional.conv2d(maps, *self.first, self.stride, 1).relu_()
        inner = functional.conv2d(inner, *self.second, padding=1)
        inner += maps if self.shortcut is None else functional.conv2d(maps, *self.shortcut, self.stride)
        return inner.relu_()


class _Dense(NamedTuple):
    """One layer of a dense block: (time, channels) to the (time, `adds`) that it adds."""

    norm: tuple[Tensor, Tensor]
    linear: tuple[Tensor, Tensor]  # (channels, 128) and bias
    local: Tensor  # (3 * 128, adds): three steps of time, `dilation` apart
    dilation: int
    context: tuple[Tensor, Tensor]
    mask: tuple[Tensor, Tensor]

    @classmethod
    def of(cls, layer: Any) -> "_Dense":
        weight, bias = _folded(layer.linear1, layer.nonlinear2.batchnorm)
        mask: Any = layer.cam_layer
        local = mask.linear_local.weight.detach().permute(2, 1, 0).flatten(0, 1).contiguous()
        context, masked = ((_transposed(one.weight), one.bias.detach()) for one in (mask.linear1, mask.linear2))
        norm, linear = _scaled(layer.nonlinear1.batchnorm), (_transposed(weight), bias)
        return cls(norm, linear, local, mask.linear_local.dilation[0], context, masked)

    @property
    def adds(self) -> int:
        return self.local.shape[1]

    def __call__(self, x: Tensor) -> Tensor:
        factor, summand = self.norm
        hidden = torch.addmm(self.linear[1], torch.addcmul(summand, x, factor).relu_(), self.linear[0]).relu_()
        steps, wide, far = len(x), hidden.shape[1], self.dilation
        padded = functional.pad(hidden, (0, 0, far, far))
        made = torch.cat([padded[:steps], padded[far : far + steps], padded[2 * far :]], dim=1) @ self.local
        whole = steps // PIECE * PIECE
        pieces = hidden[:whole].reshape(-1, PIECE, wide).mean(dim=1)
        if whole < steps:
            pieces = torch.cat([pieces, hidden[whole:].mean(dim=0, keepdim=True)])
        told = torch.addmm(self.context[1], pieces + hidden.mean(dim=0), self.context[0]).relu_()
        mask = torch.addmm(self.mask[1], told, self.mask[0]).sigmoid_()
        return made.mul_(mask.repeat_interleave(PIECE, dim=0)[:steps])


def _folded(layer: Any, norm: Any) -> tuple[Tensor, Tensor]:
    weight, bias = fuse_conv_bn_weights(
        layer.weight, layer.bias, norm.running_mean, norm.running_var, norm.eps, norm.weight, norm.bias
    )
    weight = weight.detach()
    return weight.contiguous(memory_format=torch.channels_last) if weight.ndim == 4 else weight, bias.detach()


def _scaled(norm: nn.BatchNorm1d) -> tuple[Tensor, Tensor]:
    """The factor and the summand of each channel."""
    assert norm.running_mean is not None
    assert norm.running_var is not None
    factor = norm.weight / torch.sqrt(norm.running_var + norm.eps)
    return factor.detach(), (norm.bias - norm.running_mean * factor).detach()


def _norm_then_linear(part: Any) -> tuple[tuple[Tensor, Tensor], Tensor]:
    return _scaled(part.nonlinear.batchnorm), _transposed(part.linear.weight)


def _transposed(weight: Tensor) -> Tensor:
    """(out, in, 1) to (in, out)."""
    return weight.detach()[..., 0].t().contiguous()
