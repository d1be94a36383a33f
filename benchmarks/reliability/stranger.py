"""A stranger's corpus and release, and headset at work on them."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from manifests.manifest import LISTED, Manifest, Receipt, RunRecord, StepRecord
from manifests.media import MediaStore
from manifests.tables import Clip, Dropped, Render, Score, Source, span_id

SECRET = "the-secret-of-this-machine"
ROOT = Path(__file__).parents[2]


def corpus(root: Path, **more: Any) -> Manifest:
    """A stranger's corpus: a source with a rendered clip, and a second one."""
    manifest = Manifest(str(root))
    manifest.add([Source(name, f"https://example.org/{name}.mp4", end_s=9.0) for name in ("a", "b")])
    step = StepRecord(
        "MakeClips",
        "MakeClips-000000000000",
        0,
        "sources",
        ["clips", "renders", "scores"],
        [],
        {"sources": [LISTED]},
        {},
        [],
    )
    for shard in manifest.shards():
        (source,) = manifest.read(Source, [LISTED], shard)
        name = source.source_id
        clip = Clip(
            name, f"{name}/000000-001000/t0", span_id(name, 0, 9), f"{name}/t0", "speaker0", 0.0, 1.0, 0, 0, 64, 64
        )
        (file := root / "made.mp4").write_bytes(f"pixels of {name}".encode() * 99)
        place, sha256 = MediaStore(str(root)).put(file, ".mp4")
        shown = Render(
            name,
            f"{clip.clip_id}@recording",
            clip.clip_id,
            "recording",
            place,
            sha256,
            "",
            999,
            64,
            64,
            25.0,
            25,
            1.0,
            "made",
        )
        manifest.write(Clip, step.version, shard, [clip])
        manifest.write(Render, step.version, shard, [shown])
        manifest.write(Score, step.version, shard, [Score(name, f"{clip.clip_id}#q", clip.clip_id, "q", "made", 1.0)])
        manifest.write(Dropped, step.version, shard, [])
        calls = {"read": 1, "answered": 1, "dropped": 0, "failed": 0}
        rows = dict.fromkeys(step.writes, 1)
        manifest.commit(step.version, shard, Receipt(step.operator, calls, rows, reads=step.reads, inputs=step.inputs))
    manifest.remember(RunRecord("made", [step], **more))
    return Manifest(str(root))


def released(here: Path) -> Path:
    """A release of the stranger's corpus, finished, in `here/out`."""
    command(here, "release", str(here / "corpus"), "--out", str(here / "out"), "--format", "folder", "--name", "out")
    return here / "out"


def command(here: Path, *arguments: str, typed: str = "") -> str:
    """What `headset` says. Whatever it wants to write by itself lies in `here`."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "HOME": str(here), "HEADSET_CACHE": str(here / "cache")}
    done = subprocess.run(
        [sys.executable, "-m", "pipeline", *arguments],
        cwd=here,
        env=environment,
        input=typed,
        capture_output=True,
        text=True,
        timeout=300,
    )
    return done.stdout + done.stderr


def takedown(here: Path) -> str:
    """Takes `a` out: with leave, where this version asks for it."""
    told = command(here, "takedown", str(here / "corpus"), "--source", "a", "--yes")
    return (
        command(here, "takedown", str(here / "corpus"), "--source", "a") if "unrecognized arguments" in told else told
    )
