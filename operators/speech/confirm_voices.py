"""Which of the faces said to speak are seen to move with the sound, and which are dubbed."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from manifests.tables import Attribution, Clip, Score
from operators.base import Operator
from operators.speech.attribute_turns import part_id


@dataclass(frozen=True)
class ConfirmVoices(Operator):
    """What `AttributeTurns` says of a visible face, beside the sync of the clips it is in. It follows `ScoreSync`,
    before clips are given up.

    Of a part of a turn in which a face speaks, what lies in a clip of that face becomes:

    | kind | reason | when |
    |---|---|---|
    | visible | in_step | `av_confidence` of the clip is `sure` or more: the mouth moves with this sound |
    | off_screen | out_of_step | it is below `foreign`: the mouth moves, but not with this sound; the clip is dubbed or
    its sound is another one's |
    | visible | speaks | in between, or beyond the clips: nothing can be told |

    The limits are those of `benchmarks/accuracy/sync_offset.py`, clips of 3 to 8 s: of 451 foreign sounds none reached
    1.0, of 30 clips with their own sound none was below 0.5. So a dubbed face is found in two cases of five, and is
    left as it was otherwise.
    """

    sure: float = 1.0
    foreign: float = 0.5
    edge_s: float = 0.3  # of a part that is left beside a clip for less, the clip's answer is taken

    def __call__(self, attribution: Attribution, clips: list[Clip], scores: list[Score]) -> Iterator[Attribution]:
        if attribution.kind != "visible":
            yield attribution
            return
        sync = {score.subject: score.value for score in scores if score.metric == "av_confidence"}
        at_s = attribution.start_s
        for clip in sorted(clips, key=lambda clip: clip.start_s):
            start_s, end_s = max(at_s, clip.start_s), min(attribution.end_s, clip.end_s)
            confidence = sync.get(clip.clip_id)
            if (
                clip.track_id != attribution.track_id
                or end_s <= start_s
                or confidence is None
                or self.foreign <= confidence < self.sure
            ):
                continue
            if start_s - at_s >= self.edge_s:
                yield _between(attribution, at_s, start_s)
                at_s = start_s
            end_s = attribution.end_s if attribution.end_s - end_s < self.edge_s else end_s
            verdict = ("visible", "in_step") if confidence >= self.sure else ("off_screen", "out_of_step")
            yield _between(attribution, at_s, end_s, *verdict)
            at_s = end_s
        if at_s < attribution.end_s:
            yield _between(attribution, at_s, attribution.end_s)


def _between(
    whole: Attribution, start_s: float, end_s: float, kind: str = "visible", reason: str = "speaks"
) -> Attribution:
    return replace(
        whole, attribution_id=part_id(whole.turn_id, start_s, end_s), start_s=start_s, end_s=end_s, kind=kind,
        reason=reason
    )  # fmt: skip
