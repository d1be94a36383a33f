"""A small corpus with real faces: what every layout is tried on."""

import shutil
from collections.abc import Callable
from dataclasses import replace
from importlib.metadata import distribution
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from manifests.ledger import Receipt
from manifests.manifest import Manifest, RunRecord, StepRecord
from manifests.media import MediaStore
from manifests.tables import Annotation, Clip, Dropped, Render, Source
from operators.clips.render_clips import RenderClips
from operators.media.frames import VideoFrames
from operators.media.sound import SourceAudio
from pipeline.export.clip import ExportClip
from pipeline.export.corpus_clips import clips_of
from pipeline.export.export import check, export
from pipeline.export.layout import Given, Refused, Written
from tests.made_videos import tone, write_video

SIDE, FPS = 256, 25
# Of two photographs in the public domain: Eileen Collins (NASA) and Grace Hopper (US Navy); centre and side of the
# square around the head.
PEOPLE = {
    "collins": ("scikit-image", "skimage/data/astronaut.png", (225, 120), 200),
    "hopper": ("matplotlib", "matplotlib/mpl-data/sample_data/grace_hopper.jpg", (258, 200), 340),
}


def portrait(who: str) -> Callable[[float], NDArray[np.uint8]]:
    """The head, swaying by a few pixels: a look for `write_video`."""
    package, path, (x, y), side = PEOPLE[who]
    whole = Image.open(str(distribution(package).locate_file(path))).convert("RGB")

    def look(time_s: float) -> NDArray[np.uint8]:
        left, top = x - side / 2 + 4 * np.sin(2 * np.pi * time_s), y - side / 2
        return np.asarray(whole.resize((SIDE, SIDE), Image.Resampling.BILINEAR, (left, top, left + side, top + side)))

    return look


def made_corpus(root: Path, parts: dict[str, list[tuple[str, float]]], size: int = SIDE, fps: int = FPS) -> Manifest:
    """A corpus of one clip a source, rendered by `RenderClips`.

    Args:
        parts: by source what it shows, a person or a colour, and for how many seconds; the first is the clip's
            annotated identity.
    """
    manifest = Manifest(str(root / "corpus"))
    sources, clips, renders, notes = [], [], [], []
    for name, shots in parts.items():
        seconds = sum(length for _, length in shots)
        video = write_video(
            root / f"{name}.mp4",
            [(portrait(look) if look in PEOPLE else look, length) for look, length in shots],
            size=(SIDE, SIDE), audio=tone(seconds, frequency_hz=300), fps=FPS,
        )  # fmt: skip
        clip_id = f"{name}/000000-{round(seconds * 1000):06d}/t0"
        clip = Clip(name, clip_id, "", "", "speaker0", 0.0, seconds, 0.0, 0.0, float(SIDE), float(SIDE))
        media = SimpleNamespace(path=video, keep=MediaStore(manifest.root).put)
        renders += RenderClips(size=size, fps=fps)(
            clip, VideoFrames(video, 0.0, seconds), SourceAudio(video), cast(Any, media)
        )
        clips.append(clip)
        sources.append(Source(name, str(video), licence="public domain"))
        notes.append(Annotation(name, f"{clip_id}#identity", clip_id, "identity", shots[0][0], "test"))
    manifest.add(sources)
    step = StepRecord("All", "All-1", 0, "sources", ["clips", "renders", "annotations"], [], {}, {}, [])
    manifest.remember(RunRecord("made", [step]))
    for shard in manifest.shards():
        ours = {source.source_id for source in manifest.read(Source, ["listed"], shard)}
        for table, rows in ((Clip, clips), (Render, renders), (Annotation, notes), (Dropped, [])):
            manifest.write(table, "All-1", shard, [row for row in rows if row.source_id in ours])
        manifest.commit("All-1", shard, Receipt("All"))
    return Manifest(manifest.root)


@pytest.fixture(scope="session")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Manifest:
    """Two people, three clips of 1.6 s; the last shows its face for 0.4 s less, in the middle."""
    return made_corpus(
        tmp_path_factory.mktemp("layouts"),
        {"a": [("collins", 1.6)], "b": [("hopper", 1.6)], "c": [("hopper", 0.6), ("gray", 0.4), ("hopper", 0.6)]},
    )


@pytest.fixture(scope="session")
def clips(corpus: Manifest) -> list[ExportClip]:
    return clips_of(corpus)


@pytest.fixture(scope="session")
def talks(tmp_path_factory: pytest.TempPathFactory) -> list[ExportClip]:
    """Two people, a clip of 6.88 s each, as long as newer loaders want: 172 frames; both to train on."""
    manifest = made_corpus(tmp_path_factory.mktemp("talks"), {"a": [("collins", 6.88)], "b": [("hopper", 6.88)]})
    return [replace(clip, split="train") for clip in clips_of(manifest)]


def exported(
    name: str, clips: list[ExportClip], to: Path, given: Given | None = None
) -> tuple[list[Written], list[Refused]]:
    """What was written and what was refused. The loader's rules must hold for what was written."""
    outcomes = list(export(name, clips, to, given))
    assert list(check(name, to)) == []
    return [one for one in outcomes if isinstance(one, Written)], [one for one in outcomes if isinstance(one, Refused)]


def all_exported(name: str, clips: list[ExportClip], to: Path, given: Given | None = None) -> Path:
    """The folder, into which all clips were written."""
    written, refused = exported(name, clips, to, given)
    assert (len(written), len(refused)) == (len(clips), 0)
    return to


@pytest.fixture
def broken(made: Path, tmp_path: Path) -> Path:
    """A copy, to be broken, of what the test's module has made."""
    return shutil.copytree(made, tmp_path / "broken")


def problem(name: str, folder: Path) -> str:
    """What `validate` says: all of it."""
    return "\n".join(check(name, folder))
