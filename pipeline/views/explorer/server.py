"""Serves the page of a corpus to this machine alone.

Only 127.0.0.1 is listened at. Every address begins with a secret that the person who started the server is told, so
neither another user of the machine nor a page of somebody else finds anything; and what is asked for under another
host's name is refused, so that a name that is made to point here (DNS rebinding) is none of ours. Videos are those that
the corpus names: no path is made of what is asked for.
"""

import hashlib
import hmac
import json
import re
import secrets
import time
from collections import OrderedDict
from dataclasses import dataclass
from functools import cached_property
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Lock, Thread
from typing import Any, ClassVar

import pyarrow as pa

from manifests.cache import media_cache
from manifests.errors import HeadsetError, NotFound, UsageError
from manifests.manifest import Manifest
from manifests.media import PLACE, MediaStore
from manifests.tables import Render, Source
from pipeline.query.answer import answer
from pipeline.views.explorer.details import outlines
from pipeline.views.explorer.explorer import Explorer, policy

HOST = "127.0.0.1"
MOST_QUERY = 100_000  # bytes of a question
MOST_SHOWN = 1_000  # rows of an answer that are sent
KEPT = 256  # pictures that are not made again
PIECE = 1 << 18  # bytes of a video that are sent at a time
TYPES = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".jpg": "image/jpeg",
    ".mp4": "video/mp4",
    ".webm": "video/webm",
    ".mkv": "video/x-matroska",
    ".mov": "video/quicktime",
}
_SOURCE = re.compile(r"sources/([0-9a-f]{24})")
_RANGE = re.compile(r"bytes=(\d*)-(\d*)")


@dataclass(frozen=True)
class ServedPlaces:
    """Where a page that is served finds videos."""

    def render(self, render: Render) -> str:
        return render.media

    def source(self, source: Source) -> str:
        return f"sources/{_key(source.source_id)}"


def _key(source_id: str) -> str:
    return hashlib.sha256(source_id.encode()).hexdigest()[:24]


class PageServer(ThreadingHTTPServer):
    """The page at `address`, until `shutdown`."""

    daemon_threads = True

    def __init__(self, manifest: Manifest, folder: Path, where: str = "", port: int = 0):
        """
        Args:
            folder: of this server alone, for what it keeps on disk.
            where: a condition on the clip view; "" for all clips.
            port: 0 for a free one.

        Raises:
            UsageError: for a condition that cannot be.
        """
        self.explorer = Explorer(manifest, ServedPlaces(), folder, where, served=True)
        self.explorer.one_at_a_time  # noqa: B018 - made here, before several threads ask for it
        _ = self.explorer.columns
        Thread(
            target=outlines, daemon=True
        ).start()  # MediaPipe takes seconds to be imported: before the first clip is asked for
        self.secret = secrets.token_urlsafe(18)
        self._pictures: OrderedDict[str, bytes] = OrderedDict()
        self._guard = Lock()
        super().__init__((HOST, port), _Handler)

    @property
    def address(self) -> str:
        return f"http://{HOST}:{self.server_address[1]}/{self.secret}/"

    @cached_property
    def hosts(self) -> set[str]:
        """The names under which it may be asked."""
        return {f"{host}:{self.server_address[1]}" for host in (HOST, "localhost")}

    @cached_property
    def _sources(self) -> dict[str, str]:
        return {_key(source): source for source in self.explorer.manifest.table(Source)["source_id"].to_pylist()}

    def content(self, name: str) -> bytes:
        """A file of the page; pictures are kept, since making one takes a second."""
        if not name.startswith("sprites/"):
            return self.explorer.content(name)
        with self._guard:
            if name in self._pictures:
                self._pictures.move_to_end(name)
                return self._pictures[name]
        made = self.explorer.content(name)
        with self._guard:
            self._pictures[name] = made
            while len(self._pictures) > KEPT:
                self._pictures.popitem(last=False)
        return made

    def video(self, name: str) -> Path | None:
        """The file of a video that the corpus names; None for a name of something else.

        Raises:
            StorageError: for one that cannot be had.
        """
        if PLACE.fullmatch(name):
            sha256 = name.rpartition("/")[2].partition(".")[0]
            return MediaStore(self.explorer.manifest.root).fetch(name, sha256, media_cache())
        if (found := _SOURCE.fullmatch(name)) and (source_id := self._sources.get(found[1])):
            with self.explorer.one_at_a_time:
                source = self.explorer.details.rows(source_id, Source)[0]
            return self.explorer.details.path_of(source)
        return None

    def query(self, text: str) -> dict[str, Any]:
        """What a question in SQL gives, as the page reads it.

        Raises:
            UsageError: with what is wrong with it.
        """
        began = time.monotonic()
        found = answer(Manifest(self.explorer.manifest.root), text)
        shown = found.rows.slice(0, MOST_SHOWN)
        columns = [[_plain(value) for value in column.to_pylist()] for column in shown.columns]
        clips = None
        if "clip_id" in found.rows.column_names and pa.types.is_string(found.rows["clip_id"].type):
            with self.explorer.one_at_a_time:
                clips = self.explorer.columns.rows_of(found.rows["clip_id"].drop_null().to_pylist())
        more = found.more or len(found.rows) > MOST_SHOWN
        rows = [list(row) for row in zip(*columns, strict=True)] if columns else []
        return {
            "names": shown.column_names,
            "rows": rows,
            "more": more,
            "clips": clips,
            "seconds": time.monotonic() - began,
        }


