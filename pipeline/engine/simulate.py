"""What a run would take on machines that are not at hand: an event simulation, with rates that were measured.

Two ways of dividing the work are told apart, `Flow`. `by_pools` is how headset worked before: a shard of sources at a
time through a pool of actors for each stage, whose sizes were fixed by cost. `by_units` is how it works now, in the
order of `urgency.Ready`: whatever is ready goes to whatever core is free, of the shard that was begun first the
furthest on, and of that the longest source; at the end the longest chain. `BY_ROWS` divides as the engine does. The
model knows cores, GPUs, how stages depend on each other, lost nodes and work that takes longer than its rate says. It
does not know networks, disks, memory, the seconds that Ray and models take to start, or cores that slow each other.
"""

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from manifests.manifest import SHARD_SOURCES
from manifests.tables import Source
from pipeline.engine.agenda import PIECE_S
from pipeline.engine.costs import Rates
from pipeline.engine.urgency import CLOSING
from pipeline.recipe import Plan

# Seconds of an H100 for a second of film, one face and one voice, with what NVDEC decodes for it: docs/measured/gpu.md.
ON_H100: Mapping[str, float] = {
    "DetectFaces": 0.0227 + 0.0387,
    "DetectShotsTransnet": 0.0024 + 0.0387,
    "LandmarkFaces": 0.0451 + 0.0387,
    "DiarizeSpeakers": 0.0247,
    "DetectActiveSpeaker": 0.0028 + 0.0387,
}
FULL = 0.95  # of the time: what is busy for so much of it holds up the rest


@dataclass(frozen=True)
class StageCost:
    """What a stage takes, for a second of media."""

    name: str
    core_s: float
    gpu_s: float
    after: tuple[int, ...]  # the stages whose rows it reads
    whole: bool = True  # it takes a source at once, not some of the rows that were made of it
    blind: bool = False  # it is done before anybody knows how long the source is

    def scaled(self, media_s: float) -> tuple[float, float]:
        return self.core_s * media_s, self.gpu_s * media_s


@dataclass(frozen=True)
class Machines:
    """What there is to work with."""

    cores: int
    gpus: int = 0
    losses_per_core_h: float = 0.0  # nodes that go away: how often, in an hour of a core, what it has in work is lost
    spread: float = 0.3  # of what a unit takes against its rate: standard deviation of the logarithm


@dataclass(frozen=True)
class Flow:
    """How work is divided."""

    name: str
    shard: int = 0  # sources that stay together through fixed pools; 0 for units that any core takes
    piece_s: float = 0.0  # the longest unit, in seconds of media; 0.0 for whole sources
    rows_s: float = 0.0  # the same of stages that read rows

    def pieces(self, stage: StageCost, media_s: float) -> int:
        """How many units a source of this length is."""
        longest_s = self.piece_s if stage.whole else self.rows_s or self.piece_s
        return max(1, round(media_s / longest_s)) if longest_s else 1


BY_POOLS = Flow("shards of 16 through fixed pools", shard=SHARD_SOURCES)
BY_SOURCE = Flow("a source at a time")
BY_ROWS = Flow("a source at a time, its rows by the minute", rows_s=PIECE_S)
BY_PIECE = Flow("a piece of 5 min at a time", piece_s=300.0)


@dataclass(frozen=True)
class Simulated:
    """What a simulated run took."""

    flow: str
    seconds: float
    ideal_s: float  # where all cores, or all GPUs, are busy from the first second to the last
    cores_busy: float  # 0 to 1
    gpus_busy: float
    first_s: float  # until the first source was done
    lost_s: float  # of work that was done in vain
    bottleneck: str

    @property
    def ratio(self) -> float:
        return self.seconds / self.ideal_s if self.ideal_s else 1.0


def stage_costs(plan: Plan, rates: Rates, on_gpu: bool) -> list[StageCost]:
    """The stages of a plan as the simulation sees them. Operators without a rate cost nothing."""
    by_version = {step.version: step.stage for step in plan.steps}
    found = []
    blind = max((step.stage for step in plan.steps if Source in step.operator.signature.writes), default=-1)
    for number, stage in enumerate(plan.stages):
        steps = plan.of_stage(number)
        served = on_gpu and stage.resources.gpus > 0
        names = [step.operator.name for step in steps]
        gpu_s = sum(ON_H100.get(name, 0.0) for name in names) if served else 0.0
        core_s = sum(rates.of(name) or 0.0 for name in names if not (served and name in ON_H100))
        read = {version for step in steps for versions in step.inputs.values() for version in versions}
        after = {by_version[version] for version in read if version in by_version}
        found.append(
            StageCost(repr(stage), core_s, gpu_s, tuple(sorted(after)), stage.reads is Source, number <= blind)
        )
    return found


