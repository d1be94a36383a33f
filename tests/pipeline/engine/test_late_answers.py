"""Workers that die when their work is done and before they say so, and answers that come too late: without Ray."""

import random
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from manifests.errors import Stalled
from manifests.manifest import Manifest
from pipeline.engine.agenda import Agenda
from pipeline.engine.units import Commit, Job, Open, Unit
from pipeline.engine.worker import Worker
from tests.pipeline.engine.test_agenda import PLAN, content, drive, listed


@pytest.fixture(scope="module")
def calm(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    manifest = listed(tmp_path_factory.mktemp("calm"))
    drive(manifest)
    return content(manifest)


def dies_late(draw: random.Random) -> Callable[[Job], str]:
    """Of the jobs that commit one in two loses its worker, once, when all is done and before that is said."""
    met = set[tuple[int, int]]()

    def how(job: Job) -> str:
        if isinstance(job, Open) or (isinstance(job, Unit) and not job.commits):
            return ""
        if (job.stage, job.shard) in met or draw.random() < 0.5:
            return ""
        met.add((job.stage, job.shard))
        return "late died"

    return how


@pytest.mark.parametrize("seed", range(3))
def test_a_worker_that_dies_once_it_has_committed_leaves_what_it_committed(
    tmp_path: Path, calm: dict[str, bytes], seed: int
) -> None:
    manifest = listed(tmp_path)
    drive(manifest, dies_late(random.Random(seed)), hands=3, seed=seed)
    assert content(manifest) == calm
    for shard, source in ((0, "a"), (1, "s5")):
        manifest.take_back(PLAN.steps[-1].version, shard, [source])
    drive(Manifest(manifest.root), dies_late(random.Random(seed)), hands=3, seed=seed)
    assert content(manifest) == calm, "and where only some sources are done again"


def test_a_commit_whose_worker_dies_is_done_again_and_nothing_else(tmp_path: Path, calm: dict[str, bytes]) -> None:
    killed = Counter[Job]()

    def how(job: Job) -> str:
        killed[job] += isinstance(job, Commit)
        return "died" if 1 <= killed[job] <= 2 else ""

    manifest = listed(tmp_path)
    said = [job for job in drive(manifest, how, hands=3) if isinstance(job, Unit)]
    assert max(killed.values()) == 3
    assert not any(job.tries for job in said), "no shard is begun anew for it"
    assert content(manifest) == calm


def test_a_shard_that_nobody_can_commit_ends_the_run_soon(tmp_path: Path) -> None:
    with pytest.raises(Stalled, match="write shard 0 died 5 times"):
        drive(listed(tmp_path), lambda job: "died" if isinstance(job, Commit) else "")


def opened(manifest: Manifest) -> tuple[Agenda, Worker]:
    """An agenda of all shards, one source at a time, and who does what it says."""
    nothing = {shard: frozenset[str]() for shard in manifest.shards()}
    return Agenda(PLAN, nothing), Worker(PLAN, manifest, manifest.takedowns())


def test_no_more_is_begun_than_is_to_be_in_flight(tmp_path: Path) -> None:
    agenda, _ = opened(listed(tmp_path))
    assert isinstance(agenda.next(), Open)
    assert agenda.next() is None, "the other shard waits until this one is known"


def test_an_answer_that_comes_after_its_shard_was_begun_anew_is_not_taken(tmp_path: Path) -> None:
    agenda, worker = opened(listed(tmp_path))
    first = agenda.next()
    assert isinstance(first, Open)
    agenda.opened(first, *worker.open(first))
    late, lost = agenda.next(), agenda.next()
    assert isinstance(late, Unit)
    assert isinstance(lost, Unit)
    answer = worker.do(late, agenda.inputs(late), agenda.failures(late))
    agenda.anew(lost)
    again = agenda.next()
    assert isinstance(again, Open)
    agenda.opened(again, *worker.open(again))
    before = {stage: set(left) for stage, left in agenda.shards[0].left.items()}
    agenda.done(late, *answer)
    assert agenda.shards[0].left == before
