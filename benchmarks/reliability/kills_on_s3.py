"""The same on S3 (moto's server): kills before a request, and a store that answers 500, 503, nothing, half, or loses
its answers.

python -m benchmarks.reliability.kills_on_s3 --kills 60 --stumbles 20
"""

import argparse
import random
import sys
import tempfile
from pathlib import Path

from benchmarks.reliability.kills import NAMES, kills
from benchmarks.reliability.shared import in_child, s3_elsewhere
from benchmarks.reliability.toy import content, drive, videos
from manifests.checking import faults
from manifests.manifest import Manifest

STUMBLES = ("slow_downs", "lose_answers", "cut_bodies", "hang_up")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=60)
    parser.add_argument("--stumbles", type=int, default=20, help="runs in which the store stumbles")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, s3_elsewhere("corpus") as tell:
        operations, killed, wrong = kills(Path(folder), options.kills, lambda name: f"s3://corpus/{name}", s3=True)
        print(f"{operations} requests to S3 in a run; {killed} runs killed at one of them; {len(wrong)} went wrong")
        named, truth, chance = videos(Path(folder, "videos"), NAMES), content("s3://corpus/calm"), random.Random(1)
        worse = []
        for number in range(options.stumbles):
            faulty = {name: chance.randint(0, 4) for name in STUMBLES}
            tell(**faulty)
            root = f"s3://corpus/stumbles{number}"
            code, _ = in_child(lambda root=root: drive(root, named))
            tell(**dict.fromkeys(STUMBLES, 0))
            if code or content(root) != truth or list(faults(Manifest(root), deep=True)):
                worse.append(f"{faulty}: ended with {code}")
        print(f"{options.stumbles} runs on a store that stumbled; {len(worse)} went wrong")
    print(*wrong[:20], *worse[:20], sep="\n")
    return 1 if wrong or worse or killed < options.kills else 0


if __name__ == "__main__":
    sys.exit(main())
