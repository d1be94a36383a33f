"""Sentences cut out of clips whose words are written down by hand, so that the answer is known."""

import itertools

import pytest

from manifests.tables import Annotation, Clip, Word, span_id
from operators.base import Drop
from operators.clips.cut_sentences import CutSentences, sentences
from tests.operators.clips.test_plan_clips import SOURCE, speaks, track

FACE = track(end_s=40.0)
SPEAKING = [speaks(FACE, (0.0, 12.0))]
CLIP = Clip("talk", "talk/002000-030000/t0", "talk/shot", FACE.track_id, "speaker0", 2.0, 30.0, 10, 20, 410, 420)


def said(
    text: str, start_s: float, word_s: float = 0.4, confidence: float = 0.9, subject: str = CLIP.clip_id
) -> list[Word]:
    """Words of `word_s`, a tenth of it pause; `...` is a pause of a second."""
    words, at_s = [], start_s
    for word in text.split():
        if word == "...":
            at_s += 1.0
            continue
        end_s = round(at_s + 0.9 * word_s, 3)
        words.append(Word("talk", span_id(subject, at_s, end_s), subject, word, round(at_s, 3), end_s, confidence))
        at_s += word_s
    return words


def cut(
    words: list[Word], max_s: float = 6.0, max_characters: int = 100
) -> tuple[list[Clip], list[Annotation], list[Drop]]:
    rows = list(CutSentences(max_s=max_s, max_characters=max_characters)(CLIP, words, SPEAKING, [FACE], [SOURCE]))
    clips, notes = [row for row in rows if isinstance(row, Clip)], [row for row in rows if isinstance(row, Annotation)]
    return clips, notes, [row for row in rows if isinstance(row, Drop)]


def transcripts(notes: list[Annotation]) -> list[str]:
    return [note.value for note in notes if note.name == "transcript"]


def test_a_sentence_is_a_clip_with_a_margin_and_its_words():
    clips, notes, drops = cut(said("Hello you there. ... Who are you?", 3.0))
    assert not drops
    assert [(clip.start_s, clip.end_s) for clip in clips] == [
        (pytest.approx(2.9), pytest.approx(4.26)),
        (pytest.approx(5.1), pytest.approx(6.46)),
    ]
    assert transcripts(notes) == ["Hello you there.", "Who are you?"]
    first = [
        (note.name, note.value, note.start_s, note.end_s)
        for note in notes
        if note.subject == clips[0].clip_id and note.start_s is not None
    ]
    assert first[:2] == [
        ("word", "Hello", pytest.approx(0.1), pytest.approx(0.46)),
        ("asd_score", "2.0", pytest.approx(0.1), pytest.approx(0.46)),
    ]
    assert [note.value for note in notes if note.name == "confidence"] == ["9", "9"]


def test_the_rest_of_the_clip_stays_and_ids_tell_the_span():
    (clip, *_), _, _ = cut(said("Hello you there.", 3.0))
    assert clip.clip_id == f"{span_id('talk', clip.start_s, clip.end_s)}/t0"
    assert (clip.track_id, clip.speaker, clip.left_px, clip.bottom_px) == (CLIP.track_id, "speaker0", 10, 420)


def test_edges_lie_in_the_middle_of_a_short_pause_and_inside_the_clip():
    clips, _, _ = cut(said("One two three. Four five six.", 2.04))
    assert clips[0].start_s == 2.0
    assert clips[0].end_s == clips[1].start_s == pytest.approx(3.22)


def test_a_long_sentence_is_divided_behind_a_comma_then_at_the_longest_pause():
    _, notes, drops = cut(
        said(
            "one two three four, five six seven eight nine ten eleven twelve ... thirteen fourteen fifteen sixteen", 3.0
        ),
        max_s=5.0,
    )
    assert not drops
    assert transcripts(notes) == [
        "one two three four,", "five six seven eight nine ten eleven twelve", "thirteen fourteen fifteen sixteen",
    ]  # fmt: skip


@pytest.mark.parametrize(("max_s", "max_characters"), [(3.0, 1000), (60.0, 25)])
def test_no_clip_is_beyond_either_limit_and_no_word_is_lost(max_s: float, max_characters: int):
    words = said("word " * 40, 3.0)
    clips, notes, drops = cut(words, max_s, max_characters)
    assert not drops
    assert max(clip.end_s - clip.start_s for clip in clips) <= max_s
    assert max(map(len, transcripts(notes))) <= max_characters
    assert " ".join(transcripts(notes)).split() == [word.text for word in words]
    assert all(one.end_s <= other.start_s for one, other in itertools.pairwise(clips))


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (said("Yes.", 3.0, word_s=0.3), "too_short"),
        (said("Sooooo.", 3.0, word_s=7.0), "too_long"),
        (said("Bim blue at.", 3.0, confidence=0.3), "unsure"),
    ],
    ids=["short", "long", "unsure"],
)
def test_what_is_no_clip_is_told(words: list[Word], reason: str):
    clips, notes, drops = cut(words)
    assert not clips
    assert not notes
    assert [(drop.reason, type(drop.row)) for drop in drops] == [(reason, Clip)]


def test_words_of_another_clip_do_not_count():
    with pytest.raises(Drop, match="no_words"):
        cut(said("Hello you there.", 3.0, subject="talk/000000-001000/t0"))


def test_titles_and_initials_end_no_sentence():
    parts = [[word.text for word in part] for part in sentences(said('Dr. J. Smith left. "Really?" Yes!', 0.0))]
    assert parts == [["Dr.", "J.", "Smith", "left."], ['"Really?"'], ["Yes!"]]
