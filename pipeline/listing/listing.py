"""What the user typed, as rows: files, folders, lists and addresses become sources; what cannot be one is a drop with its reason.

Ids are content or address, never names: `yt-<video id>` for YouTube in any form, `file-<sha256>` for a local file, so that
moving it changes nothing, and `web-<sha256 of the address>` else. The order of the arguments changes nothing either.
"""

import csv
import hashlib
import json
import os
import re
import sqlite3
import stat
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from manifests.cache import cache_folder
from manifests.errors import AccessDenied, MissingBucket, StorageError
from manifests.media import s3_client, s3_errors, sha256_of
from manifests.tables import Dropped, Source
from operators.sources import addresses

VIDEOS = "files, folders, lists (.txt .csv .tsv .jsonl .parquet), http(s) and s3 addresses, YouTube ids"  # for people
VIDEO = frozenset(
    [
        ".3gp",
        ".asf",
        ".avi",
        ".flv",
        ".m2ts",
        ".m4v",
        ".mkv",
        ".mov",
        ".mp4",
        ".mpeg",
        ".mpg",
        ".mts",
        ".mxf",
        ".ogv",
        ".ts",
        ".vob",
        ".webm",
        ".wmv",
    ]
)
AUDIO = frozenset([".aac", ".aiff", ".flac", ".m4a", ".mka", ".mp3", ".oga", ".ogg", ".opus", ".wav", ".wma"])
LISTS = frozenset([".txt", ".csv", ".tsv", ".parquet", ".jsonl"])
COLUMNS = (
    "uri",
    "url",
    "address",
    "link",
    "video_url",
    "path",
    "video_path",
    "file",
    "file_name",
    "filename",
    "video",
    "youtube_id",
    "ytb_id",
    "video_id",
)

_FACTS = (("sha256",), ("licence", "license"), ("duration_s", "duration", "seconds"))
_SCHEME = re.compile(r"([a-z][a-z0-9+.-]*)://|(file|data|javascript):", re.IGNORECASE)


@dataclass(frozen=True)
class Listing:
    """Everything that was listed: `len(sources) + len(dropped)` entries, each once."""

    sources: list[Source]  # unique, by source_id
    dropped: list[Dropped]  # by drop_id
    lists: dict[str, dict[str, float | None]]  # by the path of a list: what it named, with its seconds where it tells; see `Manifest.add`


@dataclass(frozen=True)
class _Entry:
    """One thing listed, and where it was."""

    text: str
    where: str = ""  # "list.csv line 7"; "" for the command line
    base: str = ""  # the folder relative paths start from
    sha256: str = ""  # as the list has it
    licence: str = ""
    list_path: str = ""
    seconds: float | None = None  # as the list has it
    problem: tuple[str, str] = ("", "")  # a reason and its detail, where it is known already


@dataclass(frozen=True)
class _Problem:
    reason: str
    detail: str = ""


