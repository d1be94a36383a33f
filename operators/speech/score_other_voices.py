"""Who else is heard in a clip."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from manifests.tables import Clip, Score, Turn
from operators.base import Measure, Operator
from operators.timeline import STEP_S, timeline, voices_heard


@dataclass(frozen=True)
class ScoreOtherVoices(Operator):
    """How much of a clip others than its speaker are heard in, by the turns of the diarizer.

    | metric | variant | range | what |
    |---|---|---|---|
    | other_voice_share | turns | 0 to 1, lower is better | share of the clip in which another voice is heard |
    | other_voices | turns | 0 and up, lower is better | how many others are heard for `least_s` or more |

    A turn's edges are off by about 0.2 s, so that a clip between two turns of others has some of both.
    """

    measures: ClassVar[dict[str, Measure]] = {
        "other_voice_share": Measure("share of the clip in which another voice is heard", "", 0, 1, better="lower"),
        "other_voices": Measure("how many other voices are heard", "", 0, better="lower"),
    }

    least_s: float = 0.3  # of a voice: less is the edge of a turn

    def __call__(self, clip: Clip, turns: list[Turn]) -> Iterator[Score]:
        times = timeline(clip.start_s, clip.end_s)
        heard = voices_heard([turn for turn in turns if turn.speaker != clip.speaker], clip.start_s, clip.end_s, times)
        anyone = sum(any(steps) for steps in zip(*heard.values(), strict=True))
        others = sum(mask.sum() * STEP_S >= self.least_s for mask in heard.values())
        for metric, value in (("other_voice_share", anyone / len(times)), ("other_voices", float(others))):
            yield Score(clip.source_id, f"{clip.clip_id}#{metric}", clip.clip_id, metric, "turns", round(value, 4))
