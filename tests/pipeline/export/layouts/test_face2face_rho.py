"""Face2Face-rho's files, read back, and broken in the ways its loader would choke on."""

import math
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pipeline.export.clip import ExportClip
from pipeline.export.layouts.face2face_rho import POINTS_72, head_pose
from tests.pipeline.export.layouts.conftest import all_exported, problem


@pytest.fixture(scope="module")
def made(clips: list[ExportClip], tmp_path_factory: pytest.TempPathFactory) -> Path:
    return all_exported("face2face_rho", clips, tmp_path_factory.mktemp("rho"))


def test_frames_without_a_face_are_left_out(made: Path, clips: list[ExportClip]) -> None:
    video = made / clips[2].vox_name()
    for part, suffix in (("img", "jpg"), ("landmark", "txt"), ("headpose", "txt"), ("mask", "png")):
        assert {path.name for path in (video / part).iterdir()} == {
            f"{n}.{suffix}" for n in (*range(15), *range(25, 40))
        }


def test_landmarks_are_in_the_loaders_order(made: Path, clips: list[ExportClip]) -> None:
    points = np.loadtxt(made / clips[0].vox_name() / "landmark/0.txt")
    assert points.shape == (72, 2)
    assert len(set(POINTS_72)) == 72
    assert (np.diff(points[:9, 1]) > 0).all(), "down the jaw on the image's left, to the chin"
    assert (np.diff(points[9:17, 1]) > 0).all(), "and down the other side"
    assert points[9:17, 0].min() > points[8, 0] - 0.05
    for at in (17, 22):
        assert (np.diff(points[at : at + 5, 0]) > 0).all(), "brows from the image's left to its right"
    assert points[36:44, 0].max() < points[44:52, 0].min(), "the eye on the image's left comes first"
    assert points[52:57].mean(axis=0)[0] < points[57:62].mean(axis=0)[0], "lips: the corner on the image's left is 52"
    assert points[71, 1] > points[62, 1], "62 is the upper lip's middle, 71 the lower one's"
    pixels = clips[0].faces().points[0, POINTS_72]
    assert (points + 1) / 2 * 511 == pytest.approx(pixels * 2, abs=1e-3), "-1 is the first pixel of 512, 1 the last"


def test_the_pose_is_axis_angle_place_and_scale(made: Path, clips: list[ExportClip]) -> None:
    told = [float(line) for line in (made / clips[0].vox_name() / "headpose/0.txt").read_text().splitlines()]
    assert len(told) == 6
    turned = np.eye(4)
    angle = math.radians(20)
    # nose to the image's right
    turned[:3, :3] = [[math.cos(angle), 0, math.sin(angle)], [0, 1, 0], [-math.sin(angle), 0, math.cos(angle)]]
    turned[2, 3] = -100 / math.tan(math.radians(31.5))  # where 1 m is the half height of the picture
    pose = head_pose(turned, np.full((478, 2), 255.5))
    assert pose == pytest.approx([0, angle, 0, 0.25828, -0.26075, 1 / 4122.4], abs=1e-9)


def test_the_mask_covers_the_face(made: Path, clips: list[ExportClip]) -> None:
    mask = np.asarray(Image.open(made / clips[0].vox_name() / "mask/0.png"))
    assert set(np.unique(mask)) == {0, 255}
    inside = (clips[0].faces().points[0] * 2).round().astype(int)
    assert (mask[inside[:, 1], inside[:, 0]] == 255).mean() > 0.9


def test_the_list_names_those_to_train_on(made: Path, clips: list[ExportClip]) -> None:
    assert (made / "list.txt").read_text().splitlines() == [clip.vox_name() for clip in clips if clip.split == "train"]


def test_what_the_loader_would_choke_on_is_told(broken: Path) -> None:
    video = (broken / "list.txt").read_text().split("\n")[0]
    (broken / video / "landmark/0.txt").write_text("0 0\n" * 68)
    (broken / video / "landmark/1.txt").write_text("0  0\n" * 72)
    (broken / video / "headpose/0.txt").write_text("0\n" * 5 + "nan\n")
    (broken / video / "headpose/1.txt").unlink()
    (broken / video / "mask/0.png").unlink()
    (broken / video / "img/3.jpg").rename(broken / video / "img/0003.jpg")
    told = problem("face2face_rho", broken)
    for line in (
        "landmark/0.txt: has 68 lines, not 72", "landmark/1.txt: has 72 lines, not 72 of 2 numbers with one blank",
        "headpose/0.txt: holds what is no finite",
        "headpose/1.txt: is missing", "mask/0.png: is missing", "img/0003.jpg: is not named by a number",
    ):  # fmt: skip
        assert line in told


def test_a_person_whose_name_is_part_of_another_is_told(broken: Path) -> None:
    video = (broken / "list.txt").read_text().split("\n")[0]
    for name in ("id1#a#0#1", "id10#b#0#1"):
        shutil.copytree(broken / video, broken / name)
    (broken / "list.txt").write_text("id1#a#0#1\nid10#b#0#1\n")
    assert (
        problem("face2face_rho", broken)
        == "list.txt: id1 is a part of id10#b#0#1, so the loader takes that one's videos for the same person's"
    )
    (broken / "list.txt").write_text("")
    assert "names no video" in problem("face2face_rho", broken)
