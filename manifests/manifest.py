"""A manifest: a folder of Parquet tables, sharded by source, with a receipt for every step done on every shard.

    <root>/<table>/<step>/<shard>.parquet            rows: `manifests/table_files.py`
    <root>/receipts, retries, recipes, steps.json    what was done: `manifests/ledger.py`
    <root>/<table>/<step>/<shard>-<shard>-*.parquet  rows of many shards: `manifests/packs.py`
    <root>/lists.json, moved.json, given.json        what the user named: `manifests/listing.py`
    <root>/leases/                                   who rewrites the corpus just now: `manifests/lease.py`
    <root>/media/                                    files by content: `manifests/media.py`
    <root>/selections/<name>/                        clips chosen by a query: `pipeline/query/selection.py`
    <root>/releases/<name>.json                      where a release lies, and of what it was made: `pipeline/release/`
    <root>/takedowns.json                            what must not come back: `pipeline/takedown/takedown.py`

A step is named by the operator and a hash of all it depends on. The root is a local folder or `s3://bucket/prefix`; how
its files are read and written, `manifests/storage.py` says.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, TypeVar

import pyarrow as pa

from manifests import legacy
from manifests.errors import StorageError
from manifests.ledger import Receipt, RunRecord, StepRecord, ended
from manifests.listing import SHARD_SOURCES, Listing
from manifests.schema import migrated
from manifests.table_files import LISTED, file_of, table_named
from manifests.tables import Dropped, Row, Source, schema, tables
from manifests.takedowns import Takedowns

__all__ = ["LISTED", "SHARD_SOURCES", "Manifest", "Receipt", "RunRecord", "StepRecord", "file_of", "table_named"]

R = TypeVar("R", bound=Row)


@dataclass(frozen=True)
class Manifest(Listing):
    """The tables of a corpus, over the ledger of what was done to them."""

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
            held = [one for one in inputs[reads] if self.storage.size(file_of(reads, one, shard)) is not None]
            given = [row.row_id for row in self.read(tables()[reads], held, shard)]
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
        left = {place: one for place, one in self.attached.items() if shard in self._committed[one.version]}
        while now := [place for place, step in left.items() if _is_read(step, held)]:  # some read what others made
            for place in now:
                step = left.pop(place)
                for table in (*step.writes, Dropped.table):
                    held[table] = [*held.get(table, []), step.version]
        if shard == 0:
            held |= {table: [step] for table, step in self.in_shard_0.items()}
        return held

    def files(self, table: type[Row], shards: Iterable[int] | None = None) -> list[str]:
        """The files that hold the current rows of a table: of each shard, what its last committed steps left. Of a
        shard that lies in a pack, the name that its file had, by which `arrow` and `parquet` find the rows.

        Args:
            shards: the shards to tell of; None for all.
        """
        there = self.shards() if shards is None else sorted({*shards, *({0} if table.table in self.in_shard_0 else ())})
        return [
            file_of(table.table, step, shard) for shard in there for step in self.current(shard).get(table.table, [])
        ]

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
        names = self.files(table, shards)
        if not names:
            return schema(table).empty_table()
        try:
            return self._scan(table, names)
        except StorageError:  # another command may have packed them meanwhile, or unpacked them
            self.storage.forget()
            return self._scan(table, names)

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

    def wholes(self) -> dict[type[Row], tuple[str, ...]]:
        """The tables that were made of the whole corpus, each with its step: what a recipe may join."""
        known = tables()
        return {known[name]: (step.version,) for name, step in sorted(self.attached.items()) if name in known}

    @cached_property
    def in_shard_0(self) -> dict[str, str]:
        """Tables of the whole corpus that an older headset left in shard 0, with their steps; `migrate` moves them."""
        return {name: step for name, step in (self.load(legacy.WHOLE) or {}).items() if name not in self.attached}


def _is_read(step: StepRecord, held: Mapping[str, Sequence[str]]) -> bool:
    """Whether some of each table that a step read is current."""
    return all(not {*steps}.isdisjoint(held.get(table, ())) for table, steps in step.inputs.items())
