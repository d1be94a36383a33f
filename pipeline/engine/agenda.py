"""What is to be done next: sources flow through the stages one by one, and shards are committed when all their sources
are through.

An agenda holds no rows: handles of what units made, which whoever runs it gives and gets back, how many rows there are,
and failures. It does no work and knows no Ray: `run.py` has workers do what it names, `alone.py` does so in this
process.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from itertools import count
from operator import itemgetter
from typing import Any

from manifests.errors import Inconsistent, Stalled
from manifests.manifest import SHARD_SOURCES
from manifests.tables import Source
from operators.base import Noted
from pipeline.engine.not_done import Failed
from pipeline.engine.outcome import MAX_DEATHS
from pipeline.engine.shard_in_work import ShardInWork
from pipeline.engine.units import NONE, Commit, Done, Job, Open, Opened, Unit, added
from pipeline.engine.urgency import Ready
from pipeline.recipe import Plan

PIECE_S = 60.0  # of media: rows of a source that span more are divided
SMALL_S = 0.25  # units that take less than this each are done together,
TOGETHER_S = 0.5  # for so long
MAX_TRIES = 25  # of a shard that has to be begun anew, for lost nodes
MAX_KILLED = 5  # workers that may die of what opens or commits a shard, each of which is only done again


class Agenda:
    """What is left of a run. Every job it gives is to be answered, by what it came to or by how it ended."""

    def __init__(self, plan: Plan, done: Mapping[int, frozenset[str]], cores: int = 0, served: Iterable[int] = ()):
        """
        Args:
            done: of each shard that is to be looked at, the steps that are committed.
            cores: units that are in work at a time; 0 to begin a source when the last one is done.
            served: the stages whose units go to whoever has a GPU.
        """
        self.plan, self.served = plan, frozenset(served)
        self.in_flight = 4 * cores + SHARD_SOURCES if cores else 1  # sources that are begun before others are done
        self.steps = {step.version: step for step in plan.steps}
        stages = range(len(plan.stages))
        self.reads = {
            stage: {v for step in plan.of_stage(stage) for some in step.inputs.values() for v in some}
            for stage in stages
        }
        self.after = {stage: {self.steps[v].stage for v in self.reads[stage] if v in self.steps} for stage in stages}
        self.dear = {step.stage for step in plan.steps if isinstance(step.operator, Noted)}
        self.waiting = [Open(shard, 0, steps) for shard, steps in sorted(done.items(), reverse=True)]
        self.shards: dict[int, ShardInWork] = {}
        # of shards that are done, by stage; `sources` among them
        self.sums: dict[int, Counter[str]] = defaultdict(Counter)
        self.deaths: Counter[tuple[int, int, tuple[str, ...], tuple[int, int] | None]] = Counter()
        self.killed: Counter[Job] = Counter()  # what opens or commits
        self.ready = Ready(plan, self.after, max(cores, 1))
        self._out: set[Job] = set()
        self._numbers = count()
        self._cost_s: dict[int, float] = {}  # of a source, by stage, as the last units took

    @property
    def finished(self) -> bool:
        return not (self.waiting or self.shards or self._out)

    # What to do.

    def next(self, served: bool = False) -> Job | None:
        """The most urgent job that can be begun.

        Args:
            served: whether it is asked for who has a GPU.
        """
        if not self.waiting:
            self.ready.close(self.shards)
        while (job := self.ready.pop(served)) is not None:
            if (shard := self.shards.get(job.shard)) is None or shard.tries != job.tries:
                continue
            if isinstance(job, Unit):
                job = self._together(job, shard)
            return self._given(job)
        if not served and self.waiting and self._flying() < self.in_flight:
            return self._given(self.waiting.pop())
        return None

    def _given(self, job: Job) -> Job:
        self._out.add(job)
        return job

    def _flying(self) -> int:
        opening = sum(isinstance(job, Open) for job in self._out)
        unfinished = (set[str]().union(*(left for left in shard.left.values())) for shard in self.shards.values())
        return sum(map(len, unfinished)) + 16 * opening

    def _together(self, unit: Unit, shard: ShardInWork) -> Unit:
        """Adds its neighbours to a unit, where they are so small that the way there costs more, and commits with it
        what it completes.
        """
        if unit.rows is not None or unit.alone:
            return unit
        cost_s, sources = self._cost_s.get(unit.stage, TOGETHER_S), list(unit.sources)
        served = unit.stage in self.served
        while cost_s < SMALL_S and cost_s * len(sources) < TOGETHER_S and (more := self.ready.pop_with(unit, served)):
            sources += more
        first = not any(shard.handles.get(version) for version in unit.steps)
        whole = first and set(sources) == shard.left[unit.stage] and self._may_commit(shard, unit.stage)
        if whole:
            shard.committing.add(unit.stage)
        last = whole and len(shard.committed) + 1 == len(shard.steps)
        return replace(unit, sources=tuple(sources), weight=float(len(sources)), commits=whole, last=last)

    def inputs(self, job: Unit | Commit) -> dict[str, list[Any]]:
        """By step the handles of what a unit reads, or of what a commit writes, each once, in the order of sources and
        rows.
        """
        shard = self.shards[job.shard]
        wanted = job.steps if isinstance(job, Commit) else self.reads[job.stage]
        found: dict[str, list[Any]] = {}
        for version in wanted:
            handles = [
                handle
                for source in job.sources
                for _, handle in sorted(shard.handles[version].get(source, ()), key=itemgetter(0))
            ]
            found[version] = list({id(handle): handle for handle in handles}.values())
        return found

    def failures(self, unit: Unit) -> dict[str, dict[str, list[Failed]]]:
        """By source and step what failed of a unit's sources so far."""
        shard = self.shards[unit.shard]
        return {source: dict(shard.failures[source]) for source in unit.sources if shard.failures.get(source)}

    # How it ended.

    def opened(self, job: Open, found: Opened, handles: Mapping[str, Any]) -> None:
        """
        Args:
            handles: by step, of what was read.
        """
        self._out.discard(job)
        steps = {}
        for stage in range(len(self.plan.stages)):
            if undone := tuple(step.version for step in self.plan.of_stage(stage) if step.version not in found.done):
                steps[stage] = undone
        everyone = set(found.sources)
        left = {
            stage: {s for v in some for s in everyone & found.again.get(v, everyone)} for stage, some in steps.items()
        }
        shard = ShardInWork(job.shard, job.tries, found, steps, left)
        for version, by_source in found.sizes.items():
            shard.sizes[version].update({source: dict(tables) for source, tables in by_source.items()})
            for source in by_source:
                shard.handles[version][source] = [(0, handles[version])]
        for source, by_step in found.failures.items():
            shard.failures[source].update(by_step)
        self.shards[job.shard] = shard
        for stage in steps:
            for source in found.sources:
                self._begin(shard, stage, source)
            self._complete(shard, stage)
        self._close(shard)

    def done(self, unit: Unit, found: Done, handles: Mapping[str, Any]) -> None:
        """
        Args:
            handles: by step, of what was made.
        """
        self._out.discard(unit)
        if (shard := self.shards.get(unit.shard)) is None or shard.tries != unit.tries:
            return
        cost_s = found.seconds / max(unit.weight, 1.0)  # the first loads models, and a busy machine stumbles
        self._cost_s[unit.stage] = min(cost_s, (cost_s + self._cost_s.get(unit.stage, cost_s)) / 2)
        length_s = sum(shard.length_s(self.plan, range(unit.stage + 1), source) for source in unit.sources)
        self.ready.learn(unit.stage, found.seconds, length_s * min(unit.weight, 1.0))
        shard.counts[unit.stage].update(found.counts)
        first = unit.rows[0] if unit.rows is not None else 0
        for version, by_source in found.sizes.items():
            for source, tables in by_source.items():
                so_far = shard.sizes[version].setdefault(source, {})
                so_far.update({name: added(so_far.get(name, NONE), size) for name, size in tables.items()})
                shard.handles[version][source].append((first, handles[version]))
        for source, by_step in found.failures.items():
            for version, failed in by_step.items():
                shard.failures[source].setdefault(version, []).extend(failed)
        if unit.commits:
            shard.left[unit.stage] -= set(unit.sources)
            self.committed(
                Commit(unit.stage, unit.shard, unit.tries, unit.steps, unit.sources, unit.last), clashes=found.clashes
            )
            return
        for source in unit.sources:
            shard.parts[unit.stage, source] -= 1
            if not shard.parts[unit.stage, source]:
                self._through(shard, unit.stage, source)

    def committed(self, job: Commit, *, clashes: bool) -> None:
        """
        Args:
            clashes: whether what was made no longer holds, see `Worker.commit`, and who read it has to do so again.
        """
        self._out.discard(job)
        if (shard := self.shards.get(job.shard)) is None or shard.tries != job.tries:
            return
        if clashes:
            self.anew(job)
            return
        shard.committed.add(job.stage)
        self._release(shard)
        for stage in shard.steps:
            if job.stage in self.after[stage]:
                for source in job.sources:
                    self._begin(shard, stage, source)
                self._complete(shard, stage)
        self._close(shard)

    def died(self, unit: Job) -> None:
        """The worker died. Rows are tried one by one then; the one that kills is given up the second time.

        Raises:
            Stalled: where workers always die of what opens or commits a shard.
        """
        if not isinstance(unit, Unit):
            self.killed[unit] += 1
            if self.killed[unit] >= MAX_KILLED:
                raise Stalled(f"who was to write shard {unit.shard} died {MAX_KILLED} times: has it too little memory?")
            self.again(unit)
            return
        self._out.discard(unit)
        if (shard := self.shards.get(unit.shard)) is None or shard.tries != unit.tries:
            return
        shard.committing.discard(unit.stage)
        for alone in self._divided(shard, unit):
            key = alone.stage, alone.shard, alone.sources, alone.rows
            self.deaths[key] += 1 if alone.sources == unit.sources and alone.rows == unit.rows else 0
            given_up = self.deaths[key] >= MAX_DEATHS and shard.rows_of(self.plan, alone) == 1
            self._push(replace(alone, give_up=given_up, number=next(self._numbers)))

    def _divided(self, shard: ShardInWork, unit: Unit) -> Iterator[Unit]:
        unit = replace(unit, commits=False, last=False, alone=True)
        if len(unit.sources) > 1:
            for source in unit.sources:
                yield replace(unit, sources=(source,), weight=1.0)
        elif (rows := shard.rows_of(self.plan, unit)) > 1:
            first, source = unit.rows[0] if unit.rows is not None else 0, next(iter(unit.sources))
            shard.parts[unit.stage, source] += rows - 1
            for row in range(first, first + rows):
                yield replace(unit, rows=(row, row + 1), weight=unit.weight / rows)
        else:
            yield unit

    def again(self, job: Job) -> None:
        """What it was done on is gone, and it is not to blame: its node was lost."""
        self._out.discard(job)
        if isinstance(job, Open):
            self.waiting.append(job)
        elif (shard := self.shards.get(job.shard)) is not None and shard.tries == job.tries:
            self._push(job)

    def anew(self, job: Job) -> None:
        """A shard is begun anew from what is committed, since what its units made is lost, or no longer holds.

        Raises:
            Inconsistent: where that does not end.
        """
        self._out.discard(job)
        if isinstance(job, Open) or ((shard := self.shards.get(job.shard)) and shard.tries == job.tries):
            if job.tries >= MAX_TRIES:
                raise Inconsistent(
                    f"shard {job.shard} was begun {MAX_TRIES} times and never came to its end; please report this"
                )
            self.shards.pop(job.shard, None)
            self.waiting.append(Open(job.shard, job.tries + 1, None))

    # How far it is.

    def progress(self) -> dict[int, Counter[str]]:
        """By stage the sources that are through, and what became of rows: `sources`, `kept`, `dropped`, `failed`."""
        found = {stage: Counter(self.sums[stage]) for stage in range(len(self.plan.stages))}
        for shard in self.shards.values():
            for stage, sums in found.items():
                sums["sources"] += len(shard.opened.sources) - len(shard.left.get(stage, ()))
                sums.update(shard.counts.get(stage, {}))
        return found

    # From one thing to the next.

    def _begin(self, shard: ShardInWork, stage: int, source: str) -> None:
        """Makes the units of a source and stage, where all it waits for is there."""
        waits = any(source in shard.left.get(before, ()) for before in self.after[stage])
        if waits or source not in shard.left[stage] or (stage, source) in shard.begun:
            return
        shard.begun.add((stage, source))
        again, (rows, media_s) = shard.opened.again, shard.size(self.plan, stage, source)
        steps = tuple(version for version in shard.steps[stage] if source in again.get(version, (source,)))
        if not rows:
            self.ready.learn(stage, 0.0, shard.length_s(self.plan, range(stage + 1), source))
            self._through(shard, stage, source)
            return
        reads = self.plan.stages[stage].reads
        parts = (
            rows if stage in self.dear else min(rows, max(1, round(media_s / PIECE_S))) if reads is not Source else 1
        )
        shard.parts[stage, source] = parts
        remote, retried = source in shard.opened.remote, frozenset(again)
        unit = Unit(0, stage, shard.number, shard.tries, (source,), steps, remote=remote, retried=retried)
        for part in range(parts):
            some = (rows * part // parts, rows * (part + 1) // parts) if parts > 1 else None
            self._push(replace(unit, number=next(self._numbers), rows=some, weight=1.0 / parts))

    def _push(self, job: Unit | Commit) -> None:
        self.ready.push(job, self.shards[job.shard], isinstance(job, Unit) and job.stage in self.served)

    def _through(self, shard: ShardInWork, stage: int, source: str) -> None:
        shard.left[stage].discard(source)
        for later in shard.steps:
            if stage in self.after[later]:
                self._begin(shard, later, source)
        self._complete(shard, stage)

    def _may_commit(self, shard: ShardInWork, stage: int) -> bool:
        """A step is not committed before all it read is."""
        return all(before in shard.committed for before in self.after[stage] if before in shard.steps)

    def _complete(self, shard: ShardInWork, stage: int) -> None:
        if shard.left[stage] or stage in shard.committing or not self._may_commit(shard, stage):
            return
        shard.committing.add(stage)
        last = len(shard.committed) + 1 == len(shard.steps)
        steps, retried = shard.steps[stage], frozenset(shard.opened.again)
        self._push(Commit(stage, shard.number, shard.tries, steps, shard.opened.sources, last, retried))

    def _release(self, shard: ShardInWork) -> None:
        """Lets go of what is committed and was read by all who read it."""
        for version, by_source in shard.handles.items():
            if version in self.steps and self.steps[version].stage in shard.steps.keys() - shard.committed:
                continue
            readers = [stage for stage in shard.steps if version in self.reads[stage]]
            for source in [one for one in by_source if not any(one in shard.left[stage] for stage in readers)]:
                del by_source[source]

    def _close(self, shard: ShardInWork) -> None:
        if len(shard.committed) < len(shard.steps):
            return
        del self.shards[shard.number]
        for stage in range(len(self.plan.stages)):
            self.sums[stage]["sources"] += len(shard.opened.sources)
            self.sums[stage].update(shard.counts.get(stage, {}))
