"""How far the motion of a set of renders is, as a set, from that of recordings."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from operators.base import Drop
from operators.metrics.base import SetMetric, Variant, Video
from operators.models.catalogue import I3D, I3D_400
from operators.models.device import batches
from operators.picture import Picture
from operators.protocol import Protocol
from operators.weights import Weight

FRAMES = 16


@dataclass(frozen=True)
class Fvd(SetMetric):
    """Fréchet video distance, 0 and up, lower is better: of the 400 logits of I3D on Kinetics, one vector for every 16
    frames in a row.

    T. Unterthiner et al., "Towards Accurate Generative Models of Video", 2018. Two published codes that papers use:

    - `fvd_16`: as StyleGAN-V, whose TorchScript file is the network and squeezes the frames to 224 x 224 itself. The
      default: most used since.
    - `fvd_videogpt`: as VideoGPT, whose file holds weights alone: the shorter side is brought to 224, and the middle
      square is looked at.

    A render is cut into pieces of 16 frames from its start on, and what is left is not looked at. StyleGAN-V draws one
    piece of each of 2,048 videos: values depend on how many pieces there are.

    Drops: `too_short`, fewer than 16 frames.
    """

    metric = "fvd"
    known: ClassVar[dict[str, Variant]] = {
        "fvd_16": Variant("lower", "I3D's logits of 16 frames in a row, every frame, as StyleGAN-V"),
        "fvd_videogpt": Variant(
            "lower",
            "I3D's logits of 16 frames in a row, every frame, as VideoGPT",
            Protocol(crop="middle square", colour="RGB 0..255"),
        ),
    }
    variant: str = "fvd_16"

    @property
    def weights(self) -> tuple[Weight, ...]:
        return (I3D,) if self.variant == "fvd_16" else (I3D_400.as_supplied(),)

    def features(self, video: Video) -> NDArray[np.float32]:
        found = [self._of(piece) for piece in pieces(pair.made for pair in video)]
        if not found:
            raise Drop("too_short", detail=f"fewer than {FRAMES} frames")
        return np.stack(found)

    def _of(self, piece: list[Picture]) -> NDArray[np.float32]:
        import torch

        frames = torch.from_numpy(np.stack([picture.rgb for picture in piece])).permute(0, 3, 1, 2)
        with torch.inference_mode():
            return self._network(frames)[0].numpy()

    @cached_property
    def _network(self) -> Any:
        """A function of 16 frames (16, 3, h, w), 0 to 255, to (1, 400)."""
        import torch

        if self.variant == "fvd_videogpt":
            from operators.models import i3d

            network = i3d.I3D.load(I3D_400.as_supplied().path())
            return lambda frames: network(i3d.prepared(frames)[None])
        script = torch.jit.load(str(I3D.path()), map_location="cpu").eval()
        return lambda frames: script(
            frames.float().transpose(0, 1)[None], rescale=True, resize=True, return_features=True
        )


def pieces(pictures: Iterator[Picture]) -> Iterator[list[Picture]]:
    """Runs of 16 frames, one after the other; a rest is left out."""
    return (piece for piece in batches(pictures, FRAMES) if len(piece) == FRAMES)
