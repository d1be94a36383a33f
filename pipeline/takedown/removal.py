"""Takes what a takedown covers out of a corpus: its tables, receipts, media, selections and releases, and tells what that was."""

import json
import shutil
import tempfile
from collections import Counter
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, cast

import pyarrow as pa
import pyarrow.compute
import pyarrow.parquet as pq

from manifests.cache import media_cache
from manifests.manifest import LISTED, Manifest
from manifests.media import MediaStore
from manifests.tables import Clip, Dropped, Fingerprint, Identity, Published, Render, Row, Source, Track, Turn, tables
from manifests.takedowns import OF_LOOKS, Takedowns
from pipeline.engine.outcome import DUPLICATE_KEY
from pipeline.engine.row_media import RowMedia
from pipeline.query.selection import selection, selections
from pipeline.release.formats import WITHOUT, sha256_of_files
from pipeline.release.place import Place, Shard, put_pairs
from pipeline.release.release import Release, Rows, releases
from pipeline.takedown.face_search import FaceMatch

pc: Any = pyarrow.compute  # its functions are made when it is imported, where no type checker sees them


@dataclass
class Report:
    """What a takedown touched."""

    takedown_id: str
    sources: list[str] = field(default_factory=list)  # taken down as a whole
    regions: int = 0  # of sources, in which a person is seen or heard
    clips: list[str] = field(default_factory=list)
    rows: Counter[str] = field(default_factory=Counter)  # by table
    files: int = 0  # of tables, that were rewritten
    media: list[str] = field(default_factory=list)  # deleted from the store
    shared: list[str] = field(default_factory=list)  # kept, since rows of others name the same content
    selections: dict[str, int] = field(default_factory=dict)  # clips taken out of each version
    shards: dict[str, int] = field(default_factory=dict)  # clips taken out of each shard of a release
    unreachable: dict[str, str] = field(default_factory=dict)  # releases that are not where they were written to, and where that was
    copies: list[str] = field(default_factory=list)  # other sources that show the same, as `headset duplicates` found
    receipts: int = 0  # counted anew
    matches: list[FaceMatch] = field(default_factory=list)  # of all faces that were looked at, the highest first
    unseen: list[str] = field(default_factory=list)  # sources with faces of which nothing is within reach to look at

    def lines(self) -> list[str]:
        """For people, one thing a line."""
        told = [f"{self.takedown_id}: {len(self.sources)} sources whole, {self.regions} regions of others, {len(self.clips)} clips."]
        told += [f"  {count} rows of {table}" for table, count in sorted(self.rows.items())]
        told += [f"  {self.files} files of tables rewritten, {self.receipts} receipts counted anew"]
        told += [f"  media deleted: {place}" for place in self.media]
        told += [f"  media kept, since a source that is not taken down has the same content: {place}" for place in self.shared]
        told += [f"  {count} clips out of the selection {name}" for name, count in self.selections.items()]
        told += [f"  {count} clips out of {shard}" for shard, count in self.shards.items()]
        told += [f"  NOT REACHED: the release {name} is not at {to}; take it down where it is now" for name, to in self.unreachable.items()]
        told += [f"  looked at {one.row_id}: cosine {one.cosine:.2f} over {one.looks} looks" for one in self.matches[:20]]
        told += [f"  NOT LOOKED AT: {source}, whose file is out of reach, with no render" for source in self.unseen]
        told += [f"  shows the same, and is still here: {source}; headset takedown CORPUS --source {source}" for source in self.copies]
        return told


