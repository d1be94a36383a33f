"""Runs a recipe on Ray: units of work that any core takes, the furthest on first.

A source goes from stage to stage by itself; what is made of it travels as Arrow tables through Ray's object store, and
the driver holds no row. When all sources of a shard are through a stage, one task writes its tables and commits them
with a receipt. What a run left undone, the next one finds by its missing receipts. `agenda.py` says what is next, Ray
says where; a process keeps the models it has loaded for whatever unit comes next. On a GPU actors do the units of the
stages that ask for one.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from manifests.checking import add_up
from manifests.errors import HeadsetError, Stalled
from manifests.manifest import Manifest
from manifests.tables import Source
from manifests.takedowns import Takedowns
from pipeline.engine.agenda import Agenda
from pipeline.engine.heartbeats import ProgressActor
from pipeline.engine.progress import STALLED_S, Progress, Watcher
from pipeline.engine.remote import GpuWorker, task
from pipeline.engine.units import Commit, Job, Open, Unit
from pipeline.recipe import Plan, Stage

TELL_S = 0.5  # between two looks at the progress
# without progress, before the run ends: a film of four hours may be heard for two, and no frame tells of it
GIVES_UP_S = 12 * 3600.0
STARTS_S = 300.0  # that a process may take to start on a busy machine
COUNT_S = 5.0  # between two looks at how many cores there are: nodes come and go


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
    gives_up_s: float = GIVES_UP_S,
    beside: bool = False,
) -> None:
    """Does what is not done yet. Ray must be initialised.

    The steps are the corpus's recipe from now on, whose rows are the current ones.

    Args:
        workers: units at work at a time; None for one a core.
        part: the share of the shards to do; None for all.
        watch: told of the progress twice a second.
        stalled_s: without progress, before work is told among `Progress.stalls`.
        gives_up_s: without progress, before the run ends.
        beside: the steps lie beside the recipe, which stays.

    Raises:
        Inconsistent: when the counts of what was read, written and dropped do not add up.
        Stalled: where work does not get on.
    """
    if not beside:
        manifest.remember(plan.record())
    known = manifest.takedowns()
    shards = [shard for shard in manifest.shards() if part is None or part.holds(shard)]
    committed = {step.version: manifest.committed(step.version) for step in plan.steps}
    undone = {version: set(shards) - some for version, some in committed.items()}
    if left := sorted(set().union(*undone.values())):
        done = {shard: frozenset(version for version, some in committed.items() if shard in some) for shard in left}
        todo = sorted({step.stage for step in plan.steps if undone[step.version]})
        sources = len(manifest.listed(Source, left))
        driver = _Driver(
            plan,
            manifest,
            known,
            done,
            workers,
            lambda actor: Watcher(actor, plan, todo, sources, stalled_s),
            watch,
            gives_up_s,
        )
        try:
            driver.work()
        finally:
            driver.close()
    add_up(manifest, [step.record() for step in plan.steps], undone, known)


@dataclass
class _Actor:
    """An actor that holds a share of a GPU."""

    handle: Any
    ready: Any  # the reference that is there when it has started
    free: bool = True


@dataclass
class _Out:
    """What was handed out."""

    job: Job
    names: tuple[str, ...]  # of the answers after the first, by step
    answers: list[Any]
    weight: float
    actor: _Actor | None = None


class _Driver:
    """Hands out jobs and takes what they came to."""

    def __init__(
        self,
        plan: Plan,
        manifest: Manifest,
        known: Takedowns,
        done: dict[int, frozenset[str]],
        workers: int | None,
        watcher: Callable[[Any], Watcher],
        watch: Callable[[list[Progress]], None],
        gives_up_s: float,
    ):
        import ray
        from ray.cloudpickle import cloudpickle  # as recipes from files of people's own need

        self.plan, self.workers, self.watch, self.gives_up_s, self.moved_at = (
            plan,
            workers,
            watch,
            gives_up_s,
            time.monotonic(),
        )
        there = ray.cluster_resources()
        served = (
            [number for number, stage in enumerate(plan.stages) if stage.resources.gpus] if there.get("GPU") else []
        )
        self.actors = [
            _Actor(one, one.ready.remote()) for one in _gpu_actors([plan.stages[stage] for stage in served], there)
        ]
        self.slots, self.most, self.counted_at = *self._slots(), time.monotonic()
        self.agenda = Agenda(plan, done, int(self.slots) + len(self.actors), served)
        self.progress = _progress_actor()
        self.watcher = watcher(self.progress)
        self.name = f"{id(self)}-{time.monotonic()}"
        self.setup = ray.put(cloudpickle.dumps((plan, manifest, known, self.progress)))
        self.out: dict[Any, _Out] = {}  # by the first of its answers
        self.task = ray.remote(task)

    def work(self) -> None:
        """Until nothing is left."""
        import ray

        told_at = 0.0
        while not self.agenda.finished:
            self._hand_out()
            if not self.out:  # actors start
                time.sleep(TELL_S)
            elif ray.wait([*self.out], timeout=TELL_S, fetch_local=False)[0]:
                for answer in ray.wait([*self.out], num_returns=len(self.out), timeout=0, fetch_local=False)[0]:
                    self._take(self.out.pop(answer))
            if time.monotonic() - told_at >= TELL_S:
                told_at = time.monotonic()
                self._tell()
        self._tell()

    def close(self) -> None:
        """Ends what was started for the run, and what is still at work where it ended with an error."""
        import ray

        for out in self.out.values():
            if out.actor is None:
                ray.cancel(out.answers[0], force=True)
        for actor in (self.progress, *(one.handle for one in self.actors)):
            ray.kill(actor)

    def _tell(self) -> None:
        units = {out.job.number: out.job.weight for out in self.out.values() if isinstance(out.job, Unit)}
        lines = self.watcher.progress(self.agenda.progress(), units)
        self.watch(lines)
        still_s = time.monotonic() - self.moved_at
        there = [work for line in lines for work in line.work]
        if there and still_s >= self.gives_up_s and all(work.still_s >= self.gives_up_s for work in there):
            stall = max((stall for line in lines for stall in line.stalls), key=lambda stall: stall.work.still_s)
            raise Stalled(f"{stall}; the run is given up, and goes on where it is when it is asked for again")
        if self.out and not there and still_s >= self.gives_up_s + STARTS_S:
            raise Stalled(
                f"{len(self.out)} pieces of work wait for a core, and there is none; has the cluster lost its nodes?"
            )

    # Where there is room.

    def _slots(self) -> tuple[float, float]:
        """Cores to fill, and the cores of the largest node.

        Some work waits before them: a core that has to ask the driver first stands still meanwhile.
        """
        import ray

        nodes = [node["Resources"].get("CPU", 0.0) for node in ray.nodes() if node["Alive"]]
        cores = sum(nodes) or 1.0
        return float(self.workers) if self.workers else cores + max(1.0, cores // 8), max(*nodes, 1.0)

    def _hand_out(self) -> None:
        if time.monotonic() - self.counted_at > COUNT_S:
            self.slots, self.most, self.counted_at = *self._slots(), time.monotonic()
        for actor in self.actors:
            if actor.free and _started(actor) and (job := self.agenda.next(served=True)):
                self._start(job, actor)
        busy = sum(out.weight for out in self.out.values() if out.actor is None)
        while busy < self.slots and (job := self.agenda.next()):
            busy += self._start(job)

    def _start(self, job: Job, actor: _Actor | None = None) -> float:
        """Hands a job to whichever core is free, or to an actor. Returns the cores it takes."""
        inputs = {} if isinstance(job, Open) else self.agenda.inputs(job)
        failures = self.agenda.failures(job) if isinstance(job, Unit) else {}
        handles = [(name, handle) for name, some in inputs.items() for handle in some]
        names = () if isinstance(job, Open | Commit) else job.steps
        returns = 2 if isinstance(job, Open) else 1 + len(names)
        arguments = (
            self.name,
            self.setup,
            actor is not None,
            job,
            failures,
            [name for name, _ in handles],
            *(h for _, h in handles),
        )
        weight = self._cores(job)
        if actor is not None:
            actor.free = False
            answers = actor.handle.do.options(num_returns=returns).remote(*arguments)
        else:
            answers = self.task.options(num_cpus=weight, num_returns=returns, max_retries=0).remote(*arguments)
        answers = answers if isinstance(answers, list) else [answers]
        self.out[answers[0]] = _Out(job, names, answers, weight, actor)
        return weight

    def _cores(self, job: Job) -> float:
        """A share of a core is for who waits for a network; else there would be more processes than cores, each with
        its models.
        """
        cpus = self.plan.stages[job.stage].resources.cpus if isinstance(job, Unit) else 1.0
        return cpus if isinstance(job, Unit) and job.remote else min(max(1.0, cpus), self.most)

    # What came back.

    def _take(self, out: _Out) -> None:
        import ray
        from ray.exceptions import (
            NodeDiedError,
            ObjectLostError,
            OutOfMemoryError,
            RayActorError,
            RayTaskError,
            WorkerCrashedError,
        )

        self.moved_at = time.monotonic()
        if out.actor is not None:
            out.actor.free = True
        try:
            self._enter(out, ray.get(out.answers[0]))
        except ObjectLostError:
            self.agenda.anew(out.job)
        except NodeDiedError:
            self.agenda.again(out.job)
        except (WorkerCrashedError, OutOfMemoryError, RayActorError) as error:
            if out.actor is not None:
                out.actor.ready = out.actor.handle.ready.remote()
            self._died(out.job, lost="node" in str(error) and isinstance(error, RayActorError))
        except RayTaskError as error:
            if isinstance(error.cause, HeadsetError):
                raise error.cause from None
            raise

    def _died(self, job: Job, lost: bool) -> None:
        """
        Args:
            lost: whether the whole node is gone, and the job not to blame.
        """
        if isinstance(job, Unit):
            self.progress.over.remote(job.number)
        if lost:
            self.agenda.again(job)
        else:
            self.agenda.died(job)

    def _enter(self, out: _Out, found: Any) -> None:
        if isinstance(out.job, Open):
            self.agenda.opened(out.job, found, dict.fromkeys(found.sizes, out.answers[1]))
        elif isinstance(out.job, Commit):
            self.agenda.committed(out.job, clashes=found)
        else:
            self.agenda.done(out.job, found, dict(zip(out.names, out.answers[1:], strict=True)))


def _started(actor: _Actor) -> bool:
    import ray

    return bool(ray.wait([actor.ready], timeout=0)[0])


def _progress_actor() -> Any:
    """On the driver's node, so that it is lost when the run is lost and not before."""
    import ray
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    here = NodeAffinitySchedulingStrategy(ray.get_runtime_context().get_node_id(), soft=True)
    actor: Any = ray.remote(num_cpus=0, max_restarts=-1, max_task_retries=0)(ProgressActor)
    return actor.options(scheduling_strategy=here).remote()


def _gpu_actors(stages: Sequence[Stage], there: Mapping[str, float]) -> list[Any]:
    """Actors that share the GPUs, as many as the hungriest of their stages lets, and no more than there are cores."""
    import ray

    if not stages:
        return []
    share = min(1.0, max(stage.resources.gpus for stage in stages))
    number = min(int(there["GPU"] / share), int(there.get("CPU", 1.0)))
    actor: Any = ray.remote(num_cpus=0, num_gpus=share, max_restarts=-1, max_task_retries=0)(GpuWorker)
    return [actor.remote() for _ in range(max(number, 1))]
