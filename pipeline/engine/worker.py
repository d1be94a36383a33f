"""A worker: a Ray actor that does the steps of one stage on shards."""

import ctypes
import os
import signal
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from threading import Thread
from typing import Any, cast

from manifests.manifest import Manifest
from manifests.media import MediaStore
from manifests.tables import Row, Source
from operators.base import Frames, SourceFetcher
from pipeline.engine import metrics
from pipeline.engine.fan_out import fan_out
from pipeline.engine.not_done import Failures
from pipeline.engine.outcome import MAX_DEATHS, Answer, StepLog, call_step, not_done, worker_died
from pipeline.engine.reporter import Reporter
from pipeline.engine.row_media import RowMedia
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


class ShardWorker:
    """A Ray actor: the steps of one stage. Models load lazily, once, inside its operators."""

    def __init__(
        self,
        manifest: Manifest,
        plan: Plan,
        stage: int,
        progress: Any = None,
        *,
        last: bool = False,
        on_gpu: bool = False,
    ):
        """
        Args:
            stage: its number in the plan.
            progress: the `ProgressActor`; None where nobody asks how far it is.
            last: whether a shard is done when this stage is.
            on_gpu: whether the actor holds a GPU, or a share of one.
        """
        if progress is not None:  # a process of Ray's own
            prepare_worker()
        self.manifest, self.plan, self.last, self.on_gpu = manifest, plan, last, on_gpu
        self.steps = plan.of_stage(stage)
        self.reporter = Reporter(progress, stage, repr(plan.stages[stage]))
        self.store = MediaStore(manifest.root)

    def __call__(self, item: dict[str, Any]) -> dict[str, Any]:
        shard = int(item["shard"])
        counts: Counter[str] = Counter()
        if pending := [step for step in self.steps if not self.manifest.receipt(step.version, shard)]:
            counts = self._work(shard, pending)
        self.reporter.end(shard, counts)
        if self.last:
            self._evict(shard)
        return {"shard": shard}

    def _evict(self, shard: int) -> None:
        """Deletes what was fetched for a shard, where the recipe says so. A source's own file elsewhere is never
        touched.
        """
        for step in self.plan.steps:
            if isinstance(step.operator, SourceFetcher) and not step.operator.keep_sources:
                for source in self.manifest.read(Source, [step.version], shard):
                    if source.media:
                        self.store.delete(source.media)

    def _work(self, shard: int, steps: list[Step]) -> Counter[str]:
        """Does steps on a shard and commits them. Returns how many rows were kept, dropped and failed."""
        logs = {step.version: StepLog(step, self.manifest.takedowns()) for step in steps}
        given = ShardRows(self.manifest, steps, shard)
        failures = Failures(self.manifest, self.plan, shard)
        for step in steps:
            if again := self.manifest.retry(step.version, shard):
                logs[step.version].keep_others(self.manifest, shard, again, given.rows)
        todo = [row for row in given.rows if any(log.wants(row) for log in logs.values())]
        claim, began = self.reporter.begin(shard, todo), time.process_time()
        for row in todo:
            wanted = []
            for step in (step for step in steps if logs[step.version].wants(row)):
                if claim.deaths.get(row.row_id, 0) >= MAX_DEATHS:
                    logs[step.version].enter(row, worker_died(row, step))
                elif cause := failures.cause(step, row):
                    logs[step.version].enter(row, not_done(row, step, cause))
                else:
                    wanted.append(step)
            if wanted:
                for step, answer in zip(wanted, self._answers(row, wanted, given), strict=True):
                    logs[step.version].enter(row, answer)
            self.reporter.row_done(_counts(logs.values()))
        # MediaPipe computes in threads of its own; what they took is shared out evenly.
        unseen_s = time.process_time() - began - sum(log.cpu_s + log.decode_s for log in logs.values())
        for step in steps:
            logs[step.version].cpu_s += max(0.0, unseen_s) / len(steps)
            self._commit(shard, step, logs[step.version])
        return _counts(logs.values())

    def _answers(self, row: Row, steps: list[Step], given: "ShardRows") -> list[Answer]:
        """What each step made of the row, over one decode for those that look at frames."""
        media = RowMedia(row, given.source_of(row), self.store, self.plan.fetcher, self.on_gpu)
        self.reporter.row(row, media)
        answers: dict[str, Answer] = {}
        looking = [step for step in steps if Frames in step.operator.signature.asks.values()]
        for step in steps:
            if step not in looking:
                answers[step.version] = call_step(step, row, given.joined(row, step), media, iter(()))
        if looking:
            began = time.thread_time()

            def reader(step: Step) -> Callable[[Iterator[Any]], Answer]:
                return lambda frames: call_step(step, row, given.joined(row, step), media, frames)

            found = fan_out(media.frames, [reader(step) for step in looking])
            decode_s = time.thread_time() - began - (found[0].cpu_s if len(found) == 1 else 0.0)
            for step, one in zip(looking, found, strict=True):
                answers[step.version] = one
            answers[looking[0].version].decode_s = max(decode_s, 0.0)
        return [answers[step.version] for step in steps]

    def _commit(self, shard: int, step: Step, log: StepLog) -> None:
        made = {table: log.rows[table] for table in step.operator.signature.writes}
        receipt = log.receipt()
        self.manifest.finish(step.version, shard, made, log.drops, receipt, log.takedowns)
        metrics.committed(step.operator.name, receipt, made)
        if log.again is not None:
            self.manifest.retried(step.version, shard)


def _counts(logs: Iterable[StepLog]) -> Counter[str]:
    counts: Counter[str] = Counter()
    for log in logs:
        counts["kept"] += sum(len(rows) for rows in log.rows.values())
        counts["failed"] += log.failures
        counts["dropped"] += len(log.drops) - log.failures
    return counts


class ShardRows:
    """The rows a stage reads in a shard, and those its steps join to each."""

    def __init__(self, manifest: Manifest, steps: list[Step], shard: int):
        self.tables: dict[type[Row], list[Row]] = {}
        for step in steps:
            for table, versions in step.inputs.items():
                if table not in self.tables:
                    self.tables[table] = manifest.read(table, versions, shard)
        self.reads = steps[0].operator.signature.reads
        self.rows = self.tables[self.reads]
        self._sources = {source.source_id: cast(Source, source) for source in self.tables.get(Source, [])}
        self._index: dict[tuple[type[Row], str], dict[str, list[Row]]] = {}

    def joined(self, row: Row, step: Step) -> dict[str, list[Row]]:
        joins = {}
        for name, table in step.operator.signature.joins.items():
            if table not in self.tables:
                continue  # optional, and nothing writes it
            on = self.reads.key if self.reads.key in table.__dataclass_fields__ else "source_id"
            if (table, on) not in self._index:
                index: dict[str, list[Row]] = defaultdict(list)
                for other in self.tables[table]:
                    index[getattr(other, on)].append(other)
                self._index[table, on] = index
            joins[name] = self._index[table, on].get(getattr(row, on), [])
        return joins

    def source_of(self, row: Row) -> Source | None:
        return self._sources.get(row.source_id)
