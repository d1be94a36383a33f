"""What depends on a failure is not done because of it; nothing takes the rows that are missing for an answer."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import pytest

from manifests.checking import add_up
from manifests.manifest import Manifest
from manifests.tables import Clip, Dropped, Score, Shot, Source, Turn, tables
from operators.base import Drop, Operator
from pipeline.engine.not_done import concerns
from pipeline.engine.retry import retry
from pipeline.recipe import Recipe, Stage
from pipeline.views.funnel import funnel
from tests.pipeline.engine.in_process import do

FAILING: set[str] = set()  # `operator row` that fail for now, as for want of memory


def fail(operator: Operator, row_id: str) -> None:
    if f"{operator.name} {row_id}" in FAILING:
        raise MemoryError("as asked")


@dataclass(frozen=True)
class Cut(Operator):
    """Three shots of 10 s."""

    def __call__(self, source: Source) -> Iterator[Shot]:
        fail(self, source.source_id)
        for number in range(3):
            yield Shot(source.source_id, f"{source.source_id}/{number}", number * 10.0, number * 10.0 + 10)


@dataclass(frozen=True)
class Hear(Operator):
    """A turn in each 10 s."""

    def __call__(self, source: Source) -> Iterator[Turn]:
        fail(self, source.source_id)
        for number in range(3):
            yield Turn(
                source.source_id, f"{source.source_id}/t{number}", "speaker0", number * 10.0 + 1, number * 10.0 + 9
            )


@dataclass(frozen=True)
class Propose(Operator):
    def __call__(self, shot: Shot, turns: list[Turn]) -> Iterator[Clip]:
        fail(self, shot.shot_id)
        heard = [turn for turn in turns if shot.start_s <= turn.start_s < shot.end_s]
        if not heard:
            raise Drop("no_speech")
        yield Clip(
            shot.source_id,
            f"{shot.shot_id}/c",
            shot.shot_id,
            "",
            "speaker0",
            shot.start_s,
            shot.end_s,
            0.0,
            0.0,
            1.0,
            1.0,
        )


@dataclass(frozen=True)
class Refine(Operator):
    """A voice without a clip is off screen."""

    def __call__(self, turn: Turn, clips: list[Clip]) -> Iterator[Turn]:
        if not any(clip.start_s <= turn.start_s < clip.end_s for clip in clips):
            raise Drop("voice_off_screen")
        yield turn


@dataclass(frozen=True)
class Measure(Operator):
    def __call__(self, clip: Clip) -> Iterator[Score]:
        fail(self, clip.clip_id)
        yield Score(clip.source_id, f"{clip.clip_id}#m", clip.clip_id, "m", "m", 1.0)


@dataclass(frozen=True)
class Keep(Operator):
    version: ClassVar[int] = 1

    def __call__(self, clip: Clip, scores: list[Score]) -> Iterator[Clip]:
        if not [score for score in scores if score.subject == clip.clip_id]:
            raise Drop("m_missing")
        yield clip


PLAN = Recipe(
    "r", "", (Stage(Cut(), Hear()), Stage(Propose()), Stage(Refine()), Stage(Measure()), Stage(Keep()))
).plan()


def content(root: str) -> dict[str, bytes]:
    return {
        str(path.relative_to(root)): path.read_bytes()
        for table in tables()
        for path in sorted(Path(root, table).rglob("*.parquet"))
    }


def listed(root: Path) -> Manifest:
    manifest = Manifest(str(root))
    manifest.write(Dropped, "listed", 0, [])
    manifest.write(Source, "listed", 0, [Source(name, "", end_s=30.0) for name in ("a", "b")])
    return manifest


@pytest.fixture
def failing() -> Iterator[set[str]]:
    yield FAILING
    FAILING.clear()


@pytest.mark.parametrize(
    ("failed", "not_done", "kept"),
    [
        ("", {}, {"a/0/c", "a/1/c", "a/2/c", "b/0/c", "b/1/c", "b/2/c"}),
        ("Hear a", {"a/0": "Propose", "a/1": "Propose", "a/2": "Propose"}, {"b/0/c", "b/1/c", "b/2/c"}),
        ("Cut a", {"a/t0": "Refine", "a/t1": "Refine", "a/t2": "Refine"}, {"b/0/c", "b/1/c", "b/2/c"}),
        ("Propose a/1", {"a/t1": "Refine"}, {"a/0/c", "a/2/c", "b/0/c", "b/1/c", "b/2/c"}),
        ("Measure a/1/c", {"a/1/c": "Keep"}, {"a/0/c", "a/2/c", "b/0/c", "b/1/c", "b/2/c"}),
    ],
)
def test_a_failure_is_no_other_reason(
    tmp_path: Path, failing: set[str], failed: str, not_done: dict[str, str], kept: set[str]
) -> None:
    failing.add(failed)
    corpus = do(PLAN, listed(tmp_path))
    drops = corpus.table(Dropped).to_pylist()
    assert {drop["subject"]: drop["operator"] for drop in drops if drop["reason"] == "not_done"} == not_done
    assert {drop["reason"] for drop in drops} == ({"MemoryError"} if failed else set()) | (
        {"not_done"} if not_done else set()
    )
    assert {drop["detail"] for drop in drops if drop["reason"] == "not_done"} <= {
        f"{failed.split(' ')[0]} failed: MemoryError"
    }
    assert {row["clip_id"] for row in corpus.table(Clip).to_pylist()} == kept
    add_up(corpus, [step.record() for step in PLAN.steps], {step.version: corpus.shards() for step in PLAN.steps})
    assert funnel(corpus).sums


def test_the_first_cause_is_told_however_far_it_is(tmp_path: Path, failing: set[str]) -> None:
    """Keep's clip has no score since Measure was not done, since ... : of a source whose sound could not be heard."""

    @dataclass(frozen=True)
    class Count(Operator):
        def __call__(self, shot: Shot, clips: list[Clip]) -> Iterator[Score]:
            if not clips:
                raise Drop("no_clip")
            yield Score(shot.source_id, f"{shot.shot_id}#n", shot.shot_id, "n", "n", 1.0)

    failing.add("Hear a")
    plan = Recipe("r", "", (Stage(Cut(), Hear()), Stage(Propose()), Stage(Count()))).plan()
    drops = do(plan, listed(tmp_path)).table(Dropped).to_pylist()
    told = {(drop["operator"], drop["reason"], drop["detail"]) for drop in drops if drop["subject"] == "a/1"}
    assert told == {
        ("Propose", "not_done", "Hear failed: MemoryError"),
        ("Count", "not_done", "Hear failed: MemoryError"),
    }


