"""A recipe that is quick and has everything that can be lost: rows, drops, failures, media, a refined table, a table of
the whole corpus.

`python -m benchmarks.reliability.toy ROOT VIDEO...` lists the videos and does what is not done, without Ray.
"""

import hashlib
import os
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from manifests.checking import add_up
from manifests.folder import PART
from manifests.lease import Lease
from manifests.manifest import Manifest
from manifests.tables import Clip, Render, Shot, Source, Split, span_id, tables
from operators.base import Drop, Media, Operator
from pipeline.engine import alone
from pipeline.listing import list_sources
from pipeline.recipe import Plan, Recipe, Stage

HERE = str(Path(__file__))


@dataclass(frozen=True)
class MakeShots(Operator):
    """Two shots a source. A source whose file ends in `d` is dropped, in `f` it fails. `TOY_SLEEP_S` makes it slow."""

    def __call__(self, source: Source, media: Media) -> Iterator[Shot]:
        time.sleep(float(os.environ.get("TOY_SLEEP_S", "0")))
        last = media.path.read_bytes()[-1:]
        if last == b"d":
            raise Drop("no_sense")
        if last == b"f":
            raise ZeroDivisionError("as asked")
        for number in range(2):
            yield Shot(source.source_id, span_id(source.source_id, number, number + 1), number, number + 1.0)


@dataclass(frozen=True)
class MakeClips(Operator):
    def __call__(self, shot: Shot) -> Iterator[Clip | Drop]:
        clip = Clip(
            shot.source_id, f"{shot.shot_id}/t0", shot.shot_id, f"{shot.shot_id}/t0", "a", shot.start_s, shot.end_s, 0,
            0, 1, 1
        )  # fmt: skip
        yield Drop("late", clip) if shot.start_s >= 1 and shot.source_id[-1] in "02468ace" else clip


@dataclass(frozen=True)
class KeepClips(Operator):
    def __call__(self, clip: Clip) -> Iterator[Clip]:
        if clip.start_s >= 1 and clip.source_id[-1] in "13579":
            raise Drop("odd")
        yield clip


@dataclass(frozen=True)
class MakeRenders(Operator):
    def __call__(self, clip: Clip, media: Media) -> Iterator[Render]:
        time.sleep(float(os.environ.get("TOY_SLEEP_S", "0")))
        content = f"the pixels of {clip.clip_id}".encode() * 20
        media.scratch.mkdir(parents=True, exist_ok=True)
        made = media.scratch / f"{hashlib.sha256(content).hexdigest()[:12]}-{os.getpid()}.mp4"
        made.write_bytes(content)
        place, sha256 = media.keep(made, ".mp4")
        name = f"{clip.clip_id}@recording"
        yield Render(
            clip.source_id, name, clip.clip_id, "recording", place, sha256, "", len(content), 1, 1, 25.0, 25, 1.0, "toy"
        )


RECIPE = Recipe(
    "toy", "nothing of use", (Stage(MakeShots()), Stage(MakeClips()), Stage(KeepClips()), Stage(MakeRenders()))
)


def videos(folder: Path, names: str) -> list[str]:
    """Files that pass for videos until one is decoded; a name's last letter says what becomes of it."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in names.split():
        (folder / f"{name}.mp4").write_bytes(f"video {name}".encode())
    return [str(folder / f"{name}.mp4") for name in names.split()]


class _Nobody:
    """Stands for the actor that is told of progress."""

    def __getattr__(self, _: str) -> "_Nobody":
        return self

    def remote(self, *_: Any) -> None: ...


def drive(root: str, named: list[str], *, wait: bool = True) -> None:
    """What `headset run` does and then `headset split`, in this process."""
    manifest, plan = Manifest(root), RECIPE.plan()
    listing = list_sources(named)
    manifest.add(listing.sources, listing.dropped, listing.lists)
    with Lease(manifest.storage, "corpus", "headset run", wait):
        manifest.refresh()
        work(manifest, plan)
        clips = manifest.table(Clip).to_pylist()
        rows = [Split(row["source_id"], f"{row['clip_id']}/train", row["clip_id"], "train", "g") for row in clips]
        step = f"Split-{hashlib.sha256(''.join(row.split_id for row in rows).encode()).hexdigest()[:12]}"
        if manifest.whole(Split) != step or not manifest.is_whole(step):
            manifest.write_whole(Split, step, rows)


def work(manifest: Manifest, plan: Plan) -> None:
    """What `pipeline.engine.run` has its workers do, one unit after the other."""
    manifest.remember(plan.record())
    known, shards = manifest.takedowns(), manifest.shards()
    undone = {step.version: set(shards) - manifest.committed(step.version) for step in plan.steps}
    alone.work(plan, manifest)
    add_up(manifest, [step.record() for step in plan.steps], undone, known)


def content(root: str) -> dict[str, bytes]:
    """Every table, file of the store and receipt of a corpus, without what tells of time."""
    manifest, found = Manifest(root), {}
    for name, _ in manifest.storage.walk():
        kind, _, rest = name.partition("/")
        if name.endswith(PART):
            continue
        if kind in tables() or kind == "media":
            found[name] = manifest.storage.read(name) or b""
        if kind == "receipts":
            step, _, shard = rest.partition("/")
            receipt = manifest.receipt(step, int(shard.removesuffix(".json")))
            told = (
                {key: value for key, value in asdict(receipt).items() if not key.endswith("_s") and key != "seconds"}
                if receipt
                else {}
            )
            found[name] = repr(sorted(told.items())).encode()
    return found


if __name__ == "__main__":
    drive(sys.argv[1], sys.argv[2:])
