"""Packs blocks of shards, unpacks them, and removes what was killed in between: `manifests/packs.py`."""

import hashlib
import json
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any, Literal

import pyarrow as pa
import pyarrow.parquet as pq

from manifests.errors import UsageError, damaged
from manifests.manifest import Manifest
from manifests.packs import LISTED, RECEIPTS, Pack, pack_of, place_of
from manifests.schema import VERSION, version_of
from manifests.storage import PART, Storage
from manifests.tables import Dropped, Source, tables

BLOCK_SHARDS = 256
# Of rows in memory. Shards share a row group up to this, and whoever reads one of them reads them all; a scan takes
# 0.3 ms a group (docs/measured/flow.md).
GROUP_BYTES = 2**20
AT_ONCE = 16  # files that are read at a time


@dataclass
class Tally:
    """What packing, or unpacking, did."""

    blocks: int = 0
    removed: int = 0  # files
    written: int = 0


def pack(manifest: Manifest, block_shards: int = BLOCK_SHARDS) -> Tally:
    """Packs each step's blocks of shards that are done. Nobody else may rewrite the corpus meanwhile.

    A block that has more shards than when it was packed is packed anew; one that holds a shard which a step is not
    done on, or is to do again, stays as it is for that step.

    Raises:
        UsageError: for tables of another version.
        StorageError: for a file that is missing, or not as its receipt says.
    """
    tally, listed = Tally(), manifest.shards()
    tally.removed += sweep(manifest.storage)
    for step in (LISTED, *manifest.names(RECEIPTS, folders=True)):
        done = set(listed) if step == LISTED else manifest.committed(step) - manifest.retries(step).keys()
        for _, block in groupby(listed, lambda shard: shard // block_shards):
            if done.issuperset(shards := [*block]):
                _pack_block(manifest, step, shards, tally)
    return tally


def unpack(manifest: Manifest) -> Tally:
    """Gives all shards files of their own again."""
    tally, storage = Tally(), manifest.storage
    tally.removed += sweep(storage)
    for step in (LISTED, *manifest.names(RECEIPTS, folders=True)):
        for one in storage.packs(step, look_again=True):
            tally.removed += 1 + len(storage.layout(one))
            tally.written += storage.unpack(one)
            tally.blocks += 1
    return tally


def _pack_block(manifest: Manifest, step: str, block: Sequence[int], tally: Tally) -> None:
    # A listing that was killed has used up a number: there is no such shard.
    runs = [[shard for _, shard in some] for _, some in groupby(enumerate(block), lambda one: one[1] - one[0])]
    there = [one for one in manifest.storage.packs(step) if set(one.shards) & set(block)]
    if [(run[0], run[-1]) for run in runs] == sorted((one.first, one.last) for one in there):
        return
    for one in there:
        manifest.storage.unpack(one)
    for run in runs:
        files = _Block(manifest, step, run).pack()
        tally.blocks += 1
        tally.written += files.written
        tally.removed += files.removed


class _Block:
    """Shards in a row, of one step, whose files are to be packed."""

    def __init__(self, manifest: Manifest, step: str, shards: Sequence[int]):
        self.manifest, self.step, self.shards = manifest, step, shards
        self.root, self.storage = manifest.root, Storage(manifest.root)  # packs are not to be seen through

    def pack(self) -> Tally:
        receipts = self._receipts()
        # In the corpus, where a takedown finds what is left of it.
        here = self.storage.path("") if self.storage.is_local else None
        with tempfile.TemporaryDirectory(prefix="packing-", dir=here) as folder:
            made = {table: Path(folder, f"{table}{PART}") for table in self._tables(receipts)}
            layout = {table: self._write(table, path, receipts) for table, path in made.items()}
            content = json.dumps(
                {"tables": layout, "receipts": {str(shard): one for shard, one in receipts.items()}}, sort_keys=True
            ).encode()
            named = Pack(self.step, self.shards[0], self.shards[-1], hashlib.sha256(content).hexdigest()[:12])
            for table, path in made.items():
                self.storage.take(path, named.file(table))
        self.storage.write(named.receipt, content)
        self.manifest.storage.forget()
        kinds = [(table, "parquet") for table in made] + ([(RECEIPTS, "json")] if receipts else [])
        loose = [f"{kind}/{self.step}/{shard:05d}.{end}" for kind, end in kinds for shard in self.shards]
        list(self.manifest.storage.at_once(self.storage.delete, loose))
        return Tally(1, len(loose), 1 + len(made))

    def _receipts(self) -> dict[int, dict[str, Any]]:
        if self.step == LISTED:
            return {}
        names = [f"{RECEIPTS}/{self.step}/{shard:05d}.json" for shard in self.shards]
        found = {}
        for shard, name, content in zip(self.shards, names, self._read(names), strict=True):
            try:
                found[shard] = json.loads(content)
            except ValueError:
                raise damaged(self.root, name, "it holds no JSON") from None
        return found

    def _tables(self, receipts: Mapping[int, Mapping[str, Any]]) -> list[str]:
        """Of what was listed, those of which every shard has a file: rows may have been given for some alone."""
        if self.step != LISTED:
            return sorted({Dropped.table}.union(*(receipt["rows"] for receipt in receipts.values())))
        held = [{Source.table, Dropped.table, *self.manifest.given_in(shard)} for shard in self.shards]
        return sorted(set.intersection(*held))

    def _write(self, table: str, path: Path, receipts: Mapping[int, Mapping[str, Any]]) -> dict[str, Any]:
        """Writes the rows of all shards into one file of this machine. Returns how they lie in it."""
        names = [f"{table}/{self.step}/{shard:05d}.parquet" for shard in self.shards]
        counts, groups = list[int](), list[list[int]]()
        writer: pq.ParquetWriter | None = None
        some: list[tuple[int, pa.Table]] = []
        for shard, name, content in zip(self.shards, names, self._read(names), strict=True):
            rows = self._rows(name, content, receipts.get(shard, {}).get("files", {}).get(table, ""))
            writer = writer or pq.ParquetWriter(path, rows.schema, compression="zstd")
            counts.append(len(rows))
            if some and sum(one.nbytes for _, one in some) + rows.nbytes > GROUP_BYTES:
                groups.append(_flush(writer, some))
            if len(rows):
                some.append((shard, rows))
        assert writer is not None, "a block has shards"
        if some:
            groups.append(_flush(writer, some))
        writer.close()
        with path.open("rb") as stream:
            return {"sha256": hashlib.file_digest(stream, "sha256").hexdigest(), "rows": counts, "groups": groups}

    def _rows(self, name: str, content: bytes, sha256: str) -> pa.Table:
        if sha256 and hashlib.sha256(content).hexdigest() != sha256:
            raise damaged(self.root, name, "not the bytes that were committed")
        try:
            rows = pq.ParquetFile(pa.BufferReader(content), pre_buffer=False).read(use_threads=False)
        except (pa.ArrowException, OSError):
            raise damaged(self.root, name, f"{len(content)} bytes that are not Parquet") from None
        if (version := version_of(rows.schema)) != VERSION:
            raise UsageError(
                f"{self.root}/{name} is of version {version} of the tables; before it is packed, bring it to"
                f" version {VERSION}: headset migrate {self.root}"
            )
        return rows

    def _read(self, names: Sequence[str]) -> Iterator[bytes]:
        """
        Raises:
            StorageError: for a file that is missing.
        """
        for first in range(0, len(names), AT_ONCE):  # no more than these are in memory
            some = names[first : first + AT_ONCE]
            for name, content in zip(some, self.manifest.storage.at_once(self.storage.read, some), strict=True):
                if content is None:
                    raise damaged(self.root, name, "it is missing")
                yield content


def _flush(writer: pq.ParquetWriter, some: list[tuple[int, pa.Table]]) -> list[int]:
    """Writes a row group. Returns its shards, and forgets them."""
    rows = pa.concat_tables([rows for _, rows in some]).combine_chunks()
    writer.write_table(rows, row_group_size=len(rows))
    shards = [shard for shard, _ in some]
    some.clear()
    return shards


Leftover = Literal["uncommitted", "copy"]


def leftovers(names: Iterable[str]) -> dict[str, Leftover]:
    """Of the names of all files, those that were killed while they were packed or unpacked: files of a pack that has no
    receipt, and files of shards beside a committed pack that holds the same.
    """
    there = set(names)
    packs = {name: of for name in there if (of := pack_of(name))}
    found: dict[str, Leftover] = {name: "uncommitted" for name, (_, pack) in packs.items() if pack.receipt not in there}
    for kind, pack in packs.values():
        if pack.receipt in there:
            end = "json" if kind == RECEIPTS else "parquet"
            copies = {f"{kind}/{pack.step}/{shard:05d}.{end}" for shard in pack.shards} & there
            found |= dict.fromkeys(copies, "copy")
    return found


def sweep(storage: Storage) -> int:
    """Removes the leftovers of a corpus. Returns how many files those were. Nobody may be at work."""
    plain = Storage(storage.root)
    names = [name for kind in (RECEIPTS, *tables()) for name, _ in plain.walk(kind)]
    found = leftovers(name for name in names if place_of(name) or pack_of(name))
    for name in found:
        plain.delete(name)
    return len(found)
