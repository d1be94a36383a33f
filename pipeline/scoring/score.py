"""Scores renders: a render and its reference are decoded once for all metrics, and what is done is never done again.

A step is one variant of a metric on the renders of one maker; its name is a hash of the metric, the renders and the
pairs. Its scores are written by shard and committed by receipt, like those of any step. Metrics of sets leave features,
which `headset compare` makes a value of.
"""

import hashlib
import importlib
import json
import os
import pkgutil
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from pathlib import Path
from typing import Any, NamedTuple

import operators.metrics
from manifests.cache import media_cache
from manifests.errors import UsageError, WeightError
from manifests.ledger import CALLS, Receipt, StepRecord
from manifests.manifest import Manifest
from manifests.media import MediaStore
from manifests.tables import Annotation, Clip, Dropped, Features, Pair, Render, Row, Score
from operators.base import Audio, Drop
from operators.media.frames import VideoFrames
from operators.media.sound import SourceAudio
from operators.metrics.base import IDENTITY, NOTHING, TARGET, FramePair, Metric, SetMetric, Video
from operators.picture import Picture
from pipeline.corpus_steps.common import all_rows, current
from pipeline.corpus_steps.pairs import has_target
from pipeline.engine.fan_out import fan_out
from pipeline.engine.outcome import Answer, call_operator
from pipeline.engine.worker import WORKER_ENVIRONMENT, prepare_worker

RECORDING = "recording"
SPARE_FRAMES = 5  # by which a render and its reference may differ in length: the rest of the longer is not compared
VERSION = 1  # raised when the same metric would be shown other frames


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


@dataclass(frozen=True)
class Job:
    """One metric on the renders of one maker."""

    metric: Metric
    made_by: str
    step: str
    record: StepRecord


@dataclass
class Tally:
    """What scoring did."""

    renders: int = 0
    scores: int = 0
    drops: Counter[tuple[str, str]] = field(default_factory=Counter)  # by variant and reason

    def add(self, other: "Tally") -> None:
        self.renders += other.renders
        self.scores += other.scores
        self.drops += other.drops


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


class Moment(NamedTuple):
    """One frame of a render with all it may be compared with."""

    made: Picture
    driving: Picture | None
    still: Picture | None


