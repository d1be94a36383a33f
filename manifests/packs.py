"""Packs: a block of shards in one Parquet file a table, under one packed receipt, so that a large corpus is few files.

<root>/<table>/<step>/<first>-<last>-<hash>.parquet   the rows of the shards, in their order
<root>/receipts/<step>/<first>-<last>-<hash>.json     commits the pack: the receipts, and what lies where in its files

Nobody else has to know: under the name that the file of a shard had, `manifests/packed_storage.py` reads it out of its
pack, byte for byte, and it unpacks a block before anything of it is written or deleted.

Whoever is killed changes nothing that is read: the files of a pack come before its receipt, and what it replaces goes
after; unpacking is the same the other way round. A pack without its receipt is none, and files of shards beside a
committed pack hold the same as it does: `manifests/packing.py` removes both. The hash is of the content, so that what
was read of a pack stays true.
"""

import json
import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from manifests.errors import damaged
from manifests.schema import marked
from manifests.storage import Storage
from manifests.tables import schema, tables

LISTED = "listed"  # the step that no operator did: what the user named. It has packs, but no receipts
RECEIPTS = "receipts"
_OF_SHARD = re.compile(r"(?P<kind>[^/]+)/(?P<step>[^/]+)/(?P<shard>\d{5,})\.(?:parquet|json)")
_OF_PACK = re.compile(r"(?P<kind>[^/]+)/(?P<step>[^/]+)/(?P<first>\d{5,})-(?P<last>\d{5,})-(?P<hash>[0-9a-f]{12})\.\w+")


class Place(NamedTuple):
    """What a name of a file of one shard says."""

    kind: str  # a table, or `receipts`
    step: str
    shard: int


class Pack(NamedTuple):
    """A pack, as its names say it."""

    step: str
    first: int
    last: int  # itself included: every number between the two is a shard of the pack
    hash: str

    @property
    def shards(self) -> range:
        return range(self.first, self.last + 1)

    @property
    def receipt(self) -> str:
        return f"{RECEIPTS}/{self.step}/{self._stem}.json"

    def file(self, table: str) -> str:
        return f"{table}/{self.step}/{self._stem}.parquet"

    @property
    def _stem(self) -> str:
        return f"{self.first:05d}-{self.last:05d}-{self.hash}"


@dataclass(frozen=True)
class PackedTable:
    """How a table lies in its file."""

    sha256: str  # of the file
    rows: tuple[int, ...]  # of each shard
    groups: tuple[tuple[int, ...], ...]  # the shards of each row group; those without rows are in none


class Part(NamedTuple):
    """What is to be read of one file, for the names of files of shards."""

    file: str
    groups: tuple[int, ...] | None  # row groups that are wanted whole; None for a file that is in no pack
    rest: tuple[str, ...]  # names whose rows share a group with rows that are not wanted


def place_of(name: str) -> Place | None:
    """None for what is no file of a shard."""
    found = _OF_SHARD.fullmatch(name)
    if found is None or not (found["kind"] == RECEIPTS or found["kind"] in tables()):
        return None
    return Place(found["kind"], found["step"], int(found["shard"]))


def pack_of(name: str) -> tuple[str, Pack] | None:
    """The kind of a file of a pack, and its pack; None for any other file."""
    found = _OF_PACK.fullmatch(name)
    if found is None or not (found["kind"] == RECEIPTS or found["kind"] in tables()):
        return None
    return found["kind"], Pack(found["step"], int(found["first"]), int(found["last"]), found["hash"])


def told(receipt: Any) -> bytes:
    """A small JSON file."""
    return json.dumps(receipt, indent=1, sort_keys=True).encode()


# Kept between reads: a pack of another content has another name.


@lru_cache(256)
def layout_of(root: str, pack: Pack) -> dict[str, PackedTable]:
    return {
        table: PackedTable(of["sha256"], tuple(of["rows"]), tuple(tuple(shards) for shards in of["groups"]))
        for table, of in loaded(root, pack)["tables"].items()
    }


@lru_cache(2)
def loaded(root: str, pack: Pack) -> dict[str, Any]:
    content = Storage(root).read(pack.receipt)
    try:
        found = json.loads(content or b"")
        return {"tables": found["tables"], "receipts": found["receipts"]}
    except (ValueError, KeyError, TypeError):
        raise damaged(root, pack.receipt, "it is missing, or no packed receipt") from None


def group(root: str, name: str, number: int, columns: tuple[str, ...] | None) -> pa.Table:
    with _opened(root, name) as file:
        try:
            rows = file.read_row_group(number, None if columns is None else list(columns), use_threads=False)
        except (pa.ArrowException, OSError):
            raise damaged(root, name, "not the bytes that were packed") from None
    return _as_declared(rows.combine_chunks(), name)


@lru_cache(8)
def shared_group(root: str, name: str, number: int, columns: tuple[str, ...] | None) -> pa.Table:
    """Whoever reads one shard of a group reads the next one soon. It is as small as `packing.GROUP_BYTES` says."""
    return group(root, name, number, columns)


@lru_cache(64)
def empty(root: str, name: str, columns: tuple[str, ...] | None) -> pa.Table:
    with _opened(root, name) as file:
        rows = _as_declared(file.schema_arrow.empty_table(), name)
    return rows if columns is None else rows.select(list(columns))


def _as_declared(rows: pa.Table, name: str) -> pa.Table:
    """Parquet has a name of its own for the elements of a list, by which equal rows would be other bytes."""
    declared = schema(tables()[name.partition("/")[0]])
    return marked(rows.cast(pa.schema([declared.field(column) for column in rows.column_names])))


def _opened(root: str, name: str) -> pq.ParquetFile:
    storage = Storage(root)
    try:
        return pq.ParquetFile(storage.path(name), filesystem=storage.arrow[0], pre_buffer=False)
    except (pa.ArrowException, OSError):
        raise damaged(root, name, "it is missing, or not Parquet") from None
