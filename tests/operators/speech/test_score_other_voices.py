"""Turns written down by hand."""

from manifests.tables import Clip, Turn
from operators.speech.score_other_voices import ScoreOtherVoices

CLIP = Clip("talk", "talk/10-20/t0", "talk/s", "talk/s/t0", "speaker0", 10.0, 20.0, 0, 0, 9, 9)


def scored(*turns: tuple[float, float, str]) -> dict[str, float]:
    rows = [Turn("talk", f"talk/{at}", speaker, start_s, end_s) for at, (start_s, end_s, speaker) in enumerate(turns)]
    return {row.metric: row.value for row in ScoreOtherVoices()(CLIP, rows)}


def test_others_count_once_where_they_speak_at_once() -> None:
    found = scored((9, 20, "speaker0"), (12, 14, "speaker1"), (13, 15, "speaker2"), (19, 25, "speaker1"))
    assert found == {"other_voice_share": 0.4, "other_voices": 2.0}


def test_the_edge_of_a_turn_is_no_voice() -> None:
    assert scored((9, 20, "speaker0"), (5, 10.2, "speaker1")) == {"other_voice_share": 0.02, "other_voices": 0.0}


def test_the_speaker_alone_is_nobody_else() -> None:
    assert scored((9, 20, "speaker0"), (25, 30, "speaker1")) == {"other_voice_share": 0.0, "other_voices": 0.0}
