"""Clips whose sound is put back where the mouth is."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from manifests.tables import Clip, Render, Score
from operators.base import Audio, Frames, Media
from operators.clips.render_clips import RenderClips


@dataclass(frozen=True)
class RenderRetimed(RenderClips):
    """`RenderClips`, with the sound moved by the offset that `ScoreSync` stored for the clip, where that is sure.

    The offset is one of the source, measured before anything is rendered, and each render is made of the source: so the sound is moved once, however often
    the recipe runs, by the offset to the sample. A move is told at the end of the render's `encoder`. What is measured of the render afterwards, under
    the render's own id, is near 0, and moves nothing. Times of words and of all else stay those of the source's clock.
    """

    sure: float = 1.0  # least `av_confidence`: no foreign sound of the benchmark reached it
    least_s: float = 0.04  # what is off by less is left: the estimate is no finer
    most_s: float = 0.4  # what is off by more is left: so near the end of the search an offset is often chance

    def __call__(self, clip: Clip, scores: list[Score], frames: Frames, audio: Audio, media: Media) -> Iterator[Render]:
        late_s = self.late_s(clip, scores)
        for render in super().__call__(clip, frames, Delayed(audio, -late_s) if late_s else audio, media):
            yield replace(render, encoder=f"{render.encoder}, sound moved by {-late_s:+.4f} s") if late_s else render

    def late_s(self, clip: Clip, scores: list[Score]) -> float:
        """By how much the sound is late for certain; 0 where nothing is to be moved."""
        of_clip = {score.metric: score.value for score in scores if score.subject == clip.clip_id}
        late_s = of_clip.get("av_offset_s", 0.0)
        return late_s if of_clip.get("av_confidence", 0.0) >= self.sure and self.least_s <= abs(late_s) <= self.most_s else 0.0


@dataclass(frozen=True)
class Delayed:
    """A sound that comes later, on the clock of what it is put under."""

    audio: Audio
    by_s: float

    @property
    def start_s(self) -> float:
        return self.audio.start_s + self.by_s

    @property
    def end_s(self) -> float:
        return self.audio.end_s + self.by_s

    def samples(self, start_s: float, end_s: float, hz: int = 16000) -> NDArray[np.float32]:
        return self.audio.samples(start_s - self.by_s, end_s - self.by_s, hz)
