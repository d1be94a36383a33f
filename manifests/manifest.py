"""A manifest: a folder of Parquet tables, sharded by source, with a receipt for every step done on every shard.

    <root>/<table>/<step>/<shard>.parquet     written whole under another name, then moved; rows sorted by key
    <root>/receipts/<step>/<shard>.json       commits a step on a shard, with its counts; what has one is never redone
    <root>/claims/<step>/<shard>.json         the row in work, to find the one that kills workers
    <root>/recipes/<name>.json                the steps of the last run, to know which rows are current
    <root>/media/                             files by content: `manifests/media.py`

A step is named by the operator and a hash of all it depends on. The root is a local folder or `s3://bucket/prefix`.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any, TypeVar

import pyarrow as pa
import pyarrow.fs as fs
import pyarrow.parquet as pq

from manifests.tables import Dropped, Row, Source, schema, tables

R = TypeVar("R", bound=Row)

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
        arrow = pa.Table.from_pylist([asdict(row) for row in ordered], schema(table))
        sink = pa.BufferOutputStream()
        pq.write_table(arrow, sink, compression="zstd")
        self._put(_file(table.table, step, shard), sink.getvalue())

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

    # Listing.

    def shards(self) -> list[int]:
        """The numbers of the shards, in the order they were added."""
        return sorted(int(name.removesuffix(".parquet")) for name in self._names(f"{Source.table}/{LISTED}"))

    def add(self, sources: Sequence[Source], dropped: Sequence[Dropped] = ()) -> list[Source]:
        """Lists sources that are not listed yet, in shards of their own. Returns those that are new.

        A shard, once listed, never changes: its receipts stay true when sources are added.
        """
        shards = self.shards()
        known = {source.source_id for shard in shards for source in self.read(Source, [LISTED], shard)}
        told = {drop.drop_id for shard in shards for drop in self.read(Dropped, [LISTED], shard)}
        new = sorted((s for s in sources if s.source_id not in known), key=lambda s: s.source_id)
        notes = [drop for drop in dropped if drop.drop_id not in told]
        size = min(SHARD_SOURCES, max(1, len(new) // 64))  # few sources: a shard each, so that all workers have work
        parts = [new[i : i + size] for i in range(0, len(new), size)] or ([[]] if notes else [])
        for shard, part in enumerate(parts, start=max(shards, default=-1) + 1):
            self.write(Dropped, LISTED, shard, notes if part is parts[0] else [])
            self.write(Source, LISTED, shard, part)  # last: a shard is there when its sources are
        return new

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

    # Claims name the row in work.

    def claims(self, stage: str, shard: int) -> dict[str, Any]:
        return self._load(_note("claims", stage, shard)) or {}

    def claim(self, stage: str, shard: int, claims: dict[str, Any]) -> None:
        self._save(_note("claims", stage, shard), claims)

    def release(self, stage: str, shard: int) -> None:
        filesystem, root = self._place
        path = f"{root}/{_note('claims', stage, shard)}"
        if filesystem.get_file_info(path).type == fs.FileType.File:
            filesystem.delete_file(path)

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
        return RunRecord(found["recipe"], [StepRecord(**step) for step in found["steps"]])

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
        return held

    def exists(self) -> bool:
        """Whether anything was ever listed here."""
        return bool(self.shards())

    # Files.

    def _names(self, folder: str) -> list[str]:
        filesystem, root = self._place
        found = filesystem.get_file_info(fs.FileSelector(f"{root}/{folder}", allow_not_found=True))
        return [info.base_name for info in found if info.type == fs.FileType.File and not info.base_name.endswith(".part")]

    def _load(self, name: str) -> Any:
        filesystem, root = self._place
        path = f"{root}/{name}"
        if filesystem.get_file_info(path).type == fs.FileType.NotFound:
            return None
        with filesystem.open_input_stream(path) as stream:
            return json.loads(stream.read())

    def _save(self, name: str, value: Any) -> None:
        self._put(name, json.dumps(value, indent=1, sort_keys=True).encode())

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


def _file(table: str, step: str, shard: int) -> str:
    return f"{table}/{step}/{shard:05d}.parquet"


def _note(kind: str, step: str, shard: int) -> str:
    return f"{kind}/{step}/{shard:05d}.json"
