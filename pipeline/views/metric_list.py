"""The metrics there are, each variant with its definition."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from operators.metrics.base import Metric
from pipeline.scoring.comparison_text import ARROWS
from pipeline.views.facts import Fact, Grid, Part


@dataclass(frozen=True)
class MetricLine:
    """One variant of one metric."""

    metric: str
    variant: str
    default: bool
    better: str  # higher, lower, or "" where neither is
    definition: str
    protocol: str
    files: tuple[str, ...]  # model files
    missing: tuple[str, ...]  # those that are not here


@dataclass(frozen=True)
class MetricList(Fact):
    """Every variant of every metric."""

    metrics: tuple[MetricLine, ...]

    def parts(self) -> Iterator[Part]:
        rows = []
        for one in self.metrics:
            files = ", ".join(file + (" (not here)" if file in one.missing else "") for file in one.files)
            name = one.variant + (" (default)" if one.default else "")
            rows.append([one.metric, name, ARROWS[one.better], f"{one.definition}; {one.protocol}", files])
        yield Grid.of(("metric", "variant", "", "definition", "model files"), rows)


def metric_list(metrics: Iterable[Metric]) -> MetricList:
    """The metrics, in their order."""
    lines = []
    for metric in metrics:
        told = metric.definition
        files, missing = (
            [weight.file for weight in metric.weights],
            [weight.file for weight in metric.weights if not weight.found()],
        )
        default = type(metric)().variant == metric.variant
        lines.append(
            MetricLine(
                metric.metric,
                metric.variant,
                default,
                told.better,
                told.what,
                told.protocol.label,
                tuple(files),
                tuple(missing),
            )
        )
    return MetricList(tuple(lines))
