"""A manifest: a folder of Parquet tables, sharded by source, with a receipt for every step done on every shard.

    <root>/<table>/<step>/<shard>.parquet     rows sorted by key: equal rows are equal bytes
    <root>/receipts, retries, recipes, steps.json    what was done: `manifests/ledger.py`
    <root>/lists.json                         what the lists held that the user named, for the share that was had
    <root>/moved.json                         by source where its file lies now, for those that were moved since they
    were listed <root>/given.json                         the tables that were given with the sources, by shard: clips
    of a published list <root>/leases/                            who rewrites the corpus just now: `manifests/lease.py`
    <root>/media/                             files by content: `manifests/media.py` <root>/selections/<name>/
    clips chosen by a query, a version each: `pipeline/query/selection.py` <root>/releases/<name>.json
    where a release lies, and of what it was made: `pipeline/release/release.py` <root>/takedowns.json
    what was taken down and must not come back: `pipeline/takedown/takedown.py`

A step is named by the operator and a hash of all it depends on. The root is a local folder or `s3://bucket/prefix`; how
its files are read and written, `manifests/storage.py` says.
"""

import hashlib
import os
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, cached_property
from typing import Any, TypeVar

import pyarrow as pa
import pyarrow.parquet as pq

from manifests import legacy, takedowns
from manifests.errors import NotFound
from manifests.lease import Lease
from manifests.ledger import Ledger, Receipt, RunRecord, StepRecord, damaged, ended
from manifests.schema import marked, migrated
from manifests.tables import Dropped, Row, Source, schema, tables
from manifests.takedowns import Takedowns

__all__ = ["LISTED", "SHARD_SOURCES", "Manifest", "Receipt", "RunRecord", "StepRecord", "table_named"]

R = TypeVar("R", bound=Row)

LISTED = "listed"  # the step that no operator did: what the user named
SHARD_SOURCES = 16  # sources a shard holds at most: what a killed worker has to do again
MAGIC = b"PAR1"  # a Parquet file begins and ends with it


