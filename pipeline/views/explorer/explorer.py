"""A page that shows a corpus: every file of it by its name.

Written to a folder, it opens from disk; served, files are made when they are asked for.

    index.html                         the page: its program and style are in it, and it lets no other run
    data/catalogue.js                  what columns there are, with their histograms
    data/values/<column>-<part>.js     levels and codes, `PART_ROWS` clips a file
    data/texts/<column>-<part>.js      texts, `TEXT_ROWS` clips a file
    data/clips/<thousand>/<row>.js     all of one clip
    data/losses.js                     the funnel, and what was given up, with examples
    sprites/<sheet>.jpg                pictures of 64 clips; sprites/losses.jpg those of the examples
    media/, sources/                   the videos

A data file is one call whose argument is base64: no text of others is ever parsed as a program.
"""

import hashlib
import json
import re
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from functools import cache, cached_property
from importlib.resources import files
from pathlib import Path
from threading import RLock
from typing import Any

from manifests.errors import NotFound
from manifests.manifest import Manifest
from manifests.tables import Clip, Render, Source
from pipeline.query.clip_view import lay_down, run_plainly, view_for
from pipeline.query.predicates import normal
from pipeline.views.dictionary import VIEW, dictionary
from pipeline.views.explorer import losses, posters
from pipeline.views.explorer.columns import (
    ASKED,
    BINS,
    LEVELS,
    MISSING,
    PART_ROWS,
    TEXT_ROWS,
    VERDICTS,
    ClipColumns,
)
from pipeline.views.explorer.details import RECORDING, Details, Places

BUILT = files("pipeline.views.explorer") / "built"
_NAME = re.compile(r"data/(values|texts)/(\d+)-(\d+)\.js|data/clips/(\d+)/(\d+)\.js")
_SHEET = re.compile(r"sprites/(\d{1,9})\.jpg")


