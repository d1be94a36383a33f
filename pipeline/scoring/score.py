"""Scores renders: a render and its reference are decoded once for all metrics, and what is done is never done again.

A step is one variant of a metric on the renders of one maker, beside the recipe's (`pipeline/engine/beside.py`): it is
done anew when the renders, what they are compared with or the pairs are made anew. Metrics of sets leave features,
which `headset compare` makes a value of.
"""

import importlib
import pkgutil
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from difflib import get_close_matches

import operators.metrics
from manifests.errors import UsageError, WeightError
from manifests.manifest import Manifest
from manifests.tables import RECORDING, Annotation, Clip, Pair, Render
from operators.metrics.base import NOTHING, Metric
from pipeline.corpus_steps.generation import makers_of
from pipeline.engine.beside import Held, current_steps, run_beside, step_beside
from pipeline.recipe import Step


def metrics_there() -> dict[str, Metric]:
    """By variant, every metric there is: the subclasses of `Metric` in `operators/metrics/`."""
    found: dict[str, Metric] = {}
    for module in sorted(one.name for one in pkgutil.iter_modules(operators.metrics.__path__)):
        for made in vars(importlib.import_module(f"operators.metrics.{module}")).values():
            if (
                isinstance(made, type)
                and issubclass(made, Metric)
                and made.__module__.endswith(f".{module}")
                and hasattr(made, "known")
            ):
                found |= {variant: replace(made(), variant=variant) for variant in made.known}
    return found


def chosen(text: str) -> tuple[list[Metric], dict[str, str]]:
    """The metrics that a comma-separated text names by metric (its default variant) or variant, and what was left out
    and why, by variant.

    `all` is every variant whose model files can be had; the others are left out.

    Raises:
        UsageError: for a name that no metric has.
        WeightError: for a metric named whose model file cannot be had.
    """
    there = metrics_there()
    if text == "all":
        found, left = [], {}
        for variant, metric in there.items():
            try:
                _fetch(metric)
                found.append(metric)
            except WeightError:
                files = ", ".join(
                    f"{weight.file} ({weight.what})" for weight in metric.weights if weight.found() is None
                )
                left[variant] = f"without {files}"
        return found, left
    defaults = {metric.metric: type(metric)() for metric in there.values()}
    found = []
    for name in [name.strip() for name in text.split(",") if name.strip()]:
        if name not in there and name not in defaults:
            known = sorted({*defaults, *there})
            close = get_close_matches(name, known, 1)
            raise UsageError(
                f"no metric {name!r}" + (f"; is it {close[0]}?" if close else f"; there are {', '.join(known)}")
            )
        metric = there.get(name) or defaults[name]
        try:
            _fetch(metric)
        except WeightError as error:
            others = [
                variant for variant, other in there.items() if type(other) is type(metric) and not _missing(other)
            ]
            instead = f"\nOr score another definition, under its own name: {', '.join(others)}" if others else ""
            raise WeightError(f"{metric.variant}: {error}{instead}") from None
        found.append(metric)
    return found, {}


def _missing(metric: Metric) -> bool:
    """Whether a model file is neither here nor in a package."""
    return any(weight.found() is None and not weight.inside for weight in metric.weights)


def _fetch(metric: Metric) -> None:
    for weight in metric.weights:
        weight.path()


@dataclass
class Tally:
    """What scoring did."""

    renders: int = 0
    scores: int = 0
    drops: Counter[tuple[str, str]] = field(default_factory=Counter)  # by variant and reason


def plan(manifest: Manifest, metrics: Sequence[Metric], made_by: str = "", size: int = 0) -> dict[str, Step]:
    """The steps of scoring a corpus by place: a stage for each maker, so that its renders are gone through once.

    Raises:
        UsageError: when it holds no renders, or none of the maker that is asked for.
    """
    makers = makers_of(manifest)
    if not makers:
        raise UsageError(f"{manifest.root} holds no renders to score; `headset status {manifest.root}` says why")
    if made_by and made_by not in makers:
        raise UsageError(
            f"{manifest.root} holds no renders made by {made_by!r}; there are those of {', '.join(sorted(makers))}"
        )
    asked = {
        maker: [metric for metric in metrics if maker != RECORDING or metric.compares == NOTHING]
        for maker in sorted({made_by} if made_by else makers)
    }  # a recording is what others are compared with
    there = current_steps(manifest, Clip, Annotation, Pair)
    looks_up: Held = {Pair: there[Pair], Render: makers.get(RECORDING, ())}
    steps = {}
    for stage, maker in enumerate(maker for maker, some in asked.items() if some):
        reads: Held = {**there, Render: makers[maker]}
        for metric in asked[maker]:
            place, sized = f"{metric.name}@{maker}", replace(metric, size=size) if size else metric
            steps[place] = step_beside(manifest, sized, place, stage=stage, reads=reads, looks_up=looks_up)
    return steps


def score(
    manifest: Manifest,
    metrics: Sequence[Metric],
    *,
    made_by: str = "",
    size: int = 0,
    workers: int = 1,
    tell: Callable[[int, int], None] = lambda done, of: None,
) -> Tally:
    """Does what is not done yet.

    Args:
        made_by: whose renders; "" for all.
        size: what both sides are scaled to, width and height, in pixels; 0 for as they are.
        workers: processes, by Ray where more than one, which must be initialised then.
        tell: of values and refusals, which are one for each render and metric.
    """
    steps = plan(manifest, metrics, made_by, size)
    left = {place: _undone(manifest, step) for place, step in steps.items()}
    number = sum(sum(of.values()) for of in left.values())
    run_beside(manifest, steps, workers=workers, tell=lambda done: tell(done, number))
    tally, looked = Tally(), dict[tuple[int, int], int]()
    for place, step in steps.items():
        for shard, receipt in manifest.receipts(step.version, left[place]).items():
            looked[step.stage, shard] = receipt.calls["read"]
            tally.scores += sum(receipt.rows.values())
            for reason, count in receipt.reasons.items():
                tally.drops[step.operator.parameters()["variant"], reason] += count
    tally.renders = sum(looked.values())
    return tally


def _undone(manifest: Manifest, step: Step) -> dict[int, int]:
    """The shards that a step is not done on, with how many renders it reads there."""
    found = {}
    for shard in sorted(set(manifest.shards()) - manifest.committed(step.version)):
        held = set(manifest.current(shard).get(Render.table, [])).intersection(step.inputs[Render])
        found[shard] = sum(manifest.count(Render, version, shard) for version in held)
    return found
