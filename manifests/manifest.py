"""A manifest: a folder of Parquet tables, sharded by source, with a receipt for every step done on every shard.

    <root>/<table>/<step>/<shard>.parquet     written whole under another name, then moved; rows sorted by key
    <root>/receipts/<step>/<shard>.json       commits a step on a shard, with its counts; what has one is never redone
    <root>/claims/<step>/<shard>.json         the row in work, to find the one that kills workers
    <root>/retries/<step>/<shard>.json        the sources to do again, until they are; all others stay as they are
    <root>/recipes/<name>.json                the steps of the last run, to know which rows are current
    <root>/lists.json                         what the lists held that the user named, for the share that was had
    <root>/corpus.json                        the steps that hold the tables of the whole corpus, which lie in shard 0
    <root>/media/                             files by content: `manifests/media.py`

A step is named by the operator and a hash of all it depends on. The root is a local folder or `s3://bucket/prefix`.
"""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from functools import cache, cached_property
from typing import Any, TypeVar

import pyarrow as pa
import pyarrow.fs as fs
import pyarrow.parquet as pq

from manifests.tables import Dropped, Row, Source, schema, tables

R = TypeVar("R", bound=Row)
T = TypeVar("T")

LISTED = "listed"  # the step that no operator did: what the user named
SHARD_SOURCES = 16  # sources a shard holds at most: what a killed worker has to do again


class ManifestError(Exception):
    """A manifest that is not there, or does not add up. The text says what to do."""


@dataclass(frozen=True)
class StepRecord:
    """What a manifest remembers of a step of its last run."""

    operator: str
    version: str
    stage: int
    reads: str
    writes: list[str]
    refines: list[str]
    inputs: dict[str, list[str]]  # table to the steps whose rows it reads
    parameters: dict[str, Any]
    weights: list[dict[str, Any]]


@dataclass(frozen=True)
class RunRecord:
    """The recipe that a manifest was last run with."""

    recipe: str
    steps: list[StepRecord]
    origin: str = ""  # what names the recipe on the command line; "" for one that was made in a program
    changes: list[str] = field(default_factory=list)  # what --set was given


