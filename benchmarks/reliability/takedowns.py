"""A takedown in the middle of a run on Ray, at another moment each round: the source is gone, stays gone, and all
counts add up.

The takedown does not wait for the lease here, as one of an older headset or of a program would not: the commits
themselves are tried.

python -m benchmarks.reliability.takedowns --rounds 20
"""

import argparse
import os
import sys
import tempfile
import threading
import time
from pathlib import Path

import pyarrow.parquet as pq

from benchmarks.reliability import toy
from manifests.checking import faults
from manifests.errors import HeadsetError
from manifests.manifest import Manifest
from pipeline.engine.run import run
from pipeline.listing import list_sources
from pipeline.takedown.takedown import takedown_source
from pipeline.views.funnel import funnel


def round_of(folder: Path, after_s: float) -> tuple[str, bool]:
    """One round. Returns what went wrong, "" for nothing, and whether the run was at work when the takedown ended."""
    root, plan = str(folder / "corpus"), toy.RECIPE.plan()
    listing = list_sources(toy.videos(folder / "videos", "a b c1 e g"))
    Manifest(root).add(listing.sources, listing.dropped)
    goes, over, met, errors = listing.sources[1].source_id, threading.Event(), [False], list[str]()

    def take() -> None:
        time.sleep(after_s)
        try:
            takedown_source(Manifest(root), goes)
        except HeadsetError as error:
            errors.append(f"the takedown: {error}")
        met[0] = not over.is_set()

    thread = threading.Thread(target=take)
    thread.start()
    try:
        run(plan, Manifest(root))
    except HeadsetError as error:
        errors.append(f"the run: {error}")
    over.set()
    thread.join()
    if errors:
        return errors[0], met[0]
    for again in (False, True):  # and after another run of the same
        if again:
            Manifest(root).add(list_sources(toy.videos(folder / "videos", "a b c1 e g")).sources)
            run(plan, Manifest(root))
        manifest = Manifest(root)
        if told := _left(root, goes):
            return f"{'another run brought back' if again else 'left'} {told}", met[0]
        funnel(manifest)
        if bad := list(faults(manifest, deep=True)):
            return bad[0].told(), met[0]
    return "", met[0]


def _left(root: str, source: str) -> str:
    """Where something of a source lies that must not."""
    for path in Path(root).rglob("*.parquet"):
        for row in pq.read_table(path).to_pylist():
            if source in repr(row) and not (path.parent.parent.name == "drops" and row["reason"] == "taken_down"):
                return f"{path.relative_to(root)}: {row}"
    for path in Path(root, "media").rglob("*.mp4"):
        if source.encode() in path.read_bytes():
            return str(path.relative_to(root))
    return ""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=20)
    rounds = parser.parse_args().rounds
    import ray

    os.environ.update(PYTHONPATH=str(Path(__file__).parents[2]), TOY_SLEEP_S="0.25")
    ray.init("local", num_cpus=2, include_dashboard=False, log_to_driver=False, object_store_memory=200 * 2**20)
    met, wrong = 0, []
    for number in range(rounds):
        with tempfile.TemporaryDirectory() as folder:
            told, inside = round_of(Path(folder), 0.3 + 7.0 * number / rounds)
            met += inside
            wrong += [f"round {number}: {told}"] if told else []
    ray.shutdown()
    print(
        f"{rounds} takedowns, {met} of them ended while the run was at work; {len(wrong)} went wrong",
        *wrong[:10],
        sep="\n",
    )
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