def list_sources(arguments: Iterable[str], skip: Iterable[Path] = ()) -> Listing:
    """Lists what the user typed.

    An argument is a video or audio file, a folder or `s3://bucket/prefix/` (searched through), a list (.txt, .csv, .tsv,
    .parquet, .jsonl), an `http(s)` or `s3` address, a YouTube id or `yt:<id>`. A list has one entry a line, or a column named like one of
    `COLUMNS`, else its first column; its columns `sha256`, `licence` and `duration_s` are taken over. Relative paths in a list start at
    the list. In a .txt, `#` starts a comment line, and an address may follow a name, as in HDTF's lists.

    Args:
        skip: folders not to search, such as the manifest that is being written.
    """
    skipped = {os.path.abspath(folder) for folder in skip}
    entries = [entry for argument in arguments for entry in _expand(argument, skipped)]
    hashes = _Hashes()
    with ThreadPoolExecutor(min(8, os.cpu_count() or 1)) as pool:  # hashing files lets go of the interpreter
        found = list(pool.map(partial(_source_of, hashes=hashes), entries))
    hashes.save()
    by_id: dict[str, list[tuple[str, str, _Entry, Source]]] = {}
    problems: list[tuple[str, str, _Entry, _Problem]] = []
    for entry, result in zip(entries, found, strict=True):
        if isinstance(result, Source):
            by_id.setdefault(result.source_id, []).append((result.uri, entry.where, entry, result))
        else:
            problems.append((entry.text, "", entry, result))
    for source_id, same in by_id.items():
        # The richest entry is kept, so that a bare duplicate does not lose what a list says of it.
        same.sort(key=lambda one: (not one[3].sha256, not one[3].licence, one[0], one[1], one[3].sha256, one[3].licence))
        kept = same[0][3]
        problems += [(one[0], source_id, one[2], _Problem("duplicate", f"the same as {kept.uri}")) for one in same[1:]]
    lists: dict[str, dict[str, float | None]] = defaultdict(dict)
    for source_id, same in by_id.items():
        for _, _, entry, _ in same:
            _note(lists, entry, source_id)
    dropped: list[Dropped] = []
    times: Counter[str] = Counter()
    for text, source_id, entry, problem in sorted(problems, key=lambda p: (p[0], p[2].where, p[3].reason, p[3].detail)):
        subject = f"listed-{hashlib.sha256(text.encode(errors='backslashreplace')).hexdigest()[:12]}"
        times[subject] += 1
        if times[subject] > 1:
            subject = f"{subject}-{times[subject]}"
        _note(lists, entry, source_id or subject)
        where = f"in {entry.where}" if entry.where else ""
        detail = addresses.scrubbed("; ".join(part for part in (text, where, problem.detail) if part))
        by = list_sources.__name__
        dropped.append(Dropped(source_id or subject, f"{subject}@{by}", subject, "sources", by, problem.reason, detail, False, False))
    sources = [same[0][3] for _, same in sorted(by_id.items())]
    return Listing(sources, sorted(dropped, key=lambda drop: drop.drop_id), dict(lists))


def _note(lists: dict[str, dict[str, float | None]], entry: _Entry, named: str) -> None:
    if entry.list_path:
        known = lists[entry.list_path].get(named)
        lists[entry.list_path][named] = entry.seconds if known is None else known


def _expand(argument: str, skipped: set[str]) -> Iterator[_Entry]:
    """The entries of one argument: those of a list or a folder, else itself."""
    if re.fullmatch(r"(?i)s3://[^/]+/(.*/)?", argument):
        yield from _prefix(argument)
    elif _SCHEME.match(argument) or not argument.strip():
        yield _Entry(argument)
    elif os.path.isdir(argument):
        yield from _folder(os.path.abspath(argument), skipped)
    elif os.path.isfile(argument) and Path(argument).suffix.lower() in LISTS:
        yield from _list(Path(argument))
    else:
        yield _Entry(argument)


def _folder(folder: str, skipped: set[str]) -> Iterator[_Entry]:
    problems: list[_Entry] = []
    found = False

    def unreadable(error: OSError) -> None:
        problems.append(_Entry(str(error.filename), problem=("unreadable", str(error.strerror))))

    for here, folders, files in os.walk(folder, onerror=unreadable):
        folders[:] = sorted(name for name in folders if not name.startswith(".") and os.path.join(here, name) not in skipped)
        for name in sorted(files):
            if not name.startswith(".") and os.path.splitext(name)[1].lower() in VIDEO | AUDIO:
                found = True
                yield _Entry(os.path.join(here, name))
    yield from problems
    if not found and not problems:
        yield _Entry(folder, problem=("empty_folder", "no video or audio file in it"))


def _prefix(address: str) -> Iterator[_Entry]:
    """The videos under a prefix of an S3 bucket."""
    bucket, _, prefix = address[len("s3://") :].partition("/")
    try:
        with s3_errors(address, missing=MissingBucket):
            listed = s3_client().get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
            keys = [item["Key"] for page in listed for item in page.get("Contents", [])]
    except StorageError as error:
        reason = {MissingBucket: "missing_bucket", AccessDenied: "access_denied"}.get(type(error), "store_unreachable")
        yield _Entry(address, problem=(reason, str(error)))
        return
    videos = sorted(key for key in keys if os.path.splitext(key)[1].lower() in VIDEO | AUDIO)
    for key in videos:
        yield _Entry(f"s3://{bucket}/{key}")
    if not videos:
        yield _Entry(address, problem=("empty_folder", "no video or audio file in it"))


