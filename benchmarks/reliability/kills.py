"""Kills a run before one of its operations on files, again and again at others, and goes on: the bytes are those of a
calm run.

python -m benchmarks.reliability.kills --kills 200
"""

import argparse
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from benchmarks.reliability.shared import in_child
from benchmarks.reliability.toy import content, drive, videos
from manifests.checking import faults
from manifests.manifest import Manifest

NAMES = "a b c1 drop-d fail-f e"


def kills(folder: Path, number: int, root_of: Callable[[str], str], *, s3: bool = False) -> tuple[int, int, list[str]]:
    """Returns how many operations a calm run has, how many runs were killed, and what went wrong.

    Args:
        root_of: where a corpus of some name lies.
    """
    named = videos(folder / "videos", NAMES)
    calm, wrong, killed = root_of("calm"), [], 0
    _, operations = in_child(lambda: drive(calm, named), kill_at=0, s3=s3)
    truth = content(calm)
    for round_ in range(number):
        at, root = 1 + round_ * operations // number, root_of(f"hit{round_}")
        code, _ = in_child(lambda at=at, root=root: drive(root, named), kill_at=at, s3=s3)
        killed += code == -9
        again, _ = in_child(lambda root=root: drive(root, named))
        if again != 0:
            wrong.append(f"killed at {at}: the next run ended with {again}")
        elif (found := _moved(content(root))) != _moved(truth):
            wrong.append(
                f"killed at {at}: {sorted(name for name in found.keys() ^ _moved(truth).keys())[:4] or 'other bytes'}"
            )
        elif bad := list(faults(Manifest(root), deep=True)):
            wrong.append(f"killed at {at}: {bad[0].told()}")
    return operations, killed, wrong


def _moved(found: dict[str, bytes]) -> dict[tuple[str, bytes], int]:
    """What lies in a corpus, whatever number its shards have: one that was killed while it was listed has used up a
    number.
    """
    counted: dict[tuple[str, bytes], int] = {}
    for name, held in found.items():
        key = (name.rpartition("/")[0], held)
        counted[key] = counted.get(key, 0) + 1
    return {key: number for key, number in counted.items() if not key[0].endswith("drops/listed")}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=200)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        operations, killed, wrong = kills(Path(folder), options.kills, lambda name: f"{folder}/{name}")
    print(f"{operations} operations on files in a run; {killed} runs killed at one of them; {len(wrong)} went wrong")
    print(*wrong[:20], sep="\n")
    return 1 if wrong or killed < options.kills else 0


if __name__ == "__main__":
    sys.exit(main())
