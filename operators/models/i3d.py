"""I3D on Kinetics-400 as VideoGPT has it: what happens in a video, as 400 logits.

J. Carreira and A. Zisserman, "Quo Vadis, Action Recognition?", CVPR 2017. Module names are those of the published state
dict (`i3d_pretrained_400.pt`, converted from the TensorFlow network of FVD's authors), so that it loads strictly.
Importing this module imports torch.
"""

from math import ceil
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional

SIDE = 224
CLASSES = 400
EPSILON = 1e-5  # of the batch norms, as VideoGPT has it; the network was trained with 1e-3
# Channels of the branches of each Inception block: 1x1; 1x1 then 3x3x3, twice; 1x1 behind the pooling.
MIXED = {
    "Mixed_3b": (192, 64, 96, 128, 16, 32, 32), "Mixed_3c": (256, 128, 128, 192, 32, 96, 64),
    "Mixed_4b": (480, 192, 96, 208, 16, 48, 64),
    "Mixed_4c": (512, 160, 112, 224, 24, 64, 64), "Mixed_4d": (512, 128, 128, 256, 24, 64, 64),
    "Mixed_4e": (512, 112, 144, 288, 32, 64, 64),
    "Mixed_4f": (528, 256, 160, 320, 32, 128, 128), "Mixed_5b": (832, 256, 160, 320, 32, 128, 128),
    "Mixed_5c": (832, 384, 192, 384, 48, 128, 128),
}  # fmt: skip
# What follows what: a name is a layer with weights, two triples are a pooling's kernel and stride, over time, height
# and width.
ORDER: tuple[str | tuple[tuple[int, int, int], tuple[int, int, int]], ...] = (
    "Conv3d_1a_7x7", ((1, 3, 3), (1, 2, 2)), "Conv3d_2b_1x1", "Conv3d_2c_3x3", ((1, 3, 3), (1, 2, 2)), "Mixed_3b",
    "Mixed_3c", ((3, 3, 3), (2, 2, 2)), "Mixed_4b", "Mixed_4c", "Mixed_4d", "Mixed_4e", "Mixed_4f",
    ((2, 2, 2), (2, 2, 2)), "Mixed_5b", "Mixed_5c",
)  # fmt: skip


class I3D(nn.Module):
    """(n, 3, frames, 224, 224), RGB from -1 to 1, 9 frames or more, to (n, 400): the mean over time of the logits."""

    def __init__(self) -> None:
        super().__init__()
        self.Conv3d_1a_7x7 = Layer(3, 64, 7, 2)
        self.Conv3d_2b_1x1 = Layer(64, 64, 1)
        self.Conv3d_2c_3x3 = Layer(64, 192, 3)
        for name, channels in MIXED.items():
            self.add_module(name, Block(*channels))
        self.logits = nn.ModuleDict({"conv3d": nn.Conv3d(1024, CLASSES, 1)})

    @classmethod
    def load(cls, path: Path) -> "I3D":
        """The network with the weights of a file, ready to look.

        Raises:
            RuntimeError: where the file lacks a tensor, has one too many, or one of another shape.
        """
        network = cls()
        network.load_state_dict(torch.load(path, map_location="cpu", weights_only=True), strict=True)
        return network.eval().requires_grad_(False)

    def forward(self, video: Tensor) -> Tensor:
        maps = video
        for step in ORDER:
            maps = self.get_submodule(step)(maps) if isinstance(step, str) else pooled(maps, *step)
        return self.logits["conv3d"](functional.avg_pool3d(maps, (2, 7, 7), stride=1)).mean((2, 3, 4))


class Layer(nn.Module):
    """A convolution padded as TensorFlow's SAME, batch norm, ReLU."""

    def __init__(self, channels: int, out: int, kernel: int, stride: int = 1) -> None:
        super().__init__()
        self.conv3d = nn.Conv3d(channels, out, kernel, stride, bias=False)
        self.bn = nn.BatchNorm3d(out, EPSILON)

    def forward(self, maps: Tensor) -> Tensor:
        return functional.relu(self.bn(self.conv3d(same(maps, self.conv3d.kernel_size, self.conv3d.stride))))


class Block(nn.Module):
    """Four branches side by side."""

    def __init__(self, channels: int, one: int, two: int, two_out: int, three: int, three_out: int, four: int) -> None:
        super().__init__()
        self.b0 = Layer(channels, one, 1)
        self.b1a, self.b1b = Layer(channels, two, 1), Layer(two, two_out, 3)
        self.b2a, self.b2b = Layer(channels, three, 1), Layer(three, three_out, 3)
        self.b3b = Layer(channels, four, 1)

    def forward(self, maps: Tensor) -> Tensor:
        branches = (
            self.b0(maps),
            self.b1b(self.b1a(maps)),
            self.b2b(self.b2a(maps)),
            self.b3b(pooled(maps, (3, 3, 3), (1, 1, 1))),
        )
        return torch.cat(branches, dim=1)


def pooled(maps: Tensor, kernel: tuple[int, int, int], stride: tuple[int, int, int]) -> Tensor:
    """The maxima, padded by zeros, which no value behind a ReLU is below."""
    return functional.max_pool3d(same(maps, kernel, stride), kernel, stride)


def same(maps: Tensor, kernel: tuple[int, ...], stride: tuple[int, ...]) -> Tensor:
    """(n, c, frames, h, w) with zeros around, as many as TensorFlow's SAME puts there: the odd one behind."""
    around: list[int] = []
    for size, wide, step in zip(maps.shape[:1:-1], kernel[::-1], stride[::-1], strict=True):
        spare = max(wide - (size % step or step), 0)
        around += [spare // 2, spare - spare // 2]
    return functional.pad(maps, around)


def prepared(frames: Tensor) -> Tensor:
    """(n, 3, h, w) from 0 to 255, to the (3, n, 224, 224) from -1 to 1 that VideoGPT makes: the shorter side bilinear
    to 224, then the middle.
    """
    height, width = frames.shape[2:]
    scale = SIDE / min(height, width)
    wanted = (SIDE, ceil(width * scale)) if height < width else (ceil(height * scale), SIDE)
    made = functional.interpolate(frames.float() / 255, size=wanted, mode="bilinear", align_corners=False)
    top, left = ((side - SIDE) // 2 for side in wanted)
    return 2 * (made[:, :, top : top + SIDE, left : left + SIDE] - 0.5).transpose(0, 1)
