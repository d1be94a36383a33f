"""Servers on 127.0.0.1 that drip, flood or never end, each in its own way. `TRAPS` says what each address should end
in.

They are written on bare sockets, since a web server's library would not let them be this rude.
"""

import gzip
import socket
import socketserver
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path

DRIP_S = 0.05  # between two bytes of a server that drips: far less than any time-out without a byte
BOMB_BYTES = 2**31  # unpacked


@dataclass(frozen=True)
class Trap:
    """An address that holds whoever asks it, and how an attempt on it should end."""

    path: str
    outcome: str
    what: str


TRAPS = (
    Trap("/headers.mp4", "too_slow", "headers, byte by byte, for ever"),
    Trap("/body.mp4", "too_slow", "a file, byte by byte, for ever"),
    Trap("/page.html", "too_slow", "a page, byte by byte, for ever"),
    Trap("/error.mp4", "too_slow", "the page of a 404, byte by byte, for ever"),
    Trap("/bomb.html", "too_large", "a page of 2 MB that unpacks to 2 GiB"),
    Trap("/bomb-moved.mp4", "too_many_redirects", "redirects for ever, each with such a page"),
    Trap("/bomb-moved-inside.html", "too_many_redirects", "a page whose video is such redirects"),
    Trap("/quadratic.html", "too_slow", "a page of 1 MB that takes a parser its length squared"),
    Trap("/endless.html", "too_large", "a page that never ends"),
    Trap("/endless.m3u8", "too_large", "a playlist that never ends"),
    Trap("/key.m3u8", "too_slow", "a playlist whose key comes byte by byte"),
    Trap("/endless-key.m3u8", "too_large", "a playlist whose key never ends"),
    Trap("/segment.m3u8", "too_large", "a playlist whose segment never ends"),
    Trap("/slow-segment.m3u8", "too_slow", "a playlist whose segment comes byte by byte"),
    Trap("/stalled.mp4", "timeout", "a connection on which nothing comes"),
    Trap("/huge-header.mp4", "too_large", "a header that never ends"),
    Trap("/many-headers.mp4", "too_large", "headers that never end"),
    Trap("/continue.mp4", "too_large", "100 Continue, for ever"),
    Trap("/huge-header-inside.html", "too_large", "a page whose video has a header that never ends"),
)  # fmt: skip


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True
    stop: threading.Event
    tls: ssl.SSLContext | None = None


@contextmanager
def serve_traps(certificate: Path | None = None) -> Iterator[str]:
    """Serves every trap until the block ends, over TLS where there is a file with a certificate and its key.

    Yields:
        The address they are under.
    """
    with _Server(("127.0.0.1", 0), _Handler) as server:
        server.stop = threading.Event()
        if certificate:
            server.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            server.tls.load_cert_chain(certificate)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield f"http{'s' if certificate else ''}://127.0.0.1:{server.server_address[1]}"
        finally:
            server.stop.set()
            server.shutdown()
            thread.join()


