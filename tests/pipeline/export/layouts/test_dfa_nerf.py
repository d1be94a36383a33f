"""DFA-NeRF's folder of a clip, read back as its loader does, and broken in the ways it would choke on."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from manifests.errors import UsageError
from operators.models.face_pictures import IBUG_68
from pipeline.export.checks import wav_facts
from pipeline.export.clip import ExportClip
from pipeline.export.export import export
from pipeline.export.faces import Faces
from pipeline.export.layout import Given, Refused, resolved
from pipeline.export.layouts.dfa_nerf import cameras
from tests.pipeline.export.layouts.conftest import exported, problem

NEAREST = 0.2  # metres from the camera of the substitute to the nose, in these portraits
NOSE = (0.0, -0.46, 7.59)  # of MediaPipe's mean face, its point 4; centimetres


def prepared(folder: Path, clip: ExportClip, rows: int = 35) -> None:
    """What the authors' steps give of a clip of 40 frames, but for the cameras and the expression."""
    place = folder / clip.name
    grey = Image.fromarray(np.full((512, 512, 3), 90, np.uint8))
    for kind in ("head_imgs", "com_imgs"):
        (place / kind).mkdir(parents=True)
        for number in range(40):
            grey.save(place / kind / f"{number:06d}.jpg")
    grey.save(place / "bc.jpg")
    torch.save(torch.rand(rows, 512), place / f"{clip.name}_aud.pt")


