"""Runs a recipe on Ray Data: a dataset of shard numbers flows through one actor pool per stage.

Nothing but shard numbers travels; rows go through the manifest. A worker takes a shard, does the steps of its stage
that have no receipt there, writes their tables, and commits each with a receipt. What a run left undone, the next one
finds by its missing receipts.
"""

import hashlib
import logging
import os
import time
import traceback
import uuid
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from threading import Lock
from typing import Any, cast

from manifests.errors import Inconsistent, MissingMedia
from manifests.manifest import LISTED, Manifest
from manifests.media import MediaStore
from manifests.tables import Dropped, Row, Source
from manifests.takedowns import REASON, Takedowns
from operators.base import Audio, Drop, Frames, Media, Resources
from operators.media.frames import VideoFrames
from operators.media.sound import SourceAudio
from operators.sources.download_video import DownloadVideo
from pipeline.engine.costs import rates
from pipeline.engine.fan_out import fan_out
from pipeline.recipe import Recipe, Step

DUPLICATE_KEY = "duplicate_key"  # a second row of one key is a failure beside the row that was read
MAX_DEATHS = 2  # a row in work when its worker died this often in one run is dropped

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


@dataclass
class Progress:
    """How far one stage is."""

    stage: str
    sources: int  # to do in this run
    sources_done: int = 0
    kept: int = 0
    dropped: int = 0
    failed: int = 0
    seconds: float = 0.0  # since its first row of this run
    done: bool = False


def run(
    recipe: Recipe, manifest: Manifest, *, workers: int | None = None, watch: Callable[[list[Progress]], None] = lambda _: None
) -> None:
    """Does what is not done yet. Ray must be initialised.

    Args:
        workers: actors per stage; None lets Ray Data add them where there is room.
        watch: told of the progress twice a second.

    Raises:
        Inconsistent: when the counts of what was read, written and dropped do not add up.
    """
    import ray

    steps = recipe.plan()
    manifest.remember(recipe.record())
    shards = manifest.shards()
    undone = {step.version: set(shards) - manifest.committed(step.version) for step in steps}
    left = sorted(set().union(*undone.values()))
    stages = [[step for step in steps if step.stage == number] for number in range(len(recipe.stages))]
    todo = [group for group in stages if any(undone[step.version] for step in group)]
    if todo:
        board = cast(Any, ray.remote(num_cpus=0)(Board)).remote()
        sizes = {shard: manifest.count(Source, LISTED, shard) for shard in left}
        _stream(recipe, manifest, todo, left, workers, board, lambda: watch(_progress(board, recipe, todo, sizes)))
    check(manifest, steps)


def _stream(
    recipe: Recipe, manifest: Manifest, todo: list[list[Step]], left: list[int], workers: int | None, board: Any, tell: Callable[[], None]
) -> None:
    import ray
    from ray.data import ActorPoolStrategy, DataContext

    context = DataContext.get_current()
    context.enable_progress_bars = False
    context.print_on_execution_start = False
    logging.getLogger("ray.data").setLevel(logging.ERROR)
    run_id = uuid.uuid4().hex
    there: dict[str, float] = dict(ray.cluster_resources())
    needs = [recipe.stages[group[0].stage].resources for group in todo]
    if not there.get("GPU"):
        needs = [Resources(need.cpus) for need in needs]
    sizes = pool_sizes(todo, needs, there, len(left), workers)
    # Every stage holds at least its share of an actor at once, or the last would wait for ever on a small machine.
    cpu_share = min(
        1.0, there.get("CPU", 1.0) / (sum(size * need.cpus for size, need in zip(sizes, needs, strict=True) if not need.gpus) or 1)
    )
    gpu_share = min(1.0, there.get("GPU", 0.0) / (sum(size * need.gpus for size, need in zip(sizes, needs, strict=True)) or 1))
    download = next((step for step in recipe.plan() if isinstance(step.operator, DownloadVideo)), None)
    dataset: Any = ray.data.from_items([{"shard": shard} for shard in left], override_num_blocks=len(left))
    for group, need, size in zip(todo, needs, sizes, strict=True):
        dataset = dataset.map(
            cast(Any, ShardWorker),
            fn_constructor_args=(manifest, group, run_id, board, download, group is todo[-1], need.gpus > 0),
            # Of a fixed size: a pool that grows takes the place of an actor that died, which then never comes back.
            compute=ActorPoolStrategy(size=size),
            num_cpus=None if need.gpus else need.cpus * cpu_share,  # Ray Data schedules on one of the two
            num_gpus=need.gpus * gpu_share or None,
        )
    rows = iter(dataset.iter_rows())
    with _Ticker(tell):
        for _ in rows:
            pass
    tell()


