# ruff: noqa: S608 - the queries are of this file and of the user, over tables that DuckDB cannot change
"""Selections: clips chosen from a corpus by a query over `wide`, under a name, with a version of its own for each
outcome.

    <root>/selections/<name>/<version>.parquet   the clips, sorted by id, with the values that they were chosen by
    <root>/selections/<name>/<version>.json      the query, and of what it was the next version
    <root>/selections/<name>/current.json        which version the name stands for

Nothing is computed or rendered again: a selection only names rows. The version is a hash of the query and the clips, so
the same query on the same corpus is the same version.
"""

import hashlib
import re
from dataclasses import asdict, dataclass
from datetime import UTC, datetime

import pyarrow as pa
import pyarrow.parquet as pq

from manifests.errors import StorageError, UsageError
from manifests.manifest import Manifest
from manifests.names import NAME, plain, record
from pipeline.query.clip_view import Column, run_plainly, view_for
from pipeline.query.predicates import normal

VERSION_DIGITS = 12


@dataclass(frozen=True)
class Selection:
    """What is kept of a selection beside its clips."""

    name: str
    version: str
    where: str  # as DuckDB writes it
    clips: int
    seconds: float
    parent: str  # the version that the name stood for before; "" for the first
    made_at: str  # UTC, ISO 8601
    columns: list[str]  # that the query names, kept with the clips
    taken_down: int = 0  # clips that were taken out since, by `headset takedown`

    @property
    def file(self) -> str:
        return f"selections/{self.name}/{self.version}.parquet"

    def told(self) -> str:
        gone = f", {self.taken_down} taken down since" if self.taken_down else ""
        lasts = f"{self.seconds / 3600:.2f} h" if self.seconds >= 3600 else f"{self.seconds:.1f} s"
        return f"{self.name}:{self.version}  {self.clips} clips, {lasts}{gone}"


def _named(known: dict[str, Column], where: str) -> list[str]:
    words = {word.lower() for word in re.findall(r"\w+", where)}
    return [name for name in known if name.lower() in words and name not in ("clip_id", "source_id", "seconds")]


def select(manifest: Manifest, where: str, name: str) -> tuple[Selection, bool]:
    """Chooses the clips for which a condition on the columns of `wide` is true, and keeps them under a name.

    Returns:
        The selection, and whether it is new: the same query on the same corpus is the same version, and writes nothing.

    Raises:
        UsageError: for a name or a condition that cannot be, with what can.
    """
    if not NAME.fullmatch(name):
        raise UsageError(f"{name!r} is no name for a selection: use letters, digits, - and _")
    text = normal(where)
    connection, known = view_for(manifest, text, "seconds")
    chosen = _named(known, text)
    shown = ", ".join(["source_id", "clip_id", "seconds", *(f'"{column}"' for column in chosen)])
    rows = run_plainly(connection.sql, f"select {shown} from wide where {text} order by clip_id", known)
    seen, clips, seconds = hashlib.sha256(f"{text}\n".encode()), 0, 0.0
    sink = pa.BufferOutputStream()
    with (
        run_plainly(lambda _: rows.to_arrow_reader(65536), "", known) as reader,
        pq.ParquetWriter(sink, reader.schema, compression="zstd") as writer,
    ):
        for batch in reader:
            seen.update("".join(f"{clip}\n" for clip in batch["clip_id"].to_pylist()).encode())
            clips += batch.num_rows
            seconds += sum(batch["seconds"].to_pylist())
            writer.write_batch(batch)
    version = seen.hexdigest()[:VERSION_DIGITS]
    current = manifest.load(f"selections/{name}/current.json")
    if manifest.load(f"selections/{name}/{version}.json") is not None:
        if current != {"version": version}:
            manifest.save(f"selections/{name}/current.json", {"version": version})
        return version_of(manifest, name, version), False
    parent = current["version"] if current else ""
    found = Selection(
        name, version, text, clips, seconds, parent, datetime.now(UTC).isoformat(timespec="seconds"), chosen
    )
    manifest.put(found.file, sink.getvalue())
    manifest.save(f"selections/{name}/{version}.json", asdict(found))
    manifest.save(f"selections/{name}/current.json", {"version": version})
    return found, True


def versions(manifest: Manifest) -> list[tuple[str, str]]:
    """The names and versions of all selections of a corpus."""
    return [
        (name, file.removesuffix(".json"))
        for name in manifest.names("selections", folders=True)
        for file in manifest.names(f"selections/{name}")
        if file.endswith(".json") and file != "current.json"
    ]


def version_of(manifest: Manifest, name: str, version: str) -> Selection:
    """A version of a selection.

    Raises:
        StorageError: where its file is not as headset writes it.
    """
    file = f"selections/{plain(name, 'a selection')}/{plain(version, 'a version of a selection')}.json"
    found = record(Selection, manifest.load(file), f"{manifest.root}/{file}")
    if (found.name, found.version) != (name, version):
        raise StorageError(f"{manifest.root}/{file} is damaged: it tells of {found.name!r}:{found.version!r}")
    return found


def selections(manifest: Manifest) -> list[Selection]:
    """All versions of all selections of a corpus, by name and time."""
    found = [version_of(manifest, name, version) for name, version in versions(manifest)]
    return sorted(found, key=lambda one: (one.name, one.made_at, one.version))


def selection(manifest: Manifest, reference: str) -> Selection:
    """A selection by `name`, or by `name:version`, of which some first digits will do.

    Raises:
        UsageError: for one that is not there, with those that are.
    """
    name, _, version = reference.removeprefix("@").partition(":")
    if NAME.fullmatch(name) and not version and (current := manifest.load(f"selections/{name}/current.json")):
        version = plain(current["version"], f"the version of {name}")
    there = selections(manifest)
    found = [one for one in there if one.name == name and version and one.version.startswith(version)]
    if len(found) != 1:
        known = ", ".join(f"{one.name}:{one.version}" for one in there) or "none yet; `headset select` makes one"
        raise UsageError(
            f"{manifest.root} has {'no' if not found else 'more than one'} selection {reference!r}; it has {known}"
        )
    return found[0]
