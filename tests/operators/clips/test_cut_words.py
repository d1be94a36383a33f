"""Words cut out of clips whose words are written down by hand, so that the answer is known."""

import pytest

from manifests.tables import Annotation, Clip, Source, Word
from operators.base import Drop
from operators.clips.cut_words import CutWords
from tests.operators.clips.test_cut_sentences import CLIP, FACE, SPEAKING, said
from tests.operators.clips.test_plan_clips import SOURCE


def cut(
    words: list[Word], source: Source = SOURCE, vocabulary: tuple[str, ...] = ()
) -> tuple[list[Clip], list[Annotation], list[Drop]]:
    rows = list(CutWords(vocabulary=vocabulary)(CLIP, words, SPEAKING, [FACE], [source]))
    clips, notes = [row for row in rows if isinstance(row, Clip)], [row for row in rows if isinstance(row, Annotation)]
    return clips, notes, [row for row in rows if isinstance(row, Drop)]


def test_a_word_stands_in_the_middle_of_29_frames():
    (clip,), notes, drops = cut(said("it's about time", 5.0))
    assert not drops
    assert round((clip.end_s - clip.start_s) * 25) == 29
    assert (clip.start_s + clip.end_s) / 2 == pytest.approx(5.4 + 0.18, abs=0.001)
    assert [(note.name, note.value) for note in notes] == [("label", "ABOUT"), ("word", "about"), ("asd_score", "2.0")]
    assert ((notes[1].start_s or 0) + (notes[1].end_s or 0)) / 2 == pytest.approx(0.58, abs=0.001)
    assert clip.left_px == CLIP.left_px


def test_the_span_begins_at_a_frame_of_the_source():
    (clip,), _, _ = cut(said("about", 5.013), Source("talk", "talk.mp4", width=1280, height=720, fps=25.0))
    assert clip.start_s * 25 == pytest.approx(round(clip.start_s * 25), abs=0.05)
    assert (clip.start_s + clip.end_s) / 2 == pytest.approx(5.013 + 0.18, abs=0.021)
    assert round((clip.end_s - clip.start_s) * 25) == 29


def test_only_words_of_5_to_10_letters_count():
    _, notes, _ = cut(said("word words, (Parliament) parliaments J35 don't-know", 5.0))
    assert [note.value for note in notes if note.name == "label"] == ["WORDS", "PARLIAMENT"]
    with pytest.raises(Drop, match="no_word_fits") as drop:
        cut(said("it is so", 5.0))
    assert drop.value.detail == "3 words"


def test_a_vocabulary_is_kept_to():
    _, notes, _ = cut(said("about people", 5.0), vocabulary=("PEOPLE",))
    assert [note.value for note in notes if note.name == "label"] == ["PEOPLE"]


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (said("about", 2.1), "word_at_edge"),
        (said("about", 29.5), "word_at_edge"),
        (said("about", 5.0, word_s=1.4), "word_long"),
        (said("about", 5.0, word_s=0.1), "word_short"),
        (said("about", 5.0, confidence=0.4), "unsure"),
    ],
    ids=["start", "end", "long", "short", "unsure"],
)
def test_what_is_no_clip_is_told(words: list[Word], reason: str):
    clips, notes, drops = cut(words)
    assert not clips
    assert not notes
    assert [(drop.reason, type(drop.row)) for drop in drops] == [(reason, Clip)]