def _list(path: Path) -> Iterator[_Entry]:
    whole = os.path.abspath(path)
    base, kind = os.path.dirname(whole), path.suffix.lower()
    read = {".txt": _text_rows, ".parquet": _parquet_rows, ".jsonl": _json_rows}.get(kind, _csv_rows)
    found = False
    try:
        for where, row in read(path):
            found = True
            where = f"{path.name} {where}"
            if isinstance(row, _Problem):
                yield _Entry(where, list_path=whole, problem=(row.reason, row.detail))
                continue
            names = {str(name).strip().lower(): name for name in row}
            column = next((names[name] for name in COLUMNS if name in names), next(iter(row), None))
            text = "" if column is None or row[column] is None else str(row[column]).strip()
            sha256, licence, seconds = (
                next((str(row[names[name]] or "").strip() for name in wanted if name in names), "") for wanted in _FACTS
            )
            yield _Entry(text, where, base, sha256.lower(), licence.encode(errors="replace").decode(), whole, _seconds(seconds))
    except (OSError, UnicodeDecodeError, csv.Error, pa.ArrowException) as error:
        yield _Entry(str(path), problem=("list_unreadable", f"{type(error).__name__}: {error}"))
    else:
        if not found:
            yield _Entry(str(path), problem=("empty_list", "no entry in it"))


def _seconds(text: str) -> float | None:
    return float(text) if re.fullmatch(r"\d{1,9}(\.\d*)?", text) else None


_Rows = Iterator[tuple[str, "dict[Any, Any] | _Problem"]]


def _text_rows(path: Path) -> _Rows:
    with path.open(encoding="utf-8-sig") as lines:
        for number, line in enumerate(lines, 1):
            text = line.strip()
            if text and not text.startswith("#"):
                named = re.fullmatch(r"[^:/]+[\s,]((?:https?|s3)://\S+)", text)
                yield f"line {number}", {"uri": named[1] if named else text}


def _csv_rows(path: Path) -> _Rows:
    with path.open(encoding="utf-8-sig", newline="") as lines:
        reader = csv.reader(lines, delimiter="\t" if path.suffix.lower() == ".tsv" else ",")
        header: list[str] | None = None
        for cells in reader:
            if not any(cell.strip() for cell in cells) or cells[0].lstrip().startswith("#"):
                continue
            if header is None:
                first = cells[0].strip()
                # Without a header the first line is an entry already.
                is_entry = _SCHEME.match(first) or first.startswith("yt:") or os.path.splitext(first)[1].lower() in VIDEO | AUDIO
                is_entry = is_entry or (len(cells) == 1 and addresses.is_youtube_id(first))
                header = [str(n) for n in range(len(cells))] if is_entry else cells
                if not is_entry:
                    continue
            yield f"line {reader.line_num}", dict(zip(header, cells, strict=False))


def _parquet_rows(path: Path) -> _Rows:
    with pq.ParquetFile(path) as file:
        names = file.schema_arrow.names
        lower = {name.lower(): name for name in names}
        entry = next((lower[name] for name in COLUMNS if name in lower), names[0])
        wanted = [entry] + [lower[name] for fact in _FACTS for name in fact if lower.get(name, entry) != entry]
        number = 0
        for batch in file.iter_batches(columns=wanted):
            for row in batch.select(wanted).to_pylist():
                number += 1
                yield f"row {number}", row


def _json_rows(path: Path) -> _Rows:
    with path.open(encoding="utf-8-sig") as lines:
        for number, line in enumerate(lines, 1):
            if not line.strip():
                continue
            try:
                row = json.loads(line)
            except json.JSONDecodeError as error:
                yield f"line {number}", _Problem("not_json", str(error))
                continue
            yield f"line {number}", row if isinstance(row, dict) else {"uri": row}


def _source_of(entry: _Entry, hashes: "_Hashes") -> Source | _Problem:
    """The source an entry names, or why it names none."""
    if entry.problem[0]:
        return _Problem(*entry.problem)
    text = entry.text.strip()
    if not text:
        return _Problem("empty_entry")
    try:
        if _SCHEME.match(text):
            return _address(text, entry)
        if text.startswith("yt:"):
            if not addresses.is_youtube_id(text[3:]):
                return _Problem("not_an_address", "a YouTube id has 11 letters, digits, - or _")
            return _youtube(text[3:], entry)
        path = os.path.join(entry.base, text)
        if not os.path.lexists(path) and addresses.is_youtube_id(text):
            return _youtube(text, entry)
        return _file(path, entry, hashes)
    except addresses.AddressRefused as refused:
        return _Problem(refused.reason, refused.detail)
    except ValueError as error:
        return _Problem("not_an_address", addresses.scrubbed(str(error)))


