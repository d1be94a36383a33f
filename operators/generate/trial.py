"""One tiny pair through an adapter, judged from outside as every render is: what `headset systems check` does."""

import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from manifests.media import MediaStore
from manifests.tables import RECORDING, TEXT_DRIVEN, Annotation, Clip, Pair, Render
from operators.base import Drop, Lookup
from operators.generate.cards import Card
from operators.generate.generate_video import TRANSCRIPT, GenerateVideo
from operators.generate.home import Home
from operators.media.encoding import Encoder

SECONDS, FPS, SIDE = 1.0, 25, 256
SAID = "Good day."  # takes less than a second


@dataclass(frozen=True)
class Trial:
    """How a system took it."""

    ran: bool
    broken: bool  # all it needs is there, and yet it does not run
    told: str


@dataclass(frozen=True)
class _Store:
    """What `RenderMedia` is to an operator, over a folder of our own."""

    root: str

    @property
    def path(self) -> Path:
        raise NotImplementedError("a pair has no file")

    @property
    def scratch(self) -> Path:
        return Path(self.root, "scratch")

    def keep(self, made: Path, suffix: str) -> tuple[str, str]:
        return MediaStore(self.root).put(made, suffix)

    def file_of(self, render: Render) -> Path:
        return Path(self.root, render.media)


def try_system(card: Card, random: bool = False) -> Trial:
    """Gives a system one second of a face that nods and speaks, or the words of one, and says how it took it."""
    if missing := Home(card).missing(random):
        return Trial(False, False, "; ".join(missing))
    operator = GenerateVideo(card.name, random=random)
    protocol = TEXT_DRIVEN if card.driven_by == "text" else "cross_identity"
    pair = Pair("trial", f"{protocol}/trial/one/two", protocol, "trial/one", "trial/two")
    said = [Annotation("trial", f"trial/two#{TRANSCRIPT}", "trial/two", TRANSCRIPT, SAID, "headset")]
    with tempfile.TemporaryDirectory(prefix="headset-trial-") as folder:
        store = _Store(folder)
        recordings = [
            _recording(store, name, number) for number, name in enumerate(("trial/one", "trial/two", "trial/three"))
        ]
        clips = [Clip("trial", row.clip_id, "", "", "speaker0", 0.0, SECONDS, 0, 0, SIDE, SIDE) for row in recordings]
        began = time.monotonic()
        try:
            (render,) = operator(pair, Lookup(lambda: recordings), Lookup(lambda: clips), Lookup(), store, said)
        except Drop as drop:
            return Trial(False, drop.reason != "refused", f"{drop.reason}: {drop.detail}")
        finally:
            operator.end()
        took = time.monotonic() - began
    return Trial(
        True,
        False,
        f"ran: {render.frames} frames of {render.width}x{render.height} px in {took:.1f} s, judged good;"
        f" {operator.hello}",
    )


def _recording(store: _Store, clip_id: str, number: int) -> Render:
    """A second of a portrait that nods, with a voice-like tone."""
    path, encoder, rate = Path(store.root, "made.mp4"), Encoder(), Fraction(FPS)
    count = round(SECONDS * FPS)
    at_s = np.arange(round(SECONDS * 48000)) / 48000
    tone = (0.3 * np.sin(2 * np.pi * (150 + 40 * number) * at_s) * np.abs(np.sin(2 * np.pi * 3 * at_s))).astype(
        np.float32
    )
    frames_sha256, _ = encoder.write(path, _portrait(count, number), tone, width=SIDE, height=SIDE, fps=rate)
    size = path.stat().st_size
    place, sha256 = store.keep(path, ".mp4")
    return Render(
        "trial", f"{clip_id}@{RECORDING}", clip_id, RECORDING, place, sha256, frames_sha256, size,
        width=SIDE, height=SIDE, fps=float(FPS), frames=count, duration_s=SECONDS, encoder=encoder.told(rate),
    )  # fmt: skip


def _portrait(count: int, number: int) -> Iterator[NDArray[np.uint8]]:
    """scikit-image's portrait of the astronaut Eileen Collins (NASA, public domain), moved a little from frame to
    frame.
    """
    from skimage.data import astronaut

    picture = np.asarray(astronaut())
    for k in range(count):
        down = round(8 * np.sin(2 * np.pi * k / count)) + 8 + 2 * number
        yield np.ascontiguousarray(picture[down : down + SIDE, 96 : 96 + SIDE])
