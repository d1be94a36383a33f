"""How different the structure and texture of a render and its target look to a network."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

from operators.metrics.base import FramePair, Metric, Variant, Video, mean_of_frames
from operators.models.catalogue import DISTS, LPIPS_VGG
from operators.models.device import batches
from operators.weights import Weight

BATCH = 4


@dataclass(frozen=True)
class Dists(Metric):
    """Deep image structure and texture similarity, 0 to 1, 0 is equal: per frame, then the mean of the frames.

    K. Ding et al., "Image Quality Assessment: Unifying Structure and Texture Similarity", TPAMI 2020. The picture goes
    in at its own size: the authors' script makes its shorter side 256 pixels first, which changes the value.
    """

    metric = "dists"
    known: ClassVar[dict[str, Variant]] = {
        "dists": Variant("lower", "through VGG16 with L2 pooling, at the picture's own size")
    }
    variant: str = "dists"

    @property
    def weights(self) -> tuple[Weight, ...]:
        return DISTS, LPIPS_VGG

    def measure(self, video: Video) -> float:
        return mean_of_frames(value for batch in batches(video, BATCH) for value in self._of(batch))

    def _of(self, batch: list[FramePair]) -> Iterator[float]:
        import torch

        from operators.models.backbones import tensor

        both = [pair.both for pair in batch]
        with torch.inference_mode():
            yield from self._network(
                tensor([made for made, _ in both]), tensor([reference for _, reference in both])
            ).tolist()

    @cached_property
    def _network(self) -> Any:
        return dists()


def dists() -> Any:
    """The metric as a function of two batches (n, 3, h, w), 0 to 1, to (n,)."""
    import torch
    from torch import Tensor, nn
    from torch.nn import functional

    from operators.models.backbones import SLICES, backbone

    features, _ = backbone("vgg")
    layers = list(features)
    held = torch.load(DISTS.path(), map_location="cpu", weights_only=True)
    total = held["alpha"].sum() + held["beta"].sum()
    alphas, betas = (torch.split(held[name] / total, [3, 64, 128, 256, 512, 512], dim=1) for name in ("alpha", "beta"))
    mean = torch.tensor([0.485, 0.456, 0.406]).view(1, 3, 1, 1)
    deviation = torch.tensor([0.229, 0.224, 0.225]).view(1, 3, 1, 1)
    hann = torch.tensor([0.25, 0.5, 0.25])

    def pooled(maps: Tensor) -> Tensor:
        """The root of the mean square under a Hann window, every other pixel: instead of VGG's maximum."""
        window = torch.outer(hann, hann).expand(maps.shape[1], 1, 3, 3)
        return (functional.conv2d(maps.square(), window, stride=2, padding=1, groups=maps.shape[1]) + 1e-12).sqrt()

    def depths(pictures: Tensor) -> Iterator[Tensor]:
        yield pictures
        maps, begin = (pictures - mean) / deviation, 0
        for end in SLICES["vgg"]:
            for layer in layers[begin:end]:
                maps = pooled(maps) if isinstance(layer, nn.MaxPool2d) else layer(maps)
            begin = end
            yield maps

    def distance(made: Tensor, reference: Tensor) -> Tensor:
        alike = torch.zeros(len(made))
        for maps, alpha, beta in zip(depths(torch.cat([made, reference])), alphas, betas, strict=True):
            one, other = maps[: len(made)], maps[len(made) :]
            mean1, mean2 = one.mean((2, 3), keepdim=True), other.mean((2, 3), keepdim=True)
            texture = (2 * mean1 * mean2 + 1e-6) / (mean1**2 + mean2**2 + 1e-6)
            spread1, spread2 = ((x - m).square().mean((2, 3), keepdim=True) for x, m in ((one, mean1), (other, mean2)))
            together = (one * other).mean((2, 3), keepdim=True) - mean1 * mean2
            structure = (2 * together + 1e-6) / (spread1 + spread2 + 1e-6)
            alike += (alpha * texture + beta * structure).sum((1, 2, 3))
        return 1 - alike

    return distance
