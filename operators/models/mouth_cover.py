"""How much of a mouth is hidden, by whatever it is: AlexNet's deepest convolutions look at the lower face, and a linear
head reads them.

AlexNet is torchvision's, trained on ImageNet. The head (1024 weights and a constant) is ours: `training/mouth_cover.py`
fitted it to the faces of fifteen films and a portrait, with drawn things put before them, 0 where they leave the lips
free and 1 where they cover half of them or more. Its card lies beside it, in `operators/models/ours`.
"""

from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from manifests.boxes import Box
from operators.base import Frame
from operators.models.catalogue import LPIPS_ALEX, MOUTH_COVER_HEAD
from operators.weights import Weight

MODEL = "alexnet_lips"
WEIGHTS: tuple[Weight, ...] = (LPIPS_ALEX, MOUTH_COVER_HEAD)
SIDE_PX = 128
CELLS = 2  # the answers of AlexNet are averaged over a grid of this many cells each way
NUMBERS = 256 * CELLS**2
_MEANS, _SPREADS = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # of ImageNet's pictures, as torchvision has them


Head = tuple[NDArray[np.float64], float]  # weights (1024,), and the constant


def save_head(path: Path, head: Head) -> None:
    """Writes a head, its weights in 127ths of the largest."""
    weights, constant = head
    scale = np.float32(np.abs(weights).max() / 127)
    np.savez(path, weights=np.rint(weights / scale).astype(np.int8), scale=scale, constant=np.float32(constant))


def load_head(path: Path) -> Head:
    """A head as `save_head` wrote it."""
    with np.load(path, allow_pickle=False) as held:
        return held["weights"] * float(held["scale"]), float(held["constant"])


def lower_face(frame: Frame, box: Box) -> NDArray[np.uint8]:
    """(128, 128, 3): the square about the mouth of a face, 0.84 times the box's longer side, its middle 72 % of the
    box's height down.
    """
    wide, high = box.right - box.left, box.bottom - box.top
    x, y, half = (box.left + box.right) / 2, box.top + 0.72 * high, 0.42 * max(wide, high)
    return frame.crop(x - half, y - half, x + half, y + half, (SIDE_PX, SIDE_PX))


class MouthCover:
    """The network and its head. Not for use by two threads at once."""

    def numbers(self, pictures: NDArray[np.uint8]) -> NDArray[np.float32]:
        """(n, 1024) of lower faces (n, 128, 128, 3): what the head reads."""
        import torch

        with torch.inference_mode():
            given = torch.tensor(pictures).permute(0, 3, 1, 2).float() / 255
            given = (given - torch.tensor(_MEANS).view(1, 3, 1, 1)) / torch.tensor(_SPREADS).view(1, 3, 1, 1)
            return torch.nn.functional.adaptive_avg_pool2d(self._network(given), CELLS).flatten(1).numpy()

    def __call__(self, pictures: NDArray[np.uint8]) -> NDArray[np.float64]:
        """(n,): of lower faces (n, 128, 128, 3), 0 where the lips are free to 1 where half of them or more are
        hidden.
        """
        weights, constant = self._head
        return 1 / (1 + np.exp(-(self.numbers(pictures) @ weights + constant)))

    @cached_property
    def _head(self) -> Head:
        return load_head(MOUTH_COVER_HEAD.path())

    @cached_property
    def _network(self) -> Any:
        from operators.models.backbones import backbone

        return backbone("alex")[0]