class Removal:
    """Takes what a takedown covers out of a corpus."""

    def __init__(self, manifest: Manifest, gone: Takedowns, report: Report):
        self.manifest, self.gone, self.report = manifest, gone, report
        self.sources = {name for one in gone.all for name in one.sources}
        self.touched = {region.source_id for one in gone.all for region in one.regions}  # sources that hold a region
        self.clips: set[str] = set()
        self.media: dict[str, str] = {}  # places in the store to be deleted, with the source
        names = manifest.names("recipes")
        records = [manifest.load(f"recipes/{name}") for name in names if name.endswith(".json") and name != "last.json"]
        self.reads: dict[str, tuple[str, dict[str, list[str]]]] = {
            step["version"]: (step["reads"], step["inputs"]) for record in records for step in record["steps"]
        }

    def steps(self, table: type[Row]) -> list[str]:
        return self.manifest.names(table.table, folders=True)

    def shard(self, shard: int) -> None:
        """Takes out what a shard holds, in all tables and of all steps."""
        listed = self.manifest.read(Source, [LISTED], shard)
        mine = {source.source_id for source in listed} & (self.sources | self.touched)
        noted = {drop.subject for drop in self.manifest.read(Dropped, [LISTED], shard)} & self.sources
        if not mine and not noted:
            return
        drops = self.manifest.read(Dropped, [LISTED], shard)
        told = {drop.drop_id for drop in drops}
        new = [drop for source in listed if source.source_id in self.sources and (drop := self.gone.drop_of(source)).drop_id not in told]
        if new:  # first: of a takedown that was killed, it tells that this shard holds something
            self.manifest.write(Dropped, LISTED, shard, [*drops, *new])
        # Rows that name a row which is gone are gone with it: tracks and clips first.
        first = (Source, Track, Turn, Clip)
        order: list[type[Row]] = [*first, *(table for table in tables().values() if table not in first)]
        ids: set[str] = set()
        for table in order:
            for step in self.steps(table):
                if table is Dropped and step == LISTED:
                    continue
                self._rewrite(table, step, shard, ids)
        for step in self.manifest.names("receipts", folders=True):
            self._count_anew(step, shard)
        for stage in self.manifest.names("claims", folders=True):
            self.manifest.delete(f"claims/{stage}/{shard:05d}.json")

    def _rewrite(self, table: type[Row], step: str, shard: int, ids: set[str]) -> None:
        name = f"{table.table}/{step}/{shard:05d}.parquet"
        if f"{shard:05d}.parquet" not in self.manifest.names(f"{table.table}/{step}"):
            return
        rows = self.manifest.parquet(name).to_table()
        if not rows.num_rows:
            return
        mine = pc.is_in(rows["source_id"], pa.array(sorted(self.sources), pa.string()))
        named = _naming(rows, self.sources, ids)
        cut = pc.or_(mine, named)
        changed = rows
        if self.touched:
            cut, changed = self._of_persons(table, rows, cut, ids)
        for place, source in self._media_of(table, rows, cut):
            self.media[place] = source
        removed = rows.filter(cut)
        if table in (Track, Turn, Clip, Render, Published):
            ids |= set(removed[table.key].to_pylist())
        if table is Clip:
            self.clips |= set(removed["clip_id"].to_pylist())
        if removed.num_rows or changed is not rows:
            left = changed.filter(pc.invert(cut))
            sink = pa.BufferOutputStream()
            pq.write_table(left.combine_chunks().replace_schema_metadata(None), sink, compression="zstd")
            self.manifest.put(name, sink.getvalue())
            self.report.files += 1
            self.report.rows[table.table] += removed.num_rows

    def _of_persons(self, table: type[Row], rows: pa.Table, cut: Any, ids: set[str]) -> tuple[Any, pa.Table]:
        """Which rows are of a person, and the table without the boxes of their face."""
        if table is Fingerprint:  # of the whole picture, with everybody in it
            return pc.or_(cut, pc.is_in(rows["source_id"], pa.array(sorted(self.touched), pa.string()))), rows
        if table is Identity:  # also those that a takedown left which was killed
            left = {row["track_id"] for step in self.steps(Track) for row in self._tracks(step)}
            gone = [row["source_id"] in self.touched and row["track_id"] not in left for row in rows.to_pylist()]
            return pc.or_(cut, pa.array(gone, pa.bool_())), rows
        if table not in (Track, Clip, Turn, *OF_LOOKS):
            return cut, rows
        here = [(i, _row(table, values)) for i, values in enumerate(rows.to_pylist()) if values["source_id"] in self.touched]
        if table in OF_LOOKS:
            fewer = {i: new for i, row in here if (new := self.gone.without(row)) is not row}
            if not fewer:
                return cut, rows
            values = [vars(fewer[i]) if i in fewer else value for i, value in enumerate(rows.to_pylist())]
            self.report.rows[table.table] += len(fewer)
            return cut, pa.Table.from_pylist(values, rows.schema)
        covered = {i for i, row in here if self.gone.covers(row)}
        return pc.or_(cut, pa.array([i in covered for i in range(rows.num_rows)], pa.bool_())), rows

    def _tracks(self, step: str) -> list[dict[str, Any]]:
        """The tracks that a step has in the sources that hold a person, of all shards."""
        files = [f"{Track.table}/{step}/{name}" for name in self.manifest.names(f"{Track.table}/{step}") if name.endswith(".parquet")]
        rows = [row for file in files for row in self.manifest.parquet(file).to_table(columns=["track_id", "source_id"]).to_pylist()]
        return [row for row in rows if row["source_id"] in self.touched]

    def _media_of(self, table: type[Row], rows: pa.Table, cut: Any) -> list[tuple[str, str]]:
        """The files of the store that hold what is taken out; of a person's source, the whole file."""
        if table not in (Source, Render) or "media" not in rows.schema.names:
            return []
        here = pc.or_(cut, pc.is_in(rows["source_id"], pa.array(sorted(self.touched), pa.string()))) if table is Source else cut
        found = rows.filter(here).select(["media", "source_id"]).to_pylist()
        return [(row["media"], row["source_id"]) for row in found if row["media"]]

    def _count_anew(self, step: str, shard: int) -> None:
        """Makes a receipt say again what lies in the files."""
        if (receipt := self.manifest.receipt(step, shard)) is None:
            return
        if step not in self.reads:  # of a recipe that was changed since: done again, should it ever be asked for
            self.manifest.delete(f"receipts/{step}/{shard:05d}.json")
            return
        reads, inputs = self.reads[step]
        table = tables()[reads]
        given = {row.row_id for row in self.manifest.read(table, inputs[reads], shard)}
        drops = self.manifest.read(Dropped, [step], shard)
        ended, given_up = {}, Counter[str]()
        for drop in drops:
            if drop.reason == DUPLICATE_KEY:
                continue
            if drop.subject_table == reads and drop.subject in given:
                ended[drop.subject] = "failed" if drop.failed else "dropped"
            else:
                given_up[drop.subject_table] += 1
        how = Counter(ended.values())
        new = {
            **receipt,
            "calls": {"read": len(given), "answered": len(given) - len(ended), "dropped": how["dropped"], "failed": how["failed"]},
            "rows": {name: self.manifest.count(tables()[name], step, shard) for name in receipt["rows"]},
            "drops": len(drops),
            "given_up": dict(given_up),
            "reasons": dict(sorted(Counter(drop.reason for drop in drops).items())),
        }
        if new != receipt:
            self.manifest.commit(step, shard, new)
            self.report.receipts += 1

    def whole_tables(self) -> None:
        """Takes rows out of the tables that are of the whole corpus, such as `splits`."""
        ids = {*self.clips}
        for table in tables().values():
            if self.manifest.whole(table):
                for step in self.steps(table):
                    self._rewrite(table, step, 0, ids)

    def delete_media(self) -> None:
        """Deletes the files of the store that nothing else names, with their copies and what was fetched in part on this machine."""
        if self.media:
            for table in (Source, Render):
                for step in self.steps(table):
                    for file in self.manifest.names(f"{table.table}/{step}"):
                        rows = self.manifest.parquet(f"{table.table}/{step}/{file}")
                        if "media" in rows.schema.names:
                            for row in rows.to_table(columns=["media", "source_id"]).to_pylist():
                                if row["media"] in self.media and not (table is Source and row["source_id"] in self.touched):
                                    self.report.shared.append(row["media"])
        store = MediaStore(self.manifest.root)
        for place in sorted(self.media.keys() - set(self.report.shared)):
            if store.has(place):
                self.report.media.append(place)
            store.delete(place)
            (media_cache() / Path(place).name).unlink(missing_ok=True)
        self.report.shared = sorted(set(self.report.shared))
        for source in self.sources | self.touched:
            shutil.rmtree(RowMedia(Source(source, ""), None, store).scratch, ignore_errors=True)

    def from_selections(self) -> None:
        """Takes clips out of the selections, all versions."""
        for chosen in selections(self.manifest):
            rows = self.manifest.parquet(chosen.file).to_table()
            cut = pc.or_(
                pc.is_in(rows["source_id"], pa.array(sorted(self.sources), pa.string())),
                pc.is_in(rows["clip_id"], pa.array(sorted(self.clips), pa.string())),
            )
            if gone := pc.sum(cut).as_py():
                left = rows.filter(pc.invert(cut))
                sink = pa.BufferOutputStream()
                pq.write_table(left, sink, compression="zstd")
                self.manifest.put(chosen.file, sink.getvalue())
                seconds = float(pc.sum(left["seconds"]).as_py() or 0.0)
                told = {**asdict(chosen), "clips": left.num_rows, "seconds": seconds, "taken_down": chosen.taken_down + gone}
                self.manifest.save(f"selections/{chosen.name}/{chosen.version}.json", told)
                self.report.selections[f"{chosen.name}:{chosen.version}"] = gone

    def from_releases(self) -> None:
        """Takes clips out of the shards of every release, where it lies."""
        for made in releases(self.manifest):
            place = Place(made.to)
            if not place.files.load("release.json"):
                self.report.unreachable[made.name] = made.to
                continue
            self._from_release(made, place)

    def _from_release(self, made: Release, place: Place) -> None:
        shards, begun = place.shards(), place.begun()
        left: list[Shard] = []
        for shard in shards:
            left += self._from_shard(made, place, shard)
        for shard in begun:
            for new in self._from_shard(made, place, shard):
                place.files.save(f".state/{new.name}.json", asdict(new))
        if left == shards:
            return
        put_pairs(place, self.manifest, left)
        place.files.put("index.jsonl", "".join(json.dumps(asdict(shard)) + "\n" for shard in left).encode())
        self._describe(made, place, left)

    def _from_shard(self, made: Release, place: Place, shard: Shard) -> list[Shard]:
        """The shard without what is taken down; none where nothing is left of it."""
        gone = {clip for clip in shard.clips if clip in self.clips or clip.split("/")[0] in self.sources or _source_of(clip, self.sources)}
        if not gone:
            return [shard]
        self.report.shards[f"{made.name}: {shard.name}"] = len(gone)
        self.clips |= gone
        clips = [clip for clip in shard.clips if clip not in gone]
        if not clips:
            place.delete(shard.name)
            place.files.delete(f".state/{shard.name}.json")
            return []
        with tempfile.TemporaryDirectory() as folder:
            old, new = place.get(shard.name, Path(folder, "old")), Path(folder, "new")
            WITHOUT[made.format](old, new, gone)
            size = new.stat().st_size if new.is_file() else sum(path.stat().st_size for path in new.iterdir())
            rewritten = Shard(
                shard.name, shard.split, sha256_of_files(new), size, "", clips
            )  # no plan: a release made again looks at it anew
            if not place.files.is_local:
                place.delete(shard.name)
            place.put(new, shard.name)
        return [rewritten]

    def _describe(self, made: Release, place: Place, left: list[Shard]) -> None:
        """The datasheet of what is left."""
        from pipeline.release.datasheet import describe

        chosen = selection(self.manifest, made.selection) if made.selection else None
        with tempfile.TemporaryDirectory() as folder:
            rows = Rows(self.manifest, Path(folder), chosen, [clip for shard in left for clip in shard.clips])
            seconds = describe(place, self.manifest, made.name, made.format, chosen, left, rows)
        told = {**asdict(made), "clips": sum(len(shard.clips) for shard in left), "seconds": seconds, "shards": len(left)}
        self.manifest.save(f"releases/{made.name}.json", told)


