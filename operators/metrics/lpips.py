"""How different a render and its target look to a network."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

from operators.base import Drop
from operators.metrics.base import FramePair, Metric, Variant, Video, mean_of_frames
from operators.models.catalogue import LPIPS_ALEX, LPIPS_VGG
from operators.models.device import batches
from operators.weights import Weight

BATCH = 4
SMALLEST = 64  # pixels: AlexNet's last pooling has nothing left of less


@dataclass(frozen=True)
class Lpips(Metric):
    """Learned perceptual image patch similarity, version 0.1, 0 and up, 0 is equal: per frame, then the mean of the
    frames.

    R. Zhang et al., "The Unreasonable Effectiveness of Deep Features as a Perceptual Metric", CVPR 2018. Pictures go in
    as RGB from -1 to 1; from 0 to 1, a common mistake, values are lower. The default is `lpips_alex`, as the authors
    recommend for comparing and as LIA and its successors report. The VGG loss of the FOMM family is another thing and
    is not here.

    Drops: `too_small`, a frame with less than 64 pixels either way.
    """

    metric = "lpips"
    known: ClassVar[dict[str, Variant]] = {
        "lpips_alex": Variant("lower", "through AlexNet"),
        "lpips_vgg": Variant("lower", "through VGG16"),
    }
    variant: str = "lpips_alex"

    @property
    def weights(self) -> tuple[Weight, ...]:
        return (LPIPS_ALEX,) if self.variant == "lpips_alex" else (LPIPS_VGG,)

    def measure(self, video: Video) -> float:
        return mean_of_frames(value for batch in batches(video, BATCH) for value in self._of(batch))

    def _of(self, batch: list[FramePair]) -> Iterator[float]:
        import torch

        from operators.models.backbones import tensor

        both = [pair.both for pair in batch]
        if min(both[0][0].size) < SMALLEST:
            raise Drop("too_small", detail=f"{both[0][0].size} px, less than {SMALLEST}")
        with torch.inference_mode():
            yield from self._network(
                tensor([made for made, _ in both]), tensor([reference for _, reference in both])
            ).tolist()

    @cached_property
    def _network(self) -> Any:
        return lpips(self.variant.removeprefix("lpips_"))


def lpips(network: str) -> Any:
    """The metric as a function of two batches (n, 3, h, w), 0 to 1, to (n,)."""
    import torch
    from torch import Tensor

    from operators.models.backbones import SLICES, backbone

    features, heads = backbone(network)
    # ImageNet's mean and deviation, for pictures from -1 to 1.
    shift = torch.tensor([-0.030, -0.088, -0.188]).view(1, 3, 1, 1)
    scale = torch.tensor([0.458, 0.448, 0.450]).view(1, 3, 1, 1)

    def distance(made: Tensor, reference: Tensor) -> Tensor:
        maps = (torch.cat([made, reference]) * 2 - 1 - shift) / scale
        total, begin = torch.zeros(len(made)), 0
        for end, head in zip(SLICES[network], heads, strict=True):
            maps, begin = features[begin:end](maps), end
            unit = maps / (maps.square().sum(1, keepdim=True).sqrt() + 1e-10)
            total += ((unit[: len(made)] - unit[len(made) :]).square() * head).sum(1).mean((1, 2))
        return total

    return distance
