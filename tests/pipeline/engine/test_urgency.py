"""Which source of a shard is begun first."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from manifests.manifest import LISTED, Manifest
from manifests.tables import Dropped, Source
from operators.base import Operator
from pipeline.engine import agenda as agenda_module
from pipeline.engine.units import Unit
from pipeline.recipe import Recipe, Stage
from tests.pipeline.engine.test_agenda import NAMES, Cut, drive


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
