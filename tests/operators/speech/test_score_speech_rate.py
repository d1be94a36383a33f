import pytest

from manifests.tables import Clip, Word
from operators.base import Drop
from operators.speech.score_speech_rate import ScoreSpeechRate

CLIP = Clip("talk", "talk/1-5/t0", "talk/s", "talk/s/t0", "speaker0", 1.0, 5.0, 0, 0, 9, 9)


def word(text: str, start_s: float, end_s: float, subject: str = CLIP.clip_id) -> Word:
    return Word("talk", f"{subject}/{start_s}", subject, text, start_s, end_s, 0.9)


def test_letters_and_digits_are_counted_over_the_length_of_the_clip():
    words = [
        word("It's", 1.0, 1.5),
        word("two", 1.5, 2.0),
        word("o'clock,", 2.0, 2.5),
        word("42!", 4.0, 4.5),
        word("else", 3, 4, "other"),
    ]
    rows = {row.metric: row for row in ScoreSpeechRate()(CLIP, words)}
    assert rows["characters_per_second"].value == (3 + 3 + 6 + 2) / 4
    assert rows["spoken_share"].value == 0.5
    assert {row.subject for row in rows.values()} == {CLIP.clip_id}


def test_letters_of_any_script_count():
    rows = {row.metric: row.value for row in ScoreSpeechRate()(CLIP, [word("привет", 1, 2), word("你好。", 2, 3)])}
    assert rows["characters_per_second"] == 2.0


def test_a_clip_without_words_is_a_drop():
    with pytest.raises(Drop, match="no_words"):
        list(ScoreSpeechRate()(CLIP, [word("else", 1, 2, "other")]))
