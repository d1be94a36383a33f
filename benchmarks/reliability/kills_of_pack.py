"""Kills `headset pack` before one of its operations on files, at each in turn, then `--unpack`: whoever reads finds the
same, and the same command ends as if nobody had been killed.

python -m benchmarks.reliability.kills_of_pack --kills 100
"""

import argparse
import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from benchmarks.reliability.kills import NAMES
from benchmarks.reliability.shared import in_child
from benchmarks.reliability.toy import drive, videos
from manifests.checking import faults
from manifests.manifest import Manifest
from manifests.packing import pack, unpack
from manifests.tables import tables

BLOCK_SHARDS = 4


def to_pack(root: str) -> None:
    pack(Manifest(root), BLOCK_SHARDS)


def to_unpack(root: str) -> None:
    unpack(Manifest(root))


def files(root: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(root)): path.read_bytes()
        for path in root.rglob("*")
        if path.is_file() and path.suffix != ".part"
    }


def facts(root: Path) -> tuple[object, ...]:
    manifest = Manifest(str(root))
    receipts = {step: manifest.receipts(step) for step in sorted(manifest.steps_done())}
    return receipts, [manifest.table(table).to_pylist() for table in tables().values()]


def kills(folder: Path, before: Path, after: Path, do: Callable[[str], None], number: int) -> tuple[int, list[str]]:
    """Returns how many were killed, and what went wrong.

    Args:
        before, after: the corpus that it begins with, and what it is to end with.
    """
    truth, ends, wrong, killed = facts(before), files(after), [], 0
    shutil.copytree(before, folder / "calm")
    _, operations = in_child(lambda: do(str(folder / "calm")), kill_at=0)
    for round_ in range(number):
        at, root = 1 + round_ * operations // number, folder / f"killed{round_}"
        shutil.copytree(before, root)
        code, _ = in_child(lambda root=root: do(str(root)), kill_at=at)
        killed += code == -9
        if facts(root) != truth or list(faults(Manifest(str(root)), deep=True)):
            wrong.append(f"killed at {at}: a reader finds other rows")
        do(str(root))
        if files(root) != ends:
            wrong.append(f"killed at {at}: {sorted(files(root).keys() ^ ends.keys())[:4] or 'other bytes'}")
        shutil.rmtree(root)
    return killed, wrong


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=100, help="of packing, and as many of unpacking")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder, loose, packed = Path(name), Path(name, "loose"), Path(name, "packed")
        drive(str(loose), videos(folder / "videos", NAMES))
        shutil.copytree(loose, packed)
        to_pack(str(packed))
        ways: list[tuple[str, Path, Path, Callable[[str], None]]] = [
            ("packing", loose, packed, to_pack),
            ("unpacking", packed, loose, to_unpack),
        ]
        bad = False
        for what, before, after, do in ways:
            killed, wrong = kills(folder / what, before, after, do, options.kills)
            print(f"{what}: {killed} of {options.kills} killed; {len(wrong)} went wrong", *wrong[:10], sep="\n")
            bad |= bool(wrong) or killed < options.kills
    return bad


if __name__ == "__main__":
    sys.exit(main())
