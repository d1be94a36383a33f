"""A web site with every fault a crawl meets, on 127.0.0.1; `site_cases.py` says what each address should end in."""

import gzip
import hashlib
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from fractions import Fraction
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import av
import numpy as np

from tests.local_server import Server, answering
from tests.made_videos import tone, write_audio, write_video
from tests.site_cases import CASES, TITLES, Case


@dataclass
class WebSite:
    """The running site."""

    address: str
    files: dict[str, bytes]
    asked: Counter[str] = field(default_factory=Counter)  # requests by path
    ranges: list[tuple[str, str]] = field(default_factory=list)  # path and Range header, in order
    sent: Counter[str] = field(default_factory=Counter)  # bytes of bodies by path
    stop: threading.Event = field(default_factory=threading.Event)

    def of(self, case: Case) -> str:
        return self.address + case.path


@contextmanager
def serve(folder: Path) -> Iterator[WebSite]:
    """Serves the site until the block ends. `folder` is for making its videos."""
    server = Server(("127.0.0.1", 0), _Handler)
    site = WebSite(f"http://127.0.0.1:{server.server_address[1]}", _files(folder))
    server.site = site  # type: ignore[attr-defined]
    with answering(server, site.stop):
        yield site


def _files(folder: Path) -> dict[str, bytes]:
    """A different small video for every name, with sound; and what HLS needs."""
    folder.mkdir(parents=True, exist_ok=True)
    files = {}
    for name in sorted({case.file for case in CASES if case.file} | {"half", "stall", "cut", "less", "before"}):
        noise = np.random.default_rng(int(hashlib.sha256(name.encode()).hexdigest()[:8], 16)).integers(
            0, 255, (90, 160, 3), np.uint8
        )
        files[name] = write_video(
            folder / f"{name}.mp4", [(noise, 0.4)], size=(160, 90), audio=tone(0.4), crf=10
        ).read_bytes()
    picture = np.random.default_rng(7).integers(0, 255, (90, 160, 3), np.uint8)
    for number in range(2):
        look = [(np.roll(picture, 40 * number, axis=1), 1.0)]
        files[f"part{number}.ts"] = write_video(
            folder / f"part{number}.ts", look, size=(160, 90), audio=tone(1.0)
        ).read_bytes()
        files[f"silent{number}.ts"] = write_video(folder / f"silent{number}.ts", look, size=(160, 90)).read_bytes()
    write_audio(folder / "sound.ts", tone(2.0)[:, None], 44100, "aac")
    files["sound.ts"] = (folder / "sound.ts").read_bytes()
    _shifted(folder, files)
    return files


