"""Hallo3's files, read back, and each trap of its loader made on purpose."""

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from manifests.errors import UsageError
from pipeline.export.clip import ExportClip
from pipeline.export.export import export
from pipeline.export.files import write_mp4
from pipeline.export.layout import Given, Refused, resolved
from pipeline.export.masks import face_mask
from tests.pipeline.export.layouts.conftest import problem

A, B = "a-000000-006880-t0", "b-000000-006880-t0"


@pytest.fixture(scope="module")
def given(tmp_path_factory: pytest.TempPathFactory) -> Given:
    root = tmp_path_factory.mktemp("features")
    for need, shape in (("face_emb", (512,)), ("audio_emb", (172, 12, 768))):
        (root / need).mkdir()
        for name in (A, B):
            torch.save(torch.ones(shape), root / need / f"{name}.pt")
    return Given({need: root / need for need in ("face_emb", "audio_emb")})


@pytest.fixture(scope="module")
def made(talks: list[ExportClip], given: Given, tmp_path_factory: pytest.TempPathFactory) -> Path:
    to = tmp_path_factory.mktemp("hallo3")
    assert len(list(export("hallo3", talks[:1], to, given))) == 1
    assert problem("hallo3", to) == ""
    return to


@pytest.fixture
def broken(made: Path, tmp_path: Path) -> Path:
    """Its list names absolute paths, so they are brought along."""
    to = shutil.copytree(made, tmp_path / "broken")
    path = to / "data/headset.json"
    path.write_text(path.read_text().replace(str(made.resolve()), str(to.resolve())))
    return to


def row(folder: Path) -> dict[str, str]:
    return json.loads((folder / "data/headset.json").read_text())[0]


def test_the_mask_is_as_large_as_a_frame_and_covers_the_face(made: Path, talks: list[ExportClip]) -> None:
    mask = np.asarray(Image.open(row(made)["face_mask_union_path"]))
    assert mask.shape == (256, 256)
    points = talks[0].faces(25).points
    for frame in points[::20]:
        x, y = frame[1].round().astype(int)
        assert mask[y, x] == 255
    for frame in points[::20]:
        assert (mask[face_mask(frame, 256, 256) == 255] == 255).all()  # the face of any frame, and not of each
    assert 0.05 < (mask == 255).mean() < 0.7
    assert row(made)["caption"] == (made / f"caption/{A}.txt").read_text() == "A person speaking."


def test_features_are_asked_for_and_must_fit(talks: list[ExportClip], given: Given, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"hallo3 needs audio_emb, which headset cannot compute.*wav2vec2"):
        resolved("hallo3", {"face_emb": tmp_path}, [])
    for need in given.folders:
        shutil.copytree(given.folders[need], tmp_path / need)
    torch.save(torch.ones(171, 12, 768), tmp_path / f"audio_emb/{A}.pt")
    torch.save({"face": torch.ones(512)}, tmp_path / f"face_emb/{B}.pt")
    outcomes = list(export("hallo3", talks, tmp_path / "to", Given({need: tmp_path / need for need in given.folders})))
    assert [(one.reason, one.detail) for one in outcomes if isinstance(one, Refused)] == [
        ("audio_emb_differs", f"{A}.pt has the shape (171, 12, 768), not (172 or more, 12, 768)"),
        ("face_emb_differs", f"{B}.pt holds dict, no tensor"),
    ]
    (outcome,) = export("hallo3", [replace(talks[0], frames=54)], tmp_path / "short", given)
    assert isinstance(outcome, Refused)
    assert (outcome.reason, outcome.detail) == ("too_short", "54 frames, 55 are needed")


def saved(key: str, value: Any) -> Callable[[Path], None]:
    return lambda folder: torch.save(value, row(folder)[key])


def mask(size: tuple[int, int], spot: bool) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        image = Image.new("L", size)
        if spot:
            image.putpixel((0, 0), 255)
        image.save(row(folder)["face_mask_union_path"])

    return change


def told(**values: str | None) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        kept = {key: value for key, value in {**row(folder), **values}.items() if value is not None}
        (folder / "data/headset.json").write_text(json.dumps([kept]))

    return change


def short(folder: Path) -> None:
    write_mp4(Path(row(folder)["video_path"]), [np.zeros((256, 256, 3), np.uint8)] * 54, 25)


def unlisted(folder: Path) -> None:
    shutil.copyfile(row(folder)["video_path"], folder / "videos/other.mp4")


@pytest.mark.parametrize(
    ("breaks", "said"),
    [
        (mask((512, 512), True), "its mask is 512x512, not 256x256; the frame is multiplied by it"),
        (mask((256, 256), False), "its mask is 0 everywhere"),
        (saved("face_emb_path", torch.ones(128)), "its face_emb has the shape (128,), not (512,)"),
        (saved("face_emb_path", torch.full((512,), float("nan"))), "its face_emb holds what is no finite number"),
        (
            saved("vocals_emb_base_all", torch.ones(100, 12, 768)),
            "its vocals_emb_base_all has the shape (100, 12, 768)",
        ),
        (saved("vocals_emb_base_all", torch.ones(172, 768)), "its vocals_emb_base_all has the shape (172, 768)"),
        (short, "has 54 frames, 55 are needed"),
        (told(vocals_emb_base_all=None), "entry 0 has no vocals_emb_base_all"),
        (told(caption=" "), "has no caption"),
        (told(video_path="/nowhere.mp4"), "/nowhere.mp4: does not decode"),
        (unlisted, "videos/other.mp4: is in no list; what failed while features were made is left out without a word"),
    ],
)
def test_traps_are_told(broken: Path, breaks: Callable[[Path], None], said: str) -> None:
    breaks(broken)
    assert said in problem("hallo3", broken)


def test_a_path_with_the_word_images_is_told_where_frames_lie_too(made: Path, tmp_path: Path) -> None:
    to = shutil.copytree(made, tmp_path / "my_images")
    assert "extract_meta_info.py" not in problem("hallo3", to)
    (to / "images").mkdir()
    assert "its path holds 'images', and extract_meta_info.py replaces the word" in problem("hallo3", to)