@dataclass(frozen=True)
class Manifest:
    root: str

    @cached_property
    def _place(self) -> tuple[fs.FileSystem, str]:
        if "://" in self.root:
            filesystem, path = fs.FileSystem.from_uri(self.root)
        else:
            filesystem, path = fs.LocalFileSystem(), self.root
        return filesystem, path.rstrip("/")

    @property
    def is_local(self) -> bool:
        return isinstance(self._place[0], fs.LocalFileSystem)

    # Tables.

    def write(self, table: type[Row], step: str, shard: int, rows: Iterable[Row]) -> None:
        """Replaces the rows a step wrote for a shard. Equal rows make equal bytes, in whatever order they come."""
        ordered = sorted(rows, key=lambda row: row.row_id)
        self._put(_file(table.table, step, shard), _parquet(table, ordered) if ordered else _empty(table))

    def read(self, table: type[R], steps: Iterable[str], shard: int) -> list[R]:
        """The rows that some steps wrote for a shard, sorted by key."""
        filesystem, root = self._place
        rows: list[R] = []
        for step in steps:
            found = pq.read_table(f"{root}/{_file(table.table, step, shard)}", filesystem=filesystem)
            rows += [table(**row) for row in found.to_pylist()]
        return sorted(rows, key=lambda row: row.row_id)

    def files(self, table: type[Row]) -> list[str]:
        """The files that hold the current rows of a table: of each shard, what its last committed steps left."""
        return [_file(table.table, step, shard) for shard in self.shards() for step in self.current(shard).get(table.table, [])]

    def count(self, table: type[Row], step: str, shard: int) -> int:
        """Rows in a file, from its footer."""
        filesystem, root = self._place
        return pq.read_metadata(f"{root}/{_file(table.table, step, shard)}", filesystem=filesystem).num_rows

    def rows(self, table: type[Row]) -> int:
        """How many current rows a table has, from the footers of its files."""
        return sum(self.count(table, step, shard) for shard in self.shards() for step in self.current(shard).get(table.table, []))

    def table(self, table: type[Row]) -> pa.Table:
        """The current rows of a table."""
        filesystem, root = self._place
        parts = [pq.read_table(f"{root}/{name}", filesystem=filesystem, schema=schema(table)) for name in self.files(table)]
        return pa.concat_tables(parts) if parts else schema(table).empty_table()

    def dataset(self, table: type[Row]) -> Any:
        """The current rows of a table as an Arrow dataset, which DuckDB scans without loading it whole."""
        import pyarrow.dataset as dataset

        filesystem, root = self._place
        names = [f"{root}/{name}" for name in self.files(table)]
        if not names:
            return schema(table).empty_table()
        return dataset.dataset(names, schema=schema(table), filesystem=filesystem, format="parquet")

    # Tables of the whole corpus lie in shard 0, and are made anew when what they are made of changes.

    def write_whole(self, table: type[Row], step: str, rows: Iterable[Row]) -> None:
        """Replaces the rows of a table that no shard can hold alone, such as `duplicates`."""
        self.write(table, step, 0, rows)
        self._save("corpus.json", {**self._whole, table.table: step})
        self.__dict__.pop("_whole", None)

    def whole(self, table: type[Row]) -> str | None:
        """The step that made a table of the whole corpus last; None where none did."""
        return self._whole.get(table.table)

    @cached_property
    def _whole(self) -> dict[str, str]:
        return self._load("corpus.json") or {}

    # Listing.

    def shards(self) -> list[int]:
        """The numbers of the shards, in the order they were added."""
        return sorted(int(name.removesuffix(".parquet")) for name in self._names(f"{Source.table}/{LISTED}"))

    def add(
        self,
        sources: Sequence[Source],
        dropped: Sequence[Dropped] = (),
        lists: Mapping[str, Mapping[str, float | None]] | None = None,
    ) -> list[Source]:
        """Lists sources that are not listed yet, in shards of their own. Returns those that are new.

        A shard, once listed, never changes: its receipts stay true when sources are added.

        Args:
            lists: what each list named: the ids of its sources, and the subjects of drops, with their seconds where it tells.
                A list that is named again replaces what was known of it.
        """
        shards = self.shards()
        known = self._listed(Source, shards)
        told = self._listed(Dropped, shards)
        new = sorted((s for s in sources if s.source_id not in known), key=lambda s: s.source_id)
        notes = [drop for drop in dropped if drop.drop_id not in told]
        size = min(SHARD_SOURCES, max(1, len(new) // 64))  # few sources: a shard each, so that all workers have work
        parts = [new[i : i + size] for i in range(0, len(new), size)] or ([[]] if notes else [])
        first = max(shards, default=-1) + 1

        def write(number: int) -> None:
            self.write(Dropped, LISTED, first + number, [] if number else notes)
            self.write(Source, LISTED, first + number, parts[number])  # last: a shard is there when its sources are

        self._at_once(write, range(len(parts)))
        if lists:
            self._save("lists.json", {**self.lists(), **lists})
        return new

    def lists(self) -> dict[str, dict[str, float | None]]:
        """By the path of each list that was named: the ids of its sources and refused entries, with their seconds where it tells."""
        return self._load("lists.json") or {}

    def _listed(self, table: type[Row], shards: list[int]) -> set[str]:
        filesystem, root = self._place

        def keys(shard: int) -> list[str]:
            found = pq.read_table(f"{root}/{_file(table.table, LISTED, shard)}", filesystem=filesystem, columns=[table.key])
            return found[table.key].to_pylist()

        return {key for part in self._at_once(keys, shards) for key in part}

    # Receipts commit a step on a shard.

    def receipt(self, step: str, shard: int) -> dict[str, Any] | None:
        return self._load(_note("receipts", step, shard))

    def receipts(self, step: str) -> dict[int, dict[str, Any]]:
        """The receipts of a step by shard."""
        names = self._names(f"receipts/{step}")
        found = {int(name.removesuffix(".json")): self._load(f"receipts/{step}/{name}") for name in names if name.endswith(".json")}
        return {shard: receipt for shard, receipt in found.items() if receipt is not None}

    def committed(self, step: str) -> set[int]:
        """The shards a step is done on."""
        return {int(name.removesuffix(".json")) for name in self._names(f"receipts/{step}") if name.endswith(".json")}

    def commit(self, step: str, shard: int, receipt: dict[str, Any]) -> None:
        self._save(_note("receipts", step, shard), receipt)

    def steps_done(self) -> dict[str, dict[str, list[str]]]:
        """Every step that any run, of any recipe, has committed somewhere, with the steps whose rows it read, by table."""
        known = {step.version: step.inputs for step in (self.run.steps if self.run else [])}
        found = {}
        for step in {*self._names("receipts", fs.FileType.Directory), *self._names("retries", fs.FileType.Directory)}:
            if step in known:
                found[step] = known[step]
            elif done := self.committed(step):
                found[step] = (self.receipt(step, min(done)) or {})["inputs"]
            elif taken_back := self.retries(step):
                found[step] = taken_back[min(taken_back)]["receipt"]["inputs"]
        return found

    # Retries take a receipt back, for some sources of a shard.

    def retry(self, step: str, shard: int) -> dict[str, Any] | None:
        """What is to be done again: `sources`, and the `receipt` from before; None where the shard is new or done."""
        return self._load(_note("retries", step, shard))

    def retries(self, step: str) -> dict[int, dict[str, Any]]:
        """What is to be done again of a step, by shard."""
        shards = sorted(int(name.removesuffix(".json")) for name in self._names(f"retries/{step}"))
        return {shard: note for shard in shards if (note := self.retry(step, shard))}

    def take_back(self, step: str, shard: int, sources: Iterable[str]) -> None:
        """Has the next run do a step again for these sources of a shard. What it made of the others stays.

        Whoever is killed here has either changed nothing yet, or left a shard that the next run brings to its end.
        """
        noted, receipt = self.retry(step, shard), self.receipt(step, shard)
        if noted is not None:
            sources, receipt = {*sources, *noted["sources"]}, receipt or noted["receipt"]
        self._save(_note("retries", step, shard), {"sources": sorted(sources), "receipt": receipt})
        self._delete(_note("receipts", step, shard))
        self.__dict__.pop("_committed", None)

    def retried(self, step: str, shard: int) -> None:
        self._delete(_note("retries", step, shard))

    # Claims name the row in work.

    def claims(self, stage: str, shard: int) -> dict[str, Any]:
        return self._load(_note("claims", stage, shard)) or {}

    def claim(self, stage: str, shard: int, claims: dict[str, Any]) -> None:
        self._save(_note("claims", stage, shard), claims)

    def release(self, stage: str, shard: int) -> None:
        self._delete(_note("claims", stage, shard))

    # Runs say which steps are current.

    def remember(self, run: RunRecord) -> None:
        self._save(f"recipes/{run.recipe}.json", asdict(run))
        self._save("recipes/last.json", {"recipe": run.recipe})
        for stale in ("run", "_committed"):
            self.__dict__.pop(stale, None)

    @cached_property
    def run(self) -> RunRecord | None:
        """The last run; None where nothing ran yet."""
        last = self._load("recipes/last.json")
        if last is None or (found := self._load(f"recipes/{last['recipe']}.json")) is None:
            return None
        return RunRecord(**{**found, "steps": [StepRecord(**step) for step in found["steps"]]})

    @cached_property
    def _committed(self) -> dict[str, set[int]]:
        return {step.version: self.committed(step.version) for step in (self.run.steps if self.run else [])}

    def current(self, shard: int) -> dict[str, list[str]]:
        """Which steps' files hold a shard's current rows, by table."""
        held: dict[str, list[str]] = {Source.table: [LISTED], Dropped.table: [LISTED]}
        for step in self.run.steps if self.run else []:
            if shard not in self._committed[step.version]:
                continue
            for table in step.writes:
                held[table] = [step.version] if table in step.refines else [*held.get(table, []), step.version]
            held[Dropped.table] = [*held[Dropped.table], step.version]
        if shard == 0:
            held |= {table: [step] for table, step in self._whole.items()}
        return held

    def exists(self) -> bool:
        """Whether anything was ever listed here."""
        return bool(self.shards())

    # Files.

    def _at_once(self, what: Callable[[int], T], numbers: Iterable[int]) -> list[T]:
        """Does something for many shards. Files are small: a remote store is mostly waited for, a disk is not."""
        with ThreadPoolExecutor(1 if self.is_local else 16) as pool:
            return list(pool.map(what, numbers))

    def _names(self, folder: str, kind: fs.FileType = fs.FileType.File) -> list[str]:
        filesystem, root = self._place
        found = filesystem.get_file_info(fs.FileSelector(f"{root}/{folder}", allow_not_found=True))
        return [info.base_name for info in found if info.type == kind and not info.base_name.endswith(".part")]

    def _load(self, name: str) -> Any:
        filesystem, root = self._place
        path = f"{root}/{name}"
        if filesystem.get_file_info(path).type == fs.FileType.NotFound:
            return None
        with filesystem.open_input_stream(path) as stream:
            return json.loads(stream.read())

    def _save(self, name: str, value: Any) -> None:
        self._put(name, json.dumps(value, indent=1, sort_keys=True).encode())

    def _delete(self, name: str) -> None:
        filesystem, root = self._place
        if filesystem.get_file_info(f"{root}/{name}").type == fs.FileType.File:
            filesystem.delete_file(f"{root}/{name}")

    def _put(self, name: str, content: bytes | pa.Buffer) -> None:
        """A reader sees the old file or the new one, never a part of one."""
        filesystem, root = self._place
        path = f"{root}/{name}"
        if not self.is_local:  # an object appears when its upload ends
            with filesystem.open_output_stream(path) as stream:
                stream.write(content)
            return
        filesystem.create_dir(path.rpartition("/")[0])
        with filesystem.open_output_stream(path + ".part") as stream:
            stream.write(content)
        filesystem.move(path + ".part", path)


def table_named(name: str) -> type[Row]:
    """The row type of a table.

    Raises:
        ManifestError: for a name that no table has, with those there are.
    """
    if name not in (known := tables()):
        raise ManifestError(f"no table {name!r}; there are {', '.join(known)}")
    return known[name]


def _parquet(table: type[Row], rows: list[Row]) -> pa.Buffer:
    sink = pa.BufferOutputStream()
    pq.write_table(pa.Table.from_pylist([vars(row) for row in rows], schema(table)), sink, compression="zstd")
    return sink.getvalue()


@cache
def _empty(table: type[Row]) -> pa.Buffer:
    return _parquet(table, [])


def _file(table: str, step: str, shard: int) -> str:
    return f"{table}/{step}/{shard:05d}.parquet"


def _note(kind: str, step: str, shard: int) -> str:
    return f"{kind}/{step}/{shard:05d}.json"
