"""How far the motion of a set of renders is, as a set, from that of recordings."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from operators.base import Drop
from operators.metrics.metric import Looks, Picture, SetMetric, Variant
from operators.weights import I3D, Weight

FRAMES = 16


@dataclass(frozen=True)
class ScoreFvd(SetMetric):
    """Fréchet video distance, 0 and up, lower is better: of the 400 logits of I3D on Kinetics, one vector for every 16 frames in a row.

    T. Unterthiner et al., "Towards Accurate Generative Models of Video", 2018, as StyleGAN-V's code has it: the TorchScript network makes the
    frames 224 pixels and scales them itself. A render is cut into pieces of 16 frames from its start on, and what is left is not
    looked at. StyleGAN-V draws one piece of each of 2,048 videos: values depend on how many pieces there are.

    Drops: `too_short`, fewer than 16 frames.
    """

    metric = "fvd"
    known: ClassVar[dict[str, Variant]] = {"fvd_16": Variant("lower", "I3D's logits of 16 frames in a row, every frame, as StyleGAN-V")}
    variant: str = "fvd_16"

    @property
    def weights(self) -> tuple[Weight, ...]:
        return (I3D,)

    def features(self, looks: Looks) -> NDArray[np.float32]:
        found = [self._of(piece) for piece in pieces(look.made for look in looks)]
        if not found:
            raise Drop("too_short", detail=f"fewer than {FRAMES} frames")
        return np.stack(found)

    def _of(self, piece: list[Picture]) -> NDArray[np.float32]:
        import torch

        video = torch.from_numpy(np.stack([picture.rgb for picture in piece])).permute(3, 0, 1, 2)[None].float()
        with torch.inference_mode():
            return self._network(video, rescale=True, resize=True, return_features=True)[0].numpy()

    @cached_property
    def _network(self) -> Any:
        import torch

        return torch.jit.load(str(I3D.path()), map_location="cpu").eval()


def pieces(pictures: Iterator[Picture]) -> Iterator[list[Picture]]:
    """Runs of 16 frames, one after the other; a rest is left out."""
    piece: list[Picture] = []
    for picture in pictures:
        piece.append(picture)
        if len(piece) == FRAMES:
            yield piece
            piece = []
