"""A plan done in this process, without Ray: for tests, and to measure what a stage takes by itself."""

from collections.abc import Collection

from manifests.manifest import Manifest
from pipeline.engine.agenda import Agenda
from pipeline.engine.units import Commit, Open
from pipeline.engine.worker import Worker
from pipeline.recipe import Plan


def work(plan: Plan, manifest: Manifest, stages: Collection[int] | None = None) -> None:
    """Does what is not done.

    Args:
        stages: those to do; None for all.
    """
    others = {step.version for step in plan.steps if stages is not None and step.stage not in stages}
    committed = {step.version: manifest.committed(step.version) for step in plan.steps}
    done = {
        shard: frozenset(others | {v for v, some in committed.items() if shard in some}) for shard in manifest.shards()
    }
    agenda, worker = Agenda(plan, done, in_flight=1), Worker(plan, manifest, manifest.takedowns())
    while (job := agenda.next()) is not None:
        if isinstance(job, Open):
            agenda.opened(job, *worker.open(job))
        elif isinstance(job, Commit):
            agenda.committed(job, clashes=worker.commit(job, agenda.inputs(job)))
        else:
            agenda.done(job, *worker.do(job, agenda.inputs(job), agenda.failures(job)))
    assert agenda.finished