def pool_sizes(todo: list[list[Step]], needs: list[Resources], there: dict[str, float], shards: int, workers: int | None) -> list[int]:
    """How many actors each stage gets: one, and of the cores that are left its share by measured cost."""
    if workers:
        return [min(workers, shards)] * len(todo)
    known = rates()
    cost = [sum(known.of(step.operator.name) or 0.0 for step in group) or 0.01 for group in todo]
    sizes = []
    for seconds, need in zip(cost, needs, strict=True):
        kind, per_actor = ("GPU", need.gpus) if need.gpus else ("CPU", need.cpus)
        rivals = [(other, n) for other, n in zip(cost, needs, strict=True) if bool(n.gpus) == bool(need.gpus)]
        spare = there.get(kind, 1.0) - sum(n.gpus or n.cpus for _, n in rivals)
        extra = int(max(spare, 0.0) * seconds / sum(other for other, _ in rivals) / per_actor)
        sizes.append(min(1 + extra, shards))
    return sizes


class _Ticker:
    """Calls something twice a second while the main thread waits."""

    def __init__(self, tell: Callable[[], None]):
        from threading import Event, Thread

        self.tell, self.over = tell, Event()
        self.thread = Thread(target=self._tick, daemon=True)

    def _tick(self) -> None:
        while not self.over.wait(0.5):
            self.tell()

    def __enter__(self) -> None:
        self.thread.start()

    def __exit__(self, *_: Any) -> None:
        self.over.set()
        self.thread.join()


class Board:
    """A Ray actor that workers tell how far they are."""

    def __init__(self) -> None:
        self.began: dict[int, float] = {}
        self.last: dict[int, float] = {}
        self.shares: dict[tuple[int, int], tuple[float, Counter[str]]] = {}

    def report(self, stage: int, shard: int, share: float, counts: Counter[str]) -> None:
        now = time.monotonic()
        self.began.setdefault(stage, now)
        self.last[stage] = now
        self.shares[stage, shard] = share, counts

    def snapshot(self) -> dict[int, tuple[float, dict[int, tuple[float, Counter[str]]]]]:
        """By stage: seconds from its first report to its last, and by shard the share done and the counts."""
        found: dict[int, tuple[float, dict[int, tuple[float, Counter[str]]]]] = {}
        for (stage, shard), told in self.shares.items():
            found.setdefault(stage, (self.last[stage] - self.began[stage], {}))[1][shard] = told
        return found


def _progress(board: Any, recipe: Recipe, todo: list[list[Step]], sizes: dict[int, int]) -> list[Progress]:
    import ray

    told: dict[int, Any] = cast(Any, ray.get(board.snapshot.remote()))
    lines = []
    for group in todo:
        stage = group[0].stage
        seconds, shards = told.get(stage, (0.0, {}))
        counts: Counter[str] = Counter()
        for _, told_of in shards.values():
            counts.update(told_of)
        share = sum(share * sizes[shard] for shard, (share, _) in shards.items())
        total = sum(sizes.values())
        done = int(share + 1e-6)
        lines.append(
            Progress(
                repr(recipe.stages[stage]), total, done, counts["kept"], counts["dropped"], counts["failed"], seconds, share >= total - 1e-6
            )
        )
    return lines