def test_another_try_ends_as_if_nothing_had_failed(tmp_path: Path, failing: set[str]) -> None:
    never = do(PLAN, listed(tmp_path / "never"))
    failing |= {"Hear a", "Measure b/1/c"}
    corpus = do(PLAN, listed(tmp_path / "once"))
    assert content(corpus.root) != content(never.root)
    failing.clear()
    retry(corpus)
    assert content(do(PLAN, corpus).root) == content(never.root)


def test_what_was_not_done_is_missed_like_what_failed(tmp_path: Path, failing: set[str]) -> None:
    """Shot 1 fails; the turn that reaches from it into shot 2 cannot be judged, and so neither can shot 2."""

    @dataclass(frozen=True)
    class HearAcross(Operator):
        def __call__(self, source: Source) -> Iterator[Turn]:
            yield Turn(source.source_id, f"{source.source_id}/t", "speaker0", 15.0, 25.0)

    @dataclass(frozen=True)
    class CountTurns(Operator):
        def __call__(self, shot: Shot, turns: list[Turn]) -> Iterator[Score]:
            if not any(turn.start_s < shot.end_s and shot.start_s < turn.end_s for turn in turns):
                raise Drop("no_turn")
            yield Score(shot.source_id, f"{shot.shot_id}#n", shot.shot_id, "n", "n", 1.0)

    failing.add("Propose a/1")
    plan = Recipe("r", "", (Stage(Cut(), HearAcross()), Stage(Propose()), Stage(Refine()), Stage(CountTurns()))).plan()
    drops = do(plan, listed(tmp_path)).table(Dropped).to_pylist()
    ended = {drop["subject"]: (drop["reason"], drop["detail"]) for drop in drops if drop["operator"] == "CountTurns"}
    cause = ("not_done", "Propose failed: MemoryError")
    assert ended == {"a/0": ("no_turn", ""), "a/1": cause, "a/2": cause, "b/0": ("no_turn", "")}


@pytest.mark.parametrize(
    ("row", "told"),
    [
        (Turn("a", "a/t", "speaker0", 19.0, 25.0), True),
        (Turn("a", "a/t", "speaker0", 20.0, 25.0), False),
        (Turn("a", "a/t", "speaker0", 4.0, 10.0), False),
        (Turn("b", "b/t", "speaker0", 10.0, 20.0), False),
    ],
    ids=["meets", "begins where it ends", "ends where it begins", "another source"],
)
def test_a_failure_concerns_what_meets_it(row: Turn, told: bool) -> None:
    """Spans are half open: what begins where the failed shot ends shares no moment with it."""
    drop = Dropped("a", "a/1@Propose", "a/1", "shots", "Propose", "MemoryError", "", True, True)
    assert concerns(Shot("a", "a/1", 10.0, 20.0), drop, row) is told
