"""What is done next, and what becomes of it when workers die, nodes are lost and operators err: without Ray, in every
order.
"""

import random
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from manifests.checking import add_up
from manifests.errors import Inconsistent
from manifests.manifest import LISTED, Manifest
from manifests.tables import Clip, Dropped, Score, Shot, Source, tables
from operators.base import Drop, Operator
from pipeline.engine import agenda as agenda_module
from pipeline.engine.agenda import MAX_TRIES, Agenda
from pipeline.engine.retry import retry
from pipeline.engine.units import Commit, Job, Open, Unit
from pipeline.engine.worker import Worker
from pipeline.recipe import Plan, Recipe, Stage

SHOTS = 12


@pytest.fixture(autouse=True)
def few_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    """Twelve minutes of rows are two units."""
    monkeypatch.setattr(agenda_module, "PIECE_S", 300.0)


@dataclass(frozen=True)
class Cut(Operator):
    """Shots of a minute; of the source `drops` none."""

    def __call__(self, source: Source) -> Iterator[Shot]:
        if source.source_id == "drops":
            raise Drop("no_sense")
        for number in range(SHOTS):
            yield Shot(source.source_id, f"{source.source_id}/{number:02d}", number * 60.0, number * 60.0 + 60)


@dataclass(frozen=True)
class Hear(Operator):
    """Beside `Cut`, in a stage of its own."""

    def __call__(self, source: Source) -> Iterator[Score]:
        if source.source_id == "fails":
            raise MemoryError("as asked")
        yield Score(source.source_id, f"{source.source_id}#heard", source.source_id, "heard", "", 1 / 3)


@dataclass(frozen=True)
class Propose(Operator):
    def __call__(self, shot: Shot, scores: list[Score]) -> Iterator[Clip | Drop]:
        clip = Clip(
            shot.source_id,
            f"{shot.shot_id}/c",
            shot.shot_id,
            "",
            "",
            shot.start_s,
            shot.end_s,
            0.0,
            0.0,
            1.0,
            len(scores),
        )
        yield Drop("late", clip) if shot.start_s > 300 else clip


@dataclass(frozen=True)
class Keep(Operator):
    def __call__(self, clip: Clip) -> Iterator[Clip]:
        yield clip


PLAN = Recipe("flow", "", (Stage(Cut()), Stage(Hear()), Stage(Propose()), Stage(Keep()))).plan()
NAMES = ("a", "b", "drops", "fails", *(f"s{number}" for number in range(6)))


def listed(root: Path) -> Manifest:
    """Two shards: of seven sources, and of three."""
    manifest = Manifest(str(root))
    for shard, names in enumerate((NAMES[:7], NAMES[7:])):
        manifest.write(Dropped, LISTED, shard, [])
        manifest.write(Source, LISTED, shard, [Source(name, "", end_s=SHOTS * 60.0) for name in names])
    manifest.remember(PLAN.record())
    return manifest


def content(manifest: Manifest) -> dict[str, bytes]:
    root = Path(manifest.root)
    return {
        str(path.relative_to(root)): path.read_bytes()
        for table in tables()
        for path in sorted((root / table).rglob("*.parquet"))
    }


