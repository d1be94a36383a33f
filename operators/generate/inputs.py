"""What a generation system is given, as files in its own working folder: made of recordings by what its card asks
for.
"""

import wave
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from manifests.tables import Render
from operators.base import Drop
from operators.generate.cards import Card
from operators.media.encoding import Encoder
from operators.media.frames import VideoFrames
from operators.media.sound import SourceAudio

NEARLY_LOSSLESS = Encoder(crf=8)
MAX_REFERENCES = 4


@dataclass(frozen=True)
class Recording:
    """The recording of a clip, and its file."""

    render: Render
    path: Path

    @property
    def fps(self) -> Fraction:
        return Fraction(self.render.fps).limit_denominator(1001)

    def sound(self, hz: int) -> NDArray[np.float32] | None:
        """Mono, as long as the picture; None without sound."""
        try:
            return SourceAudio(self.path).samples(0.0, self.render.frames / self.render.fps, hz)
        except Drop as no:
            if no.reason != "no_audio_stream":
                raise
            return None


def write_request(
    folder: Path, card: Card, source: Recording, driving: Recording, text: str, references: Sequence[Recording]
) -> dict[str, Any]:
    """Writes the inputs of one pair. Returns the request without its `pair_id`, `seed` and `out_dir`.

    source_image                          PNG, `input.px` square: the first frame of the source recording
    source_video                          mp4 of the source recording, `input.px` square
    driving_video, driving_audio          mp4 of the driving recording; WAV, mono 16 bit at `input.hz`, None without one
    source_landmarks, driving_landmarks   with `input.landmarks`: .npy of (478, 3) and (frames, 478, 3) pixels, NaN
                                          where no face is found
    references                            with `input.references`: mp4s of other recordings of the source's person,
                                          beside each its WAV and, with `input.landmarks`, its .npy
    text                                  what is said in the driving clip: its transcript, else the words that were
                                          heard; "" without either
    size, fps, frames                     pixels a side, and the rate and number of driving frames
    """
    px, same = card.input.px, source.render.render_id == driving.render.render_id
    request: dict[str, Any] = {
        "size": px,
        "fps": [driving.fps.numerator, driving.fps.denominator],
        "frames": driving.render.frames,
        "text": text,
    }
    request["driving_video"], request["driving_audio"] = _written(folder / "driving.mp4", driving, card)
    request["source_video"] = request["driving_video"] if same else _written(folder / "source.mp4", source, card)[0]
    first = next(squares(source.path, px))
    _write_png(folder / "source.png", first)
    request["source_image"] = str(folder / "source.png")
    if card.input.landmarks:
        np.save(folder / "source_landmarks.npy", landmarks(first))
        np.save(folder / "driving_landmarks.npy", np.stack([landmarks(rgb) for rgb in squares(driving.path, px)]))
        request |= {f"{name}_landmarks": str(folder / f"{name}_landmarks.npy") for name in ("source", "driving")}
    if card.input.references:
        chosen = [(folder / f"reference{number}.mp4", one) for number, one in enumerate(references[:MAX_REFERENCES])]
        request["references"] = [_written(path, one, card)[0] for path, one in chosen]
        if card.input.landmarks:
            for path, one in chosen:
                np.save(path.with_suffix(".npy"), np.stack([landmarks(rgb) for rgb in squares(one.path, px)]))
    return request


def squares(path: Path, px: int) -> Iterator[NDArray[np.uint8]]:
    """The frames of a file, (px, px, 3) RGB: the middle square of each, scaled."""
    for frame in VideoFrames(path):
        side = min(frame.width, frame.height)
        left, top = (frame.width - side) / 2, (frame.height - side) / 2
        yield frame.crop(left, top, left + side, top + side, (px, px))


def landmarks(rgb: NDArray[np.uint8]) -> NDArray[np.float64]:
    """(478, 3) pixels; NaN where no face is found."""
    faces = _landmarker()(np.ascontiguousarray(rgb))
    return faces[0].points * rgb.shape[1] if faces else np.full((478, 3), np.nan)


def _written(path: Path, recording: Recording, card: Card) -> tuple[str, str | None]:
    """Writes a recording as mp4, and its sound as WAV beside it."""
    px = card.input.px
    NEARLY_LOSSLESS.write(path, squares(recording.path, px), None, width=px, height=px, fps=recording.fps)
    if (samples := recording.sound(card.input.hz)) is None:
        return str(path), None
    with wave.open(str(path.with_suffix(".wav")), "wb") as file:
        file.setparams((1, 2, card.input.hz, len(samples), "NONE", ""))
        file.writeframes(np.round(samples * 32767).astype("<i2").tobytes())
    return str(path), str(path.with_suffix(".wav"))


def _write_png(path: Path, rgb: NDArray[np.uint8]) -> None:
    from PIL import Image

    Image.fromarray(rgb).save(path)


@cache
def _landmarker() -> Any:
    from operators.models.face_landmarker import Landmarker

    return Landmarker(blendshapes=False)