@dataclass(frozen=True)
class Manifest(Ledger):
    """The tables of a corpus, over the ledger of what was done to them."""

    # Tables.

    def write(self, table: type[Row], step: str, shard: int, rows: Iterable[Row]) -> str:
        """Replaces the rows a step wrote for a shard, and returns the sha256 of the file.

        Equal rows make equal bytes, in whatever order they come.
        """
        ordered = sorted(rows, key=lambda row: row.row_id)
        content = _parquet(table, ordered) if ordered else _empty(table)
        self.storage.write(file_of(table.table, step, shard), content)
        return hashlib.sha256(content).hexdigest()

    def finish(
        self,
        step: str,
        shard: int,
        made: Mapping[type[Row], Sequence[Row]],
        drops: Sequence[Dropped],
        receipt: Receipt,
        asked: Takedowns | None = None,
    ) -> Receipt:
        """Writes what a step made of a shard, its tables first and its receipt last. The only writer of both.

        A takedown may come while the step is at work. Whoever takes down first writes that down and then looks for
        files, so that a takedown which was not known when the files were written either is found here, or finds the
        files itself.

        Args:
            asked: the takedowns that the rows were held against already; None for none.

        Raises:
            Inconsistent: where the receipt does not add up. It is not written then.
        """  # fmt: skip
        where = f"{step}, shard {shard}"
        rows = {table.table: len(some) for table, some in made.items()}
        receipt.check(where, found={**rows, Dropped.table: len(drops)})
        files = {table.table: self.write(table, step, shard, some) for table, some in made.items()}
        files[Dropped.table] = self.write(Dropped, step, shard, drops)
        receipt = replace(receipt, files=files)
        if (gone := self.takedowns()) != (asked or Takedowns(())):
            receipt = self._struck(step, shard, made, drops, receipt, gone)
        self.commit(step, shard, receipt)
        return receipt

    def _struck(
        self,
        step: str,
        shard: int,
        made: Mapping[type[Row], Sequence[Row]],
        drops: Sequence[Dropped],
        receipt: Receipt,
        gone: Takedowns,
    ) -> Receipt:
        """Writes a step's files again without what was taken down meanwhile. Media that only these rows name goes
        too.
        """
        from manifests.media import MediaStore

        left = {table: [gone.without(row) for row in rows if not gone.covers(row)] for table, rows in made.items()}
        still = [drop for drop in drops if not gone.covers(drop)]
        if still == list(drops) and all(left[table] == list(rows) for table, rows in made.items()):
            return receipt
        for table, kept in left.items():
            rows = made[table]
            self.write(table, step, shard, kept)
            for place in (
                {getattr(row, "media", "") for row in rows} - {getattr(row, "media", "") for row in kept} - {""}
            ):
                MediaStore(self.root).delete(place)
        self.write(Dropped, step, shard, still)
        return self.recount(step, shard, receipt)

    def recount(
        self,
        step: str,
        shard: int,
        receipt: Receipt,
        reads: str = "",
        inputs: Mapping[str, Sequence[str]] | None = None,
    ) -> Receipt:
        """What the receipt has to say of the files as they are now, after a takedown. What it says of time stays.

        Args:
            reads, inputs: of the step, for a receipt that does not say.
        """
        reads, inputs = receipt.reads or reads, receipt.inputs or inputs or {}
        drops = self.read(Dropped, [step], shard)
        rows = {name: self.count(tables()[name], step, shard) for name in receipt.rows}
        if reads in inputs:
            given = [row.row_id for row in self.read(tables()[reads], inputs[reads], shard)]
            calls, given_up = ended(drops, reads, given)
        else:  # a step of no recipe, such as scoring: a row for each that was read
            calls, given_up = ended(drops, reads, {drop.subject for drop in drops if drop.subject_table == reads})
            answered = max(rows.values(), default=0)
            calls.update({"read": answered, "answered": answered})
        reasons = dict(sorted(Counter(drop.reason for drop in drops).items()))
        files = {name: self.sha256(file_of(name, step, shard)) for name in [*receipt.rows, Dropped.table]}
        return replace(
            receipt, calls=dict(calls), rows=rows, drops=len(drops), given_up=dict(given_up), reasons=reasons,
            files=files,
            reads=reads, inputs=inputs,
        )  # fmt: skip

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
        if (content := self.storage.read(name)) is None:
            raise damaged(self.root, name, "it is missing")
        try:
            # Files are small, and Arrow's threads may end a process that is about to end with an abort.
            return pq.read_table(pa.BufferReader(content), columns=columns, use_threads=False, pre_buffer=False)
        except (pa.ArrowException, OSError):
            raise damaged(self.root, name, f"{len(content)} bytes that are not Parquet") from None

    def _there(self, table: type[Row], step: str, shard: int) -> bool:
        """Whether there is a file to read: of all steps, only what was given may have nothing for a shard."""
        return step != LISTED or table in (Source, Dropped) or shard in self._given.get(table.table, ())

    def files(self, table: type[Row], shards: Iterable[int] | None = None) -> list[str]:
        """The files that hold the current rows of a table: of each shard, what its last committed steps left.

        Args:
            shards: the shards to tell of; None for all.
        """
        there = self.shards() if shards is None else sorted({*shards, *({0} if table.table in self.in_shard_0 else ())})
        return [
            file_of(table.table, step, shard) for shard in there for step in self.current(shard).get(table.table, [])
        ]

    def count(self, table: type[Row], step: str, shard: int) -> int:
        """Rows in a file, from its footer.

        Raises:
            StorageError: for a file that is missing or damaged, naming it.
        """
        if not self._there(table, step, shard):
            return 0
        name = file_of(table.table, step, shard)
        if (content := self.storage.read(name)) is None:
            raise damaged(self.root, name, "it is missing")
        try:
            return pq.read_metadata(pa.BufferReader(content)).num_rows
        except (pa.ArrowException, OSError):
            raise damaged(self.root, name, f"{len(content)} bytes that are not Parquet") from None

    def count_rows(self, table: type[Row]) -> int:
        """How many current rows a table has, from the footers of its files."""
        return sum(
            self.count(table, step, shard)
            for shard in self.shards()
            for step in self.current(shard).get(table.table, [])
        )

    def table(self, table: type[Row]) -> pa.Table:
        """The current rows of a table."""
        parts = [migrated(self.arrow(name), table) for name in self.files(table)]
        return pa.concat_tables([part.cast(schema(table)) for part in parts]) if parts else schema(table).empty_table()

    def dataset(self, table: type[Row], shards: Iterable[int] | None = None) -> Any:
        """The current rows of a table, of some shards or of all, as an Arrow dataset, which DuckDB scans without
        loading it whole.
        """
        import pyarrow.dataset as dataset

        if not (names := self.files(table, shards)):
            return schema(table).empty_table()
        for name in names if self.is_local else ():
            self._check_ends(name)
        filesystem, paths = self.storage.arrow[0], [self.storage.path(name) for name in names]
        return dataset.dataset(paths, schema=schema(table), filesystem=filesystem, format="parquet")

    def _check_ends(self, name: str) -> None:
        """Who scans a file in parts finds out too late, and in other words, that it was cut off."""
        with open(self.storage.path(name), "rb") as file:
            size = file.seek(0, 2)
            file.seek(max(size - len(MAGIC), 0))
            if size < 12 or file.read() != MAGIC:
                raise damaged(self.root, name, f"{size} bytes that are not Parquet")

    def parquet(self, name: str, words: Sequence[str] = ()) -> Any:
        """A Parquet file as an Arrow dataset, which DuckDB scans without loading it whole.

        Args:
            words: columns that hold few different strings, to be read as Arrow dictionaries.
        """
        import pyarrow.dataset as dataset

        filesystem, path = self.storage.arrow[0], self.storage.path(name)
        kind = dataset.ParquetFileFormat(read_options=dataset.ParquetReadOptions(dictionary_columns=list(words)))
        try:
            return dataset.dataset(path, filesystem=filesystem, format=kind)
        except (pa.ArrowException, OSError):
            raise damaged(self.root, name, "it is missing, or not Parquet") from None

    # Tables of the whole corpus: each row lies with its source, and all are made anew when what they are made of
    # changes.

    def write_whole(self, table: type[Row], step: str, rows: Iterable[Row]) -> None:
        """Replaces the rows of a table that is made of the whole corpus at once, such as `duplicates`."""
        by_source: dict[str, list[Row]] = defaultdict(list)
        for row in rows:
            by_source[row.source_id].append(row)
        shards = self.shards()

        def finish(shard: int) -> None:
            mine = [row for source in sorted(self.listed(Source, [shard])) for row in by_source.pop(source, [])]
            operator = step.rpartition("-")[0] or step
            calls = {"read": len(mine), "answered": len(mine)}
            self.finish(
                step, shard, {table: mine}, [], Receipt(operator, calls, {table.table: len(mine)}, reads=table.table)
            )

        self._at_once(finish, shards)
        assert not by_source, f"{step} made rows of sources that are not listed: {sorted(by_source)[:3]}"
        self.attach(
            table.table,
            StepRecord(step.rpartition("-")[0] or step, step, -1, table.table, [table.table], [], {}, {}, []),
        )
        self.__dict__.pop("in_shard_0", None)

    def is_whole(self, step: str) -> bool:
        """Whether a step that was made of the whole corpus lies in every shard there is; killed ones and new sources do
        not.
        """
        return set(self.shards()) <= self.committed(step)

    def read_whole(self, table: type[R], step: str) -> list[R]:
        """The rows of a table that was made of the whole corpus, sorted by key."""
        parts = self._at_once(lambda shard: self.read(table, [step], shard), sorted(self.committed(step)))
        return sorted((row for part in parts for row in part), key=lambda row: row.row_id)

    def whole(self, table: type[Row]) -> str | None:
        """The step that made a table of the whole corpus last; None where none did."""
        if table.table in self.in_shard_0:
            return self.in_shard_0[table.table]
        return self.attached[table.table].version if table.table in self.attached else None

    @cached_property
    def in_shard_0(self) -> dict[str, str]:
        """Tables of the whole corpus that an older headset left in shard 0, with their steps; `migrate` moves them."""
        return {name: step for name, step in (self.load(legacy.WHOLE) or {}).items() if name not in self.attached}

    # Listing.

    def shards(self) -> list[int]:
        """The numbers of the shards, in the order they were added."""
        return _numbers(self.names(f"{Source.table}/{LISTED}"))

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
        ordered = sorted(rows, key=lambda row: row.row_id)
        return self.storage.create(
            file_of(table.table, LISTED, shard), _parquet(table, ordered) if ordered else _empty(table)
        )

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

    @cached_property
    def _moved(self) -> dict[str, str]:
        return self.load("moved.json") or {}

    def given(self) -> list[type[Row]]:
        """The tables that rows were given for, beside the sources."""
        return [table for name, table in tables().items() if self._given.get(name)]

    @cached_property
    def _given(self) -> dict[str, list[int]]:
        """By table the shards that rows were given for."""
        return self.load("given.json") or {}

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

    # Which rows are current.

    def current(self, shard: int) -> dict[str, list[str]]:
        """Which steps' files hold a shard's current rows, by table."""
        held: dict[str, list[str]] = {Source.table: [LISTED], Dropped.table: [LISTED]}
        held |= {table: [LISTED] for table, shards in self._given.items() if shard in shards}
        for step in self.run.steps if self.run else []:
            if shard not in self._committed[step.version]:
                continue
            for table in step.writes:
                held[table] = [step.version] if table in step.refines else [*held.get(table, []), step.version]
            held[Dropped.table] = [*held[Dropped.table], step.version]
        for step in self.attached.values():
            read = all(set(steps) <= set(held.get(table, [])) for table, steps in step.inputs.items())
            if read and shard in self._committed[step.version]:
                for table in step.writes:
                    held[table] = [*held.get(table, []), step.version]
                held[Dropped.table] = [*held[Dropped.table], step.version]
        if shard == 0:
            held |= {table: [step] for table, step in self.in_shard_0.items()}
        return held

    def exists(self) -> bool:
        """Whether anything was ever listed here."""
        return bool(self.shards())


class _Listed:
    """What is listed in a manifest already. A shard that was looked at is not read again."""

    def __init__(self, manifest: Manifest):
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


def _numbers(names: Iterable[str]) -> list[int]:
    return sorted(int(stem) for name in names if (stem := name.removesuffix(".parquet")).isdigit())


def _parquet(table: type[Row], rows: list[Row]) -> pa.Buffer:
    sink = pa.BufferOutputStream()
    pq.write_table(marked(pa.Table.from_pylist([vars(row) for row in rows], schema(table))), sink, compression="zstd")
    return sink.getvalue()


@cache
def _empty(table: type[Row]) -> pa.Buffer:
    return _parquet(table, [])
