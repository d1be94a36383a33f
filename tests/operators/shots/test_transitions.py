"""What is left between the transitions of a source, by hand."""

from itertools import pairwise

import pytest

from manifests.tables import Shot, Source, Transition
from operators.shots.detect_shots import DetectShots
from operators.shots.detect_shots_transnet import DetectShotsTransnet
from operators.shots.transitions import Join, rows, settled


def cut(at_s: float) -> Join:
    return Join(at_s, at_s, "cut", "adaptive", 5.0)


def dissolve(start_s: float, end_s: float, kind: str = "dissolve") -> Join:
    return Join(start_s, end_s, kind, "dissolve", 0.9)


@pytest.mark.parametrize(
    ("joins", "left"),
    [
        ([cut(2.0), cut(2.1), cut(4.0)], [(2.0, 2.0, "cut"), (4.0, 4.0, "cut")]),
        ([cut(0.1), cut(9.95)], [(9.95, 9.95, "cut")]),
        ([cut(5.5), dissolve(5.0, 6.0), cut(6.1)], [(5.0, 6.0, "dissolve")]),
        ([cut(4.9), dissolve(5.0, 6.0)], [(4.9, 6.0, "dissolve")]),
        ([dissolve(5.0, 6.0, "fade_out"), dissolve(6.1, 7.0, "fade_in")], [(5.0, 7.0, "fade")]),
        ([dissolve(5.0, 6.0), dissolve(6.1, 7.0, "fade")], [(5.0, 7.0, "dissolve")]),
        (
            [dissolve(0.1, 1.0, "fade_in"), dissolve(9.0, 9.9, "fade_out")],
            [(0.0, 1.0, "fade_in"), (9.0, 10.0, "fade_out")],
        ),
    ],
    ids=[
        "a cut too soon",
        "a cut too soon after the start",
        "cuts within",
        "a cut before",
        "two halves",
        "two kinds",
        "to the edges",
    ],
)
def test_between_any_two_joins_is_a_shot(joins, left):
    assert [(join.start_s, join.end_s, join.kind) for join in settled(joins, 0.0, 10.0, 0.2)] == left


def test_shots_and_gradual_transitions_tile_the_source():
    joins = settled([cut(2.0), dissolve(5.0, 6.0), dissolve(9.0, 10.0, "fade_out")], 0.5, 10.0, 0.2)
    made = list(rows(Source("s", "x"), joins, 0.5, 10.0))
    shots = [(row.start_s, row.end_s) for row in made if isinstance(row, Shot)]
    assert shots == [(0.5, 2.0), (2.0, 5.0), (6.0, 9.0)]
    assert [row.row_id for row in made if isinstance(row, Transition)] == [
        "s/002000-002000",
        "s/005000-006000",
        "s/009000-010000",
    ]
    tiles = [row for row in made if row.end_s > row.start_s]
    assert all(before.end_s == after.start_s for before, after in pairwise(tiles))
    assert (tiles[0].start_s, tiles[-1].end_s) == (0.5, 10.0)


@pytest.mark.parametrize("operator", [DetectShots, DetectShotsTransnet])
def test_both_operators_write_both_tables(operator):
    assert operator.signature.writes == (Shot, Transition)


def test_a_source_that_only_fades_has_no_shot():
    joins = settled([dissolve(0.1, 0.9, "fade_in")], 0.0, 1.0, 0.2)
    assert [type(row) for row in rows(Source("s", "x"), joins, 0.0, 1.0)] == [Transition]
