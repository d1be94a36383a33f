"""Which column of a list names the recording, and whether its first line is a header."""

import os
import re
from collections.abc import Mapping, Sequence
from typing import Any

from operators.sources import addresses
from pipeline.listing import ranges
from pipeline.listing.folders import is_media

COLUMNS = (
    "uri", "url", "address", "link", "video_url", "video_link", "video_uri", "youtube_url", "youtube_link",
    "webpage_url", "source_url", "path", "video_path", "file_path", "filepath", "file", "file_name", "filename",
    "video", "youtube_id", "youtube", "ytb_id", "yt_id", "ytid",
    "video_id", "videoid",
)  # fmt: skip
FACTS = {"sha256": ("sha256",), "licence": ("licence", "license"), "seconds": ("duration_s", "duration", "seconds")}
OTHERS = [
    "id",
    "name",
    "title",
    "caption",
    "text",
    "description",
    "label",
    "speaker",
    "split",
    "language",
    "channel",
    "start",
    "end",
]
HEADER = {*COLUMNS, *(name for names in FACTS.values() for name in names), *ranges.NAMES, *ranges.FRAMES, *OTHERS}
OURS = {"source_id", "container", "audio_start_s"}  # the table `sources`: its times are those of the whole recording
WANTED = {
    *COLUMNS,
    *(name for names in FACTS.values() for name in names),
    *ranges.NAMES,
    *OURS,
}  # all that is read of a table

_SCHEME = re.compile(r"([a-z][a-z0-9+.-]*)://|(file|data|javascript):", re.IGNORECASE)
_WORD = re.compile(r"[A-Z]?[a-z_]+|[A-Z_]+")


def normal(name: Any) -> str:
    """A column's name as it is compared: "Video Link", "video-link" and "video_link" are one."""
    return re.sub(r"[\s-]+", "_", str(name).strip().lstrip("\ufeff").lower())


def has_scheme(text: str) -> bool:
    """Whether the text begins as an address does, of any scheme."""
    return _SCHEME.match(text) is not None


def without_scheme(text: str) -> str | None:
    """The address that was meant, where only its scheme is missing: youtu.be/ID, www.example.org/a.mp4, //host/a.mp4.

    None for another text.
    """
    if text.startswith("//") and not text.startswith("///"):
        return f"https:{text}"
    host = text.partition("/")[0].partition("?")[0]
    if "/" in text and (host.lower().startswith("www.") or _is_youtube(f"https://{text}")):
        return f"https://{text}"
    return None


def _is_youtube(address: str) -> bool:
    try:
        return addresses.is_youtube(address)
    except ValueError:  # a text that no address begins with, such as "[a]"
        return False


def likeness(cell: Any) -> int:
    """How sure a cell is a recording.

    2 for an address or the name of a media file, 1 for what may be a YouTube id, 0 else.
    """
    text = str(cell or "").strip()
    if has_scheme(text) or text.startswith("yt:") or without_scheme(text) or is_media(text):
        return 2
    return int(addresses.is_youtube_id(text) and not _WORD.fullmatch(text))


def is_header(cells: Sequence[str], base: str) -> bool:
    """Whether a first line names columns.

    It does where a name is known, or where nothing in it could be a recording.
    """
    if {normal(cell) for cell in cells} & HEADER and not any(likeness(cell) == 2 for cell in cells):
        return True
    return not any(
        likeness(cell) or (cell.strip() and os.path.isfile(os.path.join(base, cell.strip()))) for cell in cells
    )


def entry_column(names: Sequence[str], rows: Sequence[Sequence[Any]]) -> int:
    """The column that names the recording.

    One called so, else the one that looks most so in some rows, else the first.
    """
    known = {normal(name): number for number, name in reversed(list(enumerate(names)))}
    if found := [known[name] for name in COLUMNS if name in known]:
        return found[0]
    seen = [[likeness(row[number]) if number < len(row) else 0 for row in rows] for number in range(len(names))]
    score = [(values.count(2), values.count(1), -number) for number, values in enumerate(seen)]
    return max(range(len(names)), key=lambda number: score[number], default=0)


def fields_of(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row by the names that are compared; what lies in an object within it as well, as in TalkVid's `info`.

    The first of two equal names counts.
    """
    inner = [item for value in row.values() if isinstance(value, Mapping) for item in value.items()]
    fields: dict[str, Any] = {}
    for name, value in [*row.items(), *inner]:
        fields.setdefault(normal(name), value)
    return fields
