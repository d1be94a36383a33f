"""What is handed out in a run, and what is known of it when it came back."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from manifests.tables import Render, Row
from pipeline.engine.not_done import Failed

Size = tuple[int, float]  # of rows: their number, and the seconds they span
NONE: Size = (0, 0.0)


@dataclass(frozen=True)
class Open:
    """To find out what is to be done in a shard, and to read what is there of it."""

    shard: int
    tries: int
    done: frozenset[str] | None  # the steps that are committed there; None to ask


@dataclass(frozen=True)
class Unit:
    """Sources to be put through a stage, or some rows of one."""

    number: int
    stage: int
    shard: int
    tries: int
    sources: tuple[str, ...]
    steps: tuple[str, ...]
    rows: tuple[int, int] | None = None  # [first, end) of the one source's; None for all
    weight: float = 1.0  # in sources
    alone: bool = False  # since a worker died of it, or of a neighbour
    give_up: bool = False  # a row whose worker died too often
    commits: bool = False  # it holds all there is of its shard, which can be committed at once
    last: bool = False  # and the shard is done then
    remote: bool = False  # whether the sources lie elsewhere
    retried: frozenset[str] = frozenset()  # steps of the shard that are done again for some sources only

    def goes_with(self, other: "Job") -> bool:
        """Whether a small one can be done together with this one."""
        if not isinstance(other, Unit) or other.rows is not None or other.alone:
            return False
        return (other.stage, other.shard, other.tries, other.steps) == (self.stage, self.shard, self.tries, self.steps)


@dataclass(frozen=True)
class Commit:
    """To write what a stage made of a shard."""

    stage: int
    shard: int
    tries: int
    steps: tuple[str, ...]
    sources: tuple[str, ...]
    last: bool
    retried: frozenset[str] = frozenset()  # as of a unit


Job = Open | Unit | Commit


@dataclass
class Opened:
    """What is known of a shard that is begun."""

    sources: tuple[str, ...]
    done: frozenset[str]  # steps that are committed
    again: Mapping[str, frozenset[str]]  # by step the sources to do, where not all are
    sizes: Mapping[str, Mapping[str, Mapping[str, Size]]]  # of what was read, by step, source and table
    failures: Mapping[str, Mapping[str, list[Failed]]]  # by source and step
    remote: frozenset[str] = frozenset()  # sources that lie elsewhere


@dataclass
class Done:
    """What is known of a unit that was done."""

    sizes: Mapping[str, Mapping[str, Mapping[str, Size]]]  # by step, source and table
    failures: Mapping[str, Mapping[str, list[Failed]]]  # by source and step
    counts: Counter[str]  # kept, dropped, failed
    seconds: float
    clashes: bool = False  # where it was committed: see `Agenda.committed`


def added(one: Size, other: Size) -> Size:
    return one[0] + other[0], one[1] + other[1]


def spans(rows: Sequence[Row]) -> Size:
    """How many rows there are, and the seconds they span."""
    return len(rows), sum(_span_s(row) for row in rows)


def _span_s(row: Row) -> float:
    if isinstance(row, Render):
        return row.duration_s
    return (getattr(row, "end_s", 0.0) or 0.0) - (getattr(row, "start_s", 0.0) or 0.0)
