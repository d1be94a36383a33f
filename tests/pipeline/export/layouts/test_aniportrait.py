"""AniPortrait's files, read back, and each trap of its loader made on purpose."""

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pipeline.export.clip import ExportClip
from pipeline.export.export import export
from pipeline.export.layout import Refused
from tests.pipeline.export.layouts.conftest import problem

A = "a-000000-001600-t0"


@pytest.fixture(scope="module")
def made(clips: list[ExportClip], tmp_path_factory: pytest.TempPathFactory) -> Path:
    to = tmp_path_factory.mktemp("aniportrait")
    outcomes = list(export("aniportrait", [replace(clip, split="train") for clip in clips], to))
    assert [(one.clip_id[0], one.reason) for one in outcomes if isinstance(one, Refused)] == [("c", "no_face")]
    assert problem("aniportrait", to) == ""
    return to


@pytest.fixture
def broken(made: Path, tmp_path: Path) -> Path:
    """Its list names absolute paths, so they are brought along."""
    to = shutil.copytree(made, tmp_path / "broken")
    path = to / "training.json"
    path.write_text(path.read_text().replace(str(made.resolve()), str(to.resolve())))
    return to


def test_each_frame_has_its_points(made: Path, clips: list[ExportClip]) -> None:
    rows = json.loads((made / "training.json").read_text())
    (held,) = rows[A]["clip_data_list"]
    assert (len(held["frame_path_list"]), len(held["lmks_list"]), rows[A]["video_clip_num"]) == (40, 40, 1)
    points = np.load(held["lmks_list"][7])
    assert (points.shape, points.dtype) == ((478, 2), np.float32)
    assert np.allclose(points * 256, clips[0].faces(25).points[7], atol=0.01)
    with Image.open(held["frame_path_list"][7]) as picture:
        assert picture.size == (512, 512)
    assert np.load(made / f"meshes/{A}/000007_bs.npy").shape == (51,)


def test_a_short_clip_is_refused(clips: list[ExportClip], tmp_path: Path) -> None:
    (outcome,) = export("aniportrait", [replace(clips[0], frames=29)], tmp_path)
    assert isinstance(outcome, Refused)
    assert (outcome.reason, outcome.detail) == ("too_short", "29 frames, 30 are needed")


def listed(change: Callable[[dict], None]) -> Callable[[Path], None]:
    def breaks(folder: Path) -> None:
        rows = json.loads((folder / "training.json").read_text())
        change(rows)
        (folder / "training.json").write_text(json.dumps(rows))

    return breaks


def without_one(rows: dict) -> None:
    del rows[A]["clip_data_list"][0]["lmks_list"][3]


def short(rows: dict) -> None:
    for paths in rows[A]["clip_data_list"][0].values():
        del paths[29:]


def no_clips(rows: dict) -> None:
    rows[A]["clip_data_list"] = []


def points(*shape: int, value: float = 0.5) -> Callable[[Path], None]:
    return lambda folder: np.save(folder / f"meshes/{A}/000004_lmks.npy", np.full(shape, value))


@pytest.mark.parametrize(
    ("breaks", "told"),
    [
        (listed(without_one), "has 40 frames and 39 files of points that do not pair"),
        (listed(short), "has 29 frames, 30 are needed"),
        (listed(no_clips), "says 1 clips and has 0"),
        (listed(dict.clear), "names no clip, and the loader draws from it"),
        (points(68, 2), "000004_lmks.npy has the shape (68, 2)"),
        (points(478, 2, value=200.0), "000004_lmks.npy holds no point within 0 to 1"),
        (lambda folder: (folder / f"videos/{A}/000004.png").unlink(), "000004.png is missing"),
        (lambda folder: (folder / "training.json").unlink(), "training.json: does not read"),
    ],
)
def test_traps_are_told(broken: Path, breaks: Callable[[Path], None], told: str) -> None:
    breaks(broken)
    assert told in problem("aniportrait", broken)
