"""Manners towards one site, shared by every process of this machine that asks it.

A site is a host and port. Its state lies in a folder, under file locks that a killed process lets go of.
"""

import fcntl
import hashlib
import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from manifests.cache import cache_folder

FAILURES = 5  # sources in a row that a site did not serve at all, before it is left alone
REST_S = 60.0  # for how long; doubled with every further failure
LONGEST_REST_S = 1800.0


class SiteRests(Exception):
    """The site is left alone for now, because it asked for it or did not serve anybody. `wait_s`: for how long."""

    def __init__(self, name: str, wait_s: float):
        super().__init__(
            f"{name} is left alone, for it asked for a pause or served none of the last {FAILURES} sources"
        )
        self.wait_s = wait_s


@dataclass(frozen=True)
class Site:
    """One site, as this machine treats it.

    Attributes:
        at_once: requests for sources under way at a time, all processes together.
        gap_s: seconds between the starts of two.
    """

    name: str
    at_once: int
    gap_s: float

    @contextmanager
    def turn(self, patience_s: float) -> Iterator[None]:
        """Waits until the site may be asked, and holds one of its places meanwhile.

        Raises:
            SiteRests: when that is more than `patience_s` away.
        """
        with self._place():
            while (wait_s := self._book()) > 0:
                if wait_s > patience_s + self.gap_s:
                    raise SiteRests(self.name, wait_s)
                time.sleep(wait_s)
            yield

    def rest(self, seconds: float) -> None:
        """The site asked for a pause: nobody asks it before that is over."""
        with self._state() as state:
            state["rests_until"] = max(state.get("rests_until", 0.0), time.time() + seconds)

    def told(self, served: bool) -> None:
        """Whether the site dealt with a request, were it to say no. The circuit breaker counts those in a row that it
        did not.
        """
        with self._state() as state:
            state["failures"] = 0 if served else state.get("failures", 0) + 1
            if (over := state["failures"] - FAILURES) >= 0:
                state["rests_until"] = max(
                    state.get("rests_until", 0.0), time.time() + min(REST_S * 2**over, LONGEST_REST_S)
                )

    def forget(self) -> None:
        """Starts anew with the site, as if it had never been asked."""
        with self._state() as state:
            state.clear()

    def _book(self) -> float:
        """Seconds to wait before asking again whether it is this one's turn; 0 when it is."""
        with self._state() as state:
            now = time.time()
            wait_s = max(state.get("next_at", 0.0), state.get("rests_until", 0.0)) - now
            if wait_s <= 0:
                state["next_at"] = now + self.gap_s
            return wait_s

    @contextmanager
    def _place(self) -> Iterator[None]:
        while True:
            for number in range(self.at_once):
                place = self._file(f"place{number}").open("a")
                try:
                    fcntl.flock(place, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    place.close()
                    continue
                with place:
                    yield
                return
            time.sleep(0.05)

    @contextmanager
    def _state(self) -> Iterator[dict[str, Any]]:
        with self._file("json").open("a+") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            file.seek(0)
            text = file.read()
            state: dict[str, Any] = json.loads(text) if text else {}
            before = dict(state)
            yield state
            if state != before:
                file.seek(0)
                file.truncate()
                file.write(json.dumps(state))

    def _file(self, kind: str) -> Path:
        folder = cache_folder() / "sites"
        folder.mkdir(parents=True, exist_ok=True)
        return folder / f"{hashlib.sha256(self.name.encode()).hexdigest()[:16]}.{kind}"
