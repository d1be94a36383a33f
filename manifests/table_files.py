"""Files of rows: `<root>/<table>/<step>/<shard>.parquet`, sorted by key, so that equal rows are equal bytes."""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache, cached_property
from typing import Any, TypeVar

import pyarrow as pa
import pyarrow.parquet as pq

from manifests.errors import NotFound, damaged
from manifests.ledger import Ledger
from manifests.packs import LISTED, Part
from manifests.schema import encoded, marked, migrated
from manifests.tables import Dropped, Row, Source, schema, tables

R = TypeVar("R", bound=Row)

MAGIC = b"PAR1"  # a Parquet file begins and ends with it


@dataclass(frozen=True)
class TableFiles(Ledger):
    """Files of rows: `<table>/<step>/<shard>.parquet`."""

    def write(self, table: type[Row], step: str, shard: int, rows: Iterable[Row]) -> str:
        """Replaces the rows a step wrote for a shard, and returns the sha256 of the file.

        Equal rows make equal bytes, in whatever order they come.
        """
        content = content_of(table, rows)
        self.storage.write(file_of(table.table, step, shard), content)
        return hashlib.sha256(content).hexdigest()

    def sha256(self, name: str) -> str:
        """Of a file; "" where there is none."""
        content = self.storage.read(name)
        return "" if content is None else hashlib.sha256(content).hexdigest()

    def read(self, table: type[R], steps: Iterable[str], shard: int) -> list[R]:
        """The rows that some steps wrote for a shard, sorted by key."""
        rows: list[R] = []
        for step in steps:
            if self._there(table, step, shard):
                found = self.arrow(file_of(table.table, step, shard))
                rows += [table(**row) for row in migrated(found, table).to_pylist()]
        if moved := self._moved if table is Source else {}:
            rows = [
                replace(row, uri=moved[row.row_id]) if isinstance(row, Source) and row.row_id in moved else row
                for row in rows
            ]
        return sorted(rows, key=lambda row: row.row_id)

    def arrow(self, name: str, columns: list[str] | None = None) -> pa.Table:
        """A file as an Arrow table.

        Raises:
            StorageError: for one that is missing or damaged, naming it.
        """
        if (rows := self.storage.rows(name, columns)) is not None:
            return rows
        if (content := self.storage.read(name)) is None:
            raise damaged(self.root, name, "it is missing")
        try:
            # `read_table` has a thread let go of the bytes some time later: it aborts the process that is at its end.
            return pq.ParquetFile(pa.BufferReader(content), pre_buffer=False).read(columns, use_threads=False)
        except (pa.ArrowException, OSError):
            raise damaged(self.root, name, f"{len(content)} bytes that are not Parquet") from None

    def count(self, table: type[Row], step: str, shard: int) -> int:
        """Rows in a file, as its footer, or the receipt of its pack, says.

        Raises:
            StorageError: for a file that is missing or damaged, naming it.
        """
        if not self._there(table, step, shard):
            return 0
        name = file_of(table.table, step, shard)
        if (packed := self.storage.count(name)) is not None:
            return packed
        if (content := self.storage.read(name)) is None:
            raise damaged(self.root, name, "it is missing")
        try:
            return pq.read_metadata(pa.BufferReader(content)).num_rows
        except (pa.ArrowException, OSError):
            raise damaged(self.root, name, f"{len(content)} bytes that are not Parquet") from None

    def _there(self, table: type[Row], step: str, shard: int) -> bool:
        """Whether there is a file to read: of all steps, only what was given may have nothing for a shard."""
        return step != LISTED or table in (Source, Dropped) or shard in self._given.get(table.table, ())

    def _check_ends(self, name: str) -> None:
        """Who scans a file in parts finds out too late, and in other words, that it was cut off."""
        try:
            with open(self.storage.path(name), "rb") as file:
                size = file.seek(0, 2)
                file.seek(max(size - len(MAGIC), 0))
                if size < 12 or file.read() != MAGIC:
                    raise damaged(self.root, name, f"{size} bytes that are not Parquet")
        except FileNotFoundError:
            raise damaged(self.root, name, "it is missing") from None

    def parquet(self, name: str, words: Sequence[str] = ()) -> Any:
        """A Parquet file as an Arrow dataset, which DuckDB scans without loading it whole.

        Args:
            words: columns that hold few different strings, to be read as Arrow dictionaries.
        """
        return next(self.parquets([name], words))

    def parquets(self, names: Iterable[str], words: Sequence[str] = ()) -> Iterator[Any]:
        """Parquet files as Arrow datasets, with the columns that each has: fewer datasets than names, where files lie
        in one pack.
        """
        import pyarrow.dataset as dataset

        kind = dataset.ParquetFileFormat(read_options=dataset.ParquetReadOptions(dictionary_columns=list(words)))
        for part in self.storage.parts(names):
            try:
                fragment = self._fragment(part, kind)
                if part.groups or not part.rest:
                    yield dataset.FileSystemDataset([fragment], fragment.physical_schema, kind, fragment.filesystem)
            except (pa.ArrowException, OSError):
                raise damaged(self.root, part.file, "it is missing, or not Parquet") from None
            if part.rest:
                yield dataset.dataset(pa.concat_tables([self.arrow(name) for name in part.rest]))

    def _scan(self, table: type[Row], names: Sequence[str]) -> Any:
        """Files of a table as one Arrow dataset. Rows that share a row group of a pack with rows that are not wanted,
        a MB at most, are read at once.
        """
        import pyarrow.dataset as dataset

        parts, kind, filesystem = self.storage.parts(names), dataset.ParquetFileFormat(), self.storage.arrow[0]
        for part in parts if self.is_local else ():
            self._check_ends(part.file)
        fragments = [self._fragment(part, kind) for part in parts if part.groups is None or part.groups]
        found = dataset.FileSystemDataset(fragments, schema(table), kind, filesystem)
        rest = [migrated(self.arrow(name), table).cast(schema(table)) for part in parts for name in part.rest]
        return dataset.dataset([found, dataset.dataset(pa.concat_tables(rest))]) if rest else found

    def _fragment(self, part: Part, kind: Any) -> Any:
        groups = None if part.groups is None else list(part.groups)
        return kind.make_fragment(self.storage.path(part.file), self.storage.arrow[0], row_groups=groups)

    @cached_property
    def _moved(self) -> dict[str, str]:
        return self.load("moved.json") or {}

    @cached_property
    def _given(self) -> dict[str, list[int]]:
        """By table the shards that rows were given for."""
        return self.load("given.json") or {}


def table_named(name: str) -> type[Row]:
    """The row type of a table.

    Raises:
        NotFound: for a name that no table has, with those there are.
    """
    if name not in (known := tables()):
        raise NotFound(f"no table {name!r}; there are {', '.join(known)}")
    return known[name]


def file_of(table: str, step: str, shard: int) -> str:
    """Where the rows of a step lie."""
    return f"{table}/{step}/{shard:05d}.parquet"


def content_of(table: type[Row], rows: Iterable[Row]) -> pa.Buffer:
    """The bytes of a file. Equal rows make equal bytes, in whatever order they come."""
    ordered = sorted(rows, key=lambda row: row.row_id)
    return _parquet(table, ordered) if ordered else _empty(table)


def _parquet(table: type[Row], rows: list[Row]) -> pa.Buffer:
    return encoded(marked(pa.Table.from_pylist([vars(row) for row in rows], schema(table))))


@cache
def _empty(table: type[Row]) -> pa.Buffer:
    return _parquet(table, [])