class ShardWorker:
    """A Ray actor: the steps of one stage. Models load lazily, once, inside its operators."""

    def __init__(
        self,
        manifest: Manifest,
        steps: list[Step],
        run_id: str,
        board: Any,
        download: Step | None = None,
        last: bool = False,
        on_gpu: bool = False,
    ):
        """
        Args:
            download: the step that fetched the sources.
            last: whether a shard is done when these steps are.
            on_gpu: whether the actor holds a GPU, or a share of one.
        """
        self.manifest, self.steps, self.run_id, self.board, self.download, self.last = manifest, steps, run_id, board, download, last
        prepare_worker()
        self.on_gpu = on_gpu
        self.store = MediaStore(manifest.root)

    def __call__(self, item: dict[str, Any]) -> dict[str, Any]:
        shard = int(item["shard"])
        if pending := [step for step in self.steps if not self.manifest.receipt(step.version, shard)]:
            self._work(shard, pending)
        else:
            self.board.report.remote(self.steps[0].stage, shard, 1.0, Counter())
        if self.last:
            self._evict(shard)
        return {"shard": shard}

    def _evict(self, shard: int) -> None:
        """Deletes what was downloaded for a shard, where the recipe says so. A source's own file elsewhere is never touched."""
        if self.download is None or cast(DownloadVideo, self.download.operator).keep_sources:
            return
        for source in self.manifest.read(Source, [self.download.version], shard):
            if source.media:
                self.store.delete(source.media)

    def _work(self, shard: int, steps: list[Step]) -> None:
        stage = "+".join(step.version for step in steps)
        books = {step.version: Book(step, self.manifest.takedowns()) for step in steps}
        given = Given(self.manifest, steps, shard)
        for step in steps:
            if again := self.manifest.retry(step.version, shard):
                books[step.version].keep_others(self.manifest, shard, again, given.rows)
        claims = self.manifest.claims(stage, shard)
        deaths: Counter[str] = Counter()
        if claims.get("run") == self.run_id:
            deaths.update({**claims["deaths"]})
            deaths[claims["row"]] += 1
        rows, began = given.rows, time.process_time()
        for number, row in enumerate(rows):
            wanted = [step for step in steps if books[step.version].wants(row)]
            if deaths[row.row_id] >= MAX_DEATHS:
                for step in wanted:
                    books[step.version].enter(row, worker_died(row, step))
            elif wanted:
                self.manifest.claim(stage, shard, {"run": self.run_id, "row": row.row_id, "deaths": deaths})
                for step, answer in zip(wanted, self._answers(row, wanted, given), strict=True):
                    books[step.version].enter(row, answer)
            self._tell(shard, (number + 1) / (len(rows) + 1), books)
        # MediaPipe computes in threads of its own; what they took is shared out evenly.
        unseen_s = time.process_time() - began - sum(book.cpu_s + book.decode_s for book in books.values())
        for step in steps:
            books[step.version].cpu_s += max(0.0, unseen_s) / len(steps)
            self._commit(shard, step, books[step.version])
        self.manifest.release(stage, shard)
        self._tell(shard, 1.0, books)

    def _answers(self, row: Row, steps: list[Step], given: "Given") -> list["Answer"]:
        """What each step made of the row, over one decode for those that look at frames."""
        download = cast(DownloadVideo, self.download.operator) if self.download else None
        reach = Reach(row, given.source_of(row), self.store, download, self.on_gpu)
        answers: dict[str, Answer] = {}
        looking = [step for step in steps if Frames in step.operator.signature.asks.values()]
        for step in steps:
            if step not in looking:
                answers[step.version] = answer(step, row, given.joined(row, step), reach, iter(()))
        if looking:
            began = time.thread_time()

            def reader(step: Step) -> Callable[[Iterator[Any]], Answer]:
                return lambda frames: answer(step, row, given.joined(row, step), reach, frames)

            found = fan_out(reach.frames, [reader(step) for step in looking])
            decode_s = time.thread_time() - began - (found[0].cpu_s if len(found) == 1 else 0.0)
            for step, one in zip(looking, found, strict=True):
                answers[step.version] = one
            answers[looking[0].version].decode_s = max(decode_s, 0.0)
        return [answers[step.version] for step in steps]

    def _commit(self, shard: int, step: Step, book: "Book") -> None:
        for table in step.operator.signature.writes:
            self.manifest.write(table, step.version, shard, book.rows[table])
        self.manifest.write(Dropped, step.version, shard, book.drops)
        self.manifest.commit(step.version, shard, book.receipt())
        if book.again is not None:
            self.manifest.retried(step.version, shard)

    def _tell(self, shard: int, share: float, books: dict[str, "Book"]) -> None:
        counts: Counter[str] = Counter()
        for book in books.values():
            counts["kept"] += sum(len(rows) for rows in book.rows.values())
            counts["failed"] += sum(drop.failed for drop in book.drops)
            counts["dropped"] += sum(not drop.failed for drop in book.drops)
        self.board.report.remote(self.steps[0].stage, shard, share, counts)


