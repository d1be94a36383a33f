"""How many requests to S3 a run, a resume and a status take, on moto's server.

python -m benchmarks.reliability.requests --sources 64
"""

import argparse
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

from benchmarks.reliability import toy
from benchmarks.reliability.shared import s3_elsewhere


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sources", type=int, default=64)
    sources = parser.parse_args().sources
    with tempfile.TemporaryDirectory() as folder, s3_elsewhere("corpus") as tell:
        toy.videos(Path(folder), " ".join(f"v{number}" for number in range(sources)))
        run = ["run", toy.HERE, folder, "--out", "s3://corpus/c", "--cpus", "2"]
        commands = {
            "run": run,
            "resume": run,
            "status": ["status", "s3://corpus/c"],
            "check": ["check", "s3://corpus/c"],
        }
        print("| command | requests | a source | GET | HEAD | PUT | DELETE | lists |")
        print("|---|---|---|---|---|---|---|---|")
        for name, command in commands.items():
            done = subprocess.run(
                [sys.executable, "-m", "pipeline", *command], capture_output=True, text=True, check=False
            )
            asked = tell()
            kinds = Counter("lists" if "list-type=2" in line else line.split()[0] for line in asked)
            row = " | ".join(str(kinds[kind]) for kind in ("GET", "HEAD", "PUT", "DELETE", "lists"))
            print(f"| {name} | {len(asked)} | {len(asked) / sources:.1f} | {row} |", flush=True)
            if done.returncode:
                print(done.stderr[-2000:])
                return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
