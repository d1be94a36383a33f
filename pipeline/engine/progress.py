"""How far a run is: the driver knows what is through; what is in work workers tell an actor at most twice a second."""

import contextlib
import time
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.engine.heartbeats import InWork, Work
from pipeline.recipe import Plan

STALLED_S = 120.0  # without progress, before it is said
STATES = {"R": "running", "S": "waiting", "D": "waiting for a disk", "T": "stopped", "t": "stopped", "Z": "dead"}


@dataclass(frozen=True)
class Stall:
    """Work that does not get on."""

    work: Work
    state: str  # of the worker's process: one of STATES, "gone", or "out of reach"

    def __str__(self) -> str:
        work = self.work
        return (
            f"no progress for {work.still_s / 60:.0f} min in {work.operators} on {work.row} "
            f"(worker {work.pid} on {work.host} is {self.state})"
        )


@dataclass
class Progress:
    """How far one stage is."""

    stage: str
    sources: int  # to do in this run
    sources_done: int = 0
    kept: int = 0
    dropped: int = 0
    failed: int = 0
    seconds: float = 0.0  # since its first row of this run
    done: bool = False
    work: tuple[Work, ...] = ()  # of each of its workers
    stalls: tuple[Stall, ...] = ()


def stalled(work: Iterable[Work], limit_s: float = STALLED_S) -> list[Work]:
    """The work that has not got on for so long, the longest first."""
    return sorted((one for one in work if one.still_s >= limit_s), key=lambda one: -one.still_s)


def process_state(pid: int, proc: Path = Path("/proc")) -> str:
    """What the kernel says of a process of this machine: one of STATES, or "gone"."""
    try:
        stat = (proc / str(pid) / "stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return "gone"
    letter = stat.rpartition(")")[2].split()[0]  # the name before it is in brackets, and may hold any
    return STATES.get(letter, "running")


class Watcher:
    """A driver's side of it. What cannot be had for a moment, since the actor is restarted, is what it was before."""

    def __init__(self, actor: Any, plan: Plan, todo: list[int], sources: int, stalled_s: float = STALLED_S):
        """
        Args:
            todo: the stages that have work.
            sources: how many these are to be done for.
        """
        self.actor, self.plan, self.todo, self.sources, self.stalled_s = actor, plan, todo, sources, stalled_s
        self._asked: Any = None
        self._last: list[InWork] = []
        self._began: dict[int, float] = {}
        self._ended: dict[int, float] = {}

    def progress(self, through: Mapping[int, Counter[str]], units: Mapping[int, float]) -> list[Progress]:
        """A line a stage, in order.

        Args:
            through: by stage the sources that are through, and what became of rows: `Agenda.progress`.
            units: that are handed out, with how many sources each is.
        """
        import ray
        from ray.exceptions import RayActorError

        if self._asked is None:
            self._asked = self.actor.snapshot.remote()
        elif ray.wait([self._asked], timeout=0)[0]:  # never waited for: the driver has work to hand out
            with contextlib.suppress(RayActorError):
                self._last = ray.get(self._asked)
            self._asked = self.actor.snapshot.remote()
        there = [one for one in self._last if one.work.unit in units]
        return [
            self._line(stage, through[stage], [one for one in there if one.work.stage == stage], units)
            for stage in self.todo
        ]

    def _line(self, stage: int, counts: Counter[str], there: list[InWork], units: Mapping[int, float]) -> Progress:
        work = tuple(one.work for one in there)
        share = sum(one.share * units[one.work.unit] for one in there)
        now, done = time.monotonic(), counts["sources"] >= self.sources
        if work or counts["sources"]:
            self._began.setdefault(stage, now)
        if done:
            now = self._ended.setdefault(stage, now)
        return Progress(
            repr(self.plan.stages[stage]),
            self.sources,
            int(counts["sources"] + share + 1e-6),
            counts["kept"],
            counts["dropped"],
            counts["failed"],
            now - self._began.get(stage, now),
            done,
            work,
            tuple(Stall(one, _state_of(one)) for one in stalled(work, self.stalled_s)),
        )


def _state_of(work: Work) -> str:
    """What the kernel of the worker's node says of it."""
    import ray
    from ray.exceptions import RayError
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    if work.node == ray.get_runtime_context().get_node_id():
        return process_state(work.pid)
    there = NodeAffinitySchedulingStrategy(work.node, soft=False)
    try:
        return ray.get(
            ray.remote(process_state).options(num_cpus=0, scheduling_strategy=there).remote(work.pid), timeout=10
        )
    except RayError:
        return "out of reach"
