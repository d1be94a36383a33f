"""Copies of remote media on this machine, under a byte budget: those longest unused go first, those in use stay.

The budget is `HEADSET_CACHE_BYTES`, else a tenth of what the disk has room for. Processes of one machine share the
folder: who uses a copy holds a lock on it, which ends with the process, however it ends.
"""

import fcntl
import os
import shutil
import time
from pathlib import Path

HELD = 2  # copies a process holds: the one it works on, and the one before
STALE_S = 3600.0  # an unfinished copy that nobody has written to for so long belongs to a killed process

_held: dict[Path, int] = {}  # descriptors by path, the last used at the end


def cache_folder() -> Path:
    """Where this machine keeps what can be had again: HEADSET_CACHE, else a folder of XDG_CACHE_HOME, else of
    ~/.cache.
    """
    own, shared = os.environ.get("HEADSET_CACHE"), os.environ.get("XDG_CACHE_HOME")
    return Path(own) if own else Path(shared or Path.home() / ".cache") / "headset"


def media_cache() -> Path:
    """Where copies of media from a remote store lie on this machine."""
    return cache_folder() / "media"


def use(path: Path) -> bool:
    """Marks a copy as used now, and holds it until others have been used since. False where there is none."""
    if path not in _held:
        try:
            lock = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            return False
        fcntl.flock(lock, fcntl.LOCK_SH)
        _held[path] = lock
    lock = _held.pop(path)
    if not path.exists() or not os.path.samestat(os.fstat(lock), path.stat()):  # it went, or became another, meanwhile
        os.close(lock)
        return path.exists() and use(path)
    os.utime(path, ns=(time.time_ns(), path.stat().st_mtime_ns))
    _held[path] = lock
    while len(_held) > HELD:
        os.close(_held.pop(next(iter(_held))))
    return True


def make_room(folder: Path, needed: int) -> None:
    """Deletes copies until `needed` bytes more fit into the budget, or all that is left is in use.

    Raises:
        ValueError: when HEADSET_CACHE_BYTES is no number of bytes.
    """
    copies = []
    for path in folder.iterdir():
        try:
            stat = path.stat()
        except FileNotFoundError:
            continue
        if path.name.endswith(".part"):
            if time.time() - stat.st_mtime > STALE_S:
                path.unlink(missing_ok=True)
        else:
            copies.append((stat.st_atime_ns, path, stat.st_size))
    total = sum(size for _, _, size in copies)
    budget = _budget(folder, total)
    for _, path, size in sorted(copies):
        if total + needed <= budget:
            return
        if _deleted(path):
            total -= size


def _budget(folder: Path, cached: int) -> int:
    told = told_budget()
    return (shutil.disk_usage(folder).free + cached) // 10 if told is None else told


def told_budget() -> int | None:
    """
    Raises:
        ValueError: when HEADSET_CACHE_BYTES is no number of bytes.
    """
    told = os.environ.get("HEADSET_CACHE_BYTES", "")
    if told and not told.isdigit():
        raise ValueError(f"HEADSET_CACHE_BYTES is {told!r}; give it a whole number of bytes")
    return int(told) if told else None


def _deleted(path: Path) -> bool:
    """Whether the copy could go: nobody holds it."""
    try:
        lock = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return True
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        path.unlink(missing_ok=True)
    except BlockingIOError:
        return False
    finally:
        os.close(lock)
    return True
