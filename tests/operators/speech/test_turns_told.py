"""What becomes of the spans that a diarization tells: a stand-in tells them, so that what follows is tried in no time.
The networks themselves: test_diarize_speakers.py.
"""

from dataclasses import dataclass

import numpy as np
import pytest
from pyannote.core import Annotation, Segment

from manifests.tables import Source, Turn
from operators.base import Drop, Operator
from operators.clips.plan_clips import PlanClips
from operators.speech.diarize_speakers import DiarizeSpeakers
from tests.made_sounds import WavAudio

AUDIO = WavAudio(np.full(16000 * 3, 0.1, np.float32), start_s=5.0)


@dataclass
class Told:
    """Says what it was given, whatever is heard."""

    spans: list[tuple[float, float, str]]

    def listen(self, uri: str, audio: WavAudio, speech: None, **bounds: int) -> Annotation:
        found = Annotation()
        for number, (start_s, end_s, voice) in enumerate(self.spans):
            found[Segment(start_s, end_s), number] = voice
        return found


def turns(*spans: tuple[float, float, str]) -> list[Turn]:
    operator = DiarizeSpeakers(speech_threshold=0)
    operator.__dict__["model"] = Told(list(spans))
    return list(operator(Source("talk", ""), AUDIO))


def test_turns_lie_on_the_sources_clock_and_end_with_its_sound() -> None:
    found = turns((0.5, 2.0, "SPEAKER_07"), (2.4, 3.6, "SPEAKER_07"))
    assert [(turn.start_s, turn.end_s) for turn in found] == [(5.5, 7.0), (7.4, 8.0)]
    assert found[0].turn_id == "talk/005500-007000/speaker0"


def test_voices_are_named_in_the_order_in_which_they_are_first_heard() -> None:
    found = turns((2.0, 3.0, "A"), (0.0, 1.0, "M"), (1.0, 2.0, "Z"))
    assert [(turn.start_s, turn.speaker) for turn in found] == [
        (5.0, "speaker0"),
        (6.0, "speaker1"),
        (7.0, "speaker2"),
    ]


def test_flicker_is_no_turn_and_a_turn_of_the_least_length_is_one() -> None:
    assert [turn.start_s for turn in turns((0.0, 0.05, "A"), (1.0, 1.125, "A"), (2.95, 3.5, "A"))] == [6.0]
    with pytest.raises(Drop, match="no_speech"):
        turns((0.0, 0.05, "A"))


def test_a_long_turn_is_overlapped_by_all_that_is_said_in_it() -> None:
    assert [turn.overlap_s for turn in turns((0.0, 3.0, "A"), (1.0, 1.5, "B"), (2.0, 2.5, "B"))] == [1.0, 0.5, 0.5]


def test_it_listens_wherever_some_step_asks_for_a_face() -> None:
    others: list[Operator] = [PlanClips(min_face_px=64.0, min_s=2.0), PlanClips(min_face_px=96.0, min_s=1.0)]
    fitted = DiarizeSpeakers(min_face_px=128.0, min_face_s=5.0).fitted(others)
    assert (fitted.min_face_px, fitted.min_face_s) == (64.0, 1.0)
    kept = DiarizeSpeakers(min_face_px=32.0, min_face_s=0.5).fitted(others)
    assert (kept.min_face_px, kept.min_face_s) == (32.0, 0.5)