def _source_of(clip_id: str, sources: set[str]) -> bool:
    """Whether a clip is of one of the sources, whose ids may hold slashes."""
    return any(clip_id.startswith(f"{source}/") for source in sources)


def _naming(rows: pa.Table, sources: set[str], ids: set[str]) -> Any:
    """Which rows name something that is gone, in any of their columns of text: its id, or an id that begins with it."""
    parts = []
    for name in rows.schema.names:
        if pa.types.is_string(rows.schema.field(name).type):
            values = pc.fill_null(rows[name], "")
            if ids:
                # The id of a score is that of its clip and more: <clip>#<metric>; of a render <clip>@<made_by>.
                stem = pc.replace_substring_regex(values, "[#@=].*$", "")
                parts.append(pc.is_in(stem, pa.array(sorted(ids), pa.string())))
            for source in sources:
                parts += [pc.equal(values, source), *(pc.starts_with(values, f"{source}{mark}") for mark in "/=")]
    found = pa.chunked_array([pa.array([False] * rows.num_rows, pa.bool_())])
    for part in parts:
        found = pc.or_(found, part)
    return found


def _row(table: type[Row], values: dict[str, Any]) -> Row:
    names = table.__dataclass_fields__
    return cast(Any, table)(**{name: value for name, value in values.items() if name in names})
