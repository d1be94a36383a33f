"""Who rewrites a corpus just now: one at a time, and told by name to whoever comes second. Readers never ask.

    <root>/leases/<name>/<number>.json     the one of the highest number holds the lease, until it says `over` or is
                                           dead

To take a lease is to make the file of the next number, which only one can (`Storage.create`). So nobody is ever told to
hold what another holds, however many find a dead holder at once. A holder on this machine is dead when its process is
gone; one on another machine when its heartbeat has stopped: clocks of machines differ, so what looks old is watched for
a while first.
"""

import json
import os
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

from manifests.errors import StorageError, UsageError
from manifests.storage import Storage

BEAT_S = 10.0  # between heartbeats
STALE_S = 120.0  # a heartbeat that looks older than this is watched
WATCH_S = 3 * BEAT_S  # one that does not change for so long has stopped
ASK_S = 1.0  # how often who waits asks again


@dataclass(frozen=True)
class Holder:
    """Who holds a lease."""

    host: str
    space: str  # names the machine since it was started, and the processes that can see each other on it
    pid: int
    born: str  # when the process began, in the machine's own terms: process ids are used again
    command: str
    since: str  # UTC, ISO 8601
    beat: float  # seconds since 1970 of the last heartbeat, by the holder's clock
    over: bool = False

    def told(self) -> str:
        return (
            f"`{self.command}` (process {self.pid} on {self.host}, since"
            f" {self.since.replace('T', ' ').removesuffix('+00:00')} UTC)"
        )


@dataclass
class Lease:
    """A lease on a corpus, held while the block runs."""

    storage: Storage
    name: str
    command: str  # of the holder, for people: without arguments, which may hold secrets
    wait: bool = False  # whether to wait for another holder, or to say who that is
    tell: Callable[[str], None] = lambda _: None  # told once for whom it waits
    _number: int = -1
    _mine: Holder | None = None
    _over: threading.Event = field(default_factory=threading.Event)
    _beats: threading.Thread | None = None

    def __enter__(self) -> "Lease":
        """
        Raises:
            UsageError: where another one holds the lease and this one does not wait, naming it.
        """
        while not self._take(self.await_end() + 1):
            continue
        return self

    def await_end(self) -> int:
        """Returns when nobody holds the lease, without taking it: the number that was the last to be held, -1 for none.

        Raises:
            UsageError: where another one holds the lease and this one does not wait, naming it.
        """
        seen: dict[tuple[int, float], float] = {}  # heartbeats of holders elsewhere, with when they were first seen
        told = False
        while True:
            number, holder = self._last()
            if holder is None or holder.over or _is_dead(holder, number, seen):
                return number
            if not _is_watched(holder):
                if not self.wait:
                    raise UsageError(
                        f"{self.storage.root} is at work for {holder.told()}; wait for it with --wait, or stop it first"
                    )
                if not told:
                    self.tell(f"waiting for {holder.told()}")
                    told = True
            time.sleep(ASK_S)

    def __exit__(self, *_: object) -> None:
        self._over.set()
        if self._beats:
            self._beats.join()
        self._say(over=True)

    def _last(self) -> tuple[int, Holder | None]:
        """The highest number there is, -1 for none, and who has it; None for a file that is empty or half made."""
        names = [name for name in self.storage.names(self._folder) if name.removesuffix(".json").isdigit()]
        if not names:
            return -1, None
        content = self.storage.read(f"{self._folder}/{names[-1]}") or b""
        number = int(names[-1].removesuffix(".json"))
        try:
            return number, Holder(**json.loads(content))
        except (ValueError, TypeError):
            return number, None

    def _take(self, number: int) -> bool:
        now = datetime.now(UTC).isoformat(timespec="seconds")
        mine = Holder(socket.gethostname(), _space(), os.getpid(), _born(os.getpid()), self.command, now, time.time())
        if not self.storage.create(self._file(number), _content(mine)):
            return False
        # who was slow may make a file again that others have taken, held, and swept away since
        if self._last()[0] != number:
            self.storage.delete(self._file(number))
            return False
        self._number, self._mine = number, mine
        # the last but one stays: a listing made meanwhile may lack ours
        for name in self.storage.names(self._folder)[:-2]:
            self.storage.delete(f"{self._folder}/{name}")
        self._over.clear()
        self._beats = threading.Thread(target=self._beat, daemon=True)
        self._beats.start()
        return True

    def _beat(self) -> None:
        while not self._over.wait(BEAT_S):
            try:
                self._say()
            except StorageError:
                continue  # the store stumbles: the next beat may get through

    def _say(self, over: bool = False) -> None:
        if self._mine:
            self.storage.write(
                self._file(self._number), _content(replace(self._mine, beat=time.time(), over=over)), durable=False
            )

    @property
    def _folder(self) -> str:
        return f"leases/{self.name}"

    def _file(self, number: int) -> str:
        return f"{self._folder}/{number:08d}.json"


def _content(holder: Holder) -> bytes:
    return json.dumps(asdict(holder), indent=1, sort_keys=True).encode()


def _is_watched(holder: Holder) -> bool:
    """Whether a holder elsewhere looks dead, so that it is not known yet."""
    return holder.space != _space() and abs(time.time() - holder.beat) >= STALE_S


def _is_dead(holder: Holder, number: int, seen: dict[tuple[int, float], float]) -> bool:
    if holder.space == _space():
        return _born(holder.pid) != holder.born
    if not _is_watched(holder):
        return False
    first = seen.setdefault((number, holder.beat), time.monotonic())
    return time.monotonic() - first >= WATCH_S


def _space() -> str:
    """Two processes with the same one see each other's process ids."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        return f"{socket.gethostname()} {boot} {os.readlink('/proc/self/ns/pid')}"
    except OSError:
        return socket.gethostname()


def _born(pid: int) -> str:
    """When a process began; "" for one that is gone. Where the machine does not tell when, "?" for one that is
    there.
    """
    try:
        after_name = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return "" if Path("/proc/self/stat").exists() or not _answers(pid) else "?"
    return "" if after_name[0] in "ZX" else after_name[19]  # state; start in ticks since boot


def _answers(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
