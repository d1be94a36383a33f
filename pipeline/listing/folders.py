"""Folders and prefixes of buckets, searched through: what is video or sound is an entry, all else is counted."""

import json
import os
import re
from collections import Counter
from collections.abc import Iterable, Iterator

from manifests.bucket import s3_client, s3_errors
from manifests.errors import AccessDenied, MissingBucket, StorageError
from pipeline.listing.entries import Entry, Problem, Tally

VIDEO = frozenset([
    ".3g2", ".3gp", ".3gp2", ".3gpp", ".amv", ".asf", ".avi", ".divx", ".dv", ".dvr-ms", ".f4v", ".flv", ".gxf",
    ".h264", ".h265", ".hevc", ".ivf", ".m1v", ".m2p", ".m2t", ".m2ts", ".m2v", ".m4v", ".mj2", ".mjpeg",
    ".mjpg", ".mkv", ".mod", ".mov", ".mp4", ".mp4v", ".mpe", ".mpeg", ".mpeg4", ".mpg", ".mpg4", ".mpv",
    ".mts", ".mxf", ".nsv", ".nut", ".obu", ".ogm", ".ogv", ".ogx", ".qt", ".rm", ".rmvb", ".ts", ".tod",
    ".vob", ".webm", ".wmv", ".wtv", ".y4m",
])  # fmt: skip
AUDIO = frozenset([
    ".3ga", ".aac", ".ac3", ".adts", ".aif", ".aifc", ".aiff", ".amr", ".ape", ".au", ".awb", ".caf", ".dts",
    ".eac3", ".flac", ".gsm", ".m4a", ".m4b", ".m4r", ".mka", ".mp2", ".mp3", ".mpa", ".mpga", ".oga", ".ogg",
    ".opus", ".ra", ".rf64", ".snd", ".spx", ".tta", ".voc", ".w64", ".wav", ".weba", ".wma", ".wv",
])  # fmt: skip
MEDIA = VIDEO | AUDIO
MOST_REPORT_BYTES = 64 * 2**20
REPORTS = (  # files that a release and an export have, begun or finished, with some of their names
    ("release.json", {"name", "finished"}, "a release"),
    ("export.json", {"layout", "substituted"}, "an export"),
    ("export.jsonl", {"layout", "substituted"}, "an export"),
)
EMPTY = "no video or audio file in it"


def is_media(name: str) -> bool:
    """Whether a name ends as those of videos and sounds do."""
    return _suffix(name) in MEDIA


def search(folder: str, skip: Iterable[str], tally: Tally) -> Iterator[Entry]:
    """The videos and sounds in a folder and below it.

    A folder that is a link is searched, each real folder once, by its own name where it has one below the folder.
    Names that begin with a dot are passed over, and so is what headset itself wrote: a corpus, a release, an export.

    Args:
        folder: absolute.
        skip: folders not to search, such as the corpus that is being written.
    """
    skipped = {os.path.realpath(path) for path in skip}
    found = problems = 0
    for here, files in _folders(folder, skipped, tally):
        if isinstance(files, Problem):
            problems += 1
            tally.whole += 1
            yield Entry(here, problem=files)
            continue
        tally.total += len(files)
        for name in files:
            if name.startswith("."):
                tally.rest["hidden"] += 1
            elif is_media(name):
                found += 1
                yield Entry(os.path.join(here, name))
            else:
                tally.rest[_suffix(name) or "without a suffix"] += 1
    if not found and not problems:
        tally.whole += 1
        yield Entry(folder, problem=Problem("empty_folder", EMPTY))


def _folders(folder: str, skipped: set[str], tally: Tally) -> Iterator[tuple[str, list[str] | Problem]]:
    """Each real folder with the names of its files, or with why it was not searched."""
    pending, links, seen = [folder], list[str](), set[tuple[int, int]]()
    while pending or links:
        here = pending.pop() if pending else links.pop(0)  # links last: what lies below the folder keeps its own name
        try:
            real = os.stat(here)
            if (real.st_dev, real.st_ino) in seen:
                continue
            seen.add((real.st_dev, real.st_ino))
            entries = sorted(os.scandir(here), key=lambda entry: entry.name)
        except OSError as error:
            yield here, Problem("unreadable", str(error.strerror))
            continue
        if why := "what --out writes" if os.path.realpath(here) in skipped else made_by_us(here):
            if here == folder:
                yield (
                    here,
                    Problem("own_output", f"{why}: not searched for sources; name the folder of your recordings"),
                )
            else:
                tally.left_out.append(f"left out {os.path.relpath(here, folder)}/, {why}")
            continue
        files = []
        for entry in entries:
            if not entry.is_dir():
                files.append(entry.name)
            elif entry.name.startswith("."):
                tally.notes["a hidden folder is not searched"] += 1
            else:
                (links if entry.is_symlink() else pending).append(entry.path)
        yield here, files


def made_by_us(folder: str) -> str:
    """What headset wrote here, if it did: its files are results, not recordings. "" for any other folder."""
    if os.path.isdir(os.path.join(folder, "sources", "listed")):
        return "a corpus"
    for name, keys, what in REPORTS:
        path = os.path.join(folder, name)
        if os.path.isfile(path) and keys <= _keys(path):
            return what
    return ""


def _keys(path: str) -> set[str]:
    """The names in the JSON object of a file, or of its first line; none for any other file."""
    try:
        with open(path, "rb") as file:
            found = json.loads(file.readline() if path.endswith("l") else file.read(MOST_REPORT_BYTES))
    except (OSError, ValueError):
        return set()
    return set(found) if isinstance(found, dict) else set()


def search_prefix(address: str, tally: Tally) -> Iterator[Entry]:
    """The videos and sounds under a prefix of an S3 bucket."""
    bucket, _, prefix = re.sub(r"(?i)^s3://", "", address).partition("/")
    try:
        with s3_errors(address, missing=MissingBucket):
            pages = s3_client().get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
            keys = [item["Key"] for page in pages for item in page.get("Contents", [])]
    except StorageError as error:
        reason = {MissingBucket: "missing_bucket", AccessDenied: "access_denied"}.get(type(error), "store_unreachable")
        tally.whole += 1
        yield Entry(address, problem=Problem(reason, str(error)))
        return
    tally.total += len(keys)
    videos = sorted(key for key in keys if is_media(key))
    tally.rest += Counter(_suffix(key) or "without a suffix" for key in keys if not is_media(key))
    for key in videos:
        yield Entry(f"s3://{bucket}/{key}")
    if not videos:
        tally.whole += 1
        yield Entry(address, problem=Problem("empty_folder", EMPTY))


def _suffix(name: str) -> str:
    return os.path.splitext(name)[1].lower()
