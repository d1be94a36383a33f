"""The sha256 of local files, each large one read once."""

import os
import sqlite3
import threading
import time
from pathlib import Path

from manifests.cache import cache_folder
from manifests.media import sha256_of


class Hashes:
    """The sha256 of large local files, kept between runs by path, size and time of change.

    A terabyte is not read at every start.
    """

    LARGE = 2**20  # a smaller file is read as soon as it is looked up
    SETTLED_NS = 2 * 10**9  # a file may change twice within a tick of its clock, with nothing to tell by

    def __init__(self) -> None:
        self._lock, self._new, self._saved = threading.Lock(), [], time.monotonic()
        cache = cache_folder()
        try:
            cache.mkdir(parents=True, exist_ok=True)
            self._known = sqlite3.connect(cache / "hashes.sqlite", timeout=60, check_same_thread=False)
            self._known.execute(
                "create table if not exists hashes (path text primary key, bytes int, changed_ns int, sha256 text)"
            )
        except (OSError, sqlite3.Error):
            # where nothing can be written, all is read each time
            self._known = sqlite3.connect(":memory:", check_same_thread=False)
            self._known.execute("create table hashes (path text primary key, bytes int, changed_ns int, sha256 text)")

    def of(self, path: str, found: os.stat_result) -> str:
        """
        Raises:
            OSError: for a file that cannot be read.
        """
        if found.st_size < self.LARGE:
            return sha256_of(Path(path))
        now = (path, found.st_size, found.st_ctime_ns)
        with self._lock:
            query = "select sha256 from hashes where path = ? and bytes = ? and changed_ns = ?"
            known = self._known.execute(query, now).fetchone()
        if known:
            return known[0]
        sha256 = sha256_of(Path(path))
        if time.time_ns() - found.st_ctime_ns > self.SETTLED_NS:
            with self._lock:
                self._new.append((*now, sha256))
            if time.monotonic() - self._saved > 10:
                self.save()
        return sha256

    def save(self) -> None:
        """Writes down what was learned; a listing that is killed loses the last seconds of it."""
        with self._lock, self._known:
            self._known.executemany("insert or replace into hashes values (?, ?, ?, ?)", self._new)
            self._new, self._saved = [], time.monotonic()