class Given:
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


@dataclass
class Reach:
    """What an operator can ask of a row's source. Opened when asked for."""

    row: Row
    source: Source | None
    store: MediaStore
    download: DownloadVideo | None = None  # to get again what has left the store
    on_gpu: bool = False  # whether to decode there
    _one_at_a_time: Any = field(default_factory=Lock, repr=False)  # operators that share a decode ask from threads of their own

    @cached_property
    def path(self) -> Path:
        with self._one_at_a_time:
            return self._path()

    def _path(self) -> Path:
        if self.source is None:
            raise Inconsistent(f"{self.row.row_id}: its source {self.row.source_id} is not among the sources")
        if not self.source.media:
            return Path(self.source.uri)
        try:
            return self.store.fetch(self.source.media, self.source.sha256, media_cache())
        except MissingMedia:
            if self.download is None or "://" not in self.source.uri:
                raise
            self.download.fetch_again(self.source, cast(Media, self))
            return self.store.fetch(self.source.media, self.source.sha256, media_cache())

    def keep(self, made: Path, suffix: str) -> tuple[str, str]:
        return self.store.put(made, suffix)

    @property
    def scratch(self) -> Path:
        """A folder of the source's own on this machine that outlives a killed run: partial downloads wait there."""
        corpus = hashlib.sha256(os.path.abspath(self.store.root).encode()).hexdigest()[:12]
        return media_cache().with_name("scratch") / corpus / self.row.source_id

    @property
    def frames(self) -> Iterator[Any]:
        start_s, end_s = (
            (None, None) if isinstance(self.row, Source) else (getattr(self.row, "start_s", None), getattr(self.row, "end_s", None))
        )
        yield from VideoFrames(self.path, start_s, end_s, on_gpu=self.on_gpu)

    @cached_property
    def audio(self) -> Audio:
        return _audio(self.path)

    def of(self, kind: type) -> Any:
        return self if kind is Media else self.audio


def media_cache() -> Path:
    """Where copies of media from a remote store lie on this machine."""
    return Path(os.environ.get("HEADSET_CACHE") or Path.home() / ".cache" / "headset") / "media"


_last_audio: list[tuple[Path, SourceAudio]] = []


def _audio(path: Path) -> SourceAudio:
    """The sound of a file, kept for the next row: rows of one source follow each other."""
    if not _last_audio or _last_audio[0][0] != path:
        _last_audio[:] = [(path, SourceAudio(path))]
    return _last_audio[0][1]


@dataclass
class Answer:
    """What an operator made of a row."""

    status: str  # answered, dropped or failed
    rows: list[Row] = field(default_factory=list)
    drops: list[Dropped] = field(default_factory=list)
    cpu_s: float = 0.0
    decode_s: float = 0.0


class LostRow(Exception):
    """A refining operator gave neither a row nor a Drop for the row it was given."""


def answer(step: Step, row: Row, joins: dict[str, list[Row]], reach: Any, frames: Iterator[Any]) -> Answer:
    """Calls an operator on a row."""
    return answered(step.operator.name, row, _called(step, row, joins, reach, frames))


