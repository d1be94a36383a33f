"""Processes that are killed at their n-th operation, and an S3 server in a process of its own."""

import multiprocessing
import os
import signal
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from manifests import folder

FORK = multiprocessing.get_context("fork")
OPERATIONS = ("mkdir", "open", "fsync", "replace", "link", "rmdir")  # of `os`, as `manifests/folder.py` calls them


class Counted:
    """Stands for a module, and calls something before each of some functions."""

    def __init__(self, module: Any, names: tuple[str, ...], before: Callable[[], None]):
        self._module, self._names, self._before = module, names, before

    def __getattr__(self, name: str) -> Any:
        real = getattr(self._module, name)
        if name not in self._names:
            return real

        def call(*arguments: Any, **named: Any) -> Any:
            self._before()
            return real(*arguments, **named)

        return call


class Killer:
    """Kills this process, as `kill -9` does, before the n-th operation on the storage; with n = 0 it only counts."""

    def __init__(self, at: int, count: Any):
        self.at, self.count = at, count

    def __call__(self, *_: Any, **__: Any) -> None:
        self.count.value += 1
        if self.count.value == self.at:
            os.kill(os.getpid(), signal.SIGKILL)


def in_child(what: Callable[[], None], *, kill_at: int = -1, s3: bool = False) -> tuple[int, int]:
    """Runs something in a process of its own. Returns its exit code, negative for a signal, and how many operations it
    did.

    Args:
        kill_at: the operation to be killed at; 0 to count, -1 to leave storage as it is.
        s3: whether operations are requests to S3, else those on files.
    """
    count = FORK.Value("i", 0)

    def child() -> None:
        if kill_at >= 0:
            killer = Killer(kill_at, count)
            if s3:
                from manifests.bucket import s3_client

                s3_client().meta.events.register("before-send.s3", killer)
            else:
                folder.os = Counted(os, OPERATIONS, killer)  # type: ignore[assignment]
                real = Path.unlink
                Path.unlink = lambda self, missing_ok=False: (killer(), real(self, missing_ok))[1]  # type: ignore[method-assign]
        try:
            what()
        except BaseException:  # noqa: BLE001 - told, and the process ends
            traceback.print_exc()
            sys.stderr.flush()
            os._exit(1)
        os._exit(0)

    process = FORK.Process(target=child)
    process.start()
    process.join()
    return process.exitcode or 0, count.value


@contextmanager
def s3_elsewhere(bucket: str) -> Iterator[Callable[..., Any]]:
    """moto's S3 behind a front that stumbles as it is told, in a process of its own; this one has no threads and may
    fork.

    Yields a function that sets what the front does, `tell(slow_downs=3)`, and returns the requests since it was last
    asked.
    """
    ours, theirs = FORK.Pipe()
    process = FORK.Process(target=_serve, args=(theirs,), daemon=True)
    process.start()
    os.environ.update(
        AWS_ACCESS_KEY_ID="test", AWS_SECRET_ACCESS_KEY="test", AWS_DEFAULT_REGION="us-east-1",
        AWS_ENDPOINT_URL=ours.recv(),
        HEADSET_CACHE_BYTES=str(2**28),
    )  # fmt: skip

    def tell(**told: int) -> list[str]:
        ours.send(told)
        return ours.recv()

    from manifests.bucket import s3_client

    s3_client().create_bucket(Bucket=bucket)
    tell()
    try:
        yield tell
    finally:
        process.kill()
        process.join()


def _serve(pipe: Connection) -> None:
    import logging

    from tests.object_store import serve_s3

    logging.getLogger("werkzeug").setLevel(logging.ERROR)  # it tells of every request
    with serve_s3() as store:
        pipe.send(store.address)
        while True:
            told = pipe.recv()
            for name, value in told.items():
                setattr(store, name, value)
            asked, store.asked[:] = list(store.asked), []
            pipe.send(asked)
