"""Which source is begun first."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from manifests.manifest import LISTED, Manifest
from manifests.tables import Dropped, Source
from operators.base import Operator
from pipeline.engine import agenda as agenda_module
from pipeline.engine.agenda import Agenda
from pipeline.engine.units import Open, Unit
from pipeline.engine.worker import Worker
from pipeline.recipe import Recipe, Stage
from tests.pipeline.engine.test_agenda import NAMES, PLAN, Cut, drive


@dataclass(frozen=True)
class Probe(Operator):
    """Finds how long a source is: the later in the list, the longer."""

    def __call__(self, source: Source) -> Iterator[Source]:
        yield replace(source, end_s=60.0 * (1 + NAMES.index(source.source_id)))


def test_lengths_are_found_first_and_the_longest_source_is_begun_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(agenda_module, "SMALL_S", 0.0)
    plan = Recipe("lengths", "", (Stage(Probe()), Stage(Cut()))).plan()
    manifest = Manifest(str(tmp_path))
    manifest.write(Dropped, LISTED, 0, [])
    manifest.write(Source, LISTED, 0, [Source(name, "") for name in NAMES[:7]])
    manifest.remember(plan.record())
    units = [(job.stage, *job.sources) for job in drive(manifest, plan=plan) if isinstance(job, Unit)]
    assert units == [*((0, name) for name in NAMES[:7]), *((1, name) for name in NAMES[6::-1])]


@pytest.mark.parametrize(("hours", "first"), [(10, "long"), (0.1, "short0")])
def test_at_the_end_the_longest_chain_goes_first(tmp_path: Path, hours: float, first: str) -> None:
    manifest = Manifest(str(tmp_path))
    for shard, sources in enumerate(
        [[Source(f"short{n}", "", end_s=60.0) for n in range(9)], [Source("long", "", end_s=3600.0 * hours)]]
    ):
        manifest.write(Dropped, LISTED, shard, [])
        manifest.write(Source, LISTED, shard, sources)
    manifest.remember(PLAN.record())
    agenda = Agenda(PLAN, {0: frozenset(), 1: frozenset()}, cores=2)
    worker = Worker(PLAN, manifest, manifest.takedowns())
    for job in (agenda.next(), agenda.next()):
        assert isinstance(job, Open)
        agenda.opened(job, *worker.open(job))
    for number, stage in enumerate(PLAN.stages):
        agenda.ready.learn(number, 1.0 if stage.reads is Source else 0.1, 10.0)
    job = agenda.next()
    assert isinstance(job, Unit)
    assert job.sources[0] == first, "the long one where the others take less, the shard that was begun first else"
