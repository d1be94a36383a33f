"""The published crops, against numbers worked out by hand from the published formulas."""

import numpy as np
import pytest

from operators.base import Drop
from operators.clips import crops


@pytest.mark.parametrize(
    ("box", "measured", "wanted"),
    [
        ((0.25, 0.5, 0.75, 1.0), (1, 1), (480, 540, 1440, 1080)),
        ((100, 20, 200, 120), (1280, 720), (150, 30, 300, 180)),
        ((100, 20, 200, 120), (0, 720), (150, 30, 300, 180)),
        ((100, 20, 200, 120), (0, 0), (100, 20, 200, 120)),
        ((10, 10, 30, 30), (640, 480), (30, 22.5, 90, 67.5)),
    ],
)
def test_scaled(box, measured, wanted) -> None:
    assert crops.scaled(box, measured, (1920, 1080)) == pytest.approx(wanted)


@pytest.mark.parametrize(
    ("box", "frame", "wanted"),
    [
        # 0.18 0.08 0.72 0.92 -> 230 58 922 662; the shorter side is 604; the middle (576, 360)
        ((0.2, 0.1, 0.7, 0.9), (1280, 720), (274, 58, 878, 662)),
        # 0 0 0.524 0.77 -> 0 0 335 277; half of 277 is 138; the middle (167.5, 138.5) gives 29.5 and 0.5, which FFmpeg
        # cuts down
        ((0.01, 0.0, 0.504, 0.75), (640, 360), (29, 0, 305, 276)),
        # the whole frame stays within it: 0 0 1 1 -> a square of 720 in the middle
        ((0.0, 0.0, 1.0, 1.0), (1280, 720), (280, 0, 1000, 720)),
    ],
)
def test_celebv_hq(box, frame, wanted) -> None:
    assert crops.celebv_hq(box, (1.0, 1.0), frame) == wanted


def test_talking_head_1kh() -> None:
    # 504 and 792 of 1280 -> 756 and 1188 of 1920; 63 and 351 of 720 -> 94.5 and 526.5 of 1080, cut down
    assert crops.talking_head_1kh((504, 63, 792, 351), (1280, 720), (1920, 1080)) == (756, 94, 1188, 526)
    assert crops.OF_LISTS["vfhq"] is crops.talking_head_1kh


def test_vox_metadata() -> None:
    # 624 48 1018 553 of 1280 x 720, in half of it: 276.5 is cut down
    assert crops.vox_metadata((624, 48, 1018, 553), (1280, 720), (640, 360)) == (312, 24, 509, 276)


def test_voxceleb() -> None:
    # 100 x 120: (1.2 * 120 - 100) / 200 = 0.22 of the width on each side, 0.1 of the height: 144 x 144
    assert crops.voxceleb((100, 100, 200, 220), (230, 400)) == (78, 88, 222, 232)
    # 200 x 100: 0.1 of the width, (1.2 * 200 - 100) / 200 = 0.7 of the height: 240 x 240
    assert crops.voxceleb((300, 300, 500, 400), (1000, 1000)) == (280, 230, 520, 470)
    with pytest.raises(Drop) as drop:
        crops.voxceleb((100, 100, 200, 220), (221, 400))
    assert (drop.value.reason, drop.value.detail) == ("box_outside_frame", "78 88 222 232 of 221 x 400")


def test_hdtf() -> None:
    # together 100 50 220 180: 120 x 130 -> 1.2 * 130 = 156 about (160, 115)
    boxes = [[100, 50, 200, 180], [120, 60, 220, 170]]
    assert crops.hdtf(boxes, (1280, 720), 1.2) == (82, 37, 238, 193)
    # 40 higher it would begin at -3: it is moved down
    assert crops.hdtf(np.asarray(boxes) - [0, 40, 0, 40], (1280, 720), 1.2) == (82, 0, 238, 156)
    assert crops.hdtf(boxes, (1280, 150), 1.2) == (85, 0, 235, 150), "no larger than the frame"


EYES_AND_MOUTH = np.array([[100, 100], [160, 100], [130, 140], [110, 180], [150, 180]], float)
# eyes 60 apart, 80 above the mouth: half the side is max(120, 144), about (130, 100 + 8)
UPRIGHT = np.array([[-14, -36], [-14, 252], [274, 252], [274, -36]], float)