@dataclass
class Scorer:
    """Scores shards, one after the other; models stay loaded."""

    root: str
    jobs: list[Job]
    size: int = 0

    def __post_init__(self) -> None:
        os.environ.update(WORKER_ENVIRONMENT)
        self.manifest, self.store = Manifest(self.root), MediaStore(self.root)
        self.pairs = {pair.pair_id: pair for pair in all_rows(self.manifest, Pair)}
        self._recordings: dict[str, Render] | None = None
        self._notes: dict[str, list[Annotation]] = {}

    def score_shard(self, shard: int) -> Tally:
        """Scores what has no receipt, writes it, and commits."""
        jobs = [job for job in self.jobs if self.manifest.receipt(job.step, shard) is None]
        renders = [
            render
            for render in current(self.manifest, Render, shard)
            if any(render.made_by == job.made_by for job in jobs)
        ]
        logs = {job.step: _JobLog(job) for job in jobs}
        self._notes = self._said(shard) if any(job.metric.hears_words for job in jobs) else {}
        for render in renders:
            wanted = [job for job in jobs if job.made_by == render.made_by]
            for job, answer in zip(wanted, self._answers(render, [job.metric for job in wanted]), strict=True):
                logs[job.step].enter(answer)
        tally = Tally(len(renders))
        for job in jobs:
            log = logs[job.step]
            table = Features if isinstance(job.metric, SetMetric) else Score
            self.manifest.finish(job.step, shard, {table: log.rows}, log.drops, log.receipt())
            tally.scores += len(log.rows)
            tally.drops += Counter((job.metric.variant, drop.reason) for drop in log.drops)
        return tally

    def _answers(self, render: Render, metrics: Sequence[Metric]) -> list[Answer]:
        """What each metric makes of a render, over one decode of it and of what it is compared with."""
        pair = self.pairs.get(render.pair_id or "")
        if render.pair_id and pair is None:
            lost = Drop("pair_unknown", detail=f"{render.pair_id} is not among the pairs", retryable=True)
            return [call_operator(metric.name, render, [lost]) for metric in metrics]
        driving = (
            None if render.made_by == RECORDING else self._recording(pair.driving_clip_id if pair else render.clip_id)
        )
        refused = {
            number: drop
            for number, metric in enumerate(metrics)
            if (drop := self._refusal(metric, render, pair, driving))
        }
        asked = [(number, metric) for number, metric in enumerate(metrics) if number not in refused]
        answers = {number: call_operator(metrics[number].name, render, [drop]) for number, drop in refused.items()}
        paired = {
            metric.compares if metric.compares != IDENTITY or has_target(pair) else "still" for _, metric in asked
        } - {NOTHING}
        source = self._recording(pair.source_clip_id) if pair and "still" in paired else None
        moments = self._moments(render, driving if paired - {"still"} else None, source)

        def reader(metric: Metric) -> Callable[[Iterator[Moment]], Answer]:
            return lambda moments: call_operator(metric.name, render, self._made(metric, render, pair, moments))

        if asked:
            found = fan_out(moments, [reader(metric) for _, metric in asked])
            answers |= {number: one for (number, _), one in zip(asked, found, strict=True)}
        return [answers[number] for number in range(len(metrics))]

    def _refusal(self, metric: Metric, render: Render, pair: Pair | None, driving: Render | None) -> Drop | None:
        """Why a metric cannot be asked at all; known without a decode."""
        if metric.compares == NOTHING:
            return None
        still = metric.compares == IDENTITY and not has_target(pair)
        if metric.compares == TARGET and not has_target(pair):
            return Drop(
                "no_target", detail=f"no recording shows what a render of {pair.pair_id if pair else ''} should show"
            )
        if still:
            source = self._recording(pair.source_clip_id) if pair else None
            return None if source else Drop("no_recording", detail="the source clip is not rendered", retryable=True)
        if driving is None:
            return Drop("no_recording", detail="the driving clip is not rendered", retryable=True)
        if abs(driving.fps - render.fps) > 0.01:
            return Drop("fps_mismatch", detail=f"{render.fps:g} and {driving.fps:g} frames a second")
        if abs(driving.frames - render.frames) > SPARE_FRAMES:
            return Drop(
                "length_mismatch", detail=f"{render.frames} and {driving.frames} frames, more than {SPARE_FRAMES} apart"
            )
        return None

    def _made(self, metric: Metric, render: Render, pair: Pair | None, moments: Iterator[Moment]) -> Iterator[Row]:
        said = self._notes.get(render.clip_id, ())
        video = Video(
            _frame_pairs(metric, moments, has_target(pair)),
            render.fps,
            lambda: self._sound(render),
            render.render_id,
            render.frames,
            said,
        )
        where = (
            render.source_id,
            f"{render.render_id}#{metric.variant}",
            render.render_id,
            metric.metric,
            metric.variant,
        )
        how = metric.model_sha256, self.protocol(metric, render, pair)
        if isinstance(metric, SetMetric):
            found = metric.features(video).astype("<f4")
            yield Features(*where, len(found), found.shape[1], found.tobytes(), *how)
        else:
            yield Score(*where, float(metric.measure(video)), *how)

    def protocol(self, metric: Metric, render: Render, pair: Pair | None) -> str:
        """Crop, colour and alignment, size, frame rate, and how frames are paired: what values must share to be
        averaged.
        """
        size = f"{self.size}x{self.size} px, scaled" if self.size else f"{render.width}x{render.height} px"
        paired = "" if metric.compares == NOTHING else "; frame by frame, of the shorter"
        if metric.compares == IDENTITY and not has_target(pair):
            paired = "; every frame with the source clip's first"
        return f"{metric.definition.protocol}; {size}; {render.fps:g} fps{paired}"

    def _moments(self, render: Render, driving: Render | None, source: Render | None) -> Iterator[Moment]:
        still = next(self._pictures(source), None) if source else None
        others = self._pictures(driving) if driving else iter(())
        for made in self._pictures(render):
            yield Moment(made, next(others, None), still)

    def _pictures(self, render: Render) -> Iterator[Picture]:
        for frame in VideoFrames(self._path(render)):
            yield Picture(
                frame.crop(0, 0, frame.width, frame.height, (self.size, self.size)) if self.size else frame.rgb()
            )

    def _path(self, render: Render) -> Path:
        return self.store.fetch(render.media, render.sha256, media_cache())

    def _said(self, shard: int) -> dict[str, list[Annotation]]:
        """What is known of each clip of a shard, or of the published clip it was made from."""
        by: dict[str, list[Annotation]] = defaultdict(list)
        for note in current(self.manifest, Annotation, shard):
            by[note.subject].append(note)
        return {
            clip.clip_id: [_heard(note, clip) for note in (*by[clip.clip_id], *by[clip.published_id])]
            for clip in current(self.manifest, Clip, shard)
        }

    def _sound(self, render: Render) -> Audio:
        return SourceAudio(self._path(render))

    def _recording(self, clip_id: str) -> Render | None:
        if self._recordings is None:
            rows = all_rows(self.manifest, Render)
            self._recordings = {render.clip_id: render for render in rows if render.made_by == RECORDING}
        return self._recordings.get(clip_id)


class ScoringWorker(Scorer):
    """A Ray actor that scores shards."""

    def __post_init__(self) -> None:
        prepare_worker()
        super().__post_init__()


def _heard(note: Annotation, clip: Clip) -> Annotation:
    """What is said of a part of the clip, at the time at which its render has it: the sound was moved."""
    if note.start_s is None or note.end_s is None:
        return note
    return replace(note, start_s=note.start_s - clip.sound_late_s, end_s=note.end_s - clip.sound_late_s)


def _frame_pairs(metric: Metric, moments: Iterator[Moment], has_target: bool) -> Iterator[FramePair]:
    """The moments as a metric is to see them. Where the reference has ended, so has the comparison."""
    for moment in moments:
        if metric.compares == NOTHING:
            yield FramePair(moment.made, None)
            continue
        reference = moment.still if metric.compares == IDENTITY and not has_target else moment.driving
        if reference is None:
            return
        yield FramePair(moment.made, reference)


class _JobLog:
    """What a job made of a shard so far."""

    def __init__(self, job: Job):
        self.job = job
        self.rows: list[Row] = []
        self.drops: list[Dropped] = []
        self.calls: Counter[str] = Counter()
        self.cpu_s, self.began = 0.0, time.monotonic()

    def enter(self, answer: Answer) -> None:
        self.calls.update(("read", answer.status))
        self.rows += answer.rows
        self.drops += answer.drops
        self.cpu_s += answer.cpu_s

    def receipt(self) -> Receipt:
        return Receipt(
            self.job.metric.name,
            calls={name: self.calls[name] for name in CALLS},
            rows={self.job.record.writes[0]: len(self.rows)},
            drops=len(self.drops),
            reasons=dict(sorted(Counter(drop.reason for drop in self.drops).items())),
            reads=self.job.record.reads,
            seconds=round(time.monotonic() - self.began, 3),
            cpu_s=round(self.cpu_s, 3),
        )
