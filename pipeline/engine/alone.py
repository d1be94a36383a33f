"""A plan done in this process, without Ray: steps beside a recipe by one worker, tests, and what a stage takes by
itself.
"""

from collections.abc import Callable, Collection

from manifests.manifest import Manifest
from pipeline.engine.agenda import Agenda
from pipeline.engine.units import Commit, Open
from pipeline.engine.worker import Worker
from pipeline.recipe import Plan


def work(
    plan: Plan,
    manifest: Manifest,
    stages: Collection[int] | None = None,
    tell: Callable[[int], None] = lambda done: None,
) -> None:
    """Does what is not done.

    Args:
        stages: those to do; None for all.
        tell: of rows and drops made, after each unit.
    """
    others = {step.version for step in plan.steps if stages is not None and step.stage not in stages}
    committed = {step.version: manifest.committed(step.version) for step in plan.steps}
    done = {
        shard: frozenset(others | {v for v, some in committed.items() if shard in some}) for shard in manifest.shards()
    }
    agenda, worker = Agenda(plan, done), Worker(plan, manifest, manifest.takedowns())
    try:
        while (job := agenda.next()) is not None:
            if isinstance(job, Open):
                agenda.opened(job, *worker.open(job))
            elif isinstance(job, Commit):
                agenda.committed(job, clashes=worker.commit(job, agenda.inputs(job)))
            else:
                agenda.done(job, *worker.do(job, agenda.inputs(job), agenda.failures(job)))
                tell(sum(of[kind] for of in agenda.progress().values() for kind in ("kept", "dropped", "failed")))
    finally:
        worker.close()
    assert agenda.finished
