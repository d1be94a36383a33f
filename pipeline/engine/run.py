"""Runs a recipe on Ray Data: a dataset of shard numbers flows through one actor pool per stage.

Nothing but shard numbers travels; rows go through the manifest. A worker takes a shard, does the steps of its stage
that have no receipt there, writes their tables, and commits each with a receipt. What a run left undone, the next one
finds by its missing receipts.
"""

import logging
from collections.abc import Callable
from typing import Any, NamedTuple, cast

from manifests.checking import add_up
from manifests.manifest import LISTED, Manifest
from manifests.tables import Source
from operators.base import Resources
from pipeline.engine.costs import rates
from pipeline.engine.progress import STALLED_S, Progress, ProgressActor, Ticker, Watcher
from pipeline.engine.worker import ShardWorker
from pipeline.recipe import Plan, Step


class Part(NamedTuple):
    """A share of the shards, for jobs that know nothing of each other. Any division gives the same bytes, and may
    change at any time.
    """

    number: int  # from 1
    of: int

    def holds(self, shard: int) -> bool:
        return shard % self.of == self.number - 1


def run(
    plan: Plan,
    manifest: Manifest,
    *,
    workers: int | None = None,
    part: Part | None = None,
    watch: Callable[[list[Progress]], None] = lambda _: None,
    stalled_s: float = STALLED_S,
) -> None:
    """Does what is not done yet. Ray must be initialised.

    Args:
        workers: actors per stage; None for as many as fit.
        part: the share of the shards to do; None for all.
        watch: told of the progress twice a second.
        stalled_s: without progress, before work is told among `Progress.stalls`.

    Raises:
        Inconsistent: when the counts of what was read, written and dropped do not add up.
    """
    manifest.remember(plan.record())
    known = manifest.takedowns()
    shards = [shard for shard in manifest.shards() if part is None or part.holds(shard)]
    undone = {step.version: set(shards) - manifest.committed(step.version) for step in plan.steps}
    left = sorted(set().union(*undone.values()))
    todo = sorted({step.stage for step in plan.steps if undone[step.version]})
    if todo:
        sources = {shard: manifest.count(Source, LISTED, shard) for shard in left}
        progress = _progress_actor(sources)
        watcher = Watcher(progress, plan, todo, sum(sources.values()), stalled_s)
        _stream(plan, manifest, todo, left, workers, progress, lambda: watch(watcher.progress()))
    add_up(manifest, [step.record() for step in plan.steps], undone, known)


def _progress_actor(sources: dict[int, int]) -> Any:
    """On the driver's node, so that it is lost when the run is lost and not before."""
    import ray
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    here = NodeAffinitySchedulingStrategy(ray.get_runtime_context().get_node_id(), soft=True)
    actor: Any = ray.remote(num_cpus=0, max_restarts=-1, max_task_retries=-1)(ProgressActor)
    return actor.options(scheduling_strategy=here).remote(sources)


def _stream(
    plan: Plan,
    manifest: Manifest,
    todo: list[int],
    left: list[int],
    workers: int | None,
    progress: Any,
    tell: Callable[[], None],
) -> None:
    import ray
    from ray.data import ActorPoolStrategy, DataContext

    context = DataContext.get_current()
    context.enable_progress_bars = False
    context.print_on_execution_start = False
    logging.getLogger("ray.data").setLevel(logging.ERROR)
    there: dict[str, float] = dict(ray.cluster_resources())
    needs = [plan.stages[stage].resources for stage in todo]
    if not there.get("GPU"):
        needs = [Resources(need.cpus) for need in needs]
    sizes = pool_sizes([plan.of_stage(stage) for stage in todo], needs, there, len(left), workers)
    # Every stage holds at least its share of an actor at once, or the last would wait for ever on a small machine.
    cpu_share = min(
        1.0,
        there.get("CPU", 1.0)
        / (sum(size * need.cpus for size, need in zip(sizes, needs, strict=True) if not need.gpus) or 1),
    )
    gpu_share = min(
        1.0, there.get("GPU", 0.0) / (sum(size * need.gpus for size, need in zip(sizes, needs, strict=True)) or 1)
    )
    dataset: Any = ray.data.from_items([{"shard": shard} for shard in left], override_num_blocks=len(left))
    for stage, need, size in zip(todo, needs, sizes, strict=True):
        dataset = dataset.map(
            cast(Any, ShardWorker),
            fn_constructor_args=(manifest, plan, stage, progress),
            fn_constructor_kwargs={"last": stage == todo[-1], "on_gpu": need.gpus > 0},
            # Of a fixed size: a pool that grows takes the place of an actor that died, which then never comes back.
            compute=ActorPoolStrategy(size=size),
            num_cpus=None if need.gpus else need.cpus * cpu_share,  # Ray Data schedules on one of the two
            num_gpus=need.gpus * gpu_share or None,
        )
    rows = iter(dataset.iter_rows())
    with Ticker(tell):
        for _ in rows:
            pass
    tell()


def pool_sizes(
    todo: list[list[Step]], needs: list[Resources], there: dict[str, float], shards: int, workers: int | None
) -> list[int]:
    """How many actors each stage gets: one, and of the cores that are left its share by measured cost."""
    if workers:
        return [min(workers, shards)] * len(todo)
    known = rates()
    cost = [sum(known.of(step.operator.name) or 0.0 for step in group) or 0.01 for group in todo]
    sizes = []
    for seconds, need in zip(cost, needs, strict=True):
        kind, per_actor = ("GPU", need.gpus) if need.gpus else ("CPU", need.cpus)
        rivals = [(other, n) for other, n in zip(cost, needs, strict=True) if bool(n.gpus) == bool(need.gpus)]
        spare = there.get(kind, 1.0) - sum(n.gpus or n.cpus for _, n in rivals)
        extra = int(max(spare, 0.0) * seconds / sum(other for other, _ in rivals) / per_actor)
        sizes.append(min(1 + extra, shards))
    return sizes
