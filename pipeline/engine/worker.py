"""A worker: what a process does of a run."""

import ctypes
import os
import signal
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from threading import Thread
from typing import Any, cast

from manifests.manifest import LISTED, Manifest
from manifests.media import MediaStore
from manifests.tables import Row, Source
from manifests.takedowns import Takedowns
from operators.base import Ending, Frames, SourceFetcher
from pipeline.engine import metrics
from pipeline.engine.fan_out import fan_out
from pipeline.engine.lookups import Lookups
from pipeline.engine.not_done import Failed, Failures, asked, failures_in, failures_of
from pipeline.engine.notes import Notes
from pipeline.engine.outcome import Answer, StepLog, call_step, not_done, worker_died
from pipeline.engine.reporter import Reporter
from pipeline.engine.row_media import RowMedia
from pipeline.engine.rows import Made, Payload, StageRows, by_source, to_arrow
from pipeline.engine.units import Commit, Done, Open, Opened, Size, Unit, spans
from pipeline.recipe import Plan, Step

# The native libraries of every worker compute on one thread: actors are the parallelism, and sums keep their order.
WORKER_ENVIRONMENT = {
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "PYANNOTE_METRICS_ENABLED": "0",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "GLOG_minloglevel": "2",
    "TF_CPP_MIN_LOG_LEVEL": "2",
}


PR_SET_PDEATHSIG = 1  # of linux/prctl.h
ENDS_WITHIN_S = 2.0  # where the kernel does not tell of a parent's end


def end_with_parent() -> None:
    """Has this process killed when its parent ends, by the kernel where it offers that, and by a look at who its parent
    is.
    """
    parent = os.getppid()
    if sys.platform == "linux":
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0) != 0:
            raise OSError(ctypes.get_errno(), "prctl(PR_SET_PDEATHSIG)")

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(ENDS_WITHIN_S)
        os._exit(1)

    Thread(target=watch, daemon=True).start()


def prepare_worker() -> None:
    """What a worker process does first, before any library of a model is imported.

    Standard input becomes /dev/null. Ray puts each worker into a process group of its own with the terminal of who
    started Ray as standard input. A child that asks this terminal anything, as `import scenedetect` has ffmpeg do,
    would get SIGTTOU, which stops the whole group without an error and for ever.

    The process ends with the one that started it, its raylet, whatever it is doing then: Ray's own orderly end waits
    for the row in work, which a native library may hold for an hour.
    """
    end_with_parent()
    os.environ.update(WORKER_ENVIRONMENT)
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.close(null)