class _Handler(socketserver.BaseRequestHandler):
    server: _Server
    request: socket.socket

    def handle(self) -> None:
        try:
            if self.server.tls:
                self.request = self.server.tls.wrap_socket(self.request, server_side=True)
            asked = b""
            while b"\r\n\r\n" not in asked:
                if not (piece := self.request.recv(4096)):
                    return
                asked += piece
            self._answer(asked.split(b" ", 2)[1].decode().removeprefix("/bucket"))  # as an S3 server's, too
        except (ConnectionError, TimeoutError, ssl.SSLError):
            pass

    def _answer(self, path: str) -> None:
        match path.partition("?")[0]:
            case "/headers.mp4":
                self._send(b"HTTP/1.1 200 OK\r\nX-Slow: ")
                self._drip()
            case "/body.mp4" | "/body.ts":
                self._begin("video/mp4")
                self._drip()
            case "/page.html":
                self._begin("text/html", b"<!DOCTYPE html><html><head><title>slow</title>")
                self._drip()
            case "/error.mp4":
                self._send(b"HTTP/1.1 404 Not Found\r\nContent-Type: text/html\r\nConnection: close\r\n\r\n<title>")
                self._drip()
            case "/bomb.html":
                self._begin("text/html", bomb(), "Content-Encoding: gzip\r\n")
            case "/bomb-moved.mp4" | "/moved.mp4":
                packed = bomb()
                head = (
                    f"HTTP/1.1 302 Found\r\nLocation: {path}\r\nContent-Encoding: gzip\r\nContent-Length:"
                    f" {len(packed)}\r\n\r\n"
                )
                self._send(head.encode() + packed)
            case "/bomb-moved-inside.html":
                self._begin("text/html", b"<!DOCTYPE html><html><video src='/moved.mp4'></video></html>")
            case "/quadratic.html":
                self._begin("text/html", b"<!DOCTYPE html><html><body>" + b"<video " * (2**20 // 7))
            case "/endless.html":
                self._begin("text/html", b"<!DOCTYPE html><html><body>")
                self._flood(b"<p>and on" * 2000)
            case "/endless.m3u8":
                self._begin("application/vnd.apple.mpegurl", b"#EXTM3U\n#EXT-X-TARGETDURATION:2\n")
                self._flood(b"#EXTINF:1,\n/body.ts\n" * 2000)
            case "/key.m3u8" | "/endless-key.m3u8":
                self._playlist("/small.ts", key="/key" if path == "/key.m3u8" else "/endless-key")
            case "/small.ts":
                self._begin("video/mp2t", bytes(188))
            case "/key":
                self._begin("application/octet-stream")
                self._drip()
            case "/endless-key" | "/endless.ts":
                self._begin("application/octet-stream")
                self._flood(bytes(2**16))
            case "/segment.m3u8":
                self._playlist("/endless.ts")
            case "/slow-segment.m3u8":
                self._playlist("/body.ts")
            case "/stalled.mp4":
                self.server.stop.wait()
            case "/huge-header.mp4" | "/huge-header":
                self._send(b"HTTP/1.1 200 OK\r\nX-Huge: ")
                self._flood(b"x" * 2**16)
            case "/many-headers.mp4":
                self._send(b"HTTP/1.1 200 OK\r\n")
                self._flood(b"X-Many: y\r\n" * 2000)
            case "/continue.mp4":
                self._flood(b"HTTP/1.1 100 Continue\r\n\r\n" * 2000)
            case "/huge-header-inside.html":
                self._begin("text/html", b"<!DOCTYPE html><html><video src='/huge-header'></video></html>")

    def _playlist(self, segment: str, key: str = "") -> None:
        lines = ["#EXTM3U", "#EXT-X-VERSION:3", "#EXT-X-TARGETDURATION:2"]
        lines += [f'#EXT-X-KEY:METHOD=AES-128,URI="{key}"'] if key else []
        self._begin(
            "application/vnd.apple.mpegurl", "\n".join([*lines, "#EXTINF:1.0,", segment, "#EXT-X-ENDLIST", ""]).encode()
        )

    def _begin(self, kind: str, body: bytes = b"", more: str = "") -> None:
        self._send(f"HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\n{more}Connection: close\r\n\r\n".encode() + body)

    def _drip(self) -> None:
        while not self.server.stop.wait(DRIP_S):
            self._send(b"x")

    def _flood(self, piece: bytes) -> None:
        while not self.server.stop.is_set():
            self._send(piece)

    def _send(self, data: bytes) -> None:
        self.request.sendall(data)


@cache
def bomb() -> bytes:
    """A page of `BOMB_BYTES`, packed to a thousandth."""
    start = b"<!DOCTYPE html><html><title>a page</title>"
    return gzip.compress(start) + gzip.compress(bytes(2**24), 9) * (BOMB_BYTES // 2**24)
