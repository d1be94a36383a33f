"""Generation held against kills: 20 runs, each with a kill at a random moment of the system's child, the process that
drives it, or the command; the corpus must be that of an undisturbed run.

    python -m benchmarks.reliability.generation [--kills 20] [--seed 0] [--workers 2]

With one worker the command drives the child itself; with more, processes of Ray do, and each is killed in turn. Prints
a line a kill, and at the end whether any render was made twice, was half-written, or differs.
"""

import argparse
import os
import random
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path

import psutil

from manifests.manifest import Manifest
from manifests.media import sha256_of
from manifests.tables import RECORDING, Pair, Render
from operators.generate.supervisor import CHILD
from pipeline.corpus_steps.common import all_rows
from pipeline.corpus_steps.pairs import make_pairs
from tests.operators.generate.adapters import write_adapter
from tests.pipeline.scored_corpus import made_corpus

ROOT = Path(__file__).parents[2]
RUN = [sys.executable, "-m", "pipeline", "generate", "--system", "slow", "--workers"]


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args()
    chance = random.Random(options.seed)
    with tempfile.TemporaryDirectory(prefix="headset-kills-") as folder:
        root = Path(folder)
        os.environ |= {
            "HEADSET_CACHE": str(root / "cache"),
            "HEADSET_SYSTEMS": str(root / "systems"),
            "PYTHONPATH": str(ROOT),
        }
        calls = root / "calls"
        write_adapter(
            root / "systems",
            "slow",
            f"open({str(calls)!r}, 'a').write(request['pair_id'] + '\\n')\ntime.sleep(0.2)\nreturn video(request)",
        )
        for name in ("killed", "undisturbed"):
            make_pairs(made_corpus(root / name, clips=16), protocols=["same_identity", "cross_identity"])
        for number in range(options.kills):
            print(f"{number + 1}: {_killed(root / 'killed', options.workers, calls, chance)}", flush=True)
        again = len(calls.read_text().splitlines())
        for name in ("killed", "undisturbed"):
            subprocess.run([*RUN, str(options.workers), str(root / name)], check=True, capture_output=True)
        first, second = (_renders(root / name) for name in ("killed", "undisturbed"))
        pairs = len(list(all_rows(Manifest(str(root / "killed")), Pair)))
        broken = [row.media for row in first.values() if sha256_of(root / "killed" / row.media) != row.sha256]
        left = [one.pid for one in psutil.process_iter(["cmdline"]) if str(root) in " ".join(one.info["cmdline"] or ())]
        equal = {name: row.sha256 for name, row in first.items()} == {name: row.sha256 for name, row in second.items()}
        print(f"{pairs} pairs, {len(first)} renders, {len(broken)} broken, equal to the undisturbed run: {equal}")
        print(f"the system was asked {again} times before the last run, {len(left)} processes are left")
        return 0 if equal and not broken and len(first) == pairs and not left else 1


def _killed(corpus: Path, workers: int, calls: Path, chance: random.Random) -> str:
    """Kills at a random moment after the system was asked for the first time in this run."""
    before = calls.stat().st_size if calls.exists() else 0
    command = [*RUN, str(workers), str(corpus)]
    driver = psutil.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while driver.poll() is None and (calls.stat().st_size if calls.exists() else 0) == before:
        time.sleep(0.02)
    time.sleep(chance.uniform(0.0, 1.5))
    what = chance.choice(("child", "actor", "driver"))
    there = _processes(driver, what)
    for one in there:
        with suppress(psutil.NoSuchProcess):
            one.kill()
    try:
        driver.wait(timeout=chance.uniform(1.0, 4.0))
    except psutil.TimeoutExpired:
        below = driver.children(recursive=True)  # a command that goes on is ended too, and all it started
        driver.kill()
        driver.wait()
        psutil.wait_procs(below, timeout=20)
    return f"{what} ({len(there)} killed)"


def _processes(driver: psutil.Popen, what: str) -> list[psutil.Process]:
    """Of a command at work: the children of the system, the processes of Ray that drive them, or itself."""
    if what == "driver" or driver.poll() is not None:
        return [driver]
    found = []
    for one in driver.children(recursive=True):
        with suppress(psutil.NoSuchProcess):
            line = " ".join(one.cmdline())
            if (CHILD.name in line) if what == "child" else line.startswith("ray::"):
                found.append(one)
    return found or [driver]


def _renders(corpus: Path) -> dict[str, Render]:
    rows = [row for row in all_rows(Manifest(str(corpus)), Render) if row.made_by != RECORDING]
    assert len({row.pair_id for row in rows}) == len(rows), "a pair has two renders"
    return {row.pair_id: row for row in rows}


if __name__ == "__main__":
    sys.exit(main())
