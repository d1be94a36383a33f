"""Servers that drip, flood or never end, through `DownloadVideo`: how each attempt ends, after how long, and what
memory it took.

    python -m benchmarks.reliability.dripping_servers [--cap SECONDS]

The servers are those of `tests/dripping.py`, on 127.0.0.1. Each address is asked for by a process of its own, with
`ANSWER_S` for headers and pages and the usual limits else, and is ended after `--cap` seconds where it does not end by
itself. Give the whole a limit of memory (`prlimit --as=...`) to try it on a version that has none of its own.
"""

import argparse
import json
import os
import re
import resource
import subprocess
import sys
import tempfile
import time
from dataclasses import fields
from pathlib import Path

from manifests.tables import Source
from operators.base import Drop
from operators.sources.download_video import DownloadVideo
from tests.dripping import TRAPS, serve_traps
from tests.operators.sources.downloading import Holder

ANSWER_S = 10.0
LIMITS = {
    "tries": 1,
    "timeout_s": 5.0,
    "answer_s": ANSWER_S,
    "max_seconds": 60.0,
    "max_bytes": 2**28,
    "gap_s": 0.0,
    "allow_private": True,
}


def one(address: str, folder: str) -> None:
    """Asks for one address, and writes how that ended to standard output."""
    import yt_dlp  # noqa: F401  before memory is looked at

    known = {field.name for field in fields(DownloadVideo)}
    operator = DownloadVideo(**{name: value for name, value in LIMITS.items() if name in known})  # type: ignore[arg-type]
    source = Source("web-000000000000", address)
    before_kib, began = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.monotonic()
    *_, end = operator(source, Holder(Path(folder), source))
    ended = (end.reason, end.retryable, end.detail) if isinstance(end, Drop) else ("ok", False, "")
    mib = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before_kib) / 1024
    print(json.dumps([*ended, time.monotonic() - began, mib]))


def asked(address: str, folder: str, cap_s: float) -> tuple[str, bool, str, float, float]:
    """How an attempt ended, whether it is worth another, in what words, and its seconds and MiB."""
    environment = {**os.environ, "HEADSET_CACHE": folder}
    command = [sys.executable, "-m", __spec__.name if __spec__ else __name__, "--one", address, "--folder", folder]
    child = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    until, peak_mib = time.monotonic() + cap_s, 0.0
    while child.poll() is None and time.monotonic() < until:
        peak = re.search(r"VmHWM:\s+(\d+)", Path(f"/proc/{child.pid}/status").read_text())
        peak_mib = int(peak[1]) / 1024 if peak else peak_mib
        time.sleep(0.05)
    ended = child.poll()
    child.kill()
    out, _ = child.communicate()
    if ended == 0:
        return tuple(json.loads(out))
    return "NO END" if ended is None else "DIED", False, "", cap_s, peak_mib


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--cap", type=float, default=90.0, help="seconds after which an attempt is ended; %(default)s by default"
    )
    parser.add_argument("--one", help=argparse.SUPPRESS)
    parser.add_argument("--folder", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        return one(options.one, options.folder)
    right, held, most = 0, 0, 0.0
    print("| server | ends as | again? | s | MiB |\n|---|---|---|---|---|")
    with serve_traps() as address:
        for trap in TRAPS:
            with tempfile.TemporaryDirectory() as folder:
                outcome, again, said, seconds, mib = asked(address + trap.path, folder, options.cap)
            right, held, most = (
                right + (outcome == trap.outcome),
                held + (outcome in ("NO END", "DIED")),
                max(most, mib),
            )
            print(
                f"| {trap.what} | `{outcome}` {said[:60]} | {'yes' if again else 'no'} | {seconds:.1f} | {mib:.0f} |",
                flush=True,
            )
    print(
        f"\n{right} of {len(TRAPS)} end as they should, {held} have no end within {options.cap:g} s or die of it; the"
        f" most memory is {most:.0f} MiB."
    )


if __name__ == "__main__":
    main()
