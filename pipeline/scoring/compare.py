"""Compares makers of renders: the mean of each metric over clips with its interval, and what was refused; nothing is
averaged that differs in kind.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from manifests.errors import UsageError
from manifests.manifest import Manifest
from manifests.tables import RECORDING, Dropped, Features, Pair, Render, Score
from operators.metrics.base import IDENTITY, Metric, SetMetric
from operators.metrics.frechet import Moments, merged
from operators.protocol import Protocol, apart
from pipeline.corpus_steps.common import all_rows
from pipeline.scoring.score import metrics_there

RESAMPLES = 1000
SET_RESAMPLES = 50  # of metrics of sets, each of which is a statistic of its own


Kind = tuple[Protocol, str]  # under which a value was measured, and the sha256 of its model
# By variant and beside whom it may stand: how many values are of which kind.
Kinds = dict[tuple[str, str], Counter[Kind]]


@dataclass
class Cell:
    """One metric of one maker."""

    values: list[float] = field(default_factory=list)  # one a clip; none for a metric of sets
    value: float | None = None
    low: float = 0.0  # 95 % interval, by resampling clips
    high: float = 0.0
    clips: int = 0
    refused: Counter[str] = field(default_factory=Counter)  # reasons of the clips without a value
    withheld: str = ""  # why there is no value although there are clips


@dataclass
class Comparison:
    """A table: metrics by row, makers by column."""

    corpus: str
    makers: list[str]
    metrics: list[Metric]
    cells: dict[tuple[str, str], Cell]  # by variant and maker
    notes: list[str]
    protocols: dict[str, list[str]]  # by variant


def compare(
    manifest: Manifest,
    *,
    protocol: str = "",
    resamples: int = RESAMPLES,
    set_resamples: int = SET_RESAMPLES,
    seed: int = 0,
) -> Comparison:
    """Averages what may be averaged.

    A value is the mean over clips, each of which counts once. A maker whose renders come of pairs of several protocols
    is a column for each. Values of one variant that differ in protocol or model are not averaged, nor set beside each
    other: the cell says why.

    Args:
        protocol: only values whose protocol holds this text.
        resamples: of the clips, for each interval; 0 for none.

    Raises:
        UsageError: when nothing is scored.
    """
    there = metrics_there()
    column, partner = _columns(manifest)
    scores, refused = _scored(manifest, column, there, protocol)
    cells: dict[tuple[str, str], Cell] = defaultdict(Cell)
    kinds: Kinds = defaultdict(Counter)

    def beside(variant: str, maker: str) -> tuple[str, str]:
        # Across identities every frame is compared with one picture: another protocol, and another column.
        return variant, maker.partition(", ")[2] if there[variant].compares == IDENTITY else ""

    for (variant, maker), rows in scores.items():
        kinds[beside(variant, maker)].update(_kind(row) for row in rows)
        cells[variant, maker] = _mean(sorted(rows, key=lambda row: row.score_id), resamples, seed)
    sets = _sets(manifest, column, partner, protocol, there, resamples and set_resamples, seed)
    for (variant, maker), (cell, found) in sets.items():
        cells[variant, maker] = cell
        kinds[beside(variant, maker)].update(found)
    for kind, reasons in refused.items():
        cells[kind].refused += reasons
    if not cells:
        raise UsageError(f"{manifest.root}: nothing is scored yet; `headset score {manifest.root}` does it")
    notes = []
    for group in sorted(kinds):
        if len(kinds[group]) > 1:
            notes.append(_withheld(group[0], kinds[group]))
            for key in [key for key in cells if beside(*key) == group]:
                cells[key] = Cell(refused=cells[key].refused, withheld="protocols differ", clips=cells[key].clips)
    protocols: dict[str, set[str]] = defaultdict(set)
    for (variant, _), found in kinds.items():
        protocols[variant] |= {protocol.label for protocol, _ in found}
    makers = sorted({maker for _, maker in cells}, key=lambda maker: (maker != RECORDING, maker))
    metrics = [metric for variant, metric in there.items() if any(key[0] == variant for key in cells)]
    under = {variant: sorted(found) for variant, found in protocols.items()}
    return Comparison(manifest.root, makers, metrics, dict(cells), notes, under)


def _columns(manifest: Manifest) -> tuple[dict[str, str], dict[str, str]]:
    """By render, its column, and the clip whose recording stands for what is real."""
    pairs = {pair.pair_id: pair for pair in all_rows(manifest, Pair)}
    column: dict[str, str] = {}
    partner: dict[str, str] = {}
    for render in all_rows(manifest, Render):
        pair = pairs.get(render.pair_id or "")
        column[render.render_id] = render.made_by + (f", {pair.protocol}" if pair else "")
        crossed = pair is not None and pair.protocol == "cross_identity"
        partner[render.render_id] = pair.source_clip_id if pair and crossed else render.clip_id
    return column, partner


def _scored(
    manifest: Manifest, column: Mapping[str, str], there: Mapping[str, Metric], protocol: str
) -> tuple[dict[tuple[str, str], list[Score]], dict[tuple[str, str], Counter[str]]]:
    """By variant and column: the scores, and the reasons of renders without one."""
    names = {metric.name: variant for variant, metric in there.items()}
    scores: dict[tuple[str, str], list[Score]] = defaultdict(list)
    refused: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    for row in all_rows(manifest, Score):
        if row.subject in column and row.variant in there and _under(row, protocol):
            scores[row.variant, column[row.subject]].append(row)
    for drop in all_rows(manifest, Dropped):
        if drop.subject in column and drop.operator in names:
            refused[names[drop.operator], column[drop.subject]][drop.reason] += 1
    return scores, refused


def _kind(row: Score | Features) -> Kind:
    return Protocol.read(row.protocol or ""), row.model_sha256 or ""


def _under(row: Score | Features, text: str) -> bool:
    """Whether the protocol of a row holds a text, as it is stored or as people are shown it."""
    return not text or text in (row.protocol or "") or text in Protocol.read(row.protocol or "").label


def _withheld(variant: str, kinds: Counter[Kind]) -> str:
    told = "; ".join(
        f"{count} of '{protocol.label}'" + (f" by model {model[:8]}" if model else "")
        for (protocol, model), count in sorted(kinds.items(), key=lambda one: (str(one[0][0]), one[0][1]))
    )
    differ = [f"{name} ({' or '.join(values)})" for name, values in apart(one for one, _ in kinds).items()]
    return (
        f"{variant} is withheld: its values are of {len(kinds)} kinds, which must not be averaged or compared"
        + (f"; they differ in {', '.join(differ)}" if differ else "")
        + f": {told}. Choose one by --protocol."
    )


def _mean(rows: Sequence[Score], resamples: int, seed: int) -> Cell:
    values = np.array([row.value for row in rows])
    cell = Cell([float(value) for value in values], float(values.mean()), clips=len(values))
    cell.low, cell.high = interval(lambda weights: weights @ values / len(values), len(values), resamples, seed)
    return cell


def interval(
    statistic: Callable[[NDArray[np.float64]], Any], clips: int, resamples: int, seed: int
) -> tuple[float, float]:
    """The 2.5th and 97.5th percentile of a statistic over clips drawn with replacement; (nan, nan) for fewer than two
    clips.

    Args:
        statistic: of how often each clip was drawn, (clips,).
    """
    if clips < 2 or not resamples:
        return float("nan"), float("nan")
    drawn = np.random.default_rng(seed).multinomial(clips, np.full(clips, 1 / clips), size=resamples)
    found = [statistic(weights.astype(np.float64)) for weights in drawn]
    low, high = np.percentile(found, (2.5, 97.5))
    return float(low), float(high)


def _sets(
    manifest: Manifest,
    column: dict[str, str],
    partner: dict[str, str],
    protocol: str,
    there: dict[str, Metric],
    resamples: int,
    seed: int,
) -> dict[tuple[str, str], tuple[Cell, Counter[Kind]]]:
    """Metrics of sets: the features of a maker's renders beside those of the recordings of the same clips, both
    resampled by clip.
    """
    features: dict[str, dict[str, Features]] = defaultdict(dict)  # by variant and render
    for row in all_rows(manifest, Features):
        if row.variant in there and row.subject in column and _under(row, protocol):
            features[row.variant][row.subject] = row
    made: dict[tuple[str, str], tuple[Cell, Counter[Kind]]] = {}
    for variant, rows in features.items():
        metric = there[variant]
        assert isinstance(metric, SetMetric)
        by_maker: dict[str, list[str]] = defaultdict(list)
        for render_id in sorted(rows):
            by_maker[column[render_id]].append(render_id)
        recorded = {partner[render_id]: render_id for render_id in by_maker.get(RECORDING, [])}
        for maker, renders in by_maker.items():
            if maker == RECORDING:
                continue
            both = [(rows[one], rows[recorded[partner[one]]]) for one in renders if partner[one] in recorded]
            lost = len(renders) - len(both)
            cell = Cell(clips=len(both))
            if lost:
                cell.refused["recording_not_scored"] = lost
            kinds = Counter(_kind(row) for pair in both for row in pair)
            if both and len(kinds) == 1:
                parts = [[_array(row) for row in pair] for pair in both]
                if min(sum(len(pair[side]) for pair in parts) for side in (0, 1)) < 2:
                    cell.withheld = "too few features"
                else:

                    def statistic(
                        weights: NDArray[np.float64], parts: Any = parts, metric: SetMetric = metric
                    ) -> float:
                        return metric.statistic(*(_drawn([pair[side] for pair in parts], weights) for side in (0, 1)))

                    cell.value = statistic(np.ones(len(both)))
                    cell.low, cell.high = interval(statistic, len(both), resamples, seed)
            made[variant, maker] = cell, kinds
    return made


def _array(row: Features) -> NDArray[np.float32]:
    return np.frombuffer(row.values, "<f4").reshape(row.rows, row.columns)


def _drawn(parts: Iterable[NDArray[np.float32]], weights: NDArray[np.float64]) -> Moments:
    """Of clips, each taken as often as its weight says. One clip's scatter is held at a time: it may be 2048
    squared.
    """
    taken = ((Moments.of(part), weight) for part, weight in zip(parts, weights, strict=True) if weight)
    return merged(Moments(part.count * weight, part.mean, part.scatter * weight) for part, weight in taken)
