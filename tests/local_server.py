"""A server of this machine for as long as a test needs it."""

import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import ThreadingHTTPServer
from typing import Any


@contextmanager
def answering(server: "Server", stop: threading.Event) -> Iterator[None]:
    """Has a server answer until the block ends. Answers that are held back then wait for `stop`."""
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield
    finally:
        stop.set()
        server.shutdown()
        server.server_close()
        thread.join()


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up is no error of the site's."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


def wait_for(what: Any, seconds: float = 10.0) -> None:
    """Waits until `what()` is true.

    Raises:
        AssertionError: when it has not become true in time.
    """
    until = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < until, "it never came"
        time.sleep(0.02)
