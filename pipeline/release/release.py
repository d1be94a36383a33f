# ruff: noqa: S608 - the queries are of this file and of the user, over tables that DuckDB cannot change
"""Releases: the rendered clips of a corpus, or of a selection, as files that a training loop or another lab reads.

    <to>/train-00000.tar       WebDataset: `<key>.json` and `<key>.mp4` of each clip, side by side
    <to>/train-00000.parquet   or Parquet: a row a clip, its columns and its file in the column `video`
    <to>/train-00000/          or a folder: the same two files a clip
    <to>/index.jsonl           a line a shard: its name, split, sha256, bytes and clips
    <to>/pairs.jsonl           a line a pair of `headset pairs` whose two clips are in it; not there where there is none
    <to>/README.md, plots/     the datasheet, for people
    <to>/release.json          the same for programs
    <to>/croissant.json        which columns and files there are, as Croissant has it
    <to>/.state/               what is finished of a release that is not: gone when it is

Equal corpora give equal bytes: clips are sorted by id, and nothing of when, where or by whom is written. A shard is
written beside its place and then moved, so it is whole or not there. A stopped release goes on: shards that are
finished, and have the hash that was noted, are kept. `<to>` is a folder or `s3://bucket/prefix`.
"""

import hashlib
import json
import math
import os
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa

from manifests.cache import media_cache
from manifests.errors import StorageError, UsageError
from manifests.manifest import Manifest
from manifests.media import MediaStore
from manifests.names import NAME, plain, record
from pipeline.query.balance import SKIN_METRICS
from pipeline.query.clip_view import columns, lay_down
from pipeline.query.database import connect, parquet
from pipeline.query.selection import Selection
from pipeline.release.formats import SUFFIX, WRITE, bytes_of, key_of, sha256_of_files
from pipeline.release.place import Place, Shard, put_pairs

VERSION = 1  # raised when the same clips give other bytes
SHARD_BYTES = 512 * 2**20
UNSPLIT = "all"  # of a corpus that was not split; and of clips that the split left out


@dataclass(frozen=True)
class Release:
    """What a corpus remembers of a release, to be able to take clips out of it."""

    name: str
    to: str
    format: str
    selection: str  # name:version; "" for the whole corpus
    clips: int
    seconds: float
    shards: int
    made_at: str  # UTC, ISO 8601


def release(
    manifest: Manifest,
    to: str,
    form: str,
    name: str,
    chosen: Selection | None = None,
    shard_bytes: int = SHARD_BYTES,
    watch: Callable[[int, int], None] = lambda done, of: None,
) -> Release:
    """Writes the rendered clips of a corpus, or of a selection, and the datasheet.

    Args:
        name: under which the corpus remembers the release.
        watch: told of the clips that are done, and of all.

    Raises:
        UsageError: where there is nothing to release, or something else lies at the place.
    """
    from pipeline.release.datasheet import describe

    to = to if "://" in to else os.path.abspath(to)
    _check(manifest, to, form, name)
    place = Place(to)
    before = {shard.name: shard for shard in [*place.shards(), *place.begun()]}
    ours = place.files.load("release.json")
    if not ours and (place.files.names("") or place.files.names("", folders=True)):
        raise UsageError(f"{to} holds something that is no release of ours; name an empty or a new place")
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        rows = Rows(manifest, folder, chosen)
        plans = list(rows.plan(form, shard_bytes))
        if not plans and not ours:  # what is there of an earlier time is made empty
            raise UsageError(
                f"{manifest.root}: nothing to release: none of the clips is rendered; `headset status {manifest.root}`"
                " says why"
            )
        total, done = sum(len(plan.clips) for plan in plans), 0
        # Before the first shard: a place that holds some of a release must be found by a takedown.
        begun = Release(name, to, form, f"{chosen.name}:{chosen.version}" if chosen else "", 0, 0.0, 0, "")
        manifest.save(f"releases/{name}.json", asdict(begun))
        if not ours:
            place.files.save("release.json", {"name": name, "finished": False})
        shards = []
        for plan in plans:
            shards.append(_shard(place, rows, form, plan, before.get(plan.name), folder))
            watch(done := done + len(plan.clips), total)
        put_pairs(place, manifest, shards)
        stale = before.keys() - {shard.name for shard in shards}
        for one in stale:  # a takedown must know of it until it is gone
            place.files.save(f".state/{one}.json", asdict(before[one]))
        place.write_index(shards)
        for one in stale:
            place.delete(one)
        seconds = describe(place, manifest, name, form, chosen, shards, rows)
        place.forget_state()
        made = replace(begun, clips=total, seconds=seconds, shards=len(shards), made_at=_now())
        manifest.save(f"releases/{name}.json", asdict(made))
        return made


def _check(manifest: Manifest, to: str, form: str, name: str) -> None:
    """Whether the corpus can have a release of this format and name there.

    Raises:
        UsageError: where it cannot.
    """
    if form not in SUFFIX:
        raise UsageError(f"no format {form!r}; there are {', '.join(SUFFIX)}")
    if not NAME.fullmatch(name):
        raise UsageError(f"{name!r} is no name for a release: use letters, digits, - and _; name one by --name")
    if (known := manifest.load(f"releases/{name}.json")) and known["to"] != to:
        raise UsageError(
            f"{manifest.root} has a release {name!r} already, at {known['to']}; give this one another --name"
        )


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


