"""A Ray cluster of one node as somebody else's machine has it: another working directory, none of our variables."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

BIN = Path(sys.executable).parent
STARTS_WITHIN_S = 300.0  # on a busy machine


@dataclass(frozen=True)
class Head:
    """Where it answers."""

    gcs: str  # for RAY_ADDRESS
    dashboard: str
    metrics: str

    def file(self, path: Path, shared: Path, more: str = "") -> Path:
        """A cluster's file, where the nodes see a folder."""
        path.write_text(f"address: {self.dashboard}\npython: {sys.executable}\nshared: [{shared}]\n{more}")
        return path


def free_ports(number: int) -> list[int]:
    held = [socket.create_server(("127.0.0.1", 0)) for _ in range(number)]
    ports = [one.getsockname()[1] for one in held]
    for one in held:
        one.close()
    return ports


@contextmanager
def ray_head(folder: Path, cpus: int = 2) -> Iterator[Head]:
    """`ray start --head`, until the block ends. What it started ends with it; `ray stop` would end every Ray."""
    gcs, dashboard, agent, metrics = free_ports(4)
    folder.mkdir()
    command = [
        str(BIN / "ray"),
        "start",
        "--head",
        "--block",
        f"--port={gcs}",
        "--dashboard-host=127.0.0.1",
        f"--dashboard-port={dashboard}",
    ]
    command += [
        f"--dashboard-agent-listen-port={agent}",
        f"--metrics-export-port={metrics}",
        f"--num-cpus={cpus}",
        "--disable-usage-stats",
    ]
    command += ["--object-store-memory=200000000"]
    nothing_of_ours = {"PATH": f"{BIN}:{os.environ['PATH']}", "HOME": str(folder), "LANG": "C.UTF-8"}
    with (folder / "log").open("w") as log:
        started = subprocess.Popen(
            command,
            cwd=folder,
            env=nothing_of_ours,
            stdout=log,
            stderr=log,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
        )
    try:
        head = Head(f"127.0.0.1:{gcs}", f"http://127.0.0.1:{dashboard}", f"http://127.0.0.1:{metrics}")
        _await(head, started, folder / "log")
        yield head
    finally:
        started.send_signal(signal.SIGTERM)
        try:
            started.wait(60)
        except subprocess.TimeoutExpired:
            os.killpg(started.pid, signal.SIGKILL)
            started.wait()


def _await(head: Head, started: subprocess.Popen[bytes], log: Path) -> None:
    until = time.monotonic() + STARTS_WITHIN_S
    while time.monotonic() < until:
        if started.poll() is not None:
            raise RuntimeError(f"ray start ended with {started.returncode}: {log.read_text()[-2000:]}")
        try:
            with urllib.request.urlopen(f"{head.dashboard}/api/jobs/", timeout=5) as answer:
                answer.read()
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.5)
    raise TimeoutError(f"ray start gave no dashboard: {log.read_text()[-2000:]}")
