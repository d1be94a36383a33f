"""Videos in a notebook: a player each, its poster inside the page.

Where a page takes `<video>` away, as GitHub does, the poster inside it is left. A file is linked by a relative path,
which lives as long as notebook and corpus keep their places; a small one may be put into the page itself.
"""

import os
import urllib.parse
from collections.abc import Iterator
from dataclasses import dataclass
from html import escape
from pathlib import Path

from pipeline.views.facts import Fact, Line, Part
from pipeline.views.pictures import SIDE_PX, Still, data_uri, tiled

EMBEDDED_BYTES = 4 * 2**20  # the largest video that goes into a page unasked, where it stands alone


@dataclass(frozen=True)
class Player(Fact):
    """A video of one clip."""

    clip_id: str
    caption: str
    poster: bytes  # JPEG
    src: str  # a relative path, a data URI, or "" for a poster alone

    def parts(self) -> Iterator[Part]:
        yield Line.of(self.clip_id, ": ", self.caption)

    def html(self, width: int) -> str:
        still = Still("", self.poster)
        if not self.src:
            return f"{still.html(width)}{self._told()}"
        poster = f' poster="{data_uri(self.poster)}"' if self.poster else ""
        inner = (
            f'<img src="{data_uri(self.poster)}" width="{width}" alt="{escape(self.clip_id)}">' if self.poster else ""
        )
        video = f'<video controls loop preload="none" width="{width}"{poster} src="{escape(self.src)}">{inner}</video>'
        return f"{video}<br>{self._told()}"

    def _told(self) -> str:
        return "<small>" + escape(self.caption).replace("\n", "<br>") + "</small>"

    def _repr_html_(self) -> str:
        return f'<div class="headset">{self.html(384)}</div>'


@dataclass(frozen=True)
class Players(Fact):
    """Clips to look at, side by side."""

    title: str
    players: tuple[Player, ...]
    columns: int = 4

    def parts(self) -> Iterator[Part]:
        yield Line.of(self.title)
        for player in self.players:
            yield Line.of(player.clip_id, ": ", player.caption.replace("\n", ", "), indent=2)

    def _repr_html_(self) -> str:
        return tiled([player.html(SIDE_PX) for player in self.players], self.columns, self.title)


def link_to(path: Path) -> str:
    """The path as a page in the working folder names it."""
    return urllib.parse.quote(os.path.relpath(path).replace(os.sep, "/"))


def inside_page(path: Path) -> str:
    """The file as a part of the page."""
    return data_uri(path.read_bytes(), "video/mp4")
