"""Writes a page into a folder that opens by double click: no server, no network."""

import hashlib
import os
import re
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from manifests.errors import UsageError
from manifests.manifest import Manifest
from manifests.names import inside
from manifests.tables import Render, Source
from pipeline.views.explorer.details import RECORDING
from pipeline.views.explorer.explorer import Explorer

MEDIA = ("renders", "all", "linked")


@dataclass(frozen=True)
class WrittenPlaces:
    """Where a page in a folder finds videos: copies below it, or the files where they lie."""

    root: str  # of the corpus
    out: Path
    media: str  # of MEDIA

    def render(self, render: Render) -> str:
        return f"{self._up()}{render.media}"

    def source(self, source: Source) -> str:
        if self.media == "renders":
            return ""
        if self.media == "all":
            return copied_name(source)
        if source.media:
            return f"{self._up()}{source.media}"
        return (
            ""
            if "://" in source.uri
            else quote(os.path.relpath(os.path.realpath(source.uri), os.path.realpath(self.out)))
        )

    def _up(self) -> str:
        """From the page to the corpus, where its files are used as they lie."""
        return (
            f"{quote(os.path.relpath(os.path.realpath(self.root), os.path.realpath(self.out)))}/"
            if self.media == "linked"
            else ""
        )


def copied_name(source: Source) -> str:
    """The name of a source's copy, which no title and no path of others has a part in but for a plain suffix."""
    suffix = Path(source.media or source.uri).suffix.lower()
    named = hashlib.sha256(source.source_id.encode()).hexdigest()[:24]
    return f"sources/{named}{suffix if re.fullmatch(r'[.][a-z0-9]{1,8}', suffix) else ''}"


def write_page(
    manifest: Manifest,
    out: Path,
    *,
    where: str = "",
    media: str = "renders",
    tell: Callable[[int, int | None], None] = lambda done, of: None,
) -> int:
    """Writes the page, and returns how many clips it shows. Files that are there already are replaced.

    Args:
        where: a condition on the clip view; "" for all clips.
        media: `renders` copies the clips' own videos, `all` their sources too, `linked` points at where they all lie.
        tell: is called with how many files are written, and of how many.

    Raises:
        UsageError: for a condition that cannot be; for a folder that holds something else; for links into a bucket.
    """
    if media == "linked" and not manifest.is_local:
        raise UsageError(
            f"{manifest.root} is no folder, so a page on disk cannot point into it; leave out --media linked"
        )
    if out.exists() and (not out.is_dir() or (any(out.iterdir()) and not (out / "index.html").is_file())):
        raise UsageError(f"{out} holds something else than a page; name a new or an empty folder")
    places = WrittenPlaces(manifest.root, out, media)
    with tempfile.TemporaryDirectory() as folder:
        explorer = Explorer(manifest, places, Path(folder), where)
        names = list(explorer.names())
        for number, name in enumerate(names):
            _put(inside(out, name), explorer.content(name))
            tell(number + 1, len(names))
        if media != "linked":
            _copy_media(explorer, out)
        return explorer.columns.rows


def _copy_media(explorer: Explorer, out: Path) -> None:
    """The videos of the clips that are shown, and of examples of what was given up."""
    details = explorer.details
    sources = {one.source_id for loss in explorer.lost for one in loss.examples}
    for number in range(explorer.columns.rows):
        wide = explorer.columns.row(number)
        sources.add(wide["source_id"])
        for row in details.rows(wide["source_id"], Render):
            if (row.clip_id, row.made_by) == (wide["clip_id"], RECORDING):
                _copy(details.path_of(row), out / row.media)
    for source_id in sorted(sources):
        if (source := details.source(source_id)) and (name := explorer.places.source(source)):
            _copy(details.path_of(source), out / name)


def _copy(path: Path | None, place: Path) -> None:
    if path is not None and not place.exists():
        place.parent.mkdir(parents=True, exist_ok=True)
        part = place.with_name(f"{place.name}.part")
        shutil.copyfile(path, part)
        os.replace(part, place)


def _put(place: Path, content: bytes) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    part = place.with_name(f"{place.name}.part")
    part.write_bytes(content)
    os.replace(part, place)
