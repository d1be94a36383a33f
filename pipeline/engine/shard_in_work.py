"""A shard that is in work: what is known of it, and where what was made of it is to be had."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from pipeline.engine.not_done import Failed
from pipeline.engine.units import NONE, Opened, Size, Unit, added
from pipeline.recipe import Plan


@dataclass
class ShardInWork:
    """What is known of a shard from when it is opened until its last stage is committed."""

    number: int
    tries: int
    opened: Opened
    steps: dict[int, tuple[str, ...]]  # of the stages that are to be done, by stage
    left: dict[int, set[str]]  # sources that are not through, by stage
    sizes: dict[str, dict[str, dict[str, Size]]] = field(default_factory=lambda: defaultdict(dict))
    failures: dict[str, dict[str, list[Failed]]] = field(default_factory=lambda: defaultdict(dict))
    handles: dict[str, dict[str, list[tuple[int, Any]]]] = field(
        default_factory=lambda: defaultdict(lambda: defaultdict(list))
    )
    parts: Counter[tuple[int, str]] = field(default_factory=Counter)  # units of a stage and source that are not done
    begun: set[tuple[int, str]] = field(default_factory=set)
    committed: set[int] = field(default_factory=set)
    committing: set[int] = field(default_factory=set)
    counts: dict[int, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))

    def size(self, plan: Plan, stage: int, source: str) -> Size:
        """Of the rows a stage reads of a source."""
        reads, found = plan.stages[stage].reads, NONE
        for version in plan.of_stage(stage)[0].inputs[reads]:
            found = added(found, self.sizes[version].get(source, {}).get(reads.table, NONE))
        return found

    def length_s(self, plan: Plan, stages: Iterable[int], source: str) -> float:
        """Of a source, as far as what these stages read of it tells; 0 where it is not known yet."""
        return max((self.size(plan, stage, source)[1] for stage in stages), default=0.0)

    def urgency(self, plan: Plan, unit: Unit) -> tuple[bool, int, float, int, tuple[int, int]]:
        """The less, the sooner: what tells how long a source is, but for what waits for a network beside other work;
        then what is furthest on, of the longest source.
        """
        source = unit.sources[0]
        media_s = self.length_s(plan, range(unit.stage + 1), source)
        waits = unit.remote and plan.stages[unit.stage].resources.cpus < 1
        place = self.opened.sources.index(source)
        return media_s > 0 or waits, -unit.stage, -media_s, place, unit.rows or (0, 0)

    def rows_of(self, plan: Plan, unit: Unit) -> int:
        """How many rows a unit of one source is."""
        return unit.rows[1] - unit.rows[0] if unit.rows is not None else self.size(plan, unit.stage, unit.sources[0])[0]