@dataclass(frozen=True)
class Explorer:
    """The files of a page. What it shows is fixed when it is made: a run that goes on meanwhile does not change it."""

    manifest: Manifest
    places: Places
    folder: Path  # of this page alone, for what it keeps on disk
    where: str = ""  # a condition on the clip view; "" for all clips
    served: bool = False

    @cached_property
    def columns(self) -> ClipColumns:
        """
        Raises:
            UsageError: for a condition that cannot be, with the columns there are.
        """
        path = self.folder / "clips.parquet"
        chosen = f" where {normal(self.where)}" if self.where else ""
        if chosen:
            connection, there = view_for(self.manifest, chosen)
            run_plainly(connection.sql, f"select clip_id from wide{chosen}", there)  # noqa: S608 - the user's own
        query = f"select * from wide{chosen} order by clip_id"  # noqa: S608 - the user's own, over their own tables
        known = lay_down(self.manifest, path, query)
        told = {one.name: one for one in dictionary(self.manifest, VIEW).columns}
        return ClipColumns(path, told, {name: column.part for name, column in known.items()})

    @cached_property
    def details(self) -> Details:
        return Details(self.manifest, self.columns, self.places)

    @cached_property
    def lost(self) -> list[losses.Loss]:
        return losses.losses(self.manifest)

    def names(self) -> Iterator[str]:
        """The names of all files but videos, in an order in which each costs least."""
        rows = self.columns.rows
        yield from ("index.html", "data/catalogue.js", "data/losses.js", "sprites/losses.jpg")
        for number, column in enumerate(self.columns.described):
            each, kind = (TEXT_ROWS, "texts") if column.kind == "text" else (PART_ROWS, "values")
            if kind == "texts" and column.name not in ASKED:
                continue
            yield from (f"data/{kind}/{number}-{part}.js" for part in range(_parts(rows, each)))
        for sheet in range(-(-rows // posters.SHEET)):
            yield f"sprites/{sheet}.jpg"
            for row in range(sheet * posters.SHEET, min(rows, (sheet + 1) * posters.SHEET)):
                yield f"data/clips/{row // 1000}/{row}.js"

    @cached_property
    def one_at_a_time(self) -> Any:
        """The lock of what is read and kept: a page that is served is asked from several threads."""
        return RLock()

    def content(self, name: str) -> bytes:
        """A file of the page.

        Raises:
            NotFound: for a name that it does not have.
        """
        if found := _SHEET.fullmatch(name):
            first = int(found[1]) * posters.SHEET
            with self.one_at_a_time:
                rows = self.columns.rows
            if first < rows:
                return self._sheet(range(first, min(rows, first + posters.SHEET)))
        with self.one_at_a_time:
            return self._content(name)

    def _content(self, name: str) -> bytes:
        plain = {
            "index.html": lambda: page(served=self.served).encode(),
            "data/catalogue.js": lambda: _script("catalogue", _json(self.catalogue())),
            "data/losses.js": lambda: _script("losses", _json(losses.told(self.lost, self.manifest, self.details))),
            "sprites/losses.jpg": lambda: posters.sheet(
                losses.pictures(self.lost, self.details), losses.WIDE, losses.TALL
            ),
        }
        if name in plain:
            return plain[name]()
        found = _NAME.fullmatch(name)
        if not found:
            raise NotFound(f"the page has no {name!r}")
        kind, column, part, thousand, row = found.groups()
        rows = self.columns.rows
        if kind and int(column) < len(self.columns.described):
            is_text = self.columns.described[int(column)].kind == "text"
            if is_text == (kind == "texts") and int(part) < _parts(rows, TEXT_ROWS if is_text else PART_ROWS):
                return _script(f"{kind}/{int(column)}-{int(part)}", self._part(int(column), int(part), is_text))
        if row and int(row) < rows and int(thousand) == int(row) // 1000:
            return _script(f"clips/{int(row) // 1000}/{int(row)}", _json(self.details.of(int(row))))
        raise NotFound(f"the page has no {name!r}")

    def _part(self, column: int, part: int, is_text: bool) -> bytes:
        if is_text:
            return _json(self.columns.texts(column, part))
        return next(one for number, one in enumerate(self._values(column)) if number == part)

    def _values(self, column: int) -> Iterator[bytes]:
        """The parts of a column, which is kept for the next part of it."""
        if self._held.get("column") != column:
            self._held.update(column=column, parts=list(self.columns.value_parts(column)))
        yield from self._held["parts"]

    @cached_property
    def _held(self) -> dict[str, Any]:
        return {}

    def _sheet(self, rows: range) -> bytes:
        """Pictures of some clips. They are decoded without holding up who asks for something else."""
        with self.one_at_a_time:
            wanted = [self._poster(row) for row in rows]
        return posters.sheet(posters.picture_at(*one) for one in wanted)

    def _poster(self, number: int) -> tuple[Path | None, float, tuple[float, ...] | None]:
        """Where a clip's picture is: in the middle of its render, else of its source, cut to the clip's box."""
        wide = self.columns.row(number)
        clip = next(row for row in self.details.rows(wide["source_id"], Clip) if row.clip_id == wide["clip_id"])
        for render in self.details.rows(clip.source_id, Render):
            if (render.clip_id, render.made_by) == (clip.clip_id, RECORDING) and (path := self.details.path_of(render)):
                return path, render.duration_s / 2, None
        path = self.details.path_of(self.details.rows(clip.source_id, Source)[0])
        return path, (clip.start_s + clip.end_s) / 2, (clip.left_px, clip.top_px, clip.right_px, clip.bottom_px)

    def catalogue(self) -> dict[str, Any]:
        """What the page has to know before it shows anything."""
        columns = self.columns.described
        return {
            "title": Path(self.manifest.root).name or self.manifest.root,
            "corpus": fingerprint(self.manifest),
            "root": self.manifest.root if self.served else Path(self.manifest.root).name,
            "made": datetime.now(UTC).isoformat(timespec="seconds"),
            "served": self.served,
            "where": self.where,
            "rows": self.columns.rows,
            "levels": LEVELS, "missing": MISSING, "bins": BINS, "part_rows": PART_ROWS, "text_rows": TEXT_ROWS,
            "poster": {"sheet": posters.SHEET, "across": posters.ACROSS, "side": posters.SIDE},
            "example": {"across": posters.ACROSS, "width": losses.WIDE, "height": losses.TALL},
            "render_prefix": self._prefix(),
            "verdicts": list(VERDICTS),
            "columns": [asdict(column) for column in columns],
        }  # fmt: skip

    def _prefix(self) -> str:
        """What stands before a place of the media store."""
        probe = Render("", "", "", RECORDING, "media/place", "", "", 0, 0, 0, 0.0, 0, 0.0, "")
        return self.places.render(probe).removesuffix("media/place")


def page(*, served: bool) -> str:
    """The page itself; what it shows it reads from the files beside it."""
    script, style = _built()
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{policy(served=served)}">'
        '<meta name="referrer" content="no-referrer"><link rel="icon" href="data:,">'
        '<meta name="viewport" content="width=device-width, initial-scale=1"><title>headset</title>'
        f'<style>{style}</style></head><body><div id="page"></div><script>{script}</script></body></html>\n'
    )


def policy(*, served: bool) -> str:
    """What the browser lets the page do. Its program and its style are let in by their hashes; scripts of data,
    pictures and videos from where the page lies; nothing else, and nothing from elsewhere.
    """
    script, style = map(_hash, _built())
    here, asks = ("'self'", "'self'") if served else ("file:", "'none'")
    return (
        f"default-src 'none'; script-src {script} {here}; style-src {style}; img-src {here} data:; media-src {here}; "
        f"worker-src blob:; connect-src {asks}; base-uri 'none'; form-action 'none'"
    )


@cache
def _built() -> tuple[str, str]:
    """The program and the style."""
    return (BUILT / "explorer.js").read_text(encoding="utf-8"), (BUILT / "explorer.css").read_text(encoding="utf-8")


def _hash(text: str) -> str:
    return f"'sha256-{b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def _parts(rows: int, each: int) -> int:
    return max(1, -(-rows // each))


def _json(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()


def _script(name: str, content: bytes) -> bytes:
    return b'headset_data("%s","%s")\n' % (name.encode(), b64encode(content))


def fingerprint(manifest: Manifest) -> str:
    """Tells corpora apart, and stays when sources are added: the sources of the first shard, which never change."""
    first = manifest.shards()[:1]
    return hashlib.sha256("\n".join(sorted(manifest.listed(Source, first))).encode()).hexdigest()[:16]
