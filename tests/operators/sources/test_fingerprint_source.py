"""Fingerprints of made pictures, against scipy's transform and against each other."""

import numpy as np
import pytest
from scipy.fft import dctn

from manifests.tables import Source
from operators.base import Drop
from operators.fingerprints import COEFFICIENTS, COSINES, picture_box
from operators.media.frames import VideoFrames
from operators.sources.fingerprint_source import FingerprintSource
from tests.made_videos import write_video


def drifting(time_s: float, bars: int = 0) -> np.ndarray:
    rows, columns = np.mgrid[0 : 180 - 2 * bars, 0:320]
    luma = 128 + 90 * np.sin(columns / 50 + 2 * time_s) * np.cos(rows / (60 - bars / 1.5) + time_s)
    return np.repeat(np.pad(luma, ((bars, bars), (0, 0))).astype(np.uint8)[..., None], 3, axis=2)


def looks_of(path) -> tuple[list[float], np.ndarray]:
    (row,) = FingerprintSource()(Source("s", str(path)), VideoFrames(path))
    return row.times_s, np.frombuffer(row.looks, "<i2").reshape(-1, COEFFICIENTS)


def test_is_the_cosine_transform():
    picture = np.random.default_rng(1).uniform(0, 255, (32, 32))
    assert np.allclose(COSINES @ picture @ COSINES.T, np.asarray(dctn(picture, norm="ortho"))[:6, :6])


def test_looks_four_times_a_second_and_leaves_black_out(tmp_path):
    times_s, looks = looks_of(write_video(tmp_path / "a.mp4", [("black", 1.0), (drifting, 2.0)]))
    assert times_s == pytest.approx([1.0, 1.28, 1.52, 1.76, 2.0, 2.28, 2.52, 2.76], abs=0.05)
    assert looks.shape == (8, COEFFICIENTS)


def test_black_bars_change_little(tmp_path):
    _, plain = looks_of(write_video(tmp_path / "a.mp4", [(drifting, 2.0)]))
    _, barred = looks_of(write_video(tmp_path / "b.mp4", [(lambda time_s: drifting(time_s, 30), 2.0)]))
    assert picture_box([np.pad(np.full((50, 128), 200, np.uint8), ((11, 11), (0, 0)))], 24.0) == (0, 11, 128, 61)
    assert np.linalg.norm(plain.astype(float) - barred) < 0.25 * np.linalg.norm(plain)


def test_a_black_video_has_no_fingerprint(tmp_path):
    path = write_video(tmp_path / "black.mp4", [("black", 2.0)])
    with pytest.raises(Drop, match="featureless"):
        list(FingerprintSource()(Source("s", str(path)), VideoFrames(path)))
