"""Clips whose sound is put back where the mouth is."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from manifests.tables import Clip, Score
from operators.base import Operator


@dataclass(frozen=True)
class RetimeClips(Operator):
    """Clips with `sound_late_s` as `ScoreSync` measured it in the source, where that is sure; 0 elsewhere.

    Whoever makes something of the clip moves its sound by that: `RenderClips`, a rebuild from the manifest, and
    exports, whose word times move with the sound. The rows of all other tables stay on the source's clock. A render
    that is a source again is measured anew, near 0, and is not moved.
    """

    sure: float = 1.0  # least `av_confidence`: no foreign sound of the benchmark reached it
    least_s: float = 0.04  # what is off by less is left: the estimate is no finer
    most_s: float = 0.4  # what is off by more is left: so near the end of the search an offset is often chance

    def __call__(self, clip: Clip, scores: list[Score]) -> Iterator[Clip]:
        of_clip = {score.metric: score.value for score in scores if score.subject == clip.clip_id}
        late_s = of_clip.get("av_offset_s", 0.0)
        known = of_clip.get("av_confidence", 0.0) >= self.sure and self.least_s <= abs(late_s) <= self.most_s
        yield replace(clip, sound_late_s=late_s if known else 0.0)
