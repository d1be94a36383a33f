"""Deep3DFaceRecon: expression and pose of a face from a crop, by the ResNet-50 that its user has a licence for.

Y. Deng et al., "Accurate 3D Face Reconstruction with Weakly-Supervised Learning", CVPRW 2019, as sicxu's
Deep3DFaceRecon_pytorch at 9167c713. Of `epoch_20.pth` the part `net_recon` is loaded, strictly. The face model itself
(BFM, which one signs for) is not needed: the coefficients are compared as they are. Importing this module imports
torch.
"""

from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from operators.models.catalogue import DEEP3D, DEEP3D_POINTS
from operators.models.face_pictures import points68
from operators.picture import Picture

SIDE = 224
FACE_PX = 102.0  # what a face of size 1 of the standard points is made in the crop
HEADS = (80, 64, 80, 3, 27, 2, 1)  # shape, expression, texture, angles, light, shift across, shift in depth
EXPRESSION, ANGLES = slice(80, 144), slice(224, 227)


class Coefficients(NamedTuple):
    """What the network says of a face."""

    expression: NDArray[np.float64]  # (64,), in deviations of the face model's expressions
    angles: NDArray[np.float64]  # (3,) about x, y and z, radians


class Deep3D(nn.Module):
    """(n, 3, 224, 224) RGB, 0 to 1, to (n, 257)."""

    def __init__(self) -> None:
        import torchvision

        super().__init__()
        self.backbone = torchvision.models.resnet50(weights=None)
        self.backbone.fc = nn.Identity()  # pyright: ignore[reportAttributeAccessIssue]
        self.final_layers = nn.ModuleList(nn.Conv2d(2048, out, 1) for out in HEADS)

    @classmethod
    def load(cls, path: Path) -> "Deep3D":
        """The network with the weights of a checkpoint, ready to look.

        Raises:
            RuntimeError: where the file lacks a tensor, has one too many, or one of another shape.
        """
        with torch.device("meta"):  # the file has all there is to it
            network = cls()
        network.load_state_dict(
            torch.load(path, map_location="cpu", weights_only=True)["net_recon"], strict=True, assign=True
        )
        return network.eval().requires_grad_(False)

    def forward(self, pictures: Tensor) -> Tensor:
        seen = self.backbone(pictures)[:, :, None, None]
        return torch.cat([head(seen) for head in self.final_layers], dim=1).flatten(1)


def coefficients(picture: Picture) -> Coefficients | None:
    """Of the picture's face; None without one."""
    return picture.once("deep3d", _coefficients)


def _coefficients(picture: Picture) -> Coefficients | None:
    points = points68(picture)
    if points is None:
        return None
    seen = torch.from_numpy(crop(picture.rgb, five(points), _standard()) / 255.0).float().permute(2, 0, 1)[None]
    with torch.inference_mode():
        found = _network()(seen)[0].numpy().astype(np.float64)
    return Coefficients(found[EXPRESSION], found[ANGLES])


def five(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """(5, d): eyes, tip of the nose, corners of the mouth, of 68 points (68, d). An eye is the mean of two points of
    its lids.
    """
    return np.stack([points[[36, 39]].mean(axis=0), points[[42, 45]].mean(axis=0), points[30], points[48], points[54]])


def crop(rgb: NDArray[np.uint8], points: NDArray[np.float64], standard: NDArray[np.float64]) -> NDArray[np.uint8]:
    """(224, 224, 3): the upright square in which five points (5, 2) lie as the standard face's (5, 3) would, seen from
    afar.

    Neither turned nor squeezed, by PIL's bicubic, black beyond the frame; rounded as the published code does.
    """
    from PIL import Image

    picture = Image.fromarray(rgb)
    width, height = picture.size
    upward = np.column_stack([points[:, 0], height - 1 - points[:, 1]])
    middle, size = orthographic(upward, standard)
    scale = FACE_PX / size
    wide, high = int(width * scale), int(height * scale)
    left = int(wide / 2 - SIDE / 2 + (middle[0] - width / 2) * scale)
    top = int(high / 2 - SIDE / 2 + (height / 2 - middle[1]) * scale)
    scaled = picture.resize((wide, high), Image.Resampling.BICUBIC)
    return np.asarray(scaled.crop((left, top, left + SIDE, top + SIDE)))


def orthographic(points: NDArray[np.float64], standard: NDArray[np.float64]) -> tuple[NDArray[np.float64], float]:
    """Where the origin of the standard points (n, 3) is seen, (2,), and how large, in the least squares view of them as
    points (n, 2).
    """
    given = np.column_stack([standard, np.ones(len(standard))])
    found = np.linalg.lstsq(given, points, rcond=None)[0]
    return found[3], float(np.linalg.norm(found[:3], axis=0).mean())


@cache
def _network() -> Deep3D:
    return Deep3D.load(DEEP3D.as_supplied().path())


@cache
def _standard() -> NDArray[np.float64]:
    from scipy.io import loadmat

    return five(loadmat(str(DEEP3D_POINTS.path()))["lm"].astype(np.float64))