def film_lengths(number: int, hours: float, seed: int = 1) -> list[float]:
    """Lengths of films in seconds, heavy-tailed: lognormal, a tenth of them half of the hours; none longer than four
    hours.
    """
    draw = random.Random(seed)  # noqa: S311 - a draw to repeat
    lengths = [min(draw.lognormvariate(0.0, 1.25), 20.0) for _ in range(number)]
    scale = hours * 3600 / sum(lengths)
    return [min(length * scale, 4 * 3600.0) for length in lengths]


def simulate(
    stages: Sequence[StageCost], lengths: Sequence[float], machines: Machines, flow: Flow, seed: int = 1
) -> Simulated:
    """A run of these stages over sources of these lengths, in seconds, in the order in which they are listed."""
    site = _Site(stages, machines, flow, random.Random(seed))  # noqa: S311 - a draw to repeat
    if flow.shard:
        site.through_pools(lengths)
    else:
        site.by_units(lengths)
    site.env.run()
    media_s = sum(lengths)
    work = [sum(part) * media_s for part in zip(*((stage.core_s, stage.gpu_s) for stage in stages), strict=True)]
    ideal_s = max(work[0] / machines.cores, work[1] / machines.gpus if machines.gpus else 0.0)
    seconds = site.env.now
    busy = (
        site.core_busy_s / seconds / machines.cores,
        site.gpu_busy_s / seconds / machines.gpus if machines.gpus else 0.0,
    )
    return Simulated(
        flow.name, seconds, ideal_s, *busy, min(site.ends, default=0.0), site.lost_s, _bottleneck(site, lengths, busy)
    )


@dataclass
class _Site:
    """Cores and GPUs at work."""

    stages: Sequence[StageCost]
    machines: Machines
    flow: Flow
    draw: random.Random
    core_busy_s: float = 0.0
    gpu_busy_s: float = 0.0
    lost_s: float = 0.0
    ends: list[float] = field(default_factory=list)  # when each source was done
    waiting: int = 0  # sources that are not begun
    left_s: float = 0.0  # of work on cores, of what is begun
    undivided_s: dict[tuple[int, int], float] = field(default_factory=dict)  # what may be next, by source and stage
    closing: bool = False  # as `urgency.Ready.closing`
    pool_busy_s: dict[str, float] = field(default_factory=dict)  # of an actor, by stage, where there are pools
    env: Any = None
    cores: Any = None
    gpus: Any = None

    def __post_init__(self) -> None:
        import simpy

        self.env = simpy.Environment()
        self.cores = simpy.PriorityResource(self.env, self.machines.cores)
        self.gpus = simpy.PriorityResource(self.env, max(self.machines.gpus, 1))

    def _span(self, seconds: float) -> tuple[float, float]:
        """What a unit takes: what is lost of it on nodes that go away, and what it takes at last."""
        spread, lost = self.machines.spread, 0.0
        real = seconds * self.draw.lognormvariate(-(spread**2) / 2, spread)
        while (fails_s := self._next_loss_s()) < real:
            lost += fails_s
        self.lost_s += lost
        return lost, real

    def _next_loss_s(self) -> float:
        return (
            self.draw.expovariate(self.machines.losses_per_core_h / 3600)
            if self.machines.losses_per_core_h
            else float("inf")
        )

    # Units that any core takes.

    def by_units(self, lengths: Sequence[float]) -> None:
        import simpy

        in_flight = simpy.Resource(self.env, 4 * (self.machines.cores + 2 * self.machines.gpus) + SHARD_SOURCES)
        self.waiting = len(lengths)
        for number, length in enumerate(lengths):
            self.env.process(self._source(number, length, in_flight))

    def _source(self, number: int, length: float, in_flight: Any) -> Iterator[Any]:
        with in_flight.request() as begun:
            yield begun
            self.waiting -= 1
            self.left_s += length * sum(stage.core_s for stage in self.stages)
            over = [self.env.event() for _ in self.stages]
            for stage in range(len(self.stages)):
                self.env.process(self._stage(number, length, stage, over))
            yield self.env.all_of(over)
        self.ends.append(self.env.now)

    def _stage(self, number: int, length: float, stage: int, over: list[Any]) -> Iterator[Any]:
        yield self.env.all_of([over[before] for before in self.stages[stage].after])
        cost = self.stages[stage]
        pieces = self.flow.pieces(cost, length)
        self.undivided_s[number, stage] = length * self.chains[stage]
        yield self.env.all_of([self.env.process(self._unit((number, length, stage), pieces)) for _ in range(pieces)])
        del self.undivided_s[number, stage]
        self.left_s -= length * cost.core_s
        if not self.waiting:
            self._close()
        over[stage].succeed()

    def _close(self) -> None:
        """As `urgency.Ready.close`."""
        if self.closing or self.left_s > CLOSING * max(self.undivided_s.values(), default=0.0) * self.machines.cores:
            return
        self.closing = True
        for waits in self.cores.put_queue:
            waits.key = self._urgency(*waits.of), *waits.key[1:]
        self.cores.put_queue.sort(key=lambda waits: waits.key)

    def _urgency(self, number: int, length: float, stage: int) -> tuple[Any, ...]:
        known = not self.stages[stage].blind
        if self.closing:
            return known, -length * self.chains[stage] if known else 0.0, -stage, number
        return number // SHARD_SOURCES, known, -stage, -length if known else 0.0, number

    @cached_property
    def chains(self) -> list[float]:
        """By stage what it and those behind it take for a second of a source, as far as they are not divided."""
        found = [0.0] * len(self.stages)
        for number in reversed(range(len(self.stages))):
            stage = self.stages[number]
            behind = max((found[n] for n, other in enumerate(self.stages) if number in other.after), default=0.0)
            found[number] = behind + (stage.core_s if self.flow.pieces(stage, 1e9) == 1 else 0.0)
        return found

    def _unit(self, of: tuple[int, float, int], pieces: int) -> Iterator[Any]:
        _, length, stage = of
        core_s, gpu_s = self.stages[stage].scaled(length / pieces)
        urgency = self._urgency(*of)
        if core_s:
            with self.cores.request(urgency) as core:
                core.of = of
                yield core
                yield from self._work_on_core(core_s)
        if gpu_s:
            with self.gpus.request(urgency) as gpu:
                yield gpu
                yield from self._work_on_gpu(gpu_s)

    def _work_on_core(self, seconds: float) -> Iterator[Any]:
        lost, real = self._span(seconds)
        yield self.env.timeout(lost + real)
        self.core_busy_s += lost + real

    def _work_on_gpu(self, seconds: float) -> Iterator[Any]:
        lost, real = self._span(seconds)
        yield self.env.timeout(lost + real)
        self.gpu_busy_s += lost + real

    # Shards through pools.

    def through_pools(self, lengths: Sequence[float]) -> None:
        import simpy

        size = self.flow.shard
        shards = [lengths[first : first + size] for first in range(0, len(lengths), size)]
        sizes = pool_sizes(self.stages, self.machines, len(shards))
        self.pool_busy_s = dict.fromkeys((stage.name for stage in self.stages), 0.0)
        pools = [simpy.Resource(self.env, size) for size in sizes]
        for shard in shards:
            self.env.process(self._shard(shard, pools))

    def _shard(self, lengths: Sequence[float], pools: list[Any]) -> Iterator[Any]:
        for stage, pool in zip(self.stages, pools, strict=True):
            with pool.request() as actor:
                yield actor
                began = self.env.now
                for length in lengths:
                    core_s, gpu_s = stage.scaled(length)
                    yield from self._work_on_core(core_s)
                    if gpu_s:
                        with self.gpus.request(0) as gpu:
                            yield gpu
                            yield from self._work_on_gpu(gpu_s)
                self.pool_busy_s[stage.name] += (self.env.now - began) / pool.capacity
        self.ends += [self.env.now] * len(lengths)