@pytest.fixture(scope="module")
def dataset(clips: list[ExportClip], tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dataset")
    for clip in clips:
        prepared(folder, clip)
    return folder


@pytest.fixture(scope="module")
def made(clips: list[ExportClip], dataset: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    to = tmp_path_factory.mktemp("dfa_nerf")
    given = Given(dict.fromkeys(("parsing", "aud"), dataset), frozenset({"camera", "exp_o"}))
    written, refused = exported("dfa_nerf", clips, to, given)
    assert [one.note["used"] for one in written] == [40, 40, 30], "the last shows its face in 30 of 40 frames"
    assert not refused
    return to


@pytest.fixture
def broken(made: Path, clips: list[ExportClip], tmp_path: Path) -> Path:
    shutil.copytree(made, tmp_path / "broken")
    return tmp_path / "broken/dataset" / clips[0].name


def test_the_loader_finds_pictures_cameras_sound_and_expression(made: Path, clips: list[ExportClip]) -> None:
    name = clips[0].name
    place = made / "dataset" / name
    metas = [json.loads((place / f"transforms_{split}_ba.json").read_text()) for split in ("train", "val")]
    assert [[frame["img_id"] for frame in meta["frames"]] for meta in metas] == [list(range(36)), list(range(36, 40))]
    assert {path.name for path in (place / "ori_imgs").iterdir()} == {f"{number:06d}.jpg" for number in range(40)}
    assert Image.open(place / "ori_imgs/000039.jpg").size == Image.open(place / "bc.jpg").size == (512, 512)
    assert wav_facts(place / "aud.wav") == (16000, 25600)
    assert torch.load(place / f"{name}_aud.pt", weights_only=True).shape == (35, 512)
    expression = torch.load(place / f"{name}_64_32.pt", weights_only=True)["exp_o"].numpy()
    assert expression[:, :52] == pytest.approx(clips[0].faces().blendshapes, abs=1e-6)
    assert not expression[:, 52:].any()
    near, far = (float(line.split("=")[1]) for line in (place / "HeadNeRF_config_ba.txt").read_text().splitlines()[3:5])
    assert 0 < near < NEAREST < far, "the lines that the training reads by their number, and the nose between them"


def test_a_ray_of_the_camera_through_the_nose_meets_the_nose(made: Path, clips: list[ExportClip]) -> None:
    meta = json.loads((made / "dataset" / clips[1].name / "transforms_train_ba.json").read_text())
    points = clips[1].faces().points * 2
    for frame in meta["frames"]:
        pose = np.array(frame["transform_matrix"])
        assert pose[:3, :3] @ pose[:3, :3].T == pytest.approx(np.eye(3), abs=1e-5)
        x, y = points[frame["img_id"], 4]
        ray = pose[:3, :3] @ ((x - meta["cx"]) / meta["focal_len"], -(y - meta["cy"]) / meta["focal_len"], -1)
        away = np.array(NOSE) / 100 - pose[:3, 3]
        assert np.linalg.norm(away - ray * (away @ ray) / (ray @ ray)) < 0.01, "metres"
        left, top, width, height = frame["face_rect"]
        assert left < x < left + width
        assert top < y < top + height
        assert left + width < 512
        assert top + height < 512


def test_frames_without_a_face_are_in_no_list(made: Path, clips: list[ExportClip]) -> None:
    place = made / "dataset" / clips[2].name
    numbers = [
        frame["img_id"]
        for split in ("train", "val")
        for frame in json.loads((place / f"transforms_{split}_ba.json").read_text())["frames"]
    ]
    assert numbers == np.flatnonzero(clips[2].faces().seen).tolist()
    assert {int(path.stem) for path in (place / "head_imgs").iterdir()} == set(numbers)


def test_what_is_given_is_taken_and_checked(clips: list[ExportClip], dataset: Path, made: Path, tmp_path: Path) -> None:
    for clip in clips:
        shutil.copytree(dataset / clip.name, tmp_path / "with" / clip.name)
    given = Given(dict.fromkeys(("parsing", "camera", "aud", "exp_o"), tmp_path / "with"))
    first, second, third = (tmp_path / "with" / clip.name for clip in clips)
    for place in (first, second):
        for split in ("train", "val"):
            shutil.copyfile(
                made / "dataset" / clips[0].name / f"transforms_{split}_ba.json", place / f"transforms_{split}_ba.json"
            )
        torch.save({"exp_o": torch.ones(40, 64, requires_grad=True)}, place / f"{place.name}_64_32.pt")
    torch.save(torch.rand(40, 16, 29), second / f"{second.name}_aud.pt")
    outcomes = list(export("dfa_nerf", clips, tmp_path / "to", given))
    assert [(one.reason, one.clip_id[0]) for one in outcomes if isinstance(one, Refused)] == [
        ("aud_differs", "b"),
        ("camera_missing", "c"),
    ]
    assert problem("dfa_nerf", tmp_path / "to") == ""
    held = torch.load(tmp_path / "to/dataset" / first.name / f"{first.name}_64_32.pt", weights_only=True)["exp_o"]
    assert held.shape == (40, 64)
    assert not held.requires_grad
    Image.new("RGB", (256, 256)).save(first / "head_imgs/000007.jpg")
    meta = json.loads((third.parent / clips[0].name / "transforms_val_ba.json").read_text())
    (third / "transforms_train_ba.json").write_text(json.dumps({**meta, "cx": 225.0}))
    torch.save(torch.rand(20, 512), second / f"{second.name}_aud.pt")
    reasons = {
        one.clip_id[0]: one.detail
        for one in export("dfa_nerf", clips, tmp_path / "again", given)
        if isinstance(one, Refused)
    }
    assert reasons["a"] == "head_imgs/000007.jpg is 256x256, not 512x512"
    assert reasons["b"].endswith("has 20 rows, not 30 to 42")
    assert reasons["c"] == "transforms_train_ba.json is not of 40 pictures of 512x512"


def test_cameras_of_too_few_frames_are_refused(
    clips: list[ExportClip], dataset: Path, made: Path, tmp_path: Path
) -> None:
    place = tmp_path / clips[0].name
    place.mkdir()
    meta = json.loads((made / "dataset" / clips[0].name / "transforms_train_ba.json").read_text())
    for split, count in (("train", 3), ("val", 1)):
        (place / f"transforms_{split}_ba.json").write_text(json.dumps({**meta, "frames": meta["frames"][:count]}))
    given = Given({"parsing": dataset, "aud": dataset, "camera": tmp_path}, frozenset({"exp_o"}))
    (outcome,) = export("dfa_nerf", clips[:1], tmp_path / "to", given)
    assert isinstance(outcome, Refused)
    assert (outcome.reason, outcome.detail[:6]) == ("too_short", "[3, 1]")


@pytest.mark.parametrize("need", ["parsing", "aud"])
def test_pictures_and_sound_features_have_no_substitute(need: str) -> None:
    with pytest.raises(UsageError, match=f"has no substitute for {need}"):
        resolved("dfa_nerf", {}, ["camera", "exp_o", need])


def test_what_the_loader_would_choke_on_is_told(broken: Path) -> None:
    name, folder = broken.name, broken.parents[1]
    (broken / "com_imgs/000003.jpg").unlink()
    Image.new("RGB", (256, 256)).save(broken / "head_imgs/000004.jpg")
    torch.save(torch.ones(35, 512), broken / f"{name}_64_32.pt")
    torch.save(torch.ones(35, 16, 29), broken / f"{name}_aud.pt")
    config = broken / "HeadNeRF_config_ba.txt"
    config.write_text(config.read_text().replace("far", "fair"))
    said = problem("dfa_nerf", folder)
    for line in (
        "com_imgs/000003.jpg: is missing", "head_imgs/000004.jpg: is 256x256, not 512x512",
        f"{name}_aud.pt: holds no tensor (rows, 512)",
        f"{name}_64_32.pt: holds no tensor exp_o (rows, 64)", "does not say how near and far (KeyError: 'far')",
    ):  # fmt: skip
        assert f"dataset/{name}/{line}" in said or line in said
    (broken / "bc.jpg").unlink()
    assert "bc.jpg: is missing" in problem("dfa_nerf", folder)


def test_cameras_the_loader_would_choke_on_are_told(broken: Path) -> None:
    folder, train, val = broken.parents[1], broken / "transforms_train_ba.json", broken / "transforms_val_ba.json"
    meta = json.loads(train.read_text())
    train.write_text(json.dumps({**meta, "frames": meta["frames"][:3]}))
    val.write_text(json.dumps({**meta, "frames": []}))
    said = problem("dfa_nerf", folder)
    assert "names 3 frames, 4 are needed" in said
    assert "transforms_val_ba.json: names no frame" in said
    train.write_text(json.dumps({key: value for key, value in meta.items() if key != "focal_len"}))
    meta["frames"][5]["face_rect"] = [1, 2, 3]
    val.write_text(json.dumps(meta))
    said = problem("dfa_nerf", folder)
    assert "does not read (KeyError: 'focal_len')" in said
    assert "transforms_val_ba.json: does not read (ValueError" in said


def test_the_rectangle_reaches_beyond_the_chin() -> None:
    points = np.full((1, 478, 2), (225.0, 220.0))
    points[0, IBUG_68[0]], points[0, IBUG_68[16]] = (175.0, 220.0), (275.0, 220.0)
    points[0, IBUG_68[27]], points[0, IBUG_68[8]] = (225.0, 200.0), (225.0, 260.0)
    faces = Faces(points, np.eye(4)[None], np.zeros((1, 52)))
    (frame,) = [frame for meta in cameras(faces, 1.0).values() for frame in meta["frames"]]
    assert frame["face_rect"] == [225 - 75, 200 - 69, 150, 138]  # 60 px to the chin, and 15 % more
