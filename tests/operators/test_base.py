"""An operator's signature is its declaration: what is read from it, and what is refused with the fix named."""

import importlib
import inspect
import math
import pkgutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import operators
from manifests.tables import Clip, Pair, Score, Shot, Source, Track, Turn
from operators.base import Audio, Drop, Frames, Lookup, Media, Operator, every, with_field
from operators.metrics.base import Metric
from operators.weights import Weight


@dataclass(frozen=True)
class Everything(Operator):
    limit: float = 1.0
    names: tuple[str, ...] = ("a",)
    ranges: dict[str, Any] | None = None

    def __call__(
        self, shot: Shot, tracks: list[Track], turns: list[Turn], frames: Frames, audio: Audio, media: Media
    ) -> Iterator[Clip | Score | Drop]:
        yield Drop("nothing")


def test_a_signature_says_what_is_read_joined_asked_and_written() -> None:
    signature = Everything.signature
    assert signature.reads is Shot
    assert signature.joins == {"tracks": Track, "turns": Turn}
    assert signature.asks == {"frames": Frames, "audio": Audio, "media": Media}
    assert signature.writes == (Clip, Score)
    assert signature.refines == ()


def test_writing_what_is_read_or_joined_refines_it() -> None:
    @dataclass(frozen=True)
    class Again(Operator):
        def __call__(self, source: Source, turns: list[Turn]) -> Iterator[Turn | Source]: ...

    assert set(Again.signature.refines) == {Turn, Source}


def test_what_is_looked_up_is_neither_joined_nor_refined() -> None:
    @dataclass(frozen=True)
    class Across(Operator):
        def __call__(self, pair: Pair, clips: Lookup[Clip]) -> Iterator[Clip]: ...

    signature = Across.signature
    assert (signature.joins, signature.lookups, signature.refines) == ({}, {"clips": Clip}, ())


def test_a_lookup_reads_once_and_finds_by_any_column() -> None:
    read: list[int] = []

    def rows() -> list[Shot]:
        read.append(1)
        return [Shot("a", "a/0", 0.0, 1.0), Shot("a", "a/1", 1.0, 2.0), Shot("b", "b/0", 0.0, 1.0)]

    shots = Lookup(rows)
    assert read == []
    assert [shot.shot_id for shot in shots.where("source_id", "a")] == ["a/0", "a/1"]
    found = shots.get("b/0")
    assert found
    assert (found.source_id, shots.get("c"), shots.where("source_id", "c"), len(read)) == ("b", None, [], 1)


def untyped(self, shot, frames: Frames) -> Iterator[Clip]: ...
def no_row(self, frames: Frames) -> Iterator[Clip]: ...
def two_rows(self, shot: Shot, turn: Turn) -> Iterator[Clip]: ...
def a_number(self, shot: Shot, threshold: float) -> Iterator[Clip]: ...
def a_list(self, shot: Shot) -> list[Clip]: ...
def no_rows_out(self, shot: Shot) -> Iterator[str]: ...
def nothing_out(self, shot: Shot): ...


@pytest.mark.parametrize(
    ("call", "fix"),
    [
        (untyped, "'shot' has no type; write e.g. `shot: Shot`"),
        (no_row, "the first parameter is the row it reads"),
        (two_rows, r"write `turn: list\[Turn\]` to join Turns"),
        (a_number, "make it a field of the class"),
        (a_list, "write `-> Iterator"),
        (no_rows_out, "write `-> Iterator"),
        (nothing_out, "write `-> Iterator"),
    ],
)
def test_a_wrong_signature_is_refused_where_the_class_is_defined(call: Any, fix: str) -> None:
    with pytest.raises(TypeError, match=fix):
        type("Wrong", (Operator,), {"__call__": call})


def test_the_fingerprint_follows_name_parameters_version_and_models() -> None:
    """Operators that differ in one thing each; the name is in the fingerprint, so all but one have the same."""

    def like(name: str = "Everything", **facts: object) -> Operator:
        return type(name, (Everything,), facts)()

    weights = (Weight("m", "00", 1, "a model", "MIT"),)
    made = [
        like(),
        like("Another"),
        like(version=2),
        like(weights=weights),
        Everything(limit=2.0),
        Everything(names=("b",)),
    ]
    assert {operator.name for operator in made} == {"Everything", "Another"}
    assert len({operator.fingerprint() for operator in made}) == len(made)
    assert Everything().fingerprint() == like().fingerprint()


def test_a_field_is_set_by_name_and_kind() -> None:
    assert with_field(Everything(), "limit", 4) == Everything(limit=4.0)
    assert with_field(Everything(), "names", ["b", "c"]) == Everything(names=("b", "c"))
    with pytest.raises(ValueError, match="has no field 'limt'; it has limit, names, ranges"):
        with_field(Everything(), "limt", 4)
    with pytest.raises(ValueError, match=r"Everything\.limit is float, as in 1\.0; 'x' is str"):
        with_field(Everything(), "limit", "x")


def test_looks_are_the_first_frame_of_each_interval_of_the_clock() -> None:
    class At:
        def __init__(self, pts_s: float):
            self.pts_s = pts_s

    def looked(start_s: float, fps: float) -> list[float]:
        frames: list[Any] = [At(start_s + n / fps) for n in range(round(2 * fps))]
        return [round(frame.pts_s, 3) for frame in every(frames, 5)]

    assert looked(0.0, 25) == [0.0, 0.2, 0.4, 0.6, 0.8, 1.0, 1.2, 1.4, 1.6, 1.8]
    assert looked(0.12, 25)[1:3] == [0.2, 0.4], "the grid is the clock's, not the span's"
    assert looked(0.0, 2) == [0.0, 0.5, 1.0, 1.5], "fewer frames than looks: each once"


@dataclass(frozen=True)
class Measured(Operator):
    min_s: float = 1.0
    min_confidence: float = 0.5
    fps: int = 25
    sound_late_s: float = 0.0
    floor_dbfs: float = -80.0
    inner: Operator | None = None

    def __call__(self, shot: Shot) -> Iterator[Clip]: ...


@pytest.mark.parametrize(
    ("made", "told"),
    [
        (Measured(min_s=-5), "Measured.min_s is -5; it must be 0 or more"),
        (Measured(min_s=math.nan), "Measured.min_s is nan"),
        (Measured(min_confidence=1.5), "min_confidence is 1.5; it must be 0 to 1"),
        (Measured(fps=0), "fps is 0; it must be above 0"),
        (Measured(inner=Measured(fps=-1)), "fps is -1"),
    ],
)
def test_a_value_that_can_never_be_meant_is_refused(made: Operator, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        made.check()


def test_what_may_be_negative_may() -> None:
    Measured(sound_late_s=-1.0, floor_dbfs=-90.0, min_s=0.0).check()


def test_the_defaults_of_every_operator_hold_and_every_score_is_described() -> None:
    seen = 0
    for module in pkgutil.walk_packages(operators.__path__, "operators."):
        for made in vars(importlib.import_module(module.name)).values() if not module.ispkg else ():
            if (
                isinstance(made, type)
                and issubclass(made, Operator)
                and hasattr(made, "signature")
                and not issubclass(made, Metric)
            ):
                made().check()
                seen += 1
                if Score in made.signature.writes:
                    text = Path(inspect.getsourcefile(made) or "").read_text()
                    assert made.measures, f"{made.__name__} writes scores and does not say which: set `measures`"
                    for name, measure in made.measures.items():
                        assert measure.better in ("", "higher", "lower")
                        assert name in text
                        assert measure.low is None or measure.high is None or measure.low < measure.high
    assert seen > 30
