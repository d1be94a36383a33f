"""Which of the jobs that are ready is begun first.

As long as sources are still to be begun, what completes a shard goes first; then, of the shard that was begun first,
what `ShardInWork.urgency` says: little is in flight then, and first results come soon. At a run's end that order has
cores wait: the last of the long sources goes through stages that nobody shares, one after the other. So from where all
sources are begun, and what is left is not much more than the longest of these chains, the longest chain goes first
(critical-path list scheduling: Graham, "Bounds on Multiprocessing Timing Anomalies", SIAM J. Appl. Math. 17, 1969).
"""

from collections import defaultdict
from collections.abc import Mapping, Set
from heapq import heapify, heappop, heappush
from itertools import count
from typing import Any

from manifests.tables import Source
from pipeline.engine.shard_in_work import ShardInWork
from pipeline.engine.units import Commit, Unit
from pipeline.recipe import Plan

CLOSING = 1.5  # times the longest chain: where less is left, a run comes to its end


class Ready:
    """The jobs that can be begun, the most urgent first."""

    def __init__(self, plan: Plan, after: Mapping[int, Set[int]], cores: int):
        """
        Args:
            after: by stage the stages whose rows it reads.
            cores: units that are in work at a time.
        """
        self.plan, self.cores, self.closing = plan, cores, False
        self.later = {stage: [other for other in after if stage in after[other]] for stage in after}
        self._heaps: dict[bool, list[tuple[Any, ...]]] = {True: [], False: []}
        self._numbers = count()
        # by stage: what units took, for media of which length
        self._seconds, self._media_s = defaultdict[int, float](float), defaultdict[int, float](float)
        self._learned = 0

    def push(self, job: Unit | Commit, shard: ShardInWork, served: bool) -> None:
        """
        Args:
            served: whether it goes to who has a GPU.
        """
        heappush(self._heaps[served], (*self._urgency(job, shard), next(self._numbers), job))

    def pop(self, served: bool) -> Unit | Commit | None:
        """The most urgent one, which is no longer here then; None where there is none."""
        return heappop(self._heaps[served])[-1] if self._heaps[served] else None

    def pop_with(self, unit: Unit, served: bool) -> tuple[str, ...]:
        """The sources of the most urgent one, if it can be done together with this unit."""
        heap = self._heaps[served]
        return heappop(heap)[-1].sources if heap and unit.goes_with(heap[0][-1]) else ()

    def learn(self, stage: int, seconds: float, media_s: float) -> None:
        """That a stage took so long for sources, or parts of one, of this length."""
        self._seconds[stage] += seconds
        self._media_s[stage] += media_s
        self._learned += 1

    def close(self, shards: Mapping[int, ShardInWork]) -> None:
        """Has the longest chain go first from now on, where it is time for that. All sources are begun."""
        if self.closing or self._learned < self.cores:  # asked as often as each core has done something
            return
        self._learned = 0
        chains, left_s, longest_s = self._chains(), 0.0, 0.0
        for shard in shards.values():
            for source in shard.opened.sources:
                stages = [stage for stage, left in shard.left.items() if source in left]
                if not all(stage in self._media_s for stage in stages):
                    return
                if stages:
                    length_s = shard.length_s(self.plan, range(min(stages) + 1), source)
                    left_s += length_s * sum(map(self._rate, stages))
                    longest_s = max(longest_s, length_s * max(chains[stage] for stage in stages))
        if left_s <= CLOSING * longest_s * self.cores:
            self.closing = True
            for heap in self._heaps.values():
                jobs = [(entry[-2], entry[-1]) for entry in heap if entry[-1].shard in shards]
                heap[:] = [(*self._urgency(job, shards[job.shard]), number, job) for number, job in jobs]
                heapify(heap)

    def _urgency(self, job: Unit | Commit, shard: ShardInWork) -> tuple[Any, ...]:
        if isinstance(job, Commit):
            return 0, job.stage
        if not self.closing:
            return 1, job.shard, *shard.urgency(self.plan, job)
        length_s = shard.length_s(self.plan, range(job.stage + 1), job.sources[0])
        chain_s = length_s * self._chains()[job.stage]
        return 1, length_s > 0, -chain_s, -job.stage, -length_s, job.shard, job.rows or (0, 0)

    def _rate(self, stage: int) -> float:
        """Seconds that a stage takes for a second of a source."""
        media_s = self._media_s.get(stage, 0.0)
        return self._seconds[stage] / media_s if media_s else 0.0

    def _chains(self) -> dict[int, float]:
        """By stage the seconds that it and those behind it take for a second of a source, one after the other, as far
        as they are not divided.
        """
        found: dict[int, float] = {}
        for stage in sorted(self.later, reverse=True):
            alone = self._rate(stage) if self.plan.stages[stage].reads is Source else 0.0
            found[stage] = alone + max((found[other] for other in self.later[stage]), default=0.0)
        return found
