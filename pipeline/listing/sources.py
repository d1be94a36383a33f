"""One entry as the source it names, or as the reason why it names none."""

import hashlib
import os
import re
import stat
from difflib import get_close_matches

from manifests.tables import Source
from operators.sources import addresses
from pipeline.listing.columns import has_scheme, without_scheme
from pipeline.listing.entries import Entry, Problem
from pipeline.listing.hashes import Hashes
from pipeline.listing.lists import OTHERS


def source_of(entry: Entry, hashes: Hashes) -> Source | Problem:
    """The source an entry names, or why it names none."""
    if entry.problem:
        return entry.problem
    text = entry.text.strip()
    if not text:
        return Problem("empty_entry")
    try:
        if has_scheme(text):
            return _address(text, entry)
        if text.startswith("yt:"):
            if not addresses.is_youtube_id(text[3:]):
                return Problem("not_an_address", "a YouTube id has 11 letters, digits, - or _")
            return _youtube(text[3:], entry)
        path = os.path.join(entry.base, text)
        if not os.path.lexists(path):
            if addresses.is_youtube_id(text):
                return _youtube(text, entry)
            if meant := without_scheme(text):
                return _address(meant, entry)
        return _file(path, entry, hashes)
    except addresses.AddressRefused as refused:
        return Problem(refused.reason, refused.detail)
    except ValueError as error:
        return Problem("not_an_address", addresses.scrubbed(str(error)))


def _address(text: str, entry: Entry) -> Source | Problem:
    if re.search(r"(?i)\s(?:https?|s3)://", text):
        return Problem("not_an_address", "more than one address: write one a line")
    addresses.check(text)
    if addresses.holds_secret(text):
        return Problem(
            "credentials_in_address",
            "a manifest keeps no secrets: use s3:// with AWS's own chain, a netrc or a cookies file",
        )
    if video := addresses.youtube_id(text):
        return _youtube(video, entry)
    if addresses.is_youtube(text):
        return Problem("not_one_video", "a channel, playlist or search of YouTube: list its videos")
    if re.fullmatch(r"(?i)s3://([^/]+|.*/)", text):
        return Problem("not_one_video", "a bucket or a prefix: name it outside of a list, with a slash at its end")
    address = addresses.normalised(text)
    return Source(
        f"web-{hashlib.sha256(address.encode()).hexdigest()[:12]}", address, sha256=entry.sha256, licence=entry.licence
    )


def _youtube(video: str, entry: Entry) -> Source:
    return Source(f"yt-{video}", f"https://www.youtube.com/watch?v={video}", sha256=entry.sha256, licence=entry.licence)


def _file(path: str, entry: Entry, hashes: Hashes) -> Source | Problem:
    path = os.path.abspath(path)
    try:
        path.encode()
    except UnicodeEncodeError:
        return Problem("name_not_utf8", "a table cannot hold this file's name; rename it")
    if told := OTHERS.get(os.path.splitext(path)[1].lower()):
        return Problem("missing_file" if not os.path.lexists(path) else "no_list", told)
    try:
        found = os.stat(path)
        if not stat.S_ISREG(found.st_mode):  # a pipe or a device would be read for ever
            return Problem("not_a_file", "a folder in a list is not searched" if stat.S_ISDIR(found.st_mode) else "")
        sha256 = hashes.of(path, found)
    except FileNotFoundError:
        return Problem("missing_file", "" if entry.where else closest(path))
    except OSError as error:
        return Problem("unreadable", str(error.strerror))
    if entry.sha256 and entry.sha256 != sha256:
        return Problem("checksum_changed", f"has sha256 {sha256[:12]}…, listed as {entry.sha256[:12]}…")
    return Source(f"file-{sha256[:12]}", path, sha256=sha256, bytes=found.st_size, licence=entry.licence)


def missing(argument: str) -> str | None:
    """What to tell of a name on the command line that is neither there nor an address; None for every other."""
    if (
        has_scheme(argument)
        or argument.startswith("yt:")
        or addresses.is_youtube_id(argument)
        or without_scheme(argument)
    ):
        return None
    return None if os.path.lexists(argument) else f"{argument}: {closest(os.path.abspath(argument))}"


def closest(path: str) -> str:
    """What to tell of a path that is not there: its nearest neighbour, or the first part of it that is missing."""
    folder, name = os.path.split(path)
    while folder != os.path.dirname(folder) and not os.path.isdir(folder):
        folder, name = os.path.split(folder)
    try:
        names = os.listdir(folder)
    except OSError:
        return ""
    lower = {one.lower(): one for one in names}
    near = [lower[found] for found in get_close_matches(name.lower(), lower, 1, 0.7)]
    if near:
        return f"did you mean {os.path.join(folder, near[0])}?"
    if re.fullmatch(r"[\w-]+(\.[\w-]+)*\.[A-Za-z]{2,}", name) and os.path.join(folder, name) != path:
        return "no such file; an address begins with https://"
    return f"there is no {name} in {folder}"
