"""One audio-visual offset for all clips of a source."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from math import sqrt

import numpy as np

from manifests.tables import Clip, Score
from operators.base import Drop, Operator


@dataclass(frozen=True)
class SourceOffset:
    """By how much the sound of a source is late, and how much its clips say so."""

    late_s: float
    confidence: float  # that of one clip as long as the clips that agree together
    agreement: float  # share of the weight that lies within `near_s` of `late_s`, 0 to 1
    clips: int  # that were measured


@dataclass(frozen=True)
class EstimateOffset(Operator):
    """Clips with `sound_late_s` as all clips of their source tell it together, where that is sure; 0 elsewhere.

    What moves the sound of a file moves it in all of its clips, and single clips err: `ScoreSync` looks at a few
    seconds each. The estimate is the median of the clips' `av_offset_s`, weighted by the square of `av_confidence`. Its
    confidence is the root of the sum of squares of those within `near_s`, since a clip's grows with the root of its
    seconds. It is sure where that is `sure` or more, the limit of one clip in docs/measured/lip_sync.md, and where
    `min_agreement` of the weight lies so near.

    A sure offset of `least_s` to `most_s` is undone: whoever makes something of the clip moves its sound by it
    (`RenderClips`, a rebuild, exports). Less is left: the estimate is no finer. More is not undone, since so near to
    the end of the search a part of the sound may belong to another part of the picture.

    Drops of a clip: `sound_out_of_sync`, a sure offset above `most_s`.
    """

    sure: float = 1.0
    near_s: float = 0.06  # one and a half frames of 25 a second
    min_agreement: float = 0.5
    least_s: float = 0.04
    most_s: float = 0.4

    def __call__(self, clip: Clip, scores: list[Score]) -> Iterator[Clip | Drop]:
        found = self.of_source(scores)
        if found is None or found.confidence < self.sure or found.agreement < self.min_agreement:
            yield replace(clip, sound_late_s=0.0)
        elif abs(found.late_s) > self.most_s:
            yield Drop(
                "sound_out_of_sync",
                clip,
                detail=f"the sound is {found.late_s:+.3f} s late in {found.clips} clips, confidence"
                f" {found.confidence:.2f}, agreement {found.agreement:.0%}",
            )
        else:
            yield replace(clip, sound_late_s=found.late_s if abs(found.late_s) >= self.least_s else 0.0)

    def of_source(self, scores: Sequence[Score]) -> SourceOffset | None:
        """What the scores of a source tell; None where none of its clips was measured."""
        offsets = _by_subject(scores, "av_offset_s")
        confidences = _by_subject(scores, "av_confidence")
        clips = sorted(offsets.keys() & confidences.keys())
        weights = np.array([confidences[clip] ** 2 for clip in clips])
        if not weights.sum():
            return None
        values = np.array([offsets[clip] for clip in clips])
        late_s = weighted_median(values, weights)
        near = np.abs(values - late_s) <= self.near_s
        agreement = float(weights[near].sum() / weights.sum())
        return SourceOffset(round(late_s, 4), sqrt(float(weights[near].sum())), agreement, len(clips))


def _by_subject(scores: Sequence[Score], metric: str) -> Mapping[str, float]:
    return {score.subject: score.value for score in scores if score.metric == metric}


def weighted_median(values: np.ndarray, weights: np.ndarray) -> float:
    """The value below and above which lies as much weight, between two values on a straight line.

    Args:
        values: (n,), one or more.
        weights: (n,), none below 0, not all 0.
    """
    order = np.argsort(values)
    ordered, shares = values[order], weights[order] / weights.sum()
    return float(np.interp(0.5, np.cumsum(shares) - shares / 2, ordered))
