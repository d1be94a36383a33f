"""PIRenderer's lmdb, read back key by key, with the authors' coefficients and with the substitute, and broken."""

from io import BytesIO
from pathlib import Path

import lmdb
import numpy as np
import pytest
from PIL import Image
from scipy.io import savemat

from operators.models.face_geometry import head_pose_deg
from pipeline.export.clip import ExportClip
from pipeline.export.layout import Given
from tests.pipeline.export.layouts.conftest import all_exported, exported, problem

SUBSTITUTED = Given(substitutes=frozenset({"coeff_3dmm"}))


@pytest.fixture
def made(clips: list[ExportClip], tmp_path: Path) -> Path:
    return all_exported("pirender", clips, tmp_path, SUBSTITUTED)


def change(folder: Path, key: str, value: bytes | None) -> None:
    with lmdb.open(str(folder / "256"), map_size=2**30) as store, store.begin(write=True) as transaction:
        assert transaction.delete(key.encode()) if value is None else transaction.put(key.encode(), value)


def values(folder: Path, *keys: str) -> list[bytes]:
    with lmdb.open(str(folder / "256"), readonly=True, lock=False) as store, store.begin() as transaction:
        return [transaction.get(key.encode()) for key in keys]


def test_every_frame_is_there_with_its_coefficients(made: Path, clips: list[ExportClip]) -> None:
    clip = clips[0]
    name = clip.vox_name()
    length, frame, rows, points, total = values(
        made, f"{name}-length", f"{name}-0000012", f"{name}-coeff_3dmm", f"{name}-keypoint", "length"
    )
    assert (length, total) == (b"0000040", b"0000003")
    picture = np.asarray(Image.open(BytesIO(frame)), float)
    assert np.abs(picture - list(clip.pictures(256))[12]).mean() < 4
    coefficients = np.frombuffer(rows, np.float32).reshape(40, 260)
    faces = clip.faces()
    yaw, pitch, roll = head_pose_deg(faces.matrix[12])
    assert np.degrees(coefficients[12, 224:227]) == pytest.approx([pitch, yaw, roll], abs=1e-4)
    assert coefficients[12, 80:132] == pytest.approx(faces.blendshapes[12], abs=1e-6)
    middle = (faces.points[12].min(axis=0) + faces.points[12].max(axis=0)) / 2
    assert coefficients[12, 258:260] == pytest.approx([middle[0], 256 - middle[1]], abs=1e-3)
    assert np.frombuffer(points, np.float32).reshape(40, 68, 2)[12] == pytest.approx(faces.landmarks_68[12], abs=1e-3)


def test_lists_keep_people_apart(made: Path, clips: list[ExportClip]) -> None:
    for split in ("train", "test"):
        assert (made / f"{split}_list.txt").read_text().splitlines() == [
            clip.vox_name() for clip in clips if clip.split == split
        ]


def test_what_the_authors_scripts_computed_is_taken_as_it_is(clips: list[ExportClip], tmp_path: Path) -> None:
    given = tmp_path / "mat"
    made = {}
    for clip in clips[:2]:
        (given / clip.split).mkdir(parents=True, exist_ok=True)
        random = np.random.default_rng(clip.frames + len(made))
        made[clip.vox_name()] = random.random((40, 257), np.float32), random.random((40, 5), np.float32)
        savemat(
            given / clip.split / f"{clip.vox_name()}.mat",
            dict(zip(("coeff", "transform_params"), made[clip.vox_name()], strict=True)),
        )
    _, refused = exported("pirender", clips, tmp_path / "to", Given({"coeff_3dmm": given}))
    assert [(one.clip_id[0], one.reason) for one in refused] == [("c", "coeff_3dmm_missing")]
    for name, (coefficients, crop) in made.items():
        rows = np.frombuffer(values(tmp_path / "to", f"{name}-coeff_3dmm")[0], np.float32).reshape(40, 260)
        assert (rows == np.concatenate([coefficients, crop[:, 2:]], axis=1)).all()


def test_coefficients_of_another_length_are_refused(clips: list[ExportClip], tmp_path: Path) -> None:
    for clip, frames in zip(clips, (40, 40, 39), strict=True):
        savemat(
            tmp_path / f"{clip.vox_name()}.mat",
            {"coeff": np.ones((frames, 257)), "transform_params": np.ones((frames, 5))},
        )
    _, refused = exported("pirender", clips, tmp_path / "to", Given({"coeff_3dmm": tmp_path}))
    assert [(one.reason, "(39, 257)" in one.detail) for one in refused] == [("coeff_3dmm_differs", True)]


def test_what_the_loader_would_choke_on_is_told(made: Path, clips: list[ExportClip]) -> None:
    name = clips[0].vox_name()
    change(made, f"{name}-0000012", None)
    change(made, f"{name}-0000013", b"no picture")
    change(made, f"{name}-coeff_3dmm", np.ones((39, 260), np.float32).tobytes())
    told = problem("pirender", made)
    assert f"{name}-0000012: does not decode" in told
    assert f"{name}-0000013: does not decode" in told
    assert "has 40560 bytes of coeff_3dmm, not 41600" in told
    change(made, f"{name}-coeff_3dmm", np.full((40, 260), np.nan, np.float32).tobytes())
    assert "coeff_3dmm holds what is no finite number" in problem("pirender", made)
    change(made, f"{name}-coeff_3dmm", np.zeros((40, 260), np.float32).tobytes())
    assert "the scale of coeff_3dmm is 0 somewhere" in problem("pirender", made)
    change(made, f"{name}-length", None)
    assert f"{name}: has no length" in problem("pirender", made)


def test_lists_that_lead_nowhere_are_told(made: Path) -> None:
    (made / "train_list.txt").write_text("p#nobody#0#1")
    (made / "test_list.txt").write_text("")
    told = problem("pirender", made)
    for line in ("p#nobody#0#1: has no length", "the last line has no end", "test_list.txt: names no video"):
        assert line in told
    (made / "256/data.mdb").unlink()
    assert "256: is no lmdb" in problem("pirender", made)
