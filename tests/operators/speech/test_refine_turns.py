"""Turns refined by faces: rows written down by hand over pyannote.audio's own sample, whose speakers are known."""

from collections.abc import Sequence
from functools import cache
from itertools import pairwise

import numpy as np

from manifests.tables import FaceEmbedding, Shot, Source, Track, Turn
from operators.speech.refine_turns import RefineTurns
from tests.made_sounds import WavAudio
from tests.operators.clips.test_plan_clips import speaks, track
from tests.operators.speech.test_diarize_speakers import sample

# Who is heard in the sample when (sample.rttm), to about 0.1 s: two people on one telephone line, so that their voices
# are 0.51 apart, and two moments of each 0.25 at most.
A, B = ((10.6, 14.4), (18.0, 21.6)), ((14.4, 18.0), (21.6, 27.8))
Seen = tuple[Track, int, tuple[tuple[float, float], ...]]  # a face, whose it is, and when it speaks
Told = list[tuple[float, float, str]]


@cache
def operator() -> RefineTurns:
    """Tells voices apart that are as near as these two."""
    return RefineTurns(one_face=0.45, one_speaker=0.4)


def face(name: str, x: float, start_s: float = 0.0, end_s: float = 30.0) -> Track:
    return track(name, start_s, end_s, x=x)


def looks(seen: Sequence[Seen]) -> list[FaceEmbedding]:
    """Who each track shows, once a second: people who have nothing in common."""
    rows = []
    for shown, who, _ in seen:
        for n in range(0, len(shown.times_s), 10):
            left, top, right, bottom = (
                [side[n]] for side in (shown.left_px, shown.top_px, shown.right_px, shown.bottom_px)
            )
            view, place = np.eye(4)[who].astype("<f2").tobytes(), f"{shown.track_id}/{n}"
            rows.append(FaceEmbedding("talk", place, shown.times_s[n], left, top, right, bottom, view, "made"))
    return rows


def refined(said: Told, seen: Sequence[Seen], cuts_s: tuple[float, ...] = (), known: bool = True) -> list[Turn]:
    turns = [Turn("talk", f"talk/{n}", speaker, start_s, end_s) for n, (start_s, end_s, speaker) in enumerate(said)]
    shots = [Shot("talk", f"talk/{n}", *span) for n, span in enumerate(pairwise((0.0, *cuts_s, 30.0)))]
    scores = [speaks(shown, *spans) for shown, _, spans in seen]
    tracks, rows = [shown for shown, _, _ in seen], looks(seen) if known else []
    return list(operator()(Source("talk", ""), shots, turns, tracks, scores, WavAudio(sample()[0]), rows))


def told(said: Told, seen: Sequence[Seen], cuts_s: tuple[float, ...] = ()) -> Told:
    rows = refined(said, seen, cuts_s)
    assert len({row.turn_id for row in rows}) == len(rows)
    return [(round(row.start_s, 1), round(row.end_s, 1), row.speaker) for row in rows]


def test_one_voice_of_the_diarizer_is_divided_where_two_faces_speak_with_two_voices() -> None:
    both = [(face("t0", 300), 0, A), (face("t1", 900), 1, B)]
    assert told([(10.6, 27.8, "speaker0")], both) == [
        (10.6, 14.4, "speaker0"), (14.4, 18.0, "speaker1"), (18.0, 21.6, "speaker0"), (21.6, 27.8, "speaker1"),
    ]  # fmt: skip


def test_two_voices_of_the_diarizer_are_one_where_one_face_speaks_with_one_voice() -> None:
    said = [(14.4, 18.0, "speaker0"), (18.0, 21.6, "speaker1"), (21.6, 27.8, "speaker2")]
    both = [(face("t0", 300), 0, A), (face("t1", 900), 1, B)]
    assert told(said, both) == [(14.4, 18.0, "speaker0"), (18.0, 21.6, "speaker1"), (21.6, 27.8, "speaker0")]


def test_one_voice_over_several_faces_stays_one() -> None:
    shown = [(face(f"t{n}", 600, *span), n, (span,)) for n, span in enumerate([(21.6, 24.0), (24.0, 25.8), (25.8, 28)])]
    assert told([(21.6, 27.8, "speaker0")], shown, (24.0, 25.8)) == [(21.6, 27.8, "speaker0")]


def test_a_face_that_moves_its_mouth_under_another_voice_does_not_make_it_its_own() -> None:
    said = [(18.0, 21.6, "speaker0"), (21.6, 27.8, "speaker1")]
    assert told(said, [(face("t0", 300), 0, ((18.0, 27.8),))]) == said


def test_what_is_said_unseen_goes_to_the_likest_voice() -> None:
    seen = [(face("t0", 300, 10.6, 14.4), 0, A[:1]), (face("t1", 900, 14.4, 18.0), 1, B[:1])]
    assert told([(10.6, 27.8, "speaker0")], seen, (14.4, 18.0, 21.6)) == [
        (10.6, 14.4, "speaker0"), (14.4, 18.0, "speaker1"), (18.0, 21.6, "speaker0"), (21.6, 27.8, "speaker1"),
    ]  # fmt: skip


def test_faces_that_tell_nothing_change_nothing() -> None:
    said = [(10.6, 18.2, "speaker0"), (18.0, 21.6, "speaker1"), (21.7, 27.8, "speaker0")]
    both = [(face("t0", 300), 0, A), (face("t1", 900), 1, B)]
    for rows in (refined(said, both, known=False), refined(said, both[:0]), refined(said, [(both[0][0], 0, ())])):
        assert [(row.start_s, row.end_s, row.speaker) for row in rows] == said
        assert [round(row.overlap_s, 3) for row in rows] == [0.2, 0.2, 0.0]
    assert refined([], both) == []