def drive(
    manifest: Manifest,
    how: Callable[[Job], str] = lambda _: "",
    *,
    plan: Plan = PLAN,
    hands: int = 1,
    seed: int = 0,
    most: int = 10**6,
) -> list[Job]:
    """Does a plan with so many jobs at a time, whose ends come in any order.

    Args:
        how: a job ends: "" as it should, "died" with its worker, "again" and "anew" as their nodes are lost; after
            "late " what it did is done, and only the answer is lost.
        most: jobs, before all is killed.
    """
    committed = {step.version: manifest.committed(step.version) for step in plan.steps}
    done = {shard: frozenset(v for v, some in committed.items() if shard in some) for shard in manifest.shards()}
    agenda, worker, draw = (
        Agenda(plan, done, cores=hands),
        Worker(plan, manifest, manifest.takedowns()),
        random.Random(seed),
    )
    out: list[Job] = []
    said: list[Job] = []
    while len(said) < most:
        while len(out) < hands and (job := agenda.next()):
            out.append(job)
        if not out:
            assert agenda.finished
            break
        job = out.pop(draw.randrange(len(out)))
        said.append(job)
        end = how(job)
        if end.startswith("late ") and not isinstance(job, Open) and stands(agenda, job):
            if isinstance(job, Commit):
                worker.commit(job, agenda.inputs(job))
            else:
                worker.do(job, agenda.inputs(job), agenda.failures(job))
        if end := end.removeprefix("late "):
            {"died": agenda.died, "again": agenda.again, "anew": agenda.anew}[end](job)  # type: ignore[operator]
        elif isinstance(job, Open):
            agenda.opened(job, *worker.open(job))
        elif isinstance(job, Commit):
            agenda.committed(job, clashes=worker.commit(job, agenda.inputs(job)) if stands(agenda, job) else False)
        elif stands(agenda, job):
            agenda.done(job, *worker.do(job, agenda.inputs(job), agenda.failures(job)))
        else:
            agenda.again(job)
    else:
        return said
    add_up(
        Manifest(manifest.root),
        [step.record() for step in plan.steps],
        {step.version: manifest.shards() for step in plan.steps},
    )
    assert {stage: sums["sources"] for stage, sums in agenda.progress().items()} == dict.fromkeys(
        range(len(plan.stages)), sources(manifest)
    )
    return said


def stands(agenda: Agenda, job: Unit | Commit) -> bool:
    """Whether its shard was not begun anew meanwhile: what it would read is gone then."""
    return job.shard in agenda.shards and agenda.shards[job.shard].tries == job.tries


def sources(manifest: Manifest) -> int:
    return sum(manifest.count(Source, LISTED, shard) for shard in manifest.shards())