class Worker:
    """Does units and commits. One a process: it keeps the models of every stage that came by, inside the operators."""

    def __init__(self, plan: Plan, manifest: Manifest, known: Takedowns, progress: Any = None, *, on_gpu: bool = False):
        """
        Args:
            known: the takedowns from before the run.
            progress: the `ProgressActor`; None where nobody asks how far it is.
            on_gpu: whether this process holds a GPU, or a share of one.
        """
        self.plan, self.manifest, self.known, self.on_gpu = plan, manifest, known, on_gpu
        self.steps = {step.version: step for step in plan.steps}
        self.stages = plan.stages
        self.reporter = Reporter(progress)
        self.store, self.fetcher = MediaStore(manifest.root), plan.fetcher
        self.lookups, self.notes = Lookups(manifest), Notes(manifest)

    def close(self) -> None:
        """Its run is over: what operators hold is given back."""
        self.reporter.close()
        for step in self.plan.steps:
            if isinstance(step.operator, Ending):
                step.operator.end()

    def open(self, job: Open) -> tuple[Opened, dict[str, Payload]]:
        """What is to be done in a shard, and the rows that are read for it, by step."""
        done = (
            job.done
            if job.done is not None
            else frozenset(v for v in self.steps if self.manifest.receipt(v, job.shard))
        )
        todo = [step for version, step in self.steps.items() if version not in done]
        notes = {step.version: note for step in todo if (note := self.manifest.retry(step.version, job.shard))}
        again = {version: frozenset(note["sources"]) for version, note in notes.items()}
        there = done | again.keys()  # of a step that is to be done again, what it made of the other sources stays
        read: dict[str, set[type[Row]]] = defaultdict(set, {LISTED: {Source}})
        for step in todo:
            for table, versions in step.inputs.items():
                others = self._of_others(table, versions, job.shard)
                for version in there.union((LISTED,), others).intersection(versions):
                    read[version].add(table)
        payloads: dict[str, dict[str, Made]] = {version: {} for version in read}
        sizes: dict[str, dict[str, dict[str, Size]]] = {version: defaultdict(dict) for version in read}
        listed: list[Source] = []
        for version, tables in read.items():
            for table in tables:
                rows = self.manifest.read(table, [version], job.shard)
                listed = cast(list[Source], rows) if (version, table) == (LISTED, Source) else listed
                for source, some in by_source(
                    row for row in rows if row.source_id not in again.get(version, ())
                ).items():
                    payloads[version].setdefault(source, Made()).rows[table.table] = to_arrow(table, some)
                    sizes[version][source][table.table] = spans(some)
        failures: dict[str, dict[str, list[Failed]]] = {}
        for version in there.intersection(version for step in todo for version in asked(self.steps, step)):
            for row, drop in failures_in(self.manifest, self.steps[version], job.shard):
                if drop.source_id not in again.get(version, ()):
                    failures.setdefault(drop.source_id, {}).setdefault(version, []).append((row, drop))
        remote = frozenset(source.source_id for source in listed if "://" in source.uri)
        names = tuple(source.source_id for source in listed)
        return Opened(names, done, again, {v: dict(some) for v, some in sizes.items()}, failures, remote), dict(
            payloads
        )

    def _of_others(self, table: type[Row], versions: Iterable[str], shard: int) -> set[str]:
        """Of the steps that are none of this plan, those whose rows are current in a shard."""
        others = set(versions) - self.steps.keys() - {LISTED}
        return others and others.intersection(self.manifest.current(shard).get(table.table, ()))

    def do(
        self, unit: Unit, inputs: Mapping[str, Sequence[Payload]], failures: Mapping[str, Mapping[str, list[Failed]]]
    ) -> tuple[Done, dict[str, Payload]]:
        """Puts sources through a stage.

        Args:
            inputs: by step what it made of these sources.
            failures: by source and step what failed before.

        Returns: what is to be known of it, and by step what was made.
        """
        steps = [self.steps[version] for version in unit.steps]
        given = StageRows.of(steps, unit.sources, inputs)
        rows = given.rows if unit.rows is None else given.rows[slice(*unit.rows)]
        logs = {(v, source): StepLog(self.steps[v], self.known) for v in unit.steps for source in unit.sources}
        causes = {source: Failures(self.plan, failures.get(source, {})) for source in unit.sources}
        began, spent = time.monotonic(), time.process_time()
        self.reporter.begin(unit, repr(self.stages[unit.stage]), len(rows))
        for row in rows:
            at = time.monotonic()
            wanted = []
            for step in steps:
                if not step.wants(row):
                    continue
                if unit.give_up:
                    logs[step.version, row.source_id].enter(row, worker_died(row, step))
                elif cause := causes[row.source_id].cause(step, row):
                    logs[step.version, row.source_id].enter(row, not_done(row, step, cause))
                else:
                    wanted.append(step)
            if wanted:
                for step, answer in zip(wanted, self._answers(row, wanted, given), strict=True):
                    logs[step.version, row.source_id].enter(row, answer)
            for step in steps:
                logs[step.version, row.source_id].seconds += time.monotonic() - at
            self.reporter.row_done()
        self.reporter.end()
        # MediaPipe computes in threads of its own; what they took is shared out evenly.
        unseen_s = time.process_time() - spent - sum(log.cpu_s + log.decode_s for log in logs.values())
        for log in logs.values():
            log.cpu_s += max(0.0, unseen_s) / len(logs)
        return self._done(unit, logs, rows, time.monotonic() - began)

    def _done(
        self, unit: Unit, logs: dict[tuple[str, str], StepLog], rows: list[Row], seconds: float
    ) -> tuple[Done, dict[str, Payload]]:
        payloads: dict[str, dict[str, Made]] = {version: {} for version in unit.steps}
        sizes: dict[str, dict[str, dict[str, Size]]] = {version: {} for version in unit.steps}
        failures: dict[str, dict[str, list[Failed]]] = {}
        counts: Counter[str] = Counter()
        for (version, source), log in logs.items():
            payloads[version][source] = log.made()
            sizes[version][source] = {table.table: spans(some) for table, some in log.rows.items()}
            if failed := failures_of(log.step, log.drops, rows):
                failures.setdefault(source, {})[version] = failed
            counts.update(log.counts())
        done = Done(sizes, failures, counts, seconds)
        if unit.commits:
            made = {version: [payload] for version, payload in payloads.items()}
            done.clashes = self.commit(
                Commit(unit.stage, unit.shard, unit.tries, unit.steps, unit.sources, unit.last, unit.retried), made
            )
        return done, dict(payloads)

    def _answers(self, row: Row, steps: list[Step], given: StageRows) -> list[Answer]:
        """What each step made of the row, over one decode for those that look at frames."""
        media = RowMedia(row, given.source_of(row), self.store, self.fetcher, self.on_gpu)
        self.reporter.row(row, media)
        answers: dict[str, Answer] = {}
        beside = {step.version: {**given.joined(row, step), **self.lookups.of(step)} for step in steps}
        looking = [step for step in steps if Frames in step.operator.signature.asks.values()]
        for step in steps:
            if step not in looking:
                answers[step.version] = self.notes.asked(
                    step,
                    row,
                    beside[step.version],
                    partial(call_step, step, row, beside[step.version], media, iter(())),
                )
        if looking:
            began = time.thread_time()

            def reader(step: Step) -> Callable[[Iterator[Any]], Answer]:
                return lambda frames: call_step(step, row, beside[step.version], media, frames)

            found = fan_out(media.frames, [reader(step) for step in looking])
            decode_s = time.thread_time() - began - (found[0].cpu_s if len(found) == 1 else 0.0)
            for step, one in zip(looking, found, strict=True):
                answers[step.version] = one
            answers[looking[0].version].decode_s = max(decode_s, 0.0)
        return [answers[step.version] for step in steps]

    def commit(self, job: Commit, made: Mapping[str, Sequence[Payload]]) -> bool:
        """Writes what a stage made of a shard, under one receipt a step. Returns whether what was made no longer holds,
        and the shard is to be begun anew from what is committed: sources had made rows of one key, or a retry was
        committed before by a worker that died, or was lost, before it said so.

        Args:
            made: by step, of every source that it was done for.
        """
        clashes, stale = 0, False
        for version in job.steps:
            step = self.steps[version]
            log = StepLog(step, self.known)
            again = self.manifest.retry(version, job.shard)
            if again is None and version in job.retried:
                stale = True  # without the note nothing tells what was kept of the other sources
                continue
            if again is not None:
                reads = step.operator.signature.reads
                others = self._of_others(reads, step.inputs[reads], job.shard)
                held = [v for v in step.inputs[reads] if v in others or v in self.steps or v == LISTED]
                given = [row for row in self.manifest.read(reads, held, job.shard) if step.wants(row)]
                log.keep_others(self.manifest, job.shard, again, given)
            for source in job.sources:
                for payload in made.get(version, ()):
                    if source in payload and (log.again is None or source in log.again):
                        log.add(payload[source])
            rows = {table: log.rows[table] for table in step.operator.signature.writes}
            receipt = log.receipt()
            self.manifest.finish(version, job.shard, rows, log.drops, receipt, log.takedowns)
            metrics.committed(step.operator.name, receipt, rows)
            if log.again is not None:
                self.manifest.retried(version, job.shard)
            clashes += log.clashes
        if job.last:
            self._evict(job.shard)
        return stale or clashes > 0

    def _evict(self, shard: int) -> None:
        """Deletes what was fetched for a shard, where the recipe says so. A source's own file elsewhere is never
        touched.
        """
        for step in self.plan.steps:
            if isinstance(step.operator, SourceFetcher) and not step.operator.keep_sources:
                for source in self.manifest.read(Source, [step.version], shard):
                    if source.media:
                        self.store.delete(source.media)
