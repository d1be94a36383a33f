"""Scores shards: a render and what it is compared with are decoded once, for all metrics that look at them."""

import os
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import NamedTuple

from manifests.cache import media_cache
from manifests.ledger import CALLS, Receipt, StepRecord
from manifests.manifest import Manifest
from manifests.media import MediaStore
from manifests.tables import Annotation, Clip, Dropped, Features, Pair, Render, Row, Score
from operators.base import Audio, Drop
from operators.media.frames import VideoFrames
from operators.media.sound import SourceAudio
from operators.metrics.base import IDENTITY, NOTHING, TARGET, FramePair, Metric, SetMetric, Video
from operators.picture import Picture
from operators.protocol import Protocol
from pipeline.corpus_steps.common import all_rows, current
from pipeline.corpus_steps.pairs import has_target
from pipeline.engine.fan_out import fan_out
from pipeline.engine.outcome import Answer, call_operator
from pipeline.engine.worker import WORKER_ENVIRONMENT, prepare_worker

RECORDING = "recording"
SPARE_FRAMES = 5  # by which a render and its reference may differ in length: the rest of the longer is not compared


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
        how = metric.model_sha256, str(self.protocol(metric, render, pair))
        if isinstance(metric, SetMetric):
            found = metric.features(video).astype("<f4")
            yield Features(*where, len(found), found.shape[1], found.tobytes(), *how)
        else:
            yield Score(*where, float(metric.measure(video)), *how)

    def protocol(self, metric: Metric, render: Render, pair: Pair | None) -> Protocol:
        """What the value of a render must share with others to be averaged with them."""
        size = f"{self.size}x{self.size} scaled" if self.size else f"{render.width}x{render.height}"
        pairing = "" if metric.compares == NOTHING else "frame by frame, of the shorter"
        if metric.compares == IDENTITY and not has_target(pair):
            pairing = "every frame with the source clip's first"
        return metric.definition.protocol.measured(size=size, fps=render.fps, pairing=pairing)

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