@pytest.fixture(scope="module")
def calm(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    manifest = listed(tmp_path_factory.mktemp("calm"))
    drive(manifest)
    return content(manifest)


@pytest.mark.parametrize("hands", [1, 2, 9])
def test_any_order_gives_the_same_bytes(tmp_path: Path, calm: dict[str, bytes], hands: int) -> None:
    manifest = listed(tmp_path)
    drive(manifest, hands=hands, seed=hands)
    assert content(manifest) == calm


def test_what_was_begun_is_ended_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(agenda_module, "SMALL_S", 0.0)
    units = [job for job in drive(listed(tmp_path)) if isinstance(job, Unit)]
    assert [job.shard for job in units] == sorted(job.shard for job in units)
    assert Counter(job.stage for job in units if job.sources == ("a",)) == {0: 1, 1: 1, 2: 2, 3: 1}, (
        "12 minutes of shots are two units"
    )
    ends = [number for number, job in enumerate(units) if job.stage == 3 and job.shard == 0]
    begins = [number for number, job in enumerate(units) if job.stage == 0 and job.shard == 0]
    assert ends[0] < begins[-1], "a source is brought to its end while others wait to be begun"


def test_small_sources_of_a_shard_go_together_and_are_committed_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(agenda_module, "PIECE_S", 10**6)
    said = drive(listed(tmp_path))
    assert max(len(job.sources) for job in said if isinstance(job, Unit)) >= 3
    assert any(isinstance(job, Unit) and job.commits for job in said)


def test_a_row_that_kills_is_found_and_given_up_and_nothing_else(tmp_path: Path) -> None:
    version = PLAN.steps[2].version

    def how(job: Job) -> str:
        """The third shot of source a kills whoever proposes clips of it."""
        if not isinstance(job, Unit) or job.stage != 2 or "a" not in job.sources or job.give_up:
            return ""
        return "died" if job.rows is None or job.rows[0] <= 3 < job.rows[1] else ""

    manifest = listed(tmp_path)
    said = drive(manifest, how, hands=3)
    killed = [drop for drop in manifest.read(Dropped, [version], 0) if drop.reason == "worker_died"]
    assert [(drop.subject, drop.failed) for drop in killed] == [("a/03", True)]
    assert len(manifest.read(Clip, [version], 0)) == 5 * 6 - 1, "of five sources that have clips, six each"
    assert sum(how(job) == "died" for job in said) == 3, "with its neighbours, alone, and alone again"


@pytest.mark.parametrize("seed", range(8))
def test_lost_nodes_cost_time_and_nothing_else(tmp_path: Path, calm: dict[str, bytes], seed: int) -> None:
    draw = random.Random(seed)
    manifest = listed(tmp_path)
    ends = [*draw.choices(["", "again", "anew"], [25, 4, 1], k=10**4), "anew", "", "", "", "", ""]
    said = drive(manifest, lambda _: ends.pop(), hands=4, seed=seed)
    assert any(job.tries for job in said)
    assert content(manifest) == calm


@pytest.mark.parametrize("most", range(2, 30, 3))
def test_what_a_killed_run_left_the_next_one_ends(tmp_path: Path, calm: dict[str, bytes], most: int) -> None:
    manifest = listed(tmp_path)
    drive(manifest, hands=3, seed=most, most=most)
    there = Manifest(manifest.root)
    drive(there, hands=2)
    assert content(there) == calm


def test_a_shard_that_is_always_lost_ends_the_run(tmp_path: Path) -> None:
    with pytest.raises(Inconsistent, match=f"was begun {MAX_TRIES} times"):
        drive(listed(tmp_path), lambda job: "" if isinstance(job, Open) else "anew")


def test_what_is_tried_again_joins_what_was_kept(tmp_path: Path, calm: dict[str, bytes]) -> None:
    manifest = listed(tmp_path)
    drive(manifest)
    assert {drop.source_id for drop in retry(Manifest(manifest.root)).drops} == {"fails"}
    said = drive(Manifest(manifest.root))
    assert {source for job in said if isinstance(job, Unit) for source in job.sources} == {"fails"}
    assert content(manifest) == calm


@dataclass(frozen=True)
class NameAlike(Operator):
    """A score of the same name for every source."""

    def __call__(self, source: Source) -> Iterator[Score]:
        yield Score(source.source_id, "alike", source.source_id, "alike", "", 1.0)


@dataclass(frozen=True)
class CountScores(Operator):
    def __call__(self, score: Score) -> Iterator[Clip]:
        yield Clip(score.source_id, f"{score.source_id}/c", "", "", "", 0.0, 1.0, 0.0, 0.0, 1.0, 1.0)


def test_rows_of_one_key_are_a_failure_and_who_read_both_reads_one(tmp_path: Path) -> None:
    plan = Recipe("alike", "", (Stage(NameAlike()), Stage(CountScores()))).plan()
    manifest = listed(tmp_path)
    manifest.remember(plan.record())
    drive(manifest, plan=plan, hands=3)
    for shard, number in ((0, 7), (1, 3)):
        reasons = Counter(drop.reason for drop in manifest.read(Dropped, [plan.steps[0].version], shard))
        assert reasons == {"duplicate_key": number - 1}
        assert len(manifest.read(Clip, [plan.steps[1].version], shard)) == 1


@dataclass(frozen=True)
class NameAnother(Operator):
    def __call__(self, source: Source) -> Iterator[Score]:
        yield Score("another", f"{source.source_id}#x", source.source_id, "x", "", 1.0)


def test_a_row_of_another_source_is_a_failure(tmp_path: Path) -> None:
    plan = Recipe("another", "", (Stage(NameAnother()),)).plan()
    manifest = listed(tmp_path)
    manifest.remember(plan.record())
    drive(manifest, plan=plan)
    drops = manifest.read(Dropped, [plan.steps[0].version], 1)
    assert {drop.reason for drop in drops} == {"TypeError"}
    assert "yielded a row of another; it was given one of s3" in drops[0].detail
