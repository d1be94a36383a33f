"""How far a run is: told by workers at most twice a second, summed by an actor, asked by whoever shows it.

The actor also knows which shards are in work, so that a row that kills its worker is found: `Claim`. It lives as long
as the run.
"""

import contextlib
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event, Thread
from typing import Any

from pipeline.engine.reporter import Claim, Told, Work
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


@dataclass
class _InWork:
    row: str = ""  # the one in work, where that is certain
    suspect: str = ""  # the one in work when the worker was last heard of
    by_row: bool = False
    deaths: Counter[str] = field(default_factory=Counter)


@dataclass
class _Heard:
    told: Told
    at: float
    moved_at: float


@dataclass(frozen=True)
class StageSum:
    """What is known of a stage."""

    seconds: float = 0.0  # from its first report to its last
    sources_done: float = 0.0  # those in work by their share
    counts: Counter[str] = field(default_factory=Counter)
    work: tuple[Work, ...] = ()


class ProgressActor:
    """A Ray actor of the driver's node. When it has to be restarted, what it counted is lost, and nothing else."""

    def __init__(self, sources: dict[int, int], clock: Callable[[], float] = time.monotonic) -> None:
        """
        Args:
            sources: how many each shard holds.
        """
        self.sources, self.clock = sources, clock
        self.began: dict[int, float] = {}
        self.last: dict[int, float] = {}
        self.ended: dict[int, set[int]] = defaultdict(set)
        self.counts: dict[int, Counter[str]] = defaultdict(Counter)
        self.sources_done: Counter[int] = Counter()
        self.claims: dict[tuple[int, int], _InWork] = {}
        self.heard: dict[tuple[int, int], _Heard] = {}

    def begin(self, told: Told) -> Claim:
        """A worker takes a shard up. The row in work is told where the shard has no other."""
        stage, shard, sole_row = told.work.stage, told.work.shard, told.work.row
        now = self._now(stage)
        self.heard[stage, shard] = _Heard(told, now, now)
        there = self.claims.get((stage, shard))
        if there is None:
            self.claims[stage, shard] = _InWork(row=sole_row)
            return Claim({}, by_row=False)
        # Whoever had it before has died.
        if there.row:
            there.deaths[there.row] += 2 if there.by_row and there.row == there.suspect else 1
            there.suspect = ""
        there.by_row, there.row = True, sole_row
        return Claim(dict(there.deaths), by_row=True)

    def claim(self, stage: int, shard: int, row: str) -> None:
        """A worker begins a row that may kill it."""
        self.claims.setdefault((stage, shard), _InWork(by_row=True)).row = row

    def report(self, told: Told) -> None:
        """A worker's heartbeat."""
        stage, shard = told.work.stage, told.work.shard
        if (stage, shard) not in self.claims:
            return  # it came late: the shard is done
        now, before = self._now(stage), self.heard.get((stage, shard))
        if not self.claims[stage, shard].by_row:
            self.claims[stage, shard].suspect = told.work.row
        moved = before is None or (before.told.rows_done, before.told.work.row, before.told.work.done_s) != (
            told.rows_done,
            told.work.row,
            told.work.done_s,
        )
        self.heard[stage, shard] = _Heard(told, now, now if moved or before is None else before.moved_at)

    def end(self, stage: int, shard: int, counts: Counter[str]) -> None:
        """A worker has committed a shard, or found it done."""
        self._now(stage)
        self.claims.pop((stage, shard), None)
        self.heard.pop((stage, shard), None)
        if shard not in self.ended[stage]:
            self.ended[stage].add(shard)
            self.sources_done[stage] += self.sources.get(shard, 0)
            self.counts[stage].update(counts)

    def snapshot(self) -> dict[int, StageSum]:
        """What is known, by stage."""
        found, now = {}, self.clock()
        for stage, began in self.began.items():
            heard = [one for (of, _), one in self.heard.items() if of == stage]
            counts = Counter(self.counts[stage])
            for one in heard:
                counts.update(one.told.counts)
            share = sum(one.told.share * self.sources.get(one.told.work.shard, 0) for one in heard)
            work = tuple(_aged(one, now) for one in heard)
            found[stage] = StageSum(self.last[stage] - began, self.sources_done[stage] + share, counts, work)
        return found

    def _now(self, stage: int) -> float:
        now = self.clock()
        self.began.setdefault(stage, now)
        self.last[stage] = now
        return now


def _aged(heard: _Heard, now: float) -> Work:
    silent_s = now - heard.at
    work = heard.told.work
    return Work(
        **{**vars(work), "elapsed_s": work.elapsed_s + silent_s, "still_s": now - heard.moved_at, "silent_s": silent_s}
    )


class Watcher:
    """A driver's side of it. What cannot be had for a moment, since the actor is restarted, is what it was before."""

    def __init__(self, actor: Any, plan: Plan, todo: list[int], sources: int, stalled_s: float = STALLED_S):
        """
        Args:
            todo: the stages that have work.
            sources: how many these are to be done for.
        """
        self.actor, self.plan, self.todo, self.sources, self.stalled_s = actor, plan, todo, sources, stalled_s
        self._last: dict[int, StageSum] = {}

    def progress(self) -> list[Progress]:
        """A line a stage, in order."""
        import ray
        from ray.exceptions import GetTimeoutError, RayActorError

        with contextlib.suppress(RayActorError, GetTimeoutError):
            self._last = ray.get(self.actor.snapshot.remote(), timeout=10)
        return [self._line(stage, self._last.get(stage, StageSum())) for stage in self.todo]

    def _line(self, stage: int, told: StageSum) -> Progress:
        counts = told.counts
        return Progress(
            repr(self.plan.stages[stage]),
            self.sources,
            int(told.sources_done + 1e-6),
            counts["kept"],
            counts["dropped"],
            counts["failed"],
            told.seconds,
            told.sources_done >= self.sources - 1e-6,
            told.work,
            tuple(Stall(work, _state_of(work)) for work in stalled(told.work, self.stalled_s)),
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


class Ticker:
    """Calls something twice a second while the main thread waits."""

    def __init__(self, tell: Callable[[], None]):
        self.tell, self.over = tell, Event()
        self.thread = Thread(target=self._tick, daemon=True)

    def _tick(self) -> None:
        while not self.over.wait(0.5):
            self.tell()

    def __enter__(self) -> None:
        self.thread.start()

    def __exit__(self, *_: Any) -> None:
        self.over.set()
        self.thread.join()
