"""A corpus of three short clips that moves without faces, and what a made-up system makes of them."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from manifests.ledger import Receipt
from manifests.manifest import Manifest, RunRecord, StepRecord
from manifests.media import MediaStore
from manifests.tables import Clip, Dropped, Render, Source
from tests.made_videos import write_video

SIDE, FRAMES, FPS = 128, 12, 25
STEP = StepRecord("MakeClips", "MakeClips-000000000000", 0, "sources", ["clips", "renders"], [], {}, {}, [])


def look(number: int) -> Callable[[float], NDArray[np.uint8]]:
    """A coarse random pattern that wanders; another one for every number."""
    pattern = (
        np.random.default_rng(number).integers(0, 256, (SIDE // 8, SIDE // 8, 3), np.uint8).repeat(8, 0).repeat(8, 1)
    )
    return lambda at_s: np.roll(pattern, round(at_s * FPS), axis=1)


def made_corpus(root: Path, clips: int = 3) -> Manifest:
    """Sources a, b, c ..., each in a shard of its own, with a clip and its recording."""
    manifest = Manifest(str(root))
    names = [f"s{number}" for number in range(clips)]
    for name in names:
        manifest.add([Source(name, f"{name}.mp4", width=SIDE, height=SIDE)])
    for shard, name in enumerate(names):
        clip = Clip(
            name,
            f"{name}/000000-000480/t0",
            f"{name}/000000-000480",
            f"{name}/t0",
            "speaker0",
            0.0,
            0.48,
            0,
            0,
            SIDE,
            SIDE,
        )
        manifest.write(Clip, STEP.version, shard, [clip])
        manifest.write(Render, STEP.version, shard, [rendered(manifest, clip, "recording", look(shard))])
        manifest.write(Dropped, STEP.version, shard, [])
        manifest.commit(STEP.version, shard, Receipt("X", rows={"clips": 1, "renders": 1}))
    manifest.remember(RunRecord("made", [STEP]))
    return manifest


def rendered(
    manifest: Manifest,
    clip: Clip,
    made_by: str,
    shown: Callable[[float], NDArray[np.uint8]],
    *,
    frames: int = FRAMES,
    fps: float = FPS,
    side: int = SIDE,
    pair_id: str = "",
) -> Render:
    path = write_video(
        Path(manifest.root, f"{made_by}.mp4"), [(shown, frames / fps)], fps=fps, size=(side, side), crf=4
    )
    place, sha256 = MediaStore(manifest.root).put(path, ".mp4")
    name = f"{pair_id or clip.clip_id}@{made_by}"
    return Render(
        clip.source_id,
        name,
        clip.clip_id,
        made_by,
        place,
        sha256,
        "",
        0,
        side,
        side,
        fps,
        frames,
        frames / fps,
        "",
        pair_id=pair_id,
    )


def add_system(manifest: Manifest, made_by: str, renders: dict[int, list[Render]]) -> None:
    """Commits what a system made, by shard."""
    step = StepRecord(made_by, f"{made_by}-000000000000", 0, "clips", ["renders"], [], {}, {}, [])
    for shard in manifest.shards():
        manifest.write(Render, step.version, shard, renders.get(shard, []))
        manifest.write(Dropped, step.version, shard, [])
        manifest.commit(step.version, shard, Receipt("X", rows={"renders": len(renders.get(shard, []))}))
    manifest.attach(made_by, step)


def clips_of(manifest: Manifest) -> list[Clip]:
    return [clip for shard in manifest.shards() for clip in manifest.read(Clip, [STEP.version], shard)]
