"""Processes and folders as the system shows them: what runs, what it takes, how it is ended."""

import os
import signal
import subprocess
from contextlib import suppress
from functools import cache
from pathlib import Path


@cache
def cuts_network() -> tuple[str, ...]:
    """How `unshare` gives a process no network on this machine; empty where it cannot."""
    for how in (("-n",), ("-r", "-n")):
        try:
            if subprocess.run(["unshare", *how, "--", "true"], capture_output=True, timeout=10).returncode == 0:
                return how
        except (OSError, subprocess.TimeoutExpired):
            return ()
    return ()


def kill(pid: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


def kill_group(pid: int) -> None:
    with suppress(ProcessLookupError):
        os.killpg(pid, signal.SIGKILL)


def processes() -> list[int]:
    return [int(name) for name in os.listdir("/proc") if name.isdigit()]


def resident(pid: int) -> int:
    """Bytes in memory; 0 for a process that has gone."""
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, IndexError):
        return 0


def folder_bytes(folder: Path) -> int:
    """Bytes on the disk below a folder; links are not followed."""
    total = 0
    for root, _, names in os.walk(folder):
        for name in names:
            try:
                total += os.lstat(os.path.join(root, name)).st_blocks * 512
            except OSError:
                continue
    return total
