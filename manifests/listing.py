"""What a user named: sources, in shards that never change, and what is noted of them beside the tables.

<root>/lists.json    what the lists held that the user named, for the share that was had
<root>/moved.json    by source where its file lies now, for those that were moved since they were listed
<root>/given.json    the tables that were given with the sources, by shard: clips of a published list
"""

import os
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from manifests import takedowns
from manifests.lease import Lease
from manifests.table_files import LISTED, TableFiles, content_of, file_of
from manifests.tables import Dropped, Row, Source, tables
from manifests.takedowns import Takedowns

SHARD_SOURCES = 16  # sources a shard holds at most: what a killed worker has to do again


@dataclass(frozen=True)
class Listing(TableFiles):
    """The sources of a corpus, in shards that never change."""

    def shards(self) -> list[int]:
        """The numbers of the shards, in the order they were added."""
        return _numbers(self.names(f"{Source.table}/{LISTED}"))

    def exists(self) -> bool:
        """Whether anything was ever listed here."""
        return bool(self.shards())

    def add(
        self,
        sources: Sequence[Source],
        dropped: Sequence[Dropped] = (),
        lists: Mapping[str, Mapping[str, float | None]] | None = None,
        given: Iterable[Row] = (),
    ) -> list[Source]:
        """Lists sources that are not listed yet, in shards of their own. Returns those that are new.

        A shard, once listed, never changes: its receipts stay true when sources are added. A source that was taken down
        is not listed again, but dropped as `taken_down`. Many may add at once: each waits for the others.

        Args:
            given: rows that come with the sources, such as the clips of a published list; those of sources that are
                listed already are left out.
            lists: what each list named: the ids of its sources, and the subjects of drops, with their seconds where it
                tells. A list that is named again replaces what was known of it.
        """
        rows_of: dict[str, dict[type[Row], list[Row]]] = defaultdict(lambda: defaultdict(list))
        for row in given:
            rows_of[row.source_id][type(row)].append(row)
        read = _Listed(self)
        new: list[Source] = []
        if any(read.lacks(sources, dropped)) or (lists and {**self.lists(), **lists} != self.lists()):
            with Lease(self.storage, "listing", "headset: listing sources", wait=True):
                while any(lacking := read.lacks(sources, dropped)):
                    new += self._add_some(*lacking, rows_of)
                if lists:
                    self.save("lists.json", {**self.lists(), **lists})
        return sorted(new, key=lambda source: source.source_id)

    def _add_some(
        self, new: Sequence[Source], notes: Sequence[Dropped], rows_of: Mapping[str, Mapping[type[Row], list[Row]]]
    ) -> list[Source]:
        """Lists what is not listed. Returns what of it: not that for whose shard another one took the number first."""
        size = min(SHARD_SOURCES, max(1, len(new) // 64))  # few sources: a shard each, so that all workers have work
        parts = [new[i : i + size] for i in range(0, len(new), size)] or [[]]
        shards = self.shards()
        # A killed listing leaves files of drops without one of sources: its numbers are used up.
        first = max([*shards, *_numbers(self.names(f"{Dropped.table}/{LISTED}"))], default=-1) + 1
        tables_given = {table for source in new for table in rows_of.get(source.source_id, ())}
        self.__dict__.pop("_given", None)
        there = {name: sorted(set(some).intersection(shards)) for name, some in self._given.items()}
        for table in tables_given:
            there[table.table] = [*there.get(table.table, []), *range(first, first + len(parts))]
        if there != self._given:
            self.save("given.json", there)
            self.__dict__.pop("_given", None)

        def write(number: int) -> bool:
            mine, shard = parts[number], first + number
            rows: dict[type[Row], Sequence[Row]] = {Dropped: [] if number else notes}
            rows |= {
                table: [row for s in mine for row in rows_of.get(s.source_id, {}).get(table, ())]
                for table in tables_given
            }
            rows[Source] = mine  # last: a shard is there when its sources are
            return all(self._create(table, shard, some) for table, some in rows.items())

        # where another one is at it, both begin with this number: who loses looks again at what is listed
        made = [write(0)]
        made += self._at_once(write, range(1, len(parts))) if made[0] else []
        return [source for part, ours in zip(parts, made, strict=False) if ours for source in part]

    def _create(self, table: type[Row], shard: int, rows: Sequence[Row]) -> bool:
        """Makes a file of a new shard. False where another one, who took the lease for lost, has made it."""
        return self.storage.create(file_of(table.table, LISTED, shard), content_of(table, rows))

    def relocate(self, sources: Iterable[Source]) -> list[str]:
        """Notes where local files lie now that are no longer where they were listed. Returns the ids of those that were
        moved.

        A file's id is its content: no step depends on where it lies, and none is done again.
        """
        now = {source.source_id: source.uri for source in sources if "://" not in source.uri}
        listed = {
            row.source_id: row.uri
            for shard in self.shards()
            for row in self.read(Source, [LISTED], shard)
            if row.source_id in now
        }
        moved = {
            one: now[one]
            for one, uri in listed.items()
            if uri != now[one] and "://" not in uri and not os.path.exists(uri)
        }
        if moved:
            self.save("moved.json", {**self._moved, **moved})
            self.__dict__.pop("_moved", None)
        return sorted(moved)

    def forget_sources(self, sources: Iterable[str]) -> None:
        """Removes what is noted of these sources beside the tables, for a takedown: where they lie, and which lists
        named them.
        """
        gone = set(sources)
        left = {one: uri for one, uri in self._moved.items() if one not in gone}
        if left != self._moved:
            self.save("moved.json", left)
            self.__dict__.pop("_moved", None)
        lists = self.lists()
        kept = {
            path: {one: seconds for one, seconds in named.items() if one not in gone} for path, named in lists.items()
        }
        if kept != lists:
            self.save("lists.json", kept)

    def given(self) -> list[type[Row]]:
        """The tables that rows were given for, beside the sources."""
        return [table for name, table in tables().items() if self._given.get(name)]

    def given_in(self, shard: int) -> list[str]:
        """The names of the tables that rows were given for with the sources of a shard."""
        return [name for name, shards in self._given.items() if shard in shards]

    def takedowns(self) -> Takedowns:
        """Who and what was taken down, and must not come back."""
        return Takedowns.of(self.load(takedowns.FILE))

    def lists(self) -> dict[str, dict[str, float | None]]:
        """By the path of each list that was named: the ids of its sources and refused entries, with their seconds where
        it tells.
        """
        return self.load("lists.json") or {}

    def listed(self, table: type[Row], shards: Iterable[int]) -> set[str]:
        """The ids of the rows that were listed in some shards."""

        def keys(shard: int) -> list[str]:
            return self.arrow(file_of(table.table, LISTED, shard), [table.key])[table.key].to_pylist()

        return {key for part in self._at_once(keys, shards) for key in part}


class _Listed:
    """What is listed in a manifest already. A shard that was looked at is not read again."""

    def __init__(self, manifest: Listing):
        self.manifest = manifest
        self.shards: dict[type[Row], set[int]] = {Source: set(), Dropped: set()}
        self.ids: dict[type[Row], set[str]] = {Source: set(), Dropped: set()}

    def lacks(self, sources: Sequence[Source], dropped: Sequence[Dropped]) -> tuple[list[Source], list[Dropped]]:
        """The sources that are not listed, by id, and the drops, with those of sources that were taken down."""
        there = set(self.manifest.shards())
        for table, ids in self.ids.items():
            ids |= self.manifest.listed(table, sorted(there - self.shards[table]))
            self.shards[table] = there
        gone = self.manifest.takedowns()
        unknown = {source.source_id: source for source in sources if source.source_id not in self.ids[Source]}
        refused = {name: gone.drop_of(source) for name, source in unknown.items() if gone and gone.gone(source)}
        notes = [drop for drop in [*dropped, *refused.values()] if drop.drop_id not in self.ids[Dropped]]
        return [unknown[name] for name in sorted(unknown.keys() - refused.keys())], notes


def _numbers(names: Iterable[str]) -> list[int]:
    return sorted(int(stem) for name in names if (stem := name.removesuffix(".parquet")).isdigit())
