"""How far the frames of a set of renders are, as a set, from those of recordings."""

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from operators.base import Drop
from operators.metrics.base import FramePair, SetMetric, Variant, Video
from operators.models.catalogue import INCEPTION_FID
from operators.models.device import batches
from operators.picture import Picture
from operators.weights import Weight

BATCH = 16
SIDE = 299


@dataclass(frozen=True)
class Fid(SetMetric):
    """Fréchet inception distance, 0 and up, lower is better: of the 2048 numbers of the last pooling of FID's
    Inception, every frame of both sides.

    M. Heusel et al., "GANs Trained by a Two Time-Scale Update Rule Converge to a Local Nash Equilibrium", NeurIPS 2017.
    Two ways to bring a frame to 299 pixels are in use, and change the value: `fid_legacy`, pytorch-fid's, bilinear
    without antialiasing; and `fid_clean`, clean-fid's, PIL's bicubic. The default is `fid_legacy`, which papers on
    talking heads report. The frame is taken whole: the crop of the face changes the value tenfold. With fewer frames
    than 2048 the covariance has not its full rank, and values are too high.

    Drops: `no_frames`.
    """

    metric = "fid"
    known: ClassVar[dict[str, Variant]] = {
        "fid_legacy": Variant("lower", "FID's Inception, bilinear to 299 without antialiasing, as pytorch-fid"),
        "fid_clean": Variant("lower", "FID's Inception, bicubic to 299 with antialiasing, as clean-fid"),
    }
    variant: str = "fid_legacy"

    @property
    def weights(self) -> tuple[Weight, ...]:
        return (INCEPTION_FID,)

    def features(self, video: Video) -> NDArray[np.float32]:
        found = [part for batch in batches(video, BATCH) for part in self._of(batch)]
        if not found:
            raise Drop("no_frames")
        return np.concatenate(found)

    def _of(self, batch: list[FramePair]) -> Iterator[NDArray[np.float32]]:
        shrunk = legacy if self.variant == "fid_legacy" else clean
        yield pooled(self._network, shrunk([pair.made for pair in batch]))

    @cached_property
    def _network(self) -> Any:
        return inception(INCEPTION_FID.path())


def inception(path: Path) -> Any:
    """FID's Inception, with the weights of a file, which must fit it strictly."""
    import torch
    from torch_fidelity.feature_extractor_inceptionv3 import FeatureExtractorInceptionV3

    # The library reads its file as a whole pickle, so it is given one that holds what was read safely.
    held = torch.load(path, map_location="cpu", weights_only=True)
    with tempfile.NamedTemporaryFile(suffix=".pth") as safe:
        torch.save(held, safe.name)
        return FeatureExtractorInceptionV3("fid", ["2048"], feature_extractor_weights_path=safe.name)


def pooled(network: Any, pictures: Any) -> NDArray[np.float32]:
    """(n, 2048) of pictures (n, 3, 299, 299) from -1 to 1, by the layers in order: the library's own `forward` scales
    as TensorFlow 1 did.
    """
    import torch

    with torch.inference_mode():
        for name, layer in network.named_children():
            pictures = layer(pictures)
            if name == "AvgPool":
                break
    return pictures.flatten(1).numpy()


def legacy(pictures: list[Picture]) -> Any:
    """(n, 3, 299, 299), -1 to 1, as pytorch-fid makes them."""
    import torch
    from torch.nn import functional

    given = torch.from_numpy(np.stack([picture.rgb for picture in pictures])).permute(0, 3, 1, 2).float() / 255
    return 2 * functional.interpolate(given, size=(SIDE, SIDE), mode="bilinear", align_corners=False) - 1


def clean(pictures: list[Picture]) -> Any:
    """(n, 3, 299, 299), -1 to 1, as clean-fid makes them: each channel resized as floats, not rounded, held to
    0..255.
    """
    import torch
    from PIL import Image

    def resized(plane: NDArray[np.uint8]) -> NDArray[np.float32]:
        return np.asarray(Image.fromarray(plane.astype(np.float32)).resize((SIDE, SIDE), Image.Resampling.BICUBIC))

    made = np.stack([[resized(picture.rgb[..., n]) for n in range(3)] for picture in pictures])
    return torch.from_numpy(2 * (made.clip(0, 255) / 255) - 1)