def _address(text: str, entry: _Entry) -> Source | _Problem:
    addresses.check(text)
    if addresses.holds_secret(text):
        return _Problem("credentials_in_address", "a manifest keeps no secrets: use s3:// with AWS's own chain, a netrc or a cookies file")
    if video := addresses.youtube_id(text):
        return _youtube(video, entry)
    if addresses.is_youtube(text):
        return _Problem("not_one_video", "a channel, playlist or search of YouTube: list its videos")
    if re.fullmatch(r"(?i)s3://([^/]+|.*/)", text):
        return _Problem("not_one_video", "a bucket or a prefix: name it outside of a list, with a slash at its end")
    address = addresses.normalised(text)
    return Source(f"web-{hashlib.sha256(address.encode()).hexdigest()[:12]}", address, sha256=entry.sha256, licence=entry.licence)


def _youtube(video: str, entry: _Entry) -> Source:
    return Source(f"yt-{video}", f"https://www.youtube.com/watch?v={video}", sha256=entry.sha256, licence=entry.licence)


def _file(path: str, entry: _Entry, hashes: "_Hashes") -> Source | _Problem:
    path = os.path.abspath(path)
    try:
        path.encode()
    except UnicodeEncodeError:
        return _Problem("name_not_utf8", "a table cannot hold this file's name; rename it")
    try:
        found = os.stat(path)
        if not stat.S_ISREG(found.st_mode):  # a pipe or a device would be read for ever
            return _Problem("not_a_file", "a folder in a list is not searched" if stat.S_ISDIR(found.st_mode) else "")
        sha256 = hashes.of(path, found)
    except FileNotFoundError:
        return _Problem("missing_file")
    except OSError as error:
        return _Problem("unreadable", str(error.strerror))
    if entry.sha256 and entry.sha256 != sha256:
        return _Problem("checksum_changed", f"has sha256 {sha256[:12]}…, listed as {entry.sha256[:12]}…")
    return Source(f"file-{sha256[:12]}", path, sha256=sha256, bytes=found.st_size, licence=entry.licence)


class _Hashes:
    """The sha256 of large local files, kept between runs by path, size and time of change: a terabyte is not read at every start."""

    LARGE = 2**20  # a smaller file is read as soon as it is looked up
    SETTLED_NS = 2 * 10**9  # a file may change twice within a tick of its clock, with nothing to tell by

    def __init__(self) -> None:
        self._lock, self._new, self._saved = threading.Lock(), [], time.monotonic()
        cache = cache_folder()
        try:
            cache.mkdir(parents=True, exist_ok=True)
            self._known = sqlite3.connect(cache / "hashes.sqlite", timeout=60, check_same_thread=False)
            self._known.execute("create table if not exists hashes (path text primary key, bytes int, changed_ns int, sha256 text)")
        except (OSError, sqlite3.Error):
            self._known = sqlite3.connect(":memory:", check_same_thread=False)  # where nothing can be written, all is read each time
            self._known.execute("create table hashes (path text primary key, bytes int, changed_ns int, sha256 text)")

    def of(self, path: str, found: os.stat_result) -> str:
        if found.st_size < self.LARGE:
            return sha256_of(Path(path))
        now = (path, found.st_size, found.st_ctime_ns)
        with self._lock:
            known = self._known.execute("select sha256 from hashes where path = ? and bytes = ? and changed_ns = ?", now).fetchone()
        if known:
            return known[0]
        sha256 = sha256_of(Path(path))
        if time.time_ns() - found.st_ctime_ns > self.SETTLED_NS:
            with self._lock:
                self._new.append((*now, sha256))
            if time.monotonic() - self._saved > 10:
                self.save()
        return sha256

    def save(self) -> None:
        """Writes down what was learned; a listing that is killed loses the last seconds of it."""
        with self._lock, self._known:
            self._known.executemany("insert or replace into hashes values (?, ?, ?, ?)", self._new)
            self._new, self._saved = [], time.monotonic()
