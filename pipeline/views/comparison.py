"""A comparison of systems, as `pipeline/scoring/compare.py` made it, with the three faces of a fact."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from pipeline.scoring.compare import Comparison
from pipeline.scoring.comparison_text import ARROWS, footnotes, told
from pipeline.views.facts import BLANK, Cell, Fact, Grid, Line, Part, json_of


@dataclass(frozen=True)
class ComparisonView(Fact):
    """A metric a row, a maker a column."""

    found: Comparison

    def parts(self) -> Iterator[Part]:
        rows = []
        for metric in self.found.metrics:
            cells = (told(self.found.cells.get((metric.variant, maker))) for maker in self.found.makers)
            name = Cell(f"{metric.variant} {ARROWS[metric.definition.better]}".strip(), "strong")
            rows.append([name, *(text.replace(" [", "\n[", 1).replace(" (", "\n(", 1) for text in cells)])
        yield Grid.of(("metric", *(f">{maker}" for maker in self.found.makers)), rows)
        yield BLANK
        for note in [footnotes(self.found)[0], *self.found.notes]:
            yield Line.of(note)

    def to_json(self) -> dict[str, Any]:
        """`values`: an object a metric and maker, with its mean, interval, clips and refusals."""
        metrics = {metric.variant: metric.definition for metric in self.found.metrics}
        values = [
            {"metric": variant, "maker": maker, **json_of(self.found.cells[variant, maker])}
            for variant in metrics
            for maker in self.found.makers
            if (variant, maker) in self.found.cells
        ]
        return {
            "corpus": self.found.corpus,
            "makers": json_of(self.found.makers),
            "metrics": {
                name: {
                    **definition._asdict(),
                    "protocol": definition.protocol.label,
                    "protocols": self.found.protocols.get(name, []),
                }
                for name, definition in metrics.items()
            },
            "values": values,
            "notes": json_of(self.found.notes),
        }
