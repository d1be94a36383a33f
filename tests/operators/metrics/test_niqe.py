import numpy as np
import pytest

from operators.base import Drop
from operators.metrics.base import Video
from operators.metrics.niqe import Niqe, _halved
from operators.picture import Picture
from tests.operators.metrics.calibration import official, picture, toy, values


def test_the_authors_values() -> None:
    """I04 has no flat areas, where MATLAB's own rounding errors decide."""
    ours, theirs = values(Niqe()), official("niqe")
    assert ours[1] == pytest.approx(theirs[1], abs=5e-6)
    assert ours == pytest.approx(theirs, rel=5e-3)


def test_basicsr_s_values() -> None:
    assert values(Niqe("niqe_basicsr")) == pytest.approx([15.5648, 3.7932, 3.1883, 3.1399, 8.6850], rel=1e-4)


def test_matlab_s_imresize() -> None:
    """Of a ramp: half the samples, each in the middle of the two it stands for."""
    ramp = np.tile(np.arange(32.0), (32, 1))
    assert _halved(ramp)[:, 4:-4] == pytest.approx(np.tile(np.arange(0.5, 32, 2), (16, 1))[:, 4:-4])


def test_worse_pictures_score_higher() -> None:
    clean = picture("ref_dir", "I04")
    coarse = clean[::4, ::4].repeat(4, 0).repeat(4, 1)
    noisy = np.clip(clean + np.random.default_rng(0).normal(0, 40, clean.shape), 0, 255).astype(np.uint8)
    for variant in Niqe.known:
        metric = Niqe(variant)
        of_clean, *of_worse = (metric.measure(Video.of([one])) for one in (clean, coarse, noisy))
        assert of_clean < min(of_worse)


def test_five_frames_a_second_are_looked_at() -> None:
    good, bad = picture("ref_dir", "I04"), picture("dist_dir", "I19")
    assert Niqe().measure(Video.of([good, bad, bad, bad, bad] * 2)) == Niqe().of(Picture(good))


def test_a_frame_with_one_block_is_refused() -> None:
    with pytest.raises(Drop, match="too_small"):
        Niqe().measure(Video.of([toy(side=160)]))


def test_frames_of_one_colour_are_left_out() -> None:
    black, clean = np.zeros((256, 256, 3), np.uint8), picture("ref_dir", "I04")[:256, :256]
    for variant in Niqe.known:
        metric = Niqe(variant, rate_hz=25)
        assert metric.measure(Video.of([clean, black])) == metric.measure(Video.of([clean]))
        with pytest.raises(Drop, match="flat"):
            metric.measure(Video.of([black]))