@dataclass(frozen=True)
class Plan:
    """What is to be in a shard."""

    name: str
    split: str
    clips: list[str]
    files: list[tuple[str, str]]  # where the corpus keeps the media, and its sha256


class Rows:
    """The rows of `wide` to be released, laid down in a file of this machine."""

    def __init__(self, manifest: Manifest, folder: Path, chosen: Selection | None, only: list[str] | None = None):
        """
        Args:
            only: the clips, where they are known already.
        """
        self.manifest, self.path = manifest, folder / "wide.parquet"
        # The path of a file on somebody's machine is nobody else's concern.
        hidden = "replace (case when uri like '%://%' then uri else regexp_extract(uri, '[^/]*$') end as uri)"
        # Nor is what else the corpus holds, where a source that was taken down is still named, nor anybody's skin.
        private = [name for name in columns(manifest) if name == "duplicate_of" or name.startswith(SKIN_METRICS)]
        other = f"exclude ({', '.join(private)}) " if private else ""
        known = lay_down(manifest, self.path, f"select * {other}{hidden} from wide")
        self.connection = connect()
        self.connection.register("laid_down", parquet(self.path))
        wanted = ""
        if only is not None or chosen:
            clips = (
                pa.table({"clip_id": pa.array(only, pa.string())})
                if only is not None
                else manifest.parquet(chosen.file)
                if chosen
                else None
            )
            self.connection.register("chosen", clips)
            wanted = " where clip_id in (select clip_id from chosen)"
        split = f"coalesce(split, '{UNSPLIT}')" if "split" in known else f"'{UNSPLIT}'"
        self.connection.execute(f"""create view released as
            select * {"exclude (split)" if "split" in known else ""}, {split} as split
            from laid_down{wanted}""")  # fmt: skip

    def plan(self, form: str, shard_bytes: int) -> Iterator[Plan]:
        """The shards to write: the clips of a split by id, until a shard is full."""
        query = (
            "select split, clip_id, media, media_sha256, bytes from released where media is not null order by split,"
            " clip_id"
        )
        numbers: dict[str, int] = {}
        at, held, clips, files = "", 0, [], []
        keys: set[str] = set()

        def full() -> Plan:
            numbers[at] = numbers.get(at, -1) + 1
            return Plan(f"{at}-{numbers[at]:05d}{SUFFIX[form]}", at, clips, files)

        for batch in self.connection.sql(query).to_arrow_reader(65536):
            for row in batch.to_pylist():
                plain(row["split"], f"{self.manifest.root}: a split")
                if clips and (row["split"] != at or held + row["bytes"] > shard_bytes):
                    yield full()
                    held, clips, files = 0, [], []
                if (key := key_of(row["clip_id"])) in keys:
                    raise UsageError(f"{row['clip_id']}: another clip would have the same name {key}")
                keys.add(key)
                at = row["split"]
                held += row["bytes"]
                clips.append(row["clip_id"])
                files.append((row["media"], row["media_sha256"]))
        if clips:
            yield full()

    def columns(self) -> pa.Schema:
        """The columns of a clip's row in a release."""
        return self.of([]).schema

    def of(self, clips: list[str]) -> pa.Table:
        """The rows of some clips, sorted by id."""
        self.connection.register("wanted", pa.table({"clip_id": pa.array(clips, pa.string())}))
        query = "select * exclude (media) from released where clip_id in (select clip_id from wanted) order by clip_id"
        rows = self.connection.sql(query).to_arrow_table()
        self.connection.unregister("wanted")
        return rows.append_column("key", pa.array([key_of(clip) for clip in rows["clip_id"].to_pylist()], pa.string()))


def _shard(place: Place, rows: Rows, form: str, plan: Plan, before: Shard | None, folder: Path) -> Shard:
    """Writes the shard of a plan, where it is not there already."""
    table = rows.of(plan.clips)
    # Readers take a column's type from the first clips they see, so what is not known has the column's type: NaN, or
    # "".
    nothing = {field.name: "" if pa.types.is_string(field.type) else math.nan for field in table.schema}
    known = [
        {name: nothing[name] if value is None else value for name, value in row.items()} for row in table.to_pylist()
    ]
    lines = [json.dumps(row, ensure_ascii=False) for row in known]
    planned = hashlib.sha256("\n".join([f"{form} {VERSION}", *lines]).encode()).hexdigest()
    if before and before.plan == planned and place.holds(before):
        return before
    made = folder / "made"
    store = MediaStore(rows.manifest.root)
    media = (store.fetch(file, sha256, media_cache()) for file, sha256 in plan.files)
    WRITE[form](made, table, lines, media)
    shard = Shard(plan.name, plan.split, sha256_of_files(made), bytes_of(made), planned, plan.clips)
    place.files.save(f".state/{shard.name}.json", asdict(shard))  # first: a takedown must know of whatever lies there
    place.put(made, plan.name)
    return shard


def releases(manifest: Manifest) -> list[str]:
    """The names of the releases that were made of a corpus, finished or not."""
    return [name.removesuffix(".json") for name in manifest.names("releases") if name.endswith(".json")]


def release_named(manifest: Manifest, name: str) -> Release:
    """What the corpus remembers of a release.

    Raises:
        StorageError: where that is not as headset writes it.
    """
    where = f"{manifest.root}/releases/{name}.json"
    found = record(Release, manifest.load(f"releases/{plain(name, 'a release')}.json"), where)
    if found.name != name or found.format not in SUFFIX:
        raise StorageError(f"{where} is damaged: it tells of a release {found.name!r} as {found.format!r}")
    return found