def _called(step: Step, row: Row, joins: dict[str, list[Row]], reach: Any, frames: Iterator[Any]) -> Iterator[Row | Drop]:
    operator, writes = step.operator, step.operator.signature.writes
    asks = {name: frames if kind is Frames else reach.of(kind) for name, kind in operator.signature.asks.items()}
    lost = type(row) in step.refines
    for item in operator(row, **joins, **asks):
        if type(item) not in (*writes, Drop):
            raise TypeError(f"{operator.name} yielded a {type(item).__name__}; it declares {', '.join(t.__name__ for t in writes)}")
        lost = lost and type(item) not in (type(row), Drop)
        yield item
    if lost:
        raise LostRow(f"{operator.name} yielded neither a {type(row).__name__} nor a Drop")


def answered(name: str, row: Row, made: Iterable[Row | Drop]) -> Answer:
    """What an operator or a metric of this name makes of a row. Its drops and errors become rows, here and nowhere else."""
    began, rows, drops, status = time.thread_time(), list[Row](), list[Dropped](), "answered"
    try:
        for item in made:
            if isinstance(item, Row):
                rows.append(item)
            else:
                drops.append(_dropped(name, item.row or row, item))
                if drops[-1].subject == row.row_id:
                    status = "dropped"
    except Drop as drop:
        rows, drops, status = [], [_dropped(name, row, drop)], "dropped"
    except Exception as error:  # noqa: BLE001 - errors are data; the rest of the shard goes on
        rows, drops, status = [], [_failed(name, row, error)], "failed"
    return Answer(status, rows, drops, time.thread_time() - began)


def worker_died(row: Row, step: Step) -> Answer:
    drop = Drop("worker_died", detail=f"its worker died {MAX_DEATHS} times while it was in work", retryable=True)
    return Answer("failed", [], [_dropped(step.operator.name, row, drop, failed=True)])


def _dropped(operator: str, row: Row, drop: Drop, failed: bool = False) -> Dropped:
    return Dropped(
        row.source_id, f"{row.row_id}@{operator}", row.row_id, row.table, operator, drop.reason, drop.detail, failed, drop.retryable
    )


def _failed(operator: str, row: Row, error: Exception) -> Dropped:
    """Names the error and where it came from, without the paths of this machine."""
    frames = [f"{Path(frame.filename).name}:{frame.lineno} {frame.name}" for frame in traceback.extract_tb(error.__traceback__)]
    detail = f"{type(error).__name__}: {str(error)[:1000]}\n" + "\n".join(f"  {line}" for line in frames[-8:])
    return Dropped(row.source_id, f"{row.row_id}@{operator}", row.row_id, row.table, operator, type(error).__name__, detail, True, True)


