"""Scores renders: a render and its reference are decoded once for all metrics, and what is done is never done again.

A step is one variant of a metric on the renders of one maker; its name is a hash of the metric, the renders and the
pairs. Its scores are written by shard and committed by receipt, like those of any step. Metrics of sets leave features,
which `headset compare` makes a value of.
"""

import hashlib
import importlib
import json
import pkgutil
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import replace
from difflib import get_close_matches
from typing import Any

import operators.metrics
from manifests.errors import UsageError, WeightError
from manifests.ledger import StepRecord
from manifests.manifest import Manifest
from manifests.tables import Annotation, Features, Pair, Render, Score
from operators.metrics.base import NOTHING, Metric, SetMetric
from pipeline.scoring.scorer import RECORDING, Job, Scorer, ScoringWorker, Tally

VERSION = 2  # raised when the same metric would be shown other frames, or say its protocol otherwise


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


def chosen(text: str) -> tuple[list[Metric], list[str]]:
    """The metrics that a comma-separated text names by metric (its default variant) or variant, and what was left out
    and why.

    `all` is every variant whose model files can be had; the others are left out, each with a line.

    Raises:
        UsageError: for a name that no metric has.
        WeightError: for a metric named whose model file cannot be had.
    """
    there = metrics_there()
    if text == "all":
        found, left = [], []
        for variant, metric in there.items():
            try:
                _fetch(metric)
                found.append(metric)
            except WeightError:
                files = ", ".join(
                    f"{weight.file} ({weight.what})" for weight in metric.weights if weight.found() is None
                )
                left.append(f"{variant}: without {files}")
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
    return found, []


def _missing(metric: Metric) -> bool:
    """Whether a model file is neither here nor in a package."""
    return any(weight.found() is None and not weight.inside for weight in metric.weights)


def _fetch(metric: Metric) -> None:
    for weight in metric.weights:
        weight.path()


def plan(manifest: Manifest, metrics: Sequence[Metric], made_by: str = "", size: int = 0) -> list[Job]:
    """The jobs of scoring a corpus.

    Raises:
        UsageError: when it holds no renders, or none of the maker that is asked for.
    """
    makers: dict[str, set[str]] = defaultdict(set)
    notes: set[str] = set()
    for shard in manifest.shards():
        notes |= set(manifest.current(shard).get(Annotation.table, []))
        for step in manifest.current(shard).get(Render.table, []):
            for render in manifest.read(Render, [step], shard):
                makers[render.made_by].add(step)
    if not makers:
        raise UsageError(f"{manifest.root} holds no renders to score; `headset status {manifest.root}` says why")
    if made_by and made_by not in makers:
        raise UsageError(
            f"{manifest.root} holds no renders made by {made_by!r}; there are those of {', '.join(sorted(makers))}"
        )
    jobs = []
    for maker in sorted({made_by} if made_by else makers):
        for metric in metrics:
            if maker == RECORDING and metric.compares != NOTHING:
                continue  # a recording is what others are compared with
            read = sorted(makers[maker] | (makers[RECORDING] if metric.compares != NOTHING else set()))
            what = [
                metric.fingerprint(),
                maker,
                read,
                manifest.whole(Pair) if metric.compares != NOTHING else "",
                size,
                VERSION,
            ]
            what += [sorted(notes)] if metric.hears_words else []
            step = f"{metric.name}-{hashlib.sha256(json.dumps(what).encode()).hexdigest()[:12]}"
            writes = Features.table if isinstance(metric, SetMetric) else Score.table
            record = StepRecord(
                operator=metric.name, version=step, stage=-1, reads=Render.table, writes=[writes], refines=[],
                inputs={}, parameters=metric.parameters(),
                weights=[{"file": w.file, "sha256": w.sha256} for w in metric.weights],
            )  # fmt: skip
            jobs.append(Job(metric, maker, step, record))
    return jobs


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
        tell: of shards done.
    """
    jobs = plan(manifest, metrics, made_by, size)
    for job in jobs:
        manifest.attach(f"{job.metric.name}@{job.made_by}", job.record)
    done = {job.step: manifest.committed(job.step) for job in jobs}
    left = [shard for shard in manifest.shards() if any(shard not in done[job.step] for job in jobs)]
    total = Tally()
    root = manifest.root
    if workers > 1 and len(left) > 1:
        import ray
        from ray.util import ActorPool

        actors: Any = [
            ray.remote(num_cpus=1)(ScoringWorker).remote(root, jobs, size) for _ in range(min(workers, len(left)))
        ]
        answers: Any = ActorPool(actors).map_unordered(lambda actor, shard: actor.score_shard.remote(shard), left)
    else:
        scorer = Scorer(root, jobs, size)
        answers = map(scorer.score_shard, left)
    for number, tally in enumerate(answers, 1):
        total.add(tally)
        tell(number, len(left))
    for stale in ("_committed", "attached"):
        manifest.__dict__.pop(stale, None)
    return total
