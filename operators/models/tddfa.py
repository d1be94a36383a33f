"""3DDFA_V2: pose, shape and expression of a face from a crop, by the network of 3 MB that its repository ships.

J. Guo et al., "Towards Fast, Accurate and Stable 3D Dense Face Alignment", ECCV 2020. Layer names are those of the
published state dict, so that it loads strictly. Importing this module imports torch.
"""

from functools import cache
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from operators.models.arrays import unpickled_arrays
from operators.models.catalogue import TDDFA, TDDFA_SCALE
from operators.models.face_pictures import points68
from operators.picture import Picture

SIDE = 120
# Channels and stride of the separable convolutions, by name.
LAYERS = {
    "dw2_1": (16, 32, 1), "dw2_2": (32, 64, 2), "dw3_1": (64, 64, 1), "dw3_2": (64, 128, 2), "dw4_1": (128, 128, 1),
    "dw4_2": (128, 256, 2), "dw5_1": (256, 256, 1), "dw5_2": (256, 256, 1), "dw5_3": (256, 256, 1),
    "dw5_4": (256, 256, 1), "dw5_5": (256, 256, 1),
    "dw5_6": (256, 512, 2), "dw6": (512, 512, 1),
}  # fmt: skip


class Coefficients(NamedTuple):
    """What the network says of a face."""

    angles: NDArray[np.float64]  # (3,) yaw, pitch, roll, degrees
    expression: NDArray[np.float64]  # (10,) of the Basel face model's expressions, in its own scale
    shape: NDArray[np.float64]  # (40,)


class MobileNet(nn.Module):
    """(n, 3, 120, 120) BGR, -1 to 1, to (n, 62): 12 of the pose, 40 of the shape, 10 of the expression, each less its
    mean over its deviation.
    """

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 16, 3, stride=2, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(16)
        for name, (channels, out, stride) in LAYERS.items():
            self.add_module(name, _Separable(channels, out, stride))
        self.fc_param = nn.Linear(512, 62)
        self.fc_lm = nn.Linear(512, 136)  # of the training; not used

    def forward(self, pictures: Tensor) -> Tensor:
        maps = functional.relu(self.bn1(self.conv1(pictures)))
        for name in LAYERS:
            maps = self.get_submodule(name)(maps)
        return self.fc_param(maps.mean((2, 3)))


class _Separable(nn.Module):
    def __init__(self, channels: int, out: int, stride: int) -> None:
        super().__init__()
        self.conv_dw = nn.Conv2d(channels, channels, 3, stride=stride, padding=1, groups=channels, bias=False)
        self.bn_dw = nn.BatchNorm2d(channels)
        self.conv_sep = nn.Conv2d(channels, out, 1, bias=False)
        self.bn_sep = nn.BatchNorm2d(out)

    def forward(self, maps: Tensor) -> Tensor:
        maps = functional.relu(self.bn_dw(self.conv_dw(maps)))
        return functional.relu(self.bn_sep(self.conv_sep(maps)))


def coefficients(picture: Picture) -> Coefficients | None:
    """Of the picture's face; None without one. The crop is the one 3DDFA_V2 takes around 68 points."""
    return picture.once("3ddfa", _coefficients)


def _coefficients(picture: Picture) -> Coefficients | None:
    points = points68(picture)
    if points is None:
        return None
    return decoded(measured(crop(picture.rgb, points)))


def crop(rgb: NDArray[np.uint8], points: NDArray[np.float64]) -> NDArray[np.uint8]:
    """(120, 120, 3): the square around 68 points, root two as wide as their larger extent; black beyond the frame."""
    import cv2

    low, high = points.min(axis=0), points.max(axis=0)
    half = np.sqrt(2) * (high - low).max() / 2
    left, top = np.round((low + high) / 2 - half)
    right, bottom = np.round((low + high) / 2 + half)
    to = np.array([[1.0, 0, -left], [0, 1, -top]])
    cut = cv2.warpAffine(rgb, to, (int(right - left), int(bottom - top)))
    return np.asarray(cv2.resize(cut, (SIDE, SIDE)), np.uint8)


def measured(crop: NDArray[np.uint8]) -> NDArray[np.float64]:
    """(62,) of an RGB crop, in the units of the face model."""
    network, mean, deviation = _network()
    given = torch.from_numpy((crop[..., ::-1].astype(np.float32) - 127.5) / 128).permute(2, 0, 1)[None]
    with torch.inference_mode():
        return network(given)[0].numpy().astype(np.float64) * deviation + mean


def decoded(parameters: NDArray[np.float64]) -> Coefficients:
    """Of (62,). The pose is a scaled rotation beside a shift, three rows of four; its angles are those of 3DDFA_V2's
    `matrix2angle`.
    """
    rows = parameters[:12].reshape(3, 4)[:, :3]
    first, second = (row / np.linalg.norm(row) for row in rows[:2])
    turn = np.stack([first, second, np.cross(first, second)])
    yaw = np.arcsin(np.clip(turn[2, 0], -1, 1))
    pitch = np.arctan2(turn[2, 1] / np.cos(yaw), turn[2, 2] / np.cos(yaw))
    roll = np.arctan2(turn[1, 0] / np.cos(yaw), turn[0, 0] / np.cos(yaw))
    return Coefficients(np.degrees([yaw, pitch, roll]), parameters[52:62], parameters[12:52])


@cache
def _network() -> tuple[MobileNet, NDArray[np.float64], NDArray[np.float64]]:
    held = torch.load(TDDFA.path(), map_location="cpu", weights_only=True)["state_dict"]
    network = MobileNet()
    network.load_state_dict({name.removeprefix("module."): value for name, value in held.items()}, strict=True)
    scale = unpickled_arrays(TDDFA_SCALE.path())
    return network.eval().requires_grad_(False), scale["mean"].astype(np.float64), scale["std"].astype(np.float64)