def _shifted(folder: Path, files: dict[str, bytes]) -> None:
    """Later segments start where the earlier ones end, as a server's do."""
    for name in ("part1.ts", "silent1.ts"):
        with (
            av.open(str(folder / name)) as source,
            av.open(str(folder / f"later-{name}"), "w", format="mpegts") as made,
        ):
            into = {
                stream.index: made.add_stream_from_template(stream)
                for stream in source.streams
                if stream.type in ("video", "audio")
            }
            for packet in source.demux():
                if packet.dts is not None and packet.pts is not None:
                    packet.pts, packet.dts = packet.pts + 90000, packet.dts + 90000
                    packet.stream = into[packet.stream.index]
                    made.mux(packet)
        files[name] = (folder / f"later-{name}").read_bytes()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    @property
    def site(self) -> WebSite:
        return self.server.site  # type: ignore[attr-defined]

    def log_message(self, format: str, *args: Any) -> None: ...

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        path = self.path
        self.site.asked[path] += 1
        self.site.ranges.append((path, self.headers.get("Range", "")))
        try:
            self._answer(path, self.site.asked[path])
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True

    def _answer(self, path: str, times: int) -> None:  # long: a table of paths, one a fault
        files = self.site.files
        name = path[1:].removesuffix(".mp4")
        case = next((case for case in CASES if case.path == path), None)
        if path.startswith("/moved/"):
            left = int(path.rsplit("/", 1)[1])
            return self._file(files["moved"]) if left == 0 else self._page(301, "", {"Location": f"/moved/{left - 1}"})
        if path.startswith("/status/"):
            status = int(path.rsplit("/", 1)[1])
            return self._page(status, TITLES[status], {"Retry-After": "3600"} if status == 429 else {})
        if path.startswith("/once/") and path != "/once/stall":
            status = int(path.rsplit("/", 1)[1])
            wait = {"Retry-After": "1"} if status in (429, 503) else {}
            return self._page(status, "once", wait) if times == 1 else self._file(files[f"once{status}"])
        if path.startswith("/hls/"):
            return self._hls(path)
        match path:
            case "/loop":
                return self._page(302, "", {"Location": "/loop"})
            case "/to-file":
                return self._page(302, "", {"Location": "file:///etc/passwd"})
            case "/to-nowhere":
                return self._page(302, "", {"Location": "http://[not-an-address/a.mp4"})
            case "/to-localhost":
                return self._page(
                    302, "", {"Location": self.site.address.replace("127.0.0.1", "localhost") + "/good0.mp4"}
                )
            case "/to-signed":
                return self._page(302, "", {"Location": "/query.mp4?id=1&X-Amz-Signature=hunter2"})
            case "/to-signed-missing":
                return self._page(302, "", {"Location": "/missing.mp4?token=hunter2"})
            case "/query.mp4?id=1&X-Amz-Signature=hunter2":
                return self._file(files["query"])
            case "/embeds-localhost.html":
                return self._page(
                    200,
                    "inside",
                    body=f"<video src='{self.site.address.replace('127.0.0.1', 'localhost')}/good0.mp4'></video>",
                )
            case "/slow.mp4":
                return self._file(files["query"] * 400, until=0.3 if times == 1 else 1.0, stall=times == 1)
            case "/norange.mp4":
                return self._file(files["norange"], ranges=False)
            case "/untyped.mp4":
                return self._file(files["untyped"], kind="")
            case "/gzip.mp4":
                return self._send(
                    200, gzip.compress(files["gzip"]), {"Content-Type": "video/mp4", "Content-Encoding": "gzip"}
                )
            case "/chunked.mp4":
                return self._chunked(files["chunked"], whole=True)
            case "/chunked-cut.mp4":
                return self._chunked(files["half"], whole=False)
            case "/stall.mp4":
                return self._file(files["stall"], until=0.4, stall=True, etag=False)
            case "/once/stall":
                return self._file(files["oncestall"], until=0.4 if times == 1 else 1.0, stall=times == 1)
            case "/mute.mp4":
                return self._silence()
            case "/cut.mp4":
                return self._file(files["cut"], until=0.3, etag=False)
            case "/cut-each-third.mp4":
                return self._file(files["cuts"], until=0.4 * times)
            case "/norange-cut-once.mp4":
                return self._file(files["norangecut"], until=0.5 if times == 1 else 1.0, ranges=False)
            case "/changes.mp4":
                return self._file(files["before"], until=0.5) if times == 1 else self._file(files["changed"])
            case "/claims-more.mp4":
                return self._send(200, files["half"], {"Content-Type": "video/mp4"}, length=len(files["half"]) + 999)
            case "/claims-less.mp4":
                body = files["less"][: len(files["less"]) // 2]
                return self._send(200, body, {"Content-Type": "video/mp4"})
            case "/huge.mp4":
                return self._send(200, b"", {"Content-Type": "video/mp4"}, length=2**41)
            case "/endless.mp4":
                return self._endless()
            case "/empty.mp4":
                return self._send(200, b"", {"Content-Type": "video/mp4"})
            case "/text.mp4":
                return self._send(200, b"only words\n" * 500, {"Content-Type": "video/mp4"})
            case "/picture.mp4":
                return self._send(200, _png(), {"Content-Type": "video/mp4"})
            case "/page.mp4":
                return self._send(
                    200, b"<!DOCTYPE html><title>This video was removed</title><p>sorry", {"Content-Type": "video/mp4"}
                )
            case "/playlist-of-files.mp4":
                body = b"ffconcat version 1.0\nfile '/etc/passwd'\nfile '/etc/hostname'\n"
                return self._send(200, body, {"Content-Type": "video/mp4"})
            case "/soft404.html":
                return self._page(200, "Nothing here")
            case "/watch.html":
                return self._page(200, "../../odd &amp; title", body='<video src="/watched.mp4" controls></video>')
            case "/two.html":
                return self._page(200, "two", body='<video src="/good0.mp4"></video><video src="/good1.mp4"></video>')
        key = case.file if case else unquote(name)
        if key in files:
            return self._file(files[key])
        return self._page(404, "taken down by its owner")

    def _page(self, status: int, title: str, headers: dict[str, str] | None = None, body: str = "") -> None:
        page = f"<!DOCTYPE html><html><head><title>{title}</title></head><body>{body or title}</body></html>".encode()
        self._send(status, page, {"Content-Type": "text/html; charset=utf-8", **(headers or {})})

    def _hls(self, path: str) -> None:
        name = path.removeprefix("/hls/")
        if name.endswith(".ts"):
            if name in self.site.files:
                return self._file(self.site.files[name], kind="video/mp2t")
            return self._page(404, "no such part")
        lists = {
            "whole.m3u8": _parts(["part0.ts", "part1.ts"]),
            "hole.m3u8": _parts(["part0.ts", "missing.ts", "part1.ts"]),
            "pictures.m3u8": _parts(["silent0.ts", "silent1.ts"]),
            "sound.m3u8": _parts(["sound.ts"], 2.0),
            "apart.m3u8": _apart(sound=True),
            "silent.m3u8": _apart(sound=False),
            "sample-aes.m3u8": (
                _parts(["part0.ts"]).replace("#EXTINF", '#EXT-X-KEY:METHOD=SAMPLE-AES,URI="/key"\n#EXTINF', 1)
            ),
            "rtmp.m3u8": "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=200000\nrtmp://example.org/live\n",
        }
        self._send(200, lists[name].encode(), {"Content-Type": "application/vnd.apple.mpegurl"})

    def _file(
        self,
        body: bytes,
        *,
        until: float = 1.0,
        stall: bool = False,
        ranges: bool = True,
        etag: bool = True,
        kind: str = "video/mp4",
    ) -> None:
        """Sends a file, or the part asked for, up to the share `until` of the whole; then stalls or hangs up."""
        tag = f'"{hashlib.sha256(body).hexdigest()[:16]}"'
        start = 0
        wanted = self.headers.get("Range", "")
        if ranges and wanted.startswith("bytes=") and self.headers.get("If-Range", tag) == tag:
            start = int(wanted.removeprefix("bytes=").split("-")[0])
        if start >= len(body) > 0:
            return self._send(416, b"", {"Content-Range": f"bytes */{len(body)}"})
        headers = {"Accept-Ranges": "bytes"} if ranges else {}
        headers |= {"Content-Type": kind} if kind else {}
        headers |= {"ETag": tag} if etag else {}
        headers |= {"Content-Range": f"bytes {start}-{len(body) - 1}/{len(body)}"} if start else {}
        end = max(start, int(len(body) * until))
        self._send(206 if start else 200, body[start:end], headers, length=len(body) - start)
        if stall and end < len(body):
            self.site.stop.wait(30)

    def _send(self, status: int, body: bytes, headers: dict[str, str], length: int | None = None) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body) if length is None else length))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)
            self.wfile.flush()
            self.site.sent[self.path] += len(body)
        self.close_connection = length not in (None, len(body))

    def _chunked(self, body: bytes, whole: bool) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "video/mp4")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for at in range(0, len(body) if whole else len(body) // 2, 4096):
            chunk = body[at : at + 4096]
            self.wfile.write(f"{len(chunk):x}\r\n".encode() + chunk + b"\r\n")
        if whole:
            self.wfile.write(b"0\r\n\r\n")
        self.close_connection = not whole

    def _endless(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "video/mp4")
        self.send_header("Connection", "close")
        self.end_headers()
        self.close_connection = True
        while not self.site.stop.is_set():
            self.wfile.write(bytes(2**16))

    def _silence(self) -> None:
        self.site.stop.wait(30)
        self.close_connection = True


def _parts(names: list[str], seconds: float = 1.0) -> str:
    lines = [f"#EXTINF:{seconds},\n{name}" for name in names]
    return "\n".join(["#EXTM3U", "#EXT-X-VERSION:3", "#EXT-X-TARGETDURATION:2", *lines, "#EXT-X-ENDLIST", ""])


def _apart(sound: bool) -> str:
    """A master playlist whose pictures come without sound, with the sound beside them or without any."""
    lines = ["#EXTM3U"]
    if sound:
        lines.append('#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a",NAME="main",DEFAULT=YES,URI="sound.m3u8"')
    codecs = 'CODECS="avc1.42c00b,mp4a.40.2",AUDIO="a"' if sound else 'CODECS="avc1.42c00b"'
    lines += [f"#EXT-X-STREAM-INF:BANDWIDTH=200000,RESOLUTION=160x90,{codecs}", "pictures.m3u8", ""]
    return "\n".join(lines)


def _png() -> bytes:
    codec: Any = av.CodecContext.create("png", "w")
    codec.width, codec.height, codec.pix_fmt, codec.time_base = 8, 8, "rgb24", Fraction(1, 25)
    frame = av.VideoFrame.from_ndarray(np.zeros((8, 8, 3), np.uint8), format="rgb24")
    return b"".join(bytes(packet) for packet in [*codec.encode(frame), *codec.encode(None)])
