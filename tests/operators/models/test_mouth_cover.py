from pathlib import Path

import av
import numpy as np
import pytest

from manifests.boxes import Box
from operators.media.containers import Display
from operators.media.frames import SourceFrame
from operators.models.catalogue import MOUTH_COVER_HEAD
from operators.models.mouth_cover import NUMBERS, MouthCover, load_head, lower_face, save_head


def test_a_head_comes_back_from_its_file(tmp_path: Path):
    rng = np.random.default_rng(0)
    weights = rng.normal(size=NUMBERS)
    save_head(tmp_path / "head.npz", (weights, -1.25))
    found, constant = load_head(tmp_path / "head.npz")
    assert constant == -1.25
    assert np.abs(found - weights).max() <= np.abs(weights).max() / 127 / 2 + 1e-6
    save_head(tmp_path / "again.npz", (found, constant))
    assert (tmp_path / "again.npz").read_bytes() == (tmp_path / "head.npz").read_bytes()


def test_the_head_in_the_package_is_the_one_of_the_catalogue(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setenv("HEADSET_CACHE", str(tmp_path))
    monkeypatch.delenv("HEADSET_WEIGHTS", raising=False)
    path = MOUTH_COVER_HEAD.path()
    assert (path.parent.name, path.stat().st_size) == ("ours", MOUTH_COVER_HEAD.bytes)
    assert path.with_suffix(".md").read_text().startswith("# mouth_cover_head")
    weights, constant = load_head(path)
    assert weights.shape == (NUMBERS,)
    assert np.isfinite(constant)


def test_the_lower_face_is_where_the_mouth_is():
    """A box 100 wide and high from (40, 20): the square of 84 about (90, 92)."""
    picture = np.zeros((200, 200, 3), np.uint8)
    picture[50:134, 48:132] = 200
    frame = SourceFrame(
        av.VideoFrame.from_ndarray(picture, format="rgb24"), 0.0, Display(200, 200, False, False, False, 0)
    )
    cut = lower_face(frame, Box(40.0, 20.0, 140.0, 120.0, 0.9, 0.0))
    assert cut.shape == (128, 128, 3)
    assert cut[2:-2, 2:-2].min() > 190


def test_a_picture_is_judged_alike_alone_and_among_others():
    pictures = np.random.default_rng(1).integers(0, 255, (3, 128, 128, 3), np.uint8)
    model = MouthCover()
    together, alone = model(pictures), np.concatenate([model(picture[None]) for picture in pictures])
    assert ((together >= 0) & (together <= 1)).all()
    assert np.allclose(together, alone, atol=1e-5)
