"""A worker: a Ray actor that does the steps of one stage on shards."""

import os
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from typing import Any, cast

from manifests.manifest import Manifest
from manifests.media import MediaStore
from manifests.tables import Row, Source
from operators.base import Frames, SourceFetcher
from pipeline.engine.fan_out import fan_out
from pipeline.engine.outcome import MAX_DEATHS, Answer, StepLog, call_step, worker_died
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


def prepare_worker() -> None:
    """What a worker process does first, before any library of a model is imported.

    Standard input becomes /dev/null. Ray puts each worker into a process group of its own with the terminal of who started Ray as
    standard input. A child that asks this terminal anything, as `import scenedetect` has ffmpeg do, would get SIGTTOU, which stops the
    whole group without an error and for ever.
    """
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
        run_id: str,
        board: Any,
        last: bool = False,
        on_gpu: bool = False,
    ):
        """
        Args:
            stage: the number of the stage in the plan.
            last: whether a shard is done when this stage is.
            on_gpu: whether the actor holds a GPU, or a share of one.
        """
        self.manifest, self.plan, self.stage, self.run_id, self.board, self.last = manifest, plan, stage, run_id, board, last
        self.steps = plan.of_stage(stage)
        prepare_worker()
        self.on_gpu = on_gpu
        self.store = MediaStore(manifest.root)

    def __call__(self, item: dict[str, Any]) -> dict[str, Any]:
        shard = int(item["shard"])
        if pending := [step for step in self.steps if not self.manifest.receipt(step.version, shard)]:
            self._work(shard, pending)
        else:
            self.board.report.remote(self.stage, shard, 1.0, Counter())
        if self.last:
            self._evict(shard)
        return {"shard": shard}

    def _evict(self, shard: int) -> None:
        """Deletes what was downloaded for a shard, where the recipe says so. A source's own file elsewhere is never touched."""
        for step in self.plan.steps:
            if isinstance(step.operator, SourceFetcher) and not step.operator.keep_sources:
                for source in self.manifest.read(Source, [step.version], shard):
                    if source.media:
                        self.store.delete(source.media)

    def _work(self, shard: int, steps: list[Step]) -> None:
        stage = "+".join(step.version for step in steps)
        logs = {step.version: StepLog(step, self.manifest.takedowns()) for step in steps}
        given = ShardRows(self.manifest, steps, shard)
        for step in steps:
            if again := self.manifest.retry(step.version, shard):
                logs[step.version].keep_others(self.manifest, shard, again, given.rows)
        claims = self.manifest.claims(stage, shard)
        deaths: Counter[str] = Counter()
        if claims.get("run") == self.run_id:
            deaths.update({**claims["deaths"]})
            deaths[claims["row"]] += 1
        rows, began = given.rows, time.process_time()
        for number, row in enumerate(rows):
            wanted = [step for step in steps if logs[step.version].wants(row)]
            if deaths[row.row_id] >= MAX_DEATHS:
                for step in wanted:
                    logs[step.version].enter(row, worker_died(row, step))
            elif wanted:
                self.manifest.claim(stage, shard, {"run": self.run_id, "row": row.row_id, "deaths": deaths})
                for step, answer in zip(wanted, self._answers(row, wanted, given), strict=True):
                    logs[step.version].enter(row, answer)
            self._tell(shard, (number + 1) / (len(rows) + 1), logs)
        # MediaPipe computes in threads of its own; what they took is shared out evenly.
        unseen_s = time.process_time() - began - sum(log.cpu_s + log.decode_s for log in logs.values())
        for step in steps:
            logs[step.version].cpu_s += max(0.0, unseen_s) / len(steps)
            self._commit(shard, step, logs[step.version])
        self.manifest.release_claim(stage, shard)
        self._tell(shard, 1.0, logs)

    def _answers(self, row: Row, steps: list[Step], given: "ShardRows") -> list["Answer"]:
        """What each step made of the row, over one decode for those that look at frames."""
        media = RowMedia(row, given.source_of(row), self.store, self.plan.fetcher, self.on_gpu)
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

    def _commit(self, shard: int, step: Step, log: "StepLog") -> None:
        made = {table: log.rows[table] for table in step.operator.signature.writes}
        self.manifest.finish(step.version, shard, made, log.drops, log.receipt(), log.takedowns)
        if log.again is not None:
            self.manifest.retried(step.version, shard)

    def _tell(self, shard: int, share: float, logs: dict[str, "StepLog"]) -> None:
        counts: Counter[str] = Counter()
        for log in logs.values():
            counts["kept"] += sum(len(rows) for rows in log.rows.values())
            counts["failed"] += sum(drop.failed for drop in log.drops)
            counts["dropped"] += sum(not drop.failed for drop in log.drops)
        self.board.report.remote(self.stage, shard, share, counts)


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
