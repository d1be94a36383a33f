"""StableAvatar's files, read back, and each trap of its loader made on purpose."""

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pipeline.export.checks import video_facts, wav_facts
from pipeline.export.clip import ExportClip
from pipeline.export.corpus_clips import clips_of
from pipeline.export.export import export
from pipeline.export.files import write_mp4, write_wav
from pipeline.export.layout import Refused
from tests.pipeline.export.layouts.conftest import all_exported, made_corpus, problem

FIRST = "talking_face_data/square/speech/00001"


@pytest.fixture(scope="module")
def talks(tmp_path_factory: pytest.TempPathFactory) -> list[ExportClip]:
    """A clip of 3.28 s: 82 frames."""
    return clips_of(made_corpus(tmp_path_factory.mktemp("talk"), {"a": [("collins", 3.28)]}))


@pytest.fixture(scope="module")
def made(talks: list[ExportClip], tmp_path_factory: pytest.TempPathFactory) -> Path:
    return all_exported("stableavatar", talks, tmp_path_factory.mktemp("stable"))


@pytest.fixture
def broken(made: Path, tmp_path: Path) -> Path:
    """Its list names absolute paths, so they are brought along."""
    to = shutil.copytree(made, tmp_path / "broken")
    path = to / "video_square_path.txt"
    path.write_text(path.read_text().replace(str(made.resolve()), str(to.resolve())))
    return to


def test_each_frame_has_its_picture_and_both_masks(made: Path) -> None:
    folder = made / FIRST
    assert (made / "video_square_path.txt").read_text() == f"{folder.resolve()}\n"
    assert video_facts(folder / "sub_clip.mp4") == (82, 512, 512, 25.0)
    assert wav_facts(folder / "audio.wav") == (16000, 82 * 640)
    for kind in ("images", "face_masks", "lip_masks"):
        assert {path.name for path in (folder / kind).iterdir()} == {f"frame_{n}.png" for n in range(82)}


def test_masks_cover_the_face_and_the_lips(made: Path, talks: list[ExportClip]) -> None:
    points = talks[0].faces(25).points[40] * 2
    masks = [np.asarray(Image.open(made / FIRST / f"{kind}/frame_40.png")) for kind in ("face_masks", "lip_masks")]
    nose, between_lips, outside = points[1].astype(int), ((points[13] + points[14]) / 2).astype(int), (5, 5)
    assert [mask[nose[1], nose[0]] for mask in masks] == [255, 0]
    assert [mask[between_lips[1], between_lips[0]] for mask in masks] == [255, 255]
    assert [mask[outside[1], outside[0]] for mask in masks] == [0, 0]
    assert [set(np.unique(mask)) for mask in masks] == [{0, 255}] * 2


def test_a_short_clip_and_an_unknown_activity_are_refused(
    talks: list[ExportClip], clips: list[ExportClip], tmp_path: Path
) -> None:
    odd = replace(talks[0], annotations={"activity": "juggling"})
    outcomes = list(export("stableavatar", [clips[0], odd], tmp_path))
    assert [(one.reason, one.detail) for one in outcomes if isinstance(one, Refused)] == [
        ("too_short", "40 frames, 81 are needed"),
        ("no_category", "the annotation is 'juggling'"),
    ]


def moved(name: str) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        to = folder / name
        shutil.move(folder / "talking_face_data", to / "talking_face_data")
        (folder / "video_square_path.txt").write_text(f"{to / FIRST}\n")

    return change


def renamed(folder: Path) -> None:
    to = folder / "talking_face_data/square/talk/00001"
    shutil.move(folder / FIRST, to)
    (folder / "video_square_path.txt").write_text(f"{to}\n")


def mask(mode: str = "L", size: int = 512, value: int = 0, spot: bool = False) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        image = Image.new(mode, (size, size), value if mode == "L" else (value,) * 3)
        if spot:
            image.putpixel((0, 0), 255 if mode == "L" else (255,) * 3)
        image.save(folder / FIRST / "lip_masks/frame_7.png")

    return change


def gone(name: str) -> Callable[[Path], None]:
    return lambda folder: (folder / FIRST / name).unlink()


def damaged(folder: Path) -> None:
    (folder / FIRST / "face_masks/frame_0.png").write_bytes(b"no picture")


def short(folder: Path) -> None:
    write_mp4(folder / FIRST / "sub_clip.mp4", [np.zeros((512, 512, 3), np.uint8)] * 80, 25)


def silent(folder: Path) -> None:
    write_wav(folder / FIRST / "audio.wav", np.zeros(16000, np.float32))


def unlisted(folder: Path) -> None:
    (folder / "video_square_path.txt").write_text("")


@pytest.mark.parametrize(
    ("breaks", "told"),
    [
        (moved("singing_set"), "its path holds 'singing' before its category, 'speech'"),
        (renamed, "its path holds none of singing, speech, dancing, and the loader divides by zero"),
        (gone("lip_masks/frame_7.png"), "lip_masks/frame_7.png is missing; the loader takes what it cannot read for"),
        (damaged, "face_masks/frame_0.png does not decode"),
        (mask(), "lip_masks/frame_7.png is 0 everywhere, which masks all or nothing"),
        (mask(value=255), "lip_masks/frame_7.png is 255 everywhere"),
        (mask(mode="RGB", spot=True), "lip_masks/frame_7.png is RGB, not one channel"),
        (mask(size=256, spot=True), "lip_masks/frame_7.png is 256x256, not 512x512"),
        (gone("images/frame_81.png"), "has 81 images, not frame_0.png to frame_81.png as its mp4 has frames"),
        (short, "has 80 frames, and fewer than 81 are stretched"),
        (silent, "audio.wav takes 1.000 s, the pictures 3.280 s"),
        (unlisted, "names no clip, and the loader draws from it"),
    ],
)
def test_traps_are_told(broken: Path, breaks: Callable[[Path], None], told: str) -> None:
    breaks(broken)
    assert told in problem("stableavatar", broken)
