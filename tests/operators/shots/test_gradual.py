"""Dissolves and fades among thumbnails whose mixture is known."""

import numpy as np
import pytest

from operators.shots.gradual import BESIDE, BLOCK, HEIGHT, WIDTH, GradualDetector, Limits, Vectors, alike, graduals

BOTH = ("threshold", "dissolve")


def picture(seed: int) -> Vectors:
    """(18 * 32 * 3,) smooth, 20 to 235."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    waves = [
        np.cos(2 * np.pi * (x * rng.uniform(-2, 2) / WIDTH + y * rng.uniform(-2, 2) / HEIGHT) + rng.uniform(0, 6))
        for _ in range(9)
    ]
    planes = np.stack([sum(waves[3 * n : 3 * n + 3]) for n in range(3)], axis=2)
    return (20 + 215 * (planes - planes.min()) / np.ptp(planes)).astype(np.float32).reshape(-1)


def film(*parts) -> np.ndarray:
    """Each part is (pictures at both ends, frames, eased or not); every picture has a little grain."""
    rng = np.random.default_rng(7)
    made = [one + (other - one) * share for one, other, shares in parts for share in shares]
    return np.stack(made).astype(np.float32) + rng.normal(0, 0.5, (len(made), len(made[0]))).astype(np.float32)


def still(frames: int) -> np.ndarray:
    return np.zeros(frames)


def mixture(frames: int) -> np.ndarray:
    return np.arange(1, frames + 1) / (frames + 1)


def found(thumbs: np.ndarray, kinds=BOTH, fps: float = 25.0):
    times_s = np.arange(len(thumbs)) / fps
    return [
        (round(span.start_s * fps), round(span.end_s * fps), span.kind)
        for span in graduals(times_s, thumbs, Limits(), kinds)
    ]


ONE, TWO, THREE = picture(1), picture(2), picture(3)
DARK, LIGHT = np.full_like(ONE, 3.0), np.full_like(ONE, 252.0)


@pytest.mark.parametrize("frames", [3, 5, 10, 25, 60])
def test_a_dissolve_is_found_to_the_frame(frames):
    thumbs = film((ONE, ONE, still(40)), (ONE, TWO, mixture(frames)), (TWO, TWO, still(40)))
    assert found(thumbs) == [(40, 40 + frames, "dissolve")]


def test_two_dissolves_and_a_cut_are_told_apart():
    parts = (
        (ONE, ONE, still(20)),
        (ONE, TWO, mixture(10)),
        (TWO, TWO, still(20)),
        (THREE, THREE, still(20)),
        (THREE, ONE, mixture(15)),
    )
    assert found(film(*parts, (ONE, ONE, still(20)))) == [(20, 30, "dissolve"), (70, 85, "dissolve")]


@pytest.mark.parametrize("colour", [DARK, LIGHT], ids=["black", "white"])
def test_fades_are_found_and_named_by_their_sides(colour):
    out, hold, back = (ONE, colour, mixture(10)), (colour, colour, still(5)), (colour, TWO, mixture(12))
    before, after = (ONE, ONE, still(30)), (TWO, TWO, still(30))
    assert found(film(before, out, hold, back, after)) == [(30, 57, "fade")]
    assert found(film(before, out, hold, after)) == [(30, 45, "fade_out")]
    assert found(film(before, hold, back, after)) == [(30, 47, "fade_in")]
    assert found(film(hold, back, after)) == [(0, 17, "fade_in")]
    assert found(film(before, hold, after)) == [], "cuts to a colour and back are cuts"


def test_only_the_kinds_asked_for_are_looked_for():
    thumbs = film(
        (ONE, ONE, still(30)),
        (ONE, TWO, mixture(10)),
        (TWO, TWO, still(30)),
        (TWO, DARK, mixture(10)),
        (DARK, DARK, still(10)),
    )
    assert [kind for *_, kind in found(thumbs, ("dissolve",))][:1] == ["dissolve"]
    assert [kind for *_, kind in found(thumbs, ("threshold",))] == ["fade_out"]


def test_light_movement_and_titles_are_no_dissolves():
    dimmed = film((ONE, ONE, still(30)), (ONE, 0.4 * ONE, mixture(20)), (0.4 * ONE, 0.4 * ONE, still(30)))
    assert found(dimmed) == []
    panned = np.stack([np.roll(ONE.reshape(HEIGHT, WIDTH, 3), round(n / 2), axis=1).reshape(-1) for n in range(80)])
    assert found(panned) == []
    titled = ONE.copy().reshape(HEIGHT, WIDTH, 3)
    titled[6:12, 6:26] = 255
    assert (
        found(
            film(
                (ONE, ONE, still(30)),
                (ONE, titled.reshape(-1), mixture(15)),
                (titled.reshape(-1), titled.reshape(-1), still(30)),
            )
        )
        == []
    )


def test_black_bars_hide_no_dissolve():
    parts = (ONE, ONE, still(30)), (ONE, TWO, mixture(12)), (TWO, TWO, still(30))
    thumbs = film(*parts).reshape(-1, HEIGHT, WIDTH, 3)
    thumbs[:, :, :10] = thumbs[:, :, 22:] = 2.0
    assert found(thumbs.reshape(len(thumbs), -1)) == [(30, 42, "dissolve")]


def test_a_long_film_is_looked_at_in_blocks_and_gives_the_same():
    parts = []
    for n in range(30):
        one, other = picture(n), picture(n + 1)
        parts += [(one, one, still(30 + 7 * n % 40)), (one, other, mixture(8 + n % 15))]
    thumbs = film(*parts, (picture(30), picture(30), still(40)))
    assert len(thumbs) > 2 * BLOCK
    detector = GradualDetector(Limits(), BOTH)
    told, most = [], 0
    for n, thumb in enumerate(thumbs):
        told += detector.see(n / 25, thumb)
        most = max(most, len(detector._thumbs))
    told += detector.finish()
    assert [(round(span.start_s * 25), round(span.end_s * 25), span.kind) for span in told] == found(thumbs)
    assert len(told) == 30
    assert most <= BLOCK + BESIDE


def test_a_fade_is_found_however_long_the_picture_stays_black():
    thumbs = film(
        (ONE, ONE, still(450)),
        (ONE, DARK, mixture(20)),
        (DARK, DARK, still(2000)),
        (DARK, TWO, mixture(20)),
        (TWO, TWO, still(40)),
    )
    detector = GradualDetector(Limits(), BOTH)
    told = [span for n, thumb in enumerate(thumbs) for span in detector.see(n / 25, thumb)] + list(detector.finish())
    assert [(span.kind, round(span.start_s * 25), round(span.end_s * 25)) for span in told] == [("fade", 450, 2490)]


def test_at_high_rates_every_second_frame_is_looked_at():
    thumbs = film((ONE, ONE, still(80)), (ONE, TWO, mixture(31)), (TWO, TWO, still(80)))
    detector = GradualDetector(Limits(), BOTH)
    told = [span for n, thumb in enumerate(thumbs) for span in detector.see(n / 60, thumb)] + list(detector.finish())
    assert [(span.kind, span.start_s * 60, span.end_s * 60) for span in told] == [
        ("dissolve", pytest.approx(80, abs=1.1), pytest.approx(111, abs=1.1))
    ]
    assert len(detector._times_s) == pytest.approx(len(thumbs) / 2, abs=1)


def test_likeness_is_of_what_is_lit():
    assert alike(ONE, (ONE / 2).astype(np.float32)) == pytest.approx(1.0, abs=1e-3)
    assert alike(ONE, DARK) == alike(DARK, DARK) == 0.0
    barred = (np.arange(len(ONE)) >= len(ONE) // 2).astype(np.float32)
    assert alike(ONE * barred, TWO * barred) == pytest.approx(
        np.corrcoef(ONE[barred == 1], TWO[barred == 1])[0, 1], abs=1e-3
    )
