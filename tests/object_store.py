"""S3 for tests: moto's, behind a front that can misbehave."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import Any

import pytest
import requests

from tests.local_server import Server, answering


@dataclass
class ObjectStore:
    """An S3 server behind a front that can misbehave."""

    address: str  # of the front
    behind: str  # of the server itself
    slow_downs: int = 0  # how many requests to answer with 503 SlowDown
    lose_answers: int = 0  # how many requests that write to do and answer with 500 all the same
    cut_bodies: int = 0  # how many answers to break off in the middle
    hang_up: int = 0  # how many requests to answer with nothing
    hold_part: int = 0  # the number of the part of an upload that is let through only after `release`
    release: threading.Event = field(default_factory=threading.Event)
    held: threading.Event = field(default_factory=threading.Event)
    asked: list[str] = field(default_factory=list)  # method and path

    def check_credentials(self, on: bool) -> None:
        """From now on requests with unknown keys are refused, or no longer."""
        requests.post(f"{self.behind}/moto-api/reset-auth", data=b"0" if on else b"1000000", timeout=10)


@contextmanager
def serve_s3() -> Iterator[ObjectStore]:
    """Serves moto's S3 and a front to it until the block ends."""
    from moto.server import ThreadedMotoServer

    moto = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    moto.start()
    host, port = moto.get_host_and_port()
    front = Server(("127.0.0.1", 0), _Front)
    store = ObjectStore(f"http://127.0.0.1:{front.server_address[1]}", f"http://{host}:{port}")
    front.store = store  # type: ignore[attr-defined]
    try:
        with answering(front, store.release):
            yield store
    finally:
        moto.stop()


def aws_points_at(store: ObjectStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """Sets AWS's own chain to the store, and nothing of the person's who runs the tests."""
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "hunter2")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("AWS_ENDPOINT_URL", store.address)


class _Front(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: Any) -> None: ...

    def _pass(self) -> None:
        store: ObjectStore = self.server.store  # type: ignore[attr-defined]
        store.asked.append(f"{self.command} {self.path}")
        body = (
            self._chunks()
            if "chunked" in self.headers.get("Transfer-Encoding", "")
            else self.rfile.read(int(self.headers.get("Content-Length", 0)))
        )
        if store.slow_downs > 0:
            store.slow_downs -= 1
            return self._reply(
                503, {}, b"<Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>"
            )
        if store.hang_up > 0:
            store.hang_up -= 1
            self.close_connection = True
            return None
        if store.hold_part and f"partNumber={store.hold_part}&" in self.path + "&":
            store.held.set()
            store.release.wait(60)
        headers = {
            name: value
            for name, value in self.headers.items()
            if name.lower() not in ("transfer-encoding", "connection", "expect")
        }
        headers["Content-Length"] = str(len(body))
        answer = requests.request(
            self.command, store.behind + self.path, data=body, headers=headers, timeout=60, stream=True
        )
        if store.lose_answers > 0 and self.command != "GET":
            store.lose_answers -= 1
            return self._reply(
                500,
                {},
                b"<Error><Code>InternalError</Code><Message>We encountered an internal error.</Message></Error>",
            )
        self._reply(answer.status_code, dict(answer.headers), answer.raw.read(decode_content=False))

    def _chunks(self) -> bytes:
        body = b""
        while size := int(self.rfile.readline().split(b";")[0], 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return body

    def _reply(self, status: int, headers: dict[str, str], body: bytes) -> None:
        self.send_response(status)
        for name, value in headers.items():
            if name.lower() not in ("content-length", "transfer-encoding", "connection", "server", "date"):
                self.send_header(name, value)
        self.send_header(
            "Content-Length",
            headers.get("Content-Length", str(len(body))) if self.command == "HEAD" else str(len(body)),
        )
        self.end_headers()
        store: ObjectStore = self.server.store  # type: ignore[attr-defined]
        if store.cut_bodies > 0 and self.command == "GET" and len(body) > 1:
            store.cut_bodies -= 1
            body, self.close_connection = body[: len(body) // 2], True
        if self.command != "HEAD":
            self.wfile.write(body)

    do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = _pass
