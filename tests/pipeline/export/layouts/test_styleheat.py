"""StyleHEAT's three lmdbs, read back, and broken in the ways its loader would choke on."""

from dataclasses import replace
from io import BytesIO
from pathlib import Path

import lmdb
import numpy as np
import pytest
from PIL import Image

from pipeline.export.clip import ExportClip
from pipeline.export.layout import Given
from pipeline.export.layouts.styleheat import aligned, face_quad, wav2lip_mel
from tests.made_videos import tone
from tests.pipeline.export.layouts.conftest import all_exported, exported, problem

SUBSTITUTED = Given(substitutes=frozenset({"coeff_3dmm"}))


@pytest.fixture
def made(clips: list[ExportClip], tmp_path: Path) -> Path:
    return all_exported("styleheat", clips, tmp_path, SUBSTITUTED)


def value(folder: Path, store: str, key: str) -> bytes:
    with lmdb.open(str(folder / store), readonly=True, lock=False) as opened, opened.begin() as transaction:
        found = transaction.get(key.encode())
    assert found is not None
    return found


def change(folder: Path, store: str, key: str, content: bytes) -> None:
    with lmdb.open(str(folder / store), map_size=2**30) as opened, opened.begin(write=True) as transaction:
        transaction.put(key.encode(), content)


def test_frames_sound_and_crops_go_together(made: Path, clips: list[ExportClip]) -> None:
    name = clips[0].vox_name()
    assert value(made, "frames", f"{name}-length") == b"0000040"
    keypoint = np.frombuffer(value(made, "frames", f"{name}-keypoint"), np.float32).reshape(40, 68, 2)
    assert keypoint == pytest.approx(clips[0].faces().landmarks_68, abs=1e-3)
    assert np.frombuffer(value(made, "frames", f"{name}-coeff_3dmm"), np.float32).size == 40 * 260
    heard = np.frombuffer(value(made, "audio", name), np.float64).reshape(-1, 80)
    assert heard == pytest.approx(wav2lip_mel(clips[0].samples()))
    boxes = np.frombuffer(value(made, "crop", f"{name}-crop_params"), np.int64).reshape(40, 4)
    assert (boxes[:, 2] > boxes[:, 0]).all()
    with Image.open(BytesIO(value(made, "frames", f"{name}-align-0000007"))) as picture:
        assert picture.size == (256, 256)


def test_the_mel_bands_are_where_the_tone_is() -> None:
    heard = wav2lip_mel(tone(1.0, 16000, 1000.0))
    assert heard.shape == (81, 80)
    assert heard.min() >= -4
    assert heard.max() <= 4
    # Slaney's mel scale: 3 mel a 200 Hz up to 1 kHz, which is mel 15; 55 Hz is mel 0.825, 7600 Hz is mel 44.5. Centres
    # lie evenly between.
    centre = (15 - 0.825) / ((15 + np.log(7600 / 1000) / (np.log(6.4) / 27)) - 0.825) * 81 - 1
    assert heard[40].argmax() == pytest.approx(centre, abs=0.6)
    assert wav2lip_mel(np.zeros(16000, np.float32)).max() == -4, "silence is the lowest"


def test_the_aligned_face_is_upright_with_its_eyes_level(clips: list[ExportClip]) -> None:
    points = np.zeros((68, 2))
    # a head that lies on its side
    points[36:42], points[42:48], points[48], points[54] = (110, 100), (110, 150), (60, 110), (60, 140)
    quad = face_quad(points)
    sides = [np.hypot(*(quad[n] - quad[n - 1])) for n in range(4)]
    assert sides == pytest.approx([200] * 4), "twice the larger of two eye distances and 1.8 of that to the mouth"
    eyes, mouth = np.array([110, 125]), np.array([60, 125])
    assert quad.mean(axis=0) == pytest.approx(eyes + 0.1 * (mouth - eyes))
    assert (quad[1] - quad[0])[0] < 0, "down in the aligned picture is to the left in this one"
    picture = next(clips[0].pictures(256))
    assert (
        np.abs(aligned(picture, np.array([(0.0, 0.0), (0, 256), (256, 256), (256, 0)])).astype(int) - picture).max()
        <= 1
    )


def test_what_the_loader_cannot_use_is_refused(clips: list[ExportClip], tmp_path: Path) -> None:
    odd = [clips[0], clips[1], replace(clips[2], frames=27)]
    _, refused = exported("styleheat", odd, tmp_path, SUBSTITUTED)
    assert [(one.reason, one.detail) for one in refused] == [("too_short", "27 frames, 28 are needed")]
    from pipeline.export.export import export
    from pipeline.export.layout import Refused

    (other,) = export("styleheat", [replace(clips[0], fps=30.0)], tmp_path / "other", SUBSTITUTED)
    assert isinstance(other, Refused)
    assert other.reason == "fps_not_25"


def test_what_the_loader_would_choke_on_is_told(made: Path, clips: list[ExportClip]) -> None:
    name = clips[0].vox_name()
    change(made, "frames", f"{name}-keypoint", b"0" * 8)
    change(made, "frames", f"{name}-align-0000003", b"no picture")
    change(made, "audio", name, np.zeros((60, 80)).tobytes())
    change(made, "crop", f"{name}-crop_params", np.zeros((40, 4), np.int32).tobytes())
    told = problem("styleheat", made)
    for line in (
        f"{name}: has 8 bytes of keypoint, not 21760", f"{name}-align-0000003: does not decode",
        "at least 108 rows of 80 float64 are heard",
        f"{name}: has 640 bytes of crop_params, not 1280",
    ):  # fmt: skip
        assert line in told
    (made / "audio_train_list.txt").write_text("")
    assert "audio_train_list.txt: names no video" in problem("styleheat", made)
    (made / "crop/data.mdb").unlink()
    assert "one of them is no lmdb" in problem("styleheat", made)
