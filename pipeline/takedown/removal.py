"""Takes what a takedown covers out of a corpus: its tables, receipts, media and selections; and tells what that was."""

import shutil
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pyarrow as pa

from manifests.cache import media_cache
from manifests.manifest import LISTED, Manifest, file_of
from manifests.media import MediaStore
from manifests.packing import sweep
from manifests.schema import encoded
from manifests.tables import (
    Clip,
    Dropped,
    Fingerprint,
    Identity,
    Pair,
    Published,
    Render,
    Row,
    Source,
    Track,
    Turn,
    tables,
)
from manifests.takedowns import OF_LOOKS, Takedowns
from pipeline.engine.notes import NOTES
from pipeline.engine.row_media import RowMedia
from pipeline.query.predicates import forget
from pipeline.query.selection import version_of, versions
from pipeline.takedown.naming import names_of, naming, pc, row_of
from pipeline.takedown.report import Report

FIRST: tuple[type[Row], ...] = (Source, Track, Turn, Clip)  # rows that name a row of these are gone with it
ACROSS: tuple[type[Row], ...] = tuple(table for table in tables().values() if table.across)


class Removal:
    """Takes what a takedown covers out of a corpus; or, as a plan, only finds it."""

    def __init__(
        self,
        manifest: Manifest,
        gone: Takedowns,
        report: Report,
        names: Iterable[str] = (),
        plan: "Removal | None" = None,
    ):
        """
        Args:
            report: is filled in; where it is `planned`, no file is changed.
            names: what else a condition may name what is gone by, such as a person's name.
            plan: what was found, where it is to be taken out.
        """
        self.manifest, self.gone, self.report, self.dry = manifest, gone, report, report.planned
        self.sources = {name for one in gone.all for name in one.sources}
        self.touched = {region.source_id for one in gone.all for region in one.regions}  # sources that hold a region
        self.clips = {clip for one in gone.all for clip in one.clips} | (plan.clips if plan else set())
        self.ids: set[str] = {*plan.ids} if plan else set()  # of all other rows that are gone
        self.media: set[str] = {*plan.media} if plan else set()  # places in the store to be deleted
        self.names = {*names, *(plan.names if plan else ())}
        # shards of other sources that hold renders of a pair with this one
        self.driven: set[int] = plan.driven if plan else set()
        self.changed: set[int] = set()  # shards of which a file was rewritten
        steps = [*(step for run in manifest.runs() for step in run.steps), *manifest.attached.values()]
        self.reads: dict[str, tuple[str, dict[str, list[str]]]] = {
            step.version: (step.reads, step.inputs) for step in steps
        }

    def steps(self, table: type[Row]) -> list[str]:
        return self.manifest.names(table.table, folders=True)

    def tables(self) -> None:
        """Takes rows out of all tables, of all steps that any run ever did.

        A plan looks first at the rows that others name. Rows go in the other order, so that who is killed finds the
        rest again.
        """
        shards = self.manifest.shards()
        own = [shard for shard in shards if self._holds(shard)]
        rest = [table for table in tables().values() if table not in (*FIRST, *ACROSS)]
        parts = [
            (own, FIRST),
            (shards, ACROSS),
            (own, rest),
            ([shard for shard in shards if shard not in own], (Render,)),
        ]
        if self.dry:
            for some, kinds in parts:
                for shard in some:
                    self._rows_of(shard, kinds)
        for shard in self.driven:  # what a system made of a pair lies with one clip, and shows or sounds like the other
            self._rows_of(shard, [table for table in rest if table is not Render])
        if self.dry:
            return
        for shard in own:
            self._note_drops(shard)
        for some, kinds in reversed(parts):
            for shard in some:
                self._rows_of(shard, kinds)
        for shard in sorted({*own, *self.changed}):
            self._notes_of(shard)
        self._sweep()

    def _holds(self, shard: int) -> bool:
        """Whether something of what is gone is, or was, listed in a shard."""
        with self.report.attempt(f"the list of shard {shard}"):
            listed = {source.source_id for source in self.manifest.read(Source, [LISTED], shard)}
            noted = {drop.subject for drop in self.manifest.read(Dropped, [LISTED], shard)}
            return bool(listed & (self.sources | self.touched) or noted & self.sources)
        return False

    def _note_drops(self, shard: int) -> None:
        """First: of a takedown that was killed, a drop tells that the shard holds something."""
        drops = self.manifest.read(Dropped, [LISTED], shard)
        told = {drop.drop_id for drop in drops}
        found = [
            self.gone.drop_of(one)
            for one in self.manifest.read(Source, [LISTED], shard)
            if one.source_id in self.sources
        ]
        if new := [drop for drop in found if drop.drop_id not in told]:
            self.manifest.write(Dropped, LISTED, shard, [*drops, *new])

    def _rows_of(self, shard: int, kinds: Iterable[type[Row]]) -> None:
        for table in kinds:
            for step in self.steps(table):
                if (table, step) != (Dropped, LISTED):
                    with self.report.attempt(f"{table.table}/{step}/{shard:05d}.parquet"):
                        self._rewrite(table, step, shard)

    def _notes_of(self, shard: int) -> None:
        """Counts receipts anew, and takes the sources out of notes of retries."""
        for step in self.manifest.names("receipts", folders=True):
            with self.report.attempt(f"receipts/{step}/{shard:05d}.json"):
                self._count_anew(step, shard)
        for step in self.manifest.names("retries", folders=True):
            note = self.manifest.retry(step, shard)
            if note and (left := [name for name in note["sources"] if name not in self.sources]) != note["sources"]:
                self.manifest.save(f"retries/{step}/{shard:05d}.json", {**note, "sources": left})

    def _rewrite(self, table: type[Row], step: str, shard: int) -> None:
        name = f"{table.table}/{step}/{shard:05d}.parquet"
        if f"{shard:05d}.parquet" not in self.manifest.names(f"{table.table}/{step}"):
            return
        rows = self.manifest.parquet(name).to_table()
        if not rows.num_rows:
            return
        own = pa.array(sorted(self.sources | self.touched), pa.string())
        mine = pc.is_in(rows["source_id"], pa.array(sorted(self.sources), pa.string()))
        cut, changed = pc.or_(mine, naming(rows, self.sources, self.clips | self.ids)), rows
        if self.touched:
            cut, changed = self._of_persons(table, shard, rows, cut)
        self.media |= self._media_of(table, rows, cut)
        removed = rows.filter(cut)
        if table is Source:
            self.names |= {value for one in removed.to_pylist() for value in names_of(one)}
        if table is Clip:
            self.clips |= set(removed["clip_id"].to_pylist())
        elif table in (Track, Turn, Render, Published, Pair):
            self.ids |= set(removed[table.key].to_pylist())
        if table is Render and removed.num_rows and not pc.all(pc.is_in(removed["source_id"], own)).as_py():
            self.driven.add(shard)
        if removed.num_rows or changed is not rows:
            left = changed.filter(pc.invert(cut))
            self._put(name, left.combine_chunks())
            self.changed.add(shard)
            self.report.files += 1
            self.report.count(table.table, removed.num_rows)

    def _put(self, name: str, rows: pa.Table) -> None:
        if not self.dry:
            self.manifest.put(name, encoded(rows))

    def _of_persons(self, table: type[Row], shard: int, rows: pa.Table, cut: Any) -> tuple[Any, pa.Table]:
        """Which rows are of a person, and the table without the boxes of their face."""
        if table is Fingerprint:  # of the whole picture, with everybody in it
            return pc.or_(cut, pc.is_in(rows["source_id"], pa.array(sorted(self.touched), pa.string()))), rows
        if table is Identity:  # also those that a takedown left which was killed
            left = {row["track_id"] for step in self.steps(Track) for row in self._tracks(step, shard)} - self.ids
            gone = [row["source_id"] in self.touched and row["track_id"] not in left for row in rows.to_pylist()]
            return pc.or_(cut, pa.array(gone, pa.bool_())), rows
        if table not in (Track, Clip, Turn, *OF_LOOKS):
            return cut, rows
        here = [
            (i, row_of(table, values))
            for i, values in enumerate(rows.to_pylist())
            if values["source_id"] in self.touched
        ]
        if table in OF_LOOKS:
            fewer = {i: new for i, row in here if (new := self.gone.without(row)) is not row}
            if not fewer:
                return cut, rows
            values = [vars(fewer[i]) if i in fewer else value for i, value in enumerate(rows.to_pylist())]
            self.report.count(table.table, len(fewer))
            return cut, pa.Table.from_pylist(values, rows.schema)
        covered = {i for i, row in here if self.gone.covers(row)}
        return pc.or_(cut, pa.array([i in covered for i in range(rows.num_rows)], pa.bool_())), rows

    def _tracks(self, step: str, shard: int) -> list[dict[str, Any]]:
        """The tracks that a step has of a shard, in the sources that hold a person; of all shards where identities
        still lie in one.
        """
        files = [
            f"{Track.table}/{step}/{name}"
            for name in self.manifest.names(f"{Track.table}/{step}")
            if name.endswith(".parquet")
        ]
        if Identity.table not in self.manifest.in_shard_0:
            files = [file for file in files if file == file_of(Track.table, step, shard)]
        rows = [
            row
            for file in files
            for row in self.manifest.parquet(file).to_table(columns=["track_id", "source_id"]).to_pylist()
        ]
        return [row for row in rows if row["source_id"] in self.touched]

    def _media_of(self, table: type[Row], rows: pa.Table, cut: Any) -> set[str]:
        """The files of the store that hold what is taken out; of a person's source, the whole file."""
        if table not in (Source, Render) or "media" not in rows.schema.names:
            return set()
        here = (
            pc.or_(cut, pc.is_in(rows["source_id"], pa.array(sorted(self.touched), pa.string())))
            if table is Source
            else cut
        )
        return {*rows.filter(here)["media"].to_pylist()} - {"", None}

    def _count_anew(self, step: str, shard: int) -> None:
        """Makes a receipt say again what lies in the files."""
        if (receipt := self.manifest.receipt(step, shard)) is None:
            return
        # of a recipe that was changed since: done again, should it ever be asked for
        if step not in self.reads and not receipt.reads:
            self.manifest.forget(step, shard)
            return
        if (new := self.manifest.recount(step, shard, receipt, *self.reads.get(step, ("", {})))) != receipt:
            self.manifest.commit(step, shard, new)
            self.report.receipts += 1

    def delete_media(self) -> None:
        """Deletes files of the store that nothing else names, with their copies and what was fetched in part on this
        machine.

        Before the rows that name them: who is killed in between still finds them.
        """
        shared = self._named_by_others()
        store = MediaStore(self.manifest.root)
        for place in sorted(self.media - shared):
            with self.report.attempt(place):
                if store.has(place):
                    self.report.media.append(place)
                if not self.dry:
                    store.delete(place)
                    (media_cache() / Path(place).name).unlink(missing_ok=True)
        self.report.shared = sorted(shared)
        for source in [] if self.dry else sorted(self.sources | self.touched):
            with self.report.attempt(f"what was fetched in part of {source}"):
                if (scratch := RowMedia(Source(source, ""), None, store).scratch).exists():
                    shutil.rmtree(scratch)

    def _named_by_others(self) -> set[str]:
        """Those places that rows name which stay."""
        shared: set[str] = set()
        for table in (Source, Render) if self.media else ():
            for step in self.steps(table):
                for file in self.manifest.names(f"{table.table}/{step}"):
                    with self.report.attempt(f"{table.table}/{step}/{file}"):
                        rows = self.manifest.parquet(f"{table.table}/{step}/{file}")
                        if "media" not in rows.schema.names:
                            continue
                        for row in rows.to_table(columns=["media", "source_id", table.key]).to_pylist():
                            of_person = table is Source and row["source_id"] in self.touched
                            gone = of_person or row["source_id"] in self.sources or row[table.key] in self.ids
                            if row["media"] in self.media and not gone:
                                shared.add(row["media"])
        return shared

    def notes_of_generation(self) -> None:
        """Deletes what was noted of pairs with a clip that is gone: a pair that has a note is not made again."""
        for step in self.manifest.names(NOTES, folders=True):
            for file in self.manifest.names(f"{NOTES}/{step}"):
                name = f"{NOTES}/{step}/{file}"
                with self.report.attempt(name):
                    pair = f"/{(self.manifest.load(name) or {}).get('pair_id', '')}/"  # holds the ids of both clips
                    if any(f"/{gone}/" in pair for gone in self.sources | self.clips):
                        self.report.notes += 1
                        if not self.dry:
                            self.manifest.delete(name)

    def from_selections(self) -> None:
        """Takes clips out of the selections, all versions, and names out of their conditions."""
        for name, version in versions(self.manifest):
            with self.report.attempt(f"the selection {name}:{version}"):
                self._from_selection(name, version)

    def _from_selection(self, name: str, version: str) -> None:
        chosen = version_of(self.manifest, name, version)
        rows = self.manifest.parquet(chosen.file).to_table()
        cut = pc.or_(
            pc.is_in(rows["source_id"], pa.array(sorted(self.sources), pa.string())),
            pc.is_in(rows["clip_id"], pa.array(sorted(self.clips), pa.string())),
        )
        gone = pc.sum(cut).as_py() or 0
        where = forget(chosen.where, self.sources | self.clips, self.names)
        left = rows.filter(pc.invert(cut))
        if gone:
            self._put(chosen.file, left)
            self.report.selections[f"{name}:{version}"] = gone
        if where != chosen.where:
            self.report.conditions.append(f"{name}:{version}")
        if (gone or where != chosen.where) and not self.dry:
            seconds = float(pc.sum(left["seconds"]).as_py() or 0.0)
            told = {"clips": left.num_rows, "seconds": seconds, "taken_down": chosen.taken_down + gone, "where": where}
            self.manifest.save(f"selections/{name}/{version}.json", {**asdict(chosen), **told})

    def _sweep(self) -> None:
        """Removes what killed writers have left beside the files: it may hold anything. Whoever takes down holds the
        corpus's lease.
        """
        with self.report.attempt("what was killed while it was packed"):
            sweep(self.manifest.storage)
        for path in sorted(Path(self.manifest.root).rglob("*.part")) if self.manifest.is_local else ():
            with self.report.attempt(str(path)):
                if path.is_file() or path.is_symlink():
                    path.unlink()
