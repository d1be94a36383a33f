"""RetinaFace with MobileNet-0.25: boxes, scores and five points of the faces of a batch of pictures.

Deng et al., "RetinaFace: Single-Shot Multi-Level Face Localisation in the Wild" (CVPR 2020). The layers are named as in
the published weights of the PyTorch version by biubug6, so that these load strictly.
"""

from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.nn import functional as F

STRIDES = (8, 16, 32)
ANCHORS_PX = ((16, 32), (64, 128), (256, 512))
SCALE_XY, SCALE_SIZE = 0.1, 0.2  # what the regressed numbers are divided by in training
MEAN_BGR = (104.0, 117.0, 123.0)
LEAK = 0.1


class Retinaface(nn.Module):
    """Takes pictures (n, 3, h, w), BGR less the mean; gives (n, anchors, 4), (n, anchors, 2) and (n, anchors, 10), all
    relative to the anchors.
    """

    def __init__(self, min_score: float = 0.5):
        """
        Args:
            min_score: 0 to 1; what is less sure is not given by `faces`.
        """
        super().__init__()
        self.min_score = min_score
        self.body = nn.ModuleDict(
            {
                "stage1": nn.Sequential(
                    _conv(3, 8, 2),
                    _apart(8, 16, 1),
                    _apart(16, 32, 2),
                    _apart(32, 32, 1),
                    _apart(32, 64, 2),
                    _apart(64, 64, 1),
                ),
                "stage2": nn.Sequential(_apart(64, 128, 2), *(_apart(128, 128, 1) for _ in range(5))),
                "stage3": nn.Sequential(_apart(128, 256, 2), _apart(256, 256, 1)),
            }
        )
        self.fpn = _Pyramid()
        self.ssh1, self.ssh2, self.ssh3 = _Context(), _Context(), _Context()
        self.ClassHead = nn.ModuleList(_Head(2) for _ in STRIDES)
        self.BboxHead = nn.ModuleList(_Head(4) for _ in STRIDES)
        self.LandmarkHead = nn.ModuleList(_Head(10) for _ in STRIDES)

    @classmethod
    def load(cls, path: Path, min_score: float, device: str = "cpu") -> "Retinaface":
        """Raises RuntimeError for weights of another network."""
        net = cls(min_score)
        net.load_state_dict(torch.load(path, map_location="cpu", weights_only=True), strict=True)
        return net.eval().requires_grad_(False).to(device)

    def forward(self, pictures: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        near = self.body["stage1"](pictures)
        middle = self.body["stage2"](near)
        levels = self.fpn(near, middle, self.body["stage3"](middle))
        levels = [ssh(level) for ssh, level in zip((self.ssh1, self.ssh2, self.ssh3), levels, strict=True)]
        boxes, classes, points = (
            torch.cat([head(level) for head, level in zip(heads, levels, strict=True)], dim=1)
            for heads in (self.BboxHead, self.ClassHead, self.LandmarkHead)
        )
        return boxes, classes, points

    def faces(self, pictures: NDArray[np.uint8]) -> list[tuple[NDArray[Any], NDArray[Any], NDArray[Any]]]:
        """What is found in each picture, not yet without repetitions.

        Args:
            pictures: (n, h, w, 3) RGB, 0 to 255.

        Returns:
            For each picture (faces, 4) left, top, right, bottom in pixels, (faces,) scores 0 to 1, and (faces, 5, 2)
            points: the eye on the image's left of a frontal face, the other eye, nose tip, corners of the mouth.
        """
        height, width = pictures.shape[1:3]
        device = next(self.parameters()).device
        given = torch.from_numpy(np.ascontiguousarray(pictures[..., ::-1])).to(device).permute(0, 3, 1, 2).float()
        with torch.inference_mode():
            boxes, classes, points = self(given - torch.tensor(MEAN_BGR, device=device).view(1, 3, 1, 1))
            scores = classes.softmax(dim=2)[..., 1].cpu().double().numpy()
        offsets, landmarks, anchors = (
            boxes.cpu().double().numpy(),
            points.cpu().double().numpy(),
            anchors_of(height, width),
        )
        found = []
        for n in range(len(pictures)):
            sure = np.flatnonzero(scores[n] >= self.min_score)
            centre, size = anchors[sure, :2], anchors[sure, 2:]
            middle = centre + SCALE_XY * offsets[n, sure, :2] * size
            half = size * np.exp(SCALE_SIZE * offsets[n, sure, 2:]) / 2
            five = centre[:, None] + SCALE_XY * landmarks[n, sure].reshape(-1, 5, 2) * size[:, None]
            found.append((np.concatenate([middle - half, middle + half], axis=1), scores[n, sure], five))
        return found


def anchors_of(height: int, width: int) -> NDArray[np.float64]:
    """(anchors, 4): centre x, y, width and height in pixels, in the order of the heads' answers."""
    made = [
        ((x + 0.5) * stride, (y + 0.5) * stride, side, side)
        for stride, sides in zip(STRIDES, ANCHORS_PX, strict=True)
        for y, x, side in product(range(-(-height // stride)), range(-(-width // stride)), sides)
    ]
    return np.array(made, np.float64)


def _conv(given: int, made: int, stride: int = 1, size: int = 3, leak: float | None = LEAK) -> nn.Sequential:
    layers: list[nn.Module] = [nn.Conv2d(given, made, size, stride, size // 2, bias=False), nn.BatchNorm2d(made)]
    return nn.Sequential(*layers, *([] if leak is None else [nn.LeakyReLU(leak)]))


def _apart(given: int, made: int, stride: int) -> nn.Sequential:
    """A convolution of each channel alone, then one across channels."""
    return nn.Sequential(
        nn.Conv2d(given, given, 3, stride, 1, groups=given, bias=False),
        nn.BatchNorm2d(given),
        nn.LeakyReLU(LEAK),
        nn.Conv2d(given, made, 1, bias=False),
        nn.BatchNorm2d(made),
        nn.LeakyReLU(LEAK),
    )


class _Pyramid(nn.Module):
    def __init__(self):
        super().__init__()
        self.output1, self.output2, self.output3 = _conv(64, 64, size=1), _conv(128, 64, size=1), _conv(256, 64, size=1)
        self.merge1, self.merge2 = _conv(64, 64), _conv(64, 64)

    def forward(self, near: torch.Tensor, middle: torch.Tensor, far: torch.Tensor) -> list[torch.Tensor]:
        near, middle, far = self.output1(near), self.output2(middle), self.output3(far)
        middle = self.merge2(middle + F.interpolate(far, size=middle.shape[2:], mode="nearest"))
        near = self.merge1(near + F.interpolate(middle, size=near.shape[2:], mode="nearest"))
        return [near, middle, far]


class _Context(nn.Module):
    """What is seen around a place through windows of 3, 5 and 7."""

    def __init__(self):
        super().__init__()
        self.conv3X3 = _conv(64, 32, leak=None)
        self.conv5X5_1, self.conv5X5_2 = _conv(64, 16), _conv(16, 16, leak=None)
        self.conv7X7_2, self.conv7x7_3 = _conv(16, 16), _conv(16, 16, leak=None)

    def forward(self, level: torch.Tensor) -> torch.Tensor:
        wider = self.conv5X5_1(level)
        return F.relu(
            torch.cat([self.conv3X3(level), self.conv5X5_2(wider), self.conv7x7_3(self.conv7X7_2(wider))], dim=1)
        )


class _Head(nn.Module):
    def __init__(self, numbers: int):
        super().__init__()
        self.conv1x1 = nn.Conv2d(64, 2 * numbers, 1)
        self.numbers = numbers

    def forward(self, level: torch.Tensor) -> torch.Tensor:
        return self.conv1x1(level).permute(0, 2, 3, 1).flatten(1, 2).reshape(len(level), -1, self.numbers)