def test_ffhq_of_five_points() -> None:
    assert crops.ffhq(EYES_AND_MOUTH) == pytest.approx(UPRIGHT)


def test_ffhq_turns_with_the_face() -> None:
    angle = np.deg2rad(30)
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    assert crops.ffhq(EYES_AND_MOUTH @ turn) == pytest.approx(UPRIGHT @ turn)


def test_ffhq_of_68_points() -> None:
    points = np.full((68, 2), 1e6)  # those that do not count
    around = np.array([[-5, 1], [-2, -2], [2, -2], [5, 1], [2, 0], [-2, 2]], float)  # sums to nothing
    points[36:42], points[42:48] = EYES_AND_MOUTH[0] + around, EYES_AND_MOUTH[1] + around
    points[48], points[54] = EYES_AND_MOUTH[3:]
    assert crops.ffhq(points) == pytest.approx(UPRIGHT)
    with pytest.raises(ValueError, match="neither 68 nor 5"):
        crops.ffhq(points[:6])


GOAL = np.asarray(crops.PC_AVS_POINTS)


def test_pc_avs_of_a_still_face() -> None:
    assert crops.pc_avs([GOAL, GOAL]) == pytest.approx(np.broadcast_to([[1.0, 0, 0], [0, 1, 0]], (2, 2, 3)))
    # twice as large and moved by (10, 20): halved and moved back by (5, 10)
    assert crops.pc_avs([GOAL * 2 + [10, 20]]) == pytest.approx(np.array([[[0.5, 0, -5], [0, 0.5, -10]]]))


def test_pc_avs_follows_the_mouth() -> None:
    """The similarity against a linear solver; the mouth lands where 0.2 of the last shift and 0.8 of this one bring
    it.
    """
    points = np.random.default_rng(0).normal(GOAL * 1.7 + 40, 6, (4, 3, 2))
    mean = points.mean(axis=0)
    rows = np.concatenate([[[x, -y, 1, 0], [y, x, 0, 1]] for x, y in mean])
    a, b, x, y = np.linalg.lstsq(rows, GOAL.reshape(-1), rcond=None)[0]
    similarity = np.array([[a, -b, x], [b, a, y]])
    shift = None
    for made, frame in zip(crops.pc_avs(points), points, strict=True):
        assert made[:, :2] == pytest.approx(similarity[:, :2])
        now = GOAL[2] - similarity @ [*frame[2], 1]
        shift = now if shift is None else 0.2 * shift + 0.8 * now
        assert made[:, 2] == pytest.approx(similarity[:, 2] + shift)
    first = crops.pc_avs(points)[0]
    assert first @ [*points[0, 2], 1] == pytest.approx(GOAL[2])


def test_wav2lip() -> None:
    """Left edges 0 10 20 30 40 50: 20 and 30 are means of five; the last four average the last window, in which they
    are written.
    """
    boxes = [[left, 40, 100 + left, 195] for left in range(0, 60, 10)]
    made = crops.wav2lip(boxes, (200, 200))
    # (30 + 20 + 30 + 40 + 50) / 5 = 34, (30 + 34 + 30 + 40 + 50) / 5 = 36.8, (30 + 34 + 36 + 40 + 50) / 5 = 38, (30 +
    # 34 + 36 + 38 + 50) / 5 = 37.6
    assert made[:, 0].tolist() == [20, 30, 34, 36, 38, 37]
    assert made[:, 2].tolist() == [120, 130, 134, 136, 138, 137]
    assert set(made[:, 1].tolist()) == {40}
    assert set(made[:, 3].tolist()) == {200}, "195 and 10 below, kept in the frame"


def test_wav2lip_pads() -> None:
    assert crops.wav2lip([[50, 60, 150, 160]], (400, 300), pads=(1, 2, 3, 4)).tolist() == [[47, 59, 154, 162]]


def test_within() -> None:
    assert crops.within((-0.5, 3, 100.6, 50), (100, 60), 1.0) == (0, 3, 100, 50)
    for box, reason in (
        ((-1.5, 3, 90, 50), "box_outside_frame"),
        ((100, 3, 100, 50), "box_empty"),
        ((0, 0, float("nan"), 5), "box_empty"),
    ):
        with pytest.raises(Drop, match=reason):
            crops.within(box, (100, 60), 1.0)