class Book:
    """What a step made of a shard so far."""

    def __init__(self, step: Step, takedowns: Takedowns | None = None):
        self.step, self.takedowns = step, takedowns
        self.rows: dict[type[Row], list[Row]] = defaultdict(list)
        self.drops: list[Dropped] = []
        self.calls: Counter[str] = Counter()
        self.given_up: Counter[str] = Counter()  # proposed rows, by table, beside the row that was read
        self.began, self.seconds, self.cpu_s, self.decode_s = time.monotonic(), 0.0, 0.0, 0.0
        self.again: set[str] | None = None  # the sources to do; None for all
        self._keys: set[tuple[type[Row], str]] = set()

    def wants(self, row: Row) -> bool:
        return self.again is None or row.source_id in self.again

    def keep_others(self, manifest: Manifest, shard: int, retry: dict[str, Any], given: list[Row]) -> None:
        """Takes over what the step made of the sources that are not to be done again, and counts it anew."""
        self.again, version, operator = set(retry["sources"]), self.step.version, self.step.operator
        reads = operator.signature.reads
        for table in operator.signature.writes:
            kept = [row for row in manifest.read(table, [version], shard) if table.log or not self.wants(row)]
            self.rows[table] += kept
            self._keys |= {(table, row.row_id) for row in kept}
        self.drops = [drop for drop in manifest.read(Dropped, [version], shard) if not self.wants(drop)]
        self._keys |= {(Dropped, drop.drop_id) for drop in self.drops}
        others = {row.row_id for row in given if not self.wants(row)}
        ended = {}
        for drop in self.drops:
            if drop.reason == DUPLICATE_KEY:
                continue
            if drop.subject_table == reads.table and drop.subject in others:
                ended[drop.subject] = "failed" if drop.failed else "dropped"
            else:
                self.given_up[drop.subject_table] += 1
        self.calls.update({"read": len(others), "answered": len(others) - len(ended)})
        self.calls.update(ended.values())
        if before := retry["receipt"]:
            self.seconds, self.cpu_s, self.decode_s = before["seconds"], before["cpu_s"], before["decode_cpu_s"]

    def enter(self, row: Row, answer: Answer) -> None:
        self.calls["read"] += 1
        self.calls[answer.status] += 1
        self.cpu_s += answer.cpu_s
        self.decode_s += answer.decode_s
        for made in map(self.takedowns.without, answer.rows) if self.takedowns else answer.rows:
            if self.takedowns and self.takedowns.covers(made):
                drop = _dropped(self.step.operator.name, made, Drop(REASON))
                if drop.subject == row.row_id:
                    self.calls.update({"answered": -1, "dropped": 1})
                else:
                    self.given_up[drop.subject_table] += 1
                self._drop(drop)
            elif (type(made), made.row_id) in self._keys:
                drop = Drop(DUPLICATE_KEY, detail=f"{self.step.operator.name} made two rows {made.row_id}")
                self._drop(_dropped(self.step.operator.name, made, drop, failed=True))
            else:
                self._keys.add((type(made), made.row_id))
                self.rows[type(made)].append(made)
        for drop in answer.drops:
            if drop.subject != row.row_id:
                self.given_up[drop.subject_table] += 1
            self._drop(drop)

    def _drop(self, drop: Dropped) -> None:
        key, number = drop.drop_id, 1
        while (Dropped, key) in self._keys:
            number += 1
            key = f"{drop.drop_id}#{number}"
        self._keys.add((Dropped, key))
        self.drops.append(drop if key == drop.drop_id else Dropped(**{**drop.__dict__, "drop_id": key}))

    def receipt(self) -> dict[str, Any]:
        return {
            "operator": self.step.operator.name,
            "calls": {name: self.calls[name] for name in ("read", "answered", "dropped", "failed")},
            "rows": {table.table: len(self.rows[table]) for table in self.step.operator.signature.writes},
            "drops": len(self.drops),
            "given_up": dict(self.given_up),
            "reasons": dict(sorted(Counter(drop.reason for drop in self.drops).items())),
            "inputs": {table.table: list(steps) for table, steps in self.step.inputs.items()},
            "seconds": round(self.seconds + time.monotonic() - self.began, 3),
            "cpu_s": round(self.cpu_s, 3),
            "decode_cpu_s": round(self.decode_s, 3),
        }


def check(manifest: Manifest, steps: list[Step]) -> None:
    """Compares what receipts say with what lies in the files: nothing may be lost between two steps.

    Raises:
        Inconsistent: naming the step and shard that do not add up.
    """
    for step in steps:
        for shard, receipt in manifest.receipts(step.version).items():
            calls, where = receipt["calls"], f"{step.version}, shard {shard}"
            given = sum(
                manifest.count(step.operator.signature.reads, version, shard) for version in step.inputs[step.operator.signature.reads]
            )
            if calls["read"] != given or calls["read"] != calls["answered"] + calls["dropped"] + calls["failed"]:
                raise Inconsistent(f"{where}: {given} rows to read, but the receipt says {calls}; please report this")
            for table in step.operator.signature.writes:
                if (found := manifest.count(table, step.version, shard)) != receipt["rows"][table.table]:
                    raise Inconsistent(
                        f"{where}: wrote {receipt['rows'][table.table]} {table.table}, but the file holds {found}; delete its receipt to redo it"
                    )
            if (found := manifest.count(Dropped, step.version, shard)) != receipt["drops"]:
                raise Inconsistent(f"{where}: dropped {receipt['drops']} rows, but the file holds {found}; delete its receipt to redo it")
