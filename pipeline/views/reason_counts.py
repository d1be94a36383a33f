"""How often each reason was given, with what the reason means."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from operators.reasons import reason
from pipeline.views.facts import Cell, Fact, Grid, Part


@dataclass(frozen=True)
class ReasonCount:
    """One reason that one operator gave for rows of one table."""

    table: str
    operator: str
    reason: str
    meaning: str  # "" for the name of an error
    rows: int


@dataclass(frozen=True)
class ReasonCounts(Fact):
    """The most frequent first."""

    counts: tuple[ReasonCount, ...]

    def parts(self) -> Iterator[Part]:
        most = max((one.rows for one in self.counts), default=1)
        rows = (
            [Cell(str(one.rows), share=one.rows / most), one.table, one.operator, Cell(one.reason, "warn"), one.meaning]
            for one in self.counts
        )
        yield Grid.of(("rows", "of", "given up by", "as", "which means"), rows)


def reason_counts(found: Counter[tuple[str, str, str]]) -> ReasonCounts:
    """
    Args:
        found: rows by table, operator and reason.
    """
    ordered = sorted(found.items(), key=lambda one: (-one[1], one[0]))
    return ReasonCounts(
        tuple(
            ReasonCount(table, operator, word, known.meaning if (known := reason(word)) else "", rows)
            for (table, operator, word), rows in ordered
        )
    )
