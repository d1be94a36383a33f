"""Two and three drivers at once on a corpus, with the same and with other videos: every source is listed once, and
nobody crashes.

python -m benchmarks.reliability.two_drivers --rounds 20           in processes of their own, without Ray
python -m benchmarks.reliability.two_drivers --rounds 3 --ray      `headset run`, each with a Ray of its own
"""

import argparse
import os
import re
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

from benchmarks.reliability import toy
from manifests.checking import faults
from manifests.manifest import LISTED, Manifest
from manifests.tables import Source

ROOT = Path(__file__).parents[2]


def round_of(folder: Path, drivers: int, *, same: bool, wait: bool, ray: bool) -> str:
    """One round. Returns what went wrong; "" for nothing."""
    corpus = str(folder / "corpus")
    named = [toy.videos(folder / "videos", "a b c1" if same else f"a{who} b{who} shared") for who in range(drivers)]
    if ray:
        command = [sys.executable, "-m", "pipeline", "run", toy.HERE]
        commands = [
            [*command, *videos, "--out", corpus, "--cpus", "1", *(["--wait"] if wait else [])] for videos in named
        ]
    else:
        code = "import sys; from benchmarks.reliability.toy import drive; from manifests.errors import HeadsetError\n"
        code += (
            f"try: drive(sys.argv[1], sys.argv[2:], wait={wait})\nexcept HeadsetError as error: print(error,"
            " file=sys.stderr); sys.exit(2)"
        )
        commands = [[sys.executable, "-c", code, corpus, *videos] for videos in named]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "TOY_SLEEP_S": "0.02"}
    running = [
        subprocess.Popen(one, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for one in commands
    ]
    told = [process.communicate(timeout=600)[1] for process in running]
    for process, text in zip(running, told, strict=True):
        if "Traceback" in text:
            return f"a traceback: {text[-300:]}"
        if process.returncode and (wait or process.returncode != 2 or not re.search(r"is at\s+work for", text)):
            return f"ended with {process.returncode}: {text[-300:]}"
    if not any(process.returncode == 0 for process in running):
        return "nobody had the corpus"
    manifest = Manifest(corpus)
    listed = Counter(row.source_id for shard in manifest.shards() for row in manifest.read(Source, [LISTED], shard))
    wanted = len({path for videos in named for path in videos})
    if len(listed) != wanted or set(listed.values()) != {1}:
        return f"listed {dict(listed)}, and not {wanted} sources once each"
    if not wait:  # who was told is asked again
        last = subprocess.run(commands[-1], env=environment, capture_output=True, text=True, timeout=600, check=False)
        if last.returncode:
            return f"afterwards {last.returncode}: {last.stderr[-300:]}"
    manifest = Manifest(corpus)
    left = [step.version for step in manifest.steps() if not set(manifest.shards()) <= manifest.committed(step.version)]
    return f"not done: {left}" if left else next((fault.told() for fault in faults(manifest, deep=True)), "")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--ray", action="store_true")
    options = parser.parse_args()
    bad = 0
    for drivers in (2, 3):
        for same in (True, False):
            for wait in (True, False):
                wrong = []
                for _ in range(options.rounds):
                    with tempfile.TemporaryDirectory() as folder:
                        if told := round_of(Path(folder), drivers, same=same, wait=wait, ray=options.ray):
                            wrong.append(told)
                bad += len(wrong)
                what = f"{drivers} drivers, {'the same' if same else 'other'} videos, {'--wait' if wait else 'told'}"
                print(f"{what}: {options.rounds} rounds, {len(wrong)} went wrong", *wrong[:3], sep="\n  ", flush=True)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
