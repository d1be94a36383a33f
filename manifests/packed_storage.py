"""A corpus's storage, in which files of shards have their names wherever their rows lie: `manifests/packs.py`."""

import hashlib
import tempfile
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from typing import Any, TypeVar

import pyarrow as pa

from manifests.errors import MissingMedia, StorageError, damaged
from manifests.folder import Content
from manifests.media import sha256_of
from manifests.packs import (
    LISTED,
    RECEIPTS,
    Pack,
    PackedTable,
    Part,
    Place,
    empty,
    group,
    layout_of,
    loaded,
    pack_of,
    place_of,
    shared_group,
    told,
)
from manifests.schema import encoded
from manifests.storage import Storage
from manifests.tables import tables

A = TypeVar("A")
B = TypeVar("B")
UNPACKS = Lock()  # of this process: nobody else rewrites a corpus meanwhile


@dataclass(frozen=True)
class PackedStorage(Storage):
    """A corpus's storage. Files of shards have their names, wherever their rows lie."""

    _known: dict[str, tuple[Pack, ...]] = field(default_factory=dict, repr=False, compare=False)  # by step

    # As if there were no packs.

    def read(self, name: str) -> bytes | None:
        if (place := place_of(name)) is None:
            return super().read(name)
        content = self._in_pack(place, self._content)
        if content is None and (content := super().read(name)) is None:
            self.packs(place.step, look_again=True)  # another command may have packed it meanwhile
            content = self._in_pack(place, self._content)
        return content

    def write(self, name: str, content: Content, *, durable: bool = True) -> None:
        self._unpack_for(name)
        super().write(name, content, durable=durable)

    def create(self, name: str, content: Content) -> bool:
        place = place_of(name)
        return False if place and self._pack(place) else super().create(name, content)

    def delete(self, name: str) -> None:
        self._unpack_for(name)
        super().delete(name)

    def clear(self, folder: str) -> None:
        self._known.clear()
        Storage(self.root).clear(folder)

    def size(self, name: str) -> int | None:
        content = self._in_pack(place, self._content) if (place := place_of(name)) else None
        return super().size(name) if content is None else len(content)

    def names(self, folder: str, *, folders: bool = False) -> list[str]:
        there = super().names(folder, folders=folders)
        if folders:
            return [name for name in there if (folder, name) != (RECEIPTS, LISTED)]
        found = {name: of for name in there if (of := pack_of(f"{folder}/{name}"))}
        kind, _, step = folder.partition("/")
        if kind == RECEIPTS and step:
            self._known[step] = tuple(sorted(pack for _, pack in found.values()))
        if not found:
            return there
        committed = self._known[step] if kind == RECEIPTS else self.packs(step, look_again=True)
        suffix = "json" if kind == RECEIPTS else "parquet"
        packed = {f"{shard:05d}.{suffix}" for _, pack in found.values() if pack in committed for shard in pack.shards}
        return sorted(packed.union(name for name in there if name not in found))

    # What lies in packs.

    def packs(self, step: str, *, look_again: bool = False) -> tuple[Pack, ...]:
        """The committed packs of a step, in the order of their shards.

        Args:
            look_again: whether to ask the store, although it was asked before.
        """
        if look_again or step not in self._known:
            self.names(f"{RECEIPTS}/{step}")
        return self._known.get(step, ())

    def layout(self, pack: Pack) -> Mapping[str, PackedTable]:
        """The tables of a pack.

        Raises:
            StorageError: where its receipt is missing or damaged.
        """
        return layout_of(self.root, pack)

    def receipts(self, pack: Pack) -> dict[int, dict[str, Any]]:
        """What the receipts of a pack hold, by shard; none for what the user named.

        Raises:
            StorageError: as of `layout`.
        """
        return {int(shard): receipt for shard, receipt in loaded(self.root, pack)["receipts"].items()}

    def count(self, name: str) -> int | None:
        """The rows of a shard's file that lies in a pack; None for one that does not."""

        def count(pack: Pack, place: Place) -> int:
            return self.layout(pack)[place.kind].rows[place.shard - pack.first]

        return self._in_pack(place, count) if (place := place_of(name)) else None

    def rows(self, name: str, columns: Sequence[str] | None = None) -> pa.Table | None:
        """The rows of a shard's file that lies in a pack; None for one that does not.

        Raises:
            StorageError: where the pack is damaged.
        """
        place = place_of(name)
        return self._in_pack(place, lambda pack, place: self._rows(pack, place, columns)) if place else None

    def parts(self, names: Iterable[str]) -> list[Part]:
        """The files in which those lie that have these names, each once."""
        found: list[Part | tuple[Pack, str]] = []
        wanted: dict[tuple[Pack, str], list[str]] = {}
        for name in names:
            place = place_of(name)
            if place is None or (pack := self._pack(place)) is None:
                found.append(Part(name, None, ()))
                continue
            key = pack, place.kind
            if key not in wanted:
                found.append(key)
            wanted.setdefault(key, []).append(name)
        return [one if isinstance(one, Part) else self._part(*one, wanted[one]) for one in found]

    def _part(self, pack: Pack, table: str, names: list[str]) -> Part:
        named = {place.shard: name for name in names if (place := place_of(name))}
        groups, rest = [], []
        for number, shards in enumerate(self.layout(pack)[table].groups):
            if all(shard in named for shard in shards):
                groups.append(number)
            else:
                rest += [named[shard] for shard in shards if shard in named]
        return Part(pack.file(table), tuple(groups), tuple(rest))

    def _pack(self, place: Place) -> Pack | None:
        """The pack that a shard's file lies in. A table of which some shards of a block have no file is in none."""
        packs = self.packs(place.step)
        if not (after := bisect_right(packs, place.shard, key=lambda pack: pack.first)):
            return None
        holds = (pack := packs[after - 1]).last >= place.shard
        return pack if holds and (place.kind == RECEIPTS or place.kind in self.layout(pack)) else None

    def _in_pack(self, place: Place, what: Callable[[Pack, Place], B]) -> B | None:
        """What is asked of the pack that a shard's file lies in; None for one that lies in none."""

        def ask() -> B | None:
            return None if (pack := self._pack(place)) is None else what(pack, place)

        try:
            return ask()
        except StorageError:  # another command may have unpacked it meanwhile
            if self.packs(place.step) == self.packs(place.step, look_again=True):
                raise
            return ask()

    def _rows(self, pack: Pack, place: Place, columns: Sequence[str] | None = None) -> pa.Table:
        table, wanted = self.layout(pack)[place.kind], None if columns is None else tuple(columns)
        for number, shards in enumerate(table.groups):
            if place.shard in shards:
                read = group if len(shards) == 1 else shared_group
                before = sum(table.rows[shard - pack.first] for shard in shards if shard < place.shard)
                rows = read(self.root, pack.file(place.kind), number, wanted)
                return rows.slice(before, table.rows[place.shard - pack.first])
        return empty(self.root, pack.file(place.kind), wanted)

    def _content(self, pack: Pack, place: Place) -> bytes | None:
        """The bytes that a shard's file had."""
        if place.kind != RECEIPTS:
            return encoded(self._rows(pack, place)).to_pybytes()
        receipt = loaded(self.root, pack)["receipts"].get(str(place.shard))
        return None if receipt is None else told(receipt)

    # Unpacking.

    def _unpack_for(self, name: str) -> None:
        if (place := place_of(name)) and self._pack(place):
            with UNPACKS:  # else a thread that still unpacks writes over what another has written since
                if pack := self._pack(place):
                    self.unpack(pack)

    def unpack(self, pack: Pack) -> int:
        """Gives the shards of a pack files of their own, as they were. Returns how many.

        Raises:
            StorageError: before anything is changed, where a file of the pack is not as it was written.
        """
        layout, receipts = self.layout(pack), self.receipts(pack)
        for table in layout:
            if self.hash_of(pack.file(table)) != layout[table].sha256:
                raise damaged(self.root, pack.file(table), "not the bytes that were packed")

        def write(shard: int) -> int:
            made: dict[str, str] = {}
            for table in layout:
                content = encoded(self._rows(pack, Place(table, pack.step, shard)))
                Storage.write(self, f"{table}/{pack.step}/{shard:05d}.parquet", content)
                made[table] = hashlib.sha256(content).hexdigest()
            if (receipt := receipts.get(shard)) is not None:
                # another Arrow than packed it writes equal rows as other bytes
                files = {table: made.get(table, sha256) for table, sha256 in receipt.get("files", {}).items()}
                said = told({**receipt, "files": files} if "files" in receipt else receipt)
                Storage.write(self, f"{RECEIPTS}/{pack.step}/{shard:05d}.json", said)
            return len(made) + (receipt is not None)

        written = sum(self.at_once(write, pack.shards))
        self.drop(pack)
        return written

    def drop(self, pack: Pack) -> None:
        """Deletes a pack, its receipt first."""
        try:
            there: Iterable[str] = self.layout(pack)
        except StorageError:  # its receipt is damaged
            there = tables()
        Storage.delete(self, pack.receipt)
        self._known.pop(pack.step, None)
        for table in there:
            Storage.delete(self, pack.file(table))

    def hash_of(self, name: str) -> str:
        """The sha256 of a file, which may be larger than memory; "" where there is none."""
        if self.is_local:
            path = Path(self.path(name))
            return sha256_of(path) if path.is_file() else ""
        with tempfile.TemporaryDirectory() as folder:
            try:
                self.fetch(name, path := Path(folder, "fetched"))
            except MissingMedia:
                return ""
            return sha256_of(path)

    def forget(self) -> None:
        """Has the store asked again for what is packed: another command may have packed or unpacked it."""
        self._known.clear()

    def at_once(self, what: Callable[[A], B], of: Iterable[A]) -> Iterator[B]:
        """Does something for many. Files are small: a remote store is mostly waited for, a disk is not."""
        with ThreadPoolExecutor(1 if self.is_local else 16) as pool:
            yield from pool.map(what, of)
