"""The pixels and sound of a clip, as a file."""

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from math import ceil
from pathlib import Path
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from manifests.tables import Clip, Render
from operators.base import Audio, Drop, Frame, Frames, Media, Operator
from operators.media.encoding import Encoder

_EXACT_S = 0.002  # Matroska and the ids of clips round to the millisecond


@dataclass(frozen=True)
class RenderClips(Operator):
    """Cuts the clip out of its source: its box scaled to a square, at a constant rate, with its sound, as H.264 and AAC
    in mp4.

    Output frame k is the source frame that is visible at `start_s + k / fps` (or comes within 2 ms after it), so that
    lips and sound stay together whatever the source's frame rate, constant or not. There are `round((end_s - start_s) *
    fps)` frames, and the sound is cut to the same span to the sample, later by the clip's `sound_late_s`. The same clip
    gives the same bytes on the same encoder build; `frames_sha256` is that of the frames' planes, so it holds for every
    build.

    A box of whole even pixels, as `PlanClips` makes them, is cut and scaled as the source stores it. `pixels` "rgb"
    goes through RGB and hashes that, as all renders did before there was another way: so old corpora are rebuilt to the
    bit.

    Drops: `no_frames` (the span holds none), `no_audio_stream`.
    """

    size: int = 512  # pixels, both ways; even
    fps: int = 25
    audio_hz: int = 48000
    audio_bps: int = 128000
    crf: int = 18  # libx264's constant rate factor: lower is better and larger; 18 is close to what an eye can tell
    preset: str = "veryfast"
    silent: bool = False  # True: a clip of a source without sound is a picture alone, and no drop
    pixels: str = "yuv"  # what is scaled and hashed: yuv, as it is stored, or rgb

    version: ClassVar[int] = 3

    def __post_init__(self) -> None:
        if self.pixels not in ("yuv", "rgb"):
            raise ValueError(f"RenderClips.pixels is {self.pixels!r}; it is yuv or rgb")

    def __call__(self, clip: Clip, frames: Frames, audio: Audio, media: Media) -> Iterator[Render]:
        count = max(1, round((clip.end_s - clip.start_s) * self.fps))
        samples, encoder, fps = self._samples(clip, count, audio), self._encoder, Fraction(self.fps)
        with tempfile.TemporaryDirectory() as folder:
            made = Path(folder, "clip.mp4")
            pictures = self._resampled(clip, frames, count)
            frames_sha256, _ = encoder.write(made, pictures, samples, width=self.size, height=self.size, fps=fps)
            size = made.stat().st_size
            place, sha256 = media.keep(made, ".mp4")
        render_id = f"{clip.clip_id}@recording"
        yield Render(
            clip.source_id, render_id, clip.clip_id, "recording", place, sha256, frames_sha256, size,
            width=self.size, height=self.size, fps=float(self.fps), frames=count, duration_s=count / self.fps,
            encoder=encoder.told(fps),
        )  # fmt: skip

    def _samples(self, clip: Clip, count: int, audio: Audio) -> NDArray[np.float32] | None:
        try:
            start_s = clip.start_s + clip.sound_late_s
            return audio.samples(start_s, start_s + count / self.fps, self.audio_hz)
        except Drop as no:
            if not self.silent or no.reason != "no_audio_stream":
                raise
            return None

    def _resampled(self, clip: Clip, frames: Frames, count: int) -> Iterator[NDArray[np.uint8]]:
        """The `count` pictures to encode. Before the first frame of the span, the first is shown."""
        shown: Frame | None = None
        k = 0
        for frame in frames:
            until = min(count, _first_at(frame.pts_s - clip.start_s, self.fps)) if shown else 0
            if shown and until > k:
                picture = self._picture(clip, shown)
                yield from [picture] * (until - k)
                k = until
            shown = frame
            if k == count:
                break
        if shown is None:
            raise Drop("no_frames", detail=f"{clip.start_s:.3f}-{clip.end_s:.3f} s")
        if k < count:
            yield from [self._picture(clip, shown)] * (count - k)

    def _picture(self, clip: Clip, frame: Frame) -> NDArray[np.uint8]:
        cut = frame.planes if self.pixels == "yuv" else frame.crop
        return cut(clip.left_px, clip.top_px, clip.right_px, clip.bottom_px, (self.size, self.size))

    @property
    def _encoder(self) -> Encoder:
        return Encoder(self.audio_hz, self.audio_bps, self.crf, self.preset)


def _first_at(offset_s: float, fps: int) -> int:
    """The first k at which a frame with this offset is visible: at k / fps, or no later after it than times are
    exact.
    """
    return max(0, ceil((offset_s - _EXACT_S) * fps))
