"""Steps beside those of a recipe, over a corpus that is there: systems make renders of pairs, metrics score renders.

They are steps like any other: shards, receipts and takedowns are the recipe's. They read what is current when they
begin, and may look rows up in other shards (`lookups.py`), which the steps of a recipe may not: those flow on by
themselves. A step has a place in the corpus, such as `Psnr-psnr_rgb@recording`, where it replaces the one that made the
same of something else.
"""

import hashlib
import json
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from manifests.checking import add_up
from manifests.errors import UsageError
from manifests.ledger import StepRecord
from manifests.manifest import Manifest
from manifests.tables import Row, Source
from operators.base import Audio, Frames, Media, Operator
from pipeline.engine.alone import work
from pipeline.engine.notes import Notes
from pipeline.engine.run import run
from pipeline.engine.worker import WORKER_ENVIRONMENT
from pipeline.recipe import Plan, Step

Held = Mapping[type[Row], Sequence[str]]  # by table the steps whose rows are current


def current_steps(manifest: Manifest, *tables: type[Row]) -> Held:
    """By table the steps that hold current rows in any shard, sorted."""
    held = [manifest.current(shard) for shard in manifest.shards()] if tables else []
    return {table: tuple(sorted({step for one in held for step in one.get(table.table, ())})) for table in tables}


def step_beside(
    manifest: Manifest,
    operator: Operator,
    place: str,
    *,
    stage: int = 0,
    reads: Held | None = None,
    looks_up: Held | None = None,
    where: Mapping[str, str] | None = None,
) -> Step:
    """An operator as a step of this corpus, named by all it depends on.

    Args:
        place: of the step, among those beside a recipe.
        stage: steps of one stage go over the same rows together.
        reads: the steps whose rows are read or joined, by table; the current ones where a table is not named.
        looks_up: the same of lookups.
        where: the rows to read, by the value of a column.
    """
    signature = operator.signature
    needed = {signature.reads, *signature.joins.values()}
    if {Frames, Audio, Media} & set(signature.asks.values()) and "media" not in signature.reads.__dataclass_fields__:
        needed.add(Source)  # says where the bytes are
    known = {**current_steps(manifest, *(needed - {*(reads or {})})), **(reads or {})}
    optional = {signature.joins[name] for name in signature.optional}
    inputs = {
        table: tuple(known[table])
        for table in sorted(needed, key=lambda table: table.table)
        if known[table] or table not in optional
    }
    others = {**current_steps(manifest, *({*operator.lookups.values()} - {*(looks_up or {})})), **(looks_up or {})}
    found = {table: tuple(others[table]) for table in sorted({*operator.lookups.values()}, key=lambda t: t.table)}
    what = [[table.table, *steps] for some in (inputs, found) for table, steps in some.items()]
    name = json.dumps([operator.fingerprint(), place, *what])
    version = f"{operator.name}-{hashlib.sha256(name.encode()).hexdigest()[:12]}"
    return Step(operator, version, stage, inputs, found, where or {})


def run_beside(
    manifest: Manifest,
    steps: Mapping[str, Step],
    *,
    workers: int = 1,
    tell: Callable[[int], None] = lambda done: None,
) -> None:
    """Does what is not done yet.

    Args:
        steps: by place.
        workers: units of work at a time, by Ray where more than one, which must be initialised then.
        tell: of rows and drops made.

    Raises:
        UsageError: for a corpus that an older headset laid out otherwise.
        Inconsistent: when the counts of what was read, written and dropped do not add up.
    """
    if old := sorted(manifest.in_shard_0):
        raise UsageError(
            f"{manifest.root} has {', '.join(old)} in its first shard; first headset migrate {manifest.root}"
        )
    for place, step in steps.items():
        manifest.attach(place, _record(step))
    plan = Plan("", "", tuple(steps.values()))
    Notes(manifest).take_back(list(plan.steps))
    if workers > 1:
        run(
            plan,
            manifest,
            beside=True,
            workers=workers,
            watch=lambda lines: tell(sum(line.kept + line.dropped + line.failed for line in lines)),
        )
    else:
        os.environ.update(WORKER_ENVIRONMENT)
        known = manifest.takedowns()
        undone = {step.version: set(manifest.shards()) - manifest.committed(step.version) for step in plan.steps}
        work(plan, manifest, tell=tell)
        add_up(manifest, [step.record() for step in plan.steps], undone, known)
    manifest.refresh()


def _record(step: Step) -> StepRecord:
    """What the corpus remembers of a step. Its rows count while those do that it read; what it joined or looked up may
    be made anew meanwhile, and rows that name others, such as pairs, may be chosen anew.
    """
    reads = step.operator.signature.reads
    kept = {name: versions for name, versions in step.told_inputs.items() if name == reads.table and not reads.across}
    return replace(step.record(), stage=-1, inputs=kept)
