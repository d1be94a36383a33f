"""Every score of one clip, with what it means."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from manifests.manifest import Manifest
from manifests.tables import Score
from pipeline.query.clip_view import columns
from pipeline.views.dictionary import VIEW, dictionary
from pipeline.views.facts import Cell, Fact, Grid, Part


@dataclass(frozen=True)
class ClipScore:
    """One score, as `operators.base.Measure` describes it."""

    name: str
    value: float
    unit: str
    range: str  # "" where nothing bounds it
    better: str  # higher, lower, or "" where neither is
    meaning: str


@dataclass(frozen=True)
class ClipScores(Fact):
    """By name."""

    clip_id: str
    scores: tuple[ClipScore, ...]

    def parts(self) -> Iterator[Part]:
        names = ("score", ">value", "unit", "range", "better", "meaning")
        rows = (
            [one.name, f"{one.value:.4g}", one.unit, one.range, one.better, Cell(one.meaning, "quiet")]
            for one in self.scores
        )
        yield Grid.of(names, rows, f"scores of {self.clip_id}")


def clip_scores(manifest: Manifest, clip_id: str, values: Mapping[str, Any]) -> ClipScores:
    """
    Args:
        values: the clip's row of the clip view.
    """
    scored = {name for name, column in columns(manifest).items() if column.part == Score.table}
    told = (
        one for one in dictionary(manifest, VIEW).columns if one.name in scored and values.get(one.name) is not None
    )
    return ClipScores(
        clip_id,
        tuple(ClipScore(one.name, values[one.name], one.unit, one.range, one.better, one.meaning) for one in told),
    )