def pool_sizes(stages: Sequence[StageCost], machines: Machines, shards: int) -> list[int]:
    """How many actors each stage had: one, and of the cores, or tenths of GPUs, that are left its share by cost."""
    sizes = []
    for stage in stages:
        rivals = [other for other in stages if bool(other.gpu_s) == bool(stage.gpu_s)]
        there = machines.gpus * 10 if stage.gpu_s else machines.cores
        spare = max(there - len(rivals), 0)
        total = sum(other.core_s + other.gpu_s for other in rivals) or 1.0
        sizes.append(min(1 + int(spare * (stage.core_s + stage.gpu_s) / total), shards))
    return sizes


def _bottleneck(site: _Site, lengths: Sequence[float], busy: tuple[float, float]) -> str:
    """What another of would make the run shorter."""
    if max(busy) >= FULL:
        return "cores" if busy[0] >= busy[1] else "GPUs"
    if site.pool_busy_s:
        name, seconds = max(site.pool_busy_s.items(), key=lambda one: one[1])
        return f"the pool of {name}, busy {seconds / site.env.now:.0%}, while others wait"
    chain_s = _longest_chain(site, max(lengths, default=0.0))
    if chain_s >= site.env.now / 2:
        return f"the longest source: its stages, one after the other, take {_spoken(chain_s)}"
    return (
        "cores, and the wait for the last sources" if busy[0] >= busy[1] else "GPUs, and the wait for the last sources"
    )


def _longest_chain(site: _Site, media_s: float) -> float:
    """Seconds of a source of this length, where all that can go side by side does."""
    ends: list[float] = []
    for stage in site.stages:
        alone_s = sum(stage.scaled(media_s / site.flow.pieces(stage, media_s)))
        ends.append(max((ends[before] for before in stage.after), default=0.0) + alone_s)
    return max(ends, default=0.0)


def _spoken(seconds: float) -> str:
    return f"{seconds / 3600:.1f} h" if seconds >= 3600 else f"{seconds / 60:.1f} min"