def _plain(value: Any) -> Any:
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, float):
        return value if value == value and abs(value) != float("inf") else str(value)
    if isinstance(value, bytes):
        return f"{len(value)} bytes"
    return str(value)[:2000]


class _Handler(BaseHTTPRequestHandler):
    server: PageServer  # pyright: ignore[reportIncompatibleVariableOverride]
    protocol_version: ClassVar[str] = "HTTP/1.1"
    server_version: ClassVar[str] = "headset"
    sys_version: ClassVar[str] = ""
    timeout: ClassVar[float] = 60.0

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing: an address holds the secret."""

    def do_GET(self) -> None:
        self._answer(head=False)

    def do_HEAD(self) -> None:
        self._answer(head=True)

    def do_POST(self) -> None:
        if (name := self._asked()) is None:
            return
        size = self.headers.get("Content-Length", "")
        origin = self.headers.get("Origin")
        if name != "sql" or not size.isdigit() or int(size) > MOST_QUERY:
            self.close_connection = True
            return self._say(HTTPStatus.NOT_FOUND)
        body = self.rfile.read(int(size))
        is_json = self.headers.get("Content-Type", "").partition(";")[0] == "application/json"
        if not is_json or (origin is not None and origin.removeprefix("http://") not in self.server.hosts):
            return self._say(HTTPStatus.FORBIDDEN)
        try:
            query = json.loads(body)["query"]
            found = self.server.query(query) if isinstance(query, str) else {"error": "the query is no text"}
        except (ValueError, KeyError, TypeError):
            found = {"error": "no query was sent"}
        except HeadsetError as error:
            found = {"error": str(error)}
        self._send(json.dumps(found).encode(), "application/json")

    def _asked(self) -> str | None:
        """What is asked for, below the secret; None where that was answered already."""
        secret, _, name = self.path.split("?", 1)[0].removeprefix("/").partition("/")
        if self.headers.get("Host", "") not in self.server.hosts:
            self.close_connection = True
            self._say(HTTPStatus.MISDIRECTED_REQUEST)
        elif not hmac.compare_digest(secret.encode(), self.server.secret.encode()):
            self.close_connection = True
            self._say(HTTPStatus.NOT_FOUND)
        else:
            return name
        return None

    def _answer(self, *, head: bool) -> None:
        if (name := self._asked()) is None:
            return
        try:
            if path := self.server.video(name):
                self._video(path, head)
            else:
                name = name or "index.html"
                self._send(self.server.content(name), TYPES.get(Path(name).suffix, "application/octet-stream"), head)
        except (NotFound, UsageError):
            self._say(HTTPStatus.NOT_FOUND)
        except HeadsetError as error:
            self._say(HTTPStatus.GONE, str(error))
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True  # the browser has seen enough

    def _video(self, path: Path, head: bool) -> None:
        size = path.stat().st_size
        found = _RANGE.fullmatch(self.headers.get("Range", ""))
        first, last = (_span(found, size)) if found else (0, size - 1)
        if first > last:
            self.send_response(HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE)
            self.send_header("Content-Range", f"bytes */{size}")
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        self.send_response(HTTPStatus.PARTIAL_CONTENT if found else HTTPStatus.OK)
        self._headers(TYPES.get(path.suffix.lower(), "video/mp4"), last - first + 1)
        self.send_header("Accept-Ranges", "bytes")
        if found:
            self.send_header("Content-Range", f"bytes {first}-{last}/{size}")
        self.end_headers()
        with path.open("rb") as stream:
            stream.seek(first)
            left = 0 if head else last - first + 1
            while left > 0 and (piece := stream.read(min(PIECE, left))):
                self.wfile.write(piece)
                left -= len(piece)

    def _send(self, content: bytes, kind: str, head: bool = False) -> None:
        self.send_response(HTTPStatus.OK)
        self._headers(kind, len(content))
        if kind.startswith("text/html"):
            self.send_header("Content-Security-Policy", f"{policy(served=True)}; frame-ancestors 'none'")
        self.end_headers()
        if not head:
            self.wfile.write(content)

    def _say(self, status: HTTPStatus, text: str = "") -> None:
        content = (text or status.phrase).encode()
        self.send_response(status)
        self._headers("text/plain; charset=utf-8", len(content))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def _headers(self, kind: str, size: int) -> None:
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(size))
        self.send_header("X-Content-Type-Options", "nosniff")
        self.send_header("Referrer-Policy", "no-referrer")
        self.send_header("Cross-Origin-Resource-Policy", "same-origin")
        self.send_header("Cross-Origin-Opener-Policy", "same-origin")
        # A page that is served again may be another one at the same address of files; what is kept is asked after.
        self.send_header("Cache-Control", "private, max-age=600" if kind == "image/jpeg" else "no-store")


def _span(found: re.Match[str], size: int) -> tuple[int, int]:
    """The first and last byte that are asked for; the first behind the last where there are none."""
    first, last = found.groups()
    if not first:
        return (max(0, size - int(last)), size - 1) if last and int(last) else (1, 0)
    return int(first), min(int(last), size - 1) if last else size - 1
