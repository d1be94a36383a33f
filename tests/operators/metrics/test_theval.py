"""The measures of THEval, on faces whose motion is known."""

from collections.abc import Callable, Sequence

import numpy as np
import pytest

from operators.base import Drop
from operators.metrics.base import FramePair, Metric, Video
from operators.metrics.eyebrow_dynamics import EyebrowDynamics
from operators.metrics.head_motion import HeadMotion
from operators.metrics.lip_dynamics import LipDynamics
from operators.metrics.lip_loudness import LipLoudness
from operators.metrics.silent_lips import SilentLips
from operators.metrics.theval import BROWS, LIPS
from operators.models.face_geometry import LandmarkedFace
from operators.picture import Picture

COUNT, FPS, SIDE = 50, 25.0, 100
BASE = np.random.default_rng(3).uniform(0.3, 0.7, (478, 3))
BASE[468], BASE[473] = (0.4, 0.4, 0), (0.6, 0.4, 0)  # the eyes are 20 px apart
BASE[13], BASE[14] = (0.5, 0.6, 0), (0.5, 0.6, 0)


class Tone:
    """Sound whose level is a function of time."""

    start_s, end_s = 0.0, COUNT / FPS

    def __init__(self, level: Callable[[np.ndarray], np.ndarray]):
        self.level = level

    def samples(self, start_s: float, end_s: float, hz: int = 16000) -> np.ndarray:
        at_s = start_s + np.arange(round((end_s - start_s) * hz)) / hz
        return (self.level(at_s) * np.sin(2 * np.pi * 200 * at_s)).astype(np.float32)


def video_of(
    faces: Sequence[LandmarkedFace | None], level: Callable[[np.ndarray], np.ndarray] = np.zeros_like
) -> Video:
    """Pictures in which these faces are found."""
    pictures = [Picture(np.zeros((SIDE, SIDE, 3), np.uint8)) for _ in faces]
    for picture, face in zip(pictures, faces, strict=True):
        picture.once("face", lambda _, face=face: face)
    return Video([FramePair(picture, None) for picture in pictures], FPS, lambda: Tone(level))


def face(
    moved: dict[int, tuple[float, float]] | None = None, turn_deg: float = 0.0, size: float = 1.0
) -> LandmarkedFace:
    points = BASE.copy()
    for number, (x, y) in (moved or {}).items():
        points[number, :2] += (x, y)
    points[:, :2] = 0.5 + (points[:, :2] - 0.5) * size
    matrix = np.eye(4)
    matrix[0, 0] = matrix[2, 2] = np.cos(np.radians(turn_deg))
    matrix[0, 2], matrix[2, 0] = np.sin(np.radians(turn_deg)), -np.sin(np.radians(turn_deg))
    matrix[:3, 3] = (0, 0, -40)
    return LandmarkedFace(points, matrix, np.zeros(0))


def test_a_still_face_moves_nothing() -> None:
    for metric in (LipDynamics(), EyebrowDynamics(), HeadMotion(), SilentLips()):
        assert metric.measure(video_of([face()] * COUNT)) == pytest.approx(0.0, abs=1e-9)


@pytest.mark.parametrize("size", [1.0, 0.5])
def test_lips_are_measured_in_distances_of_the_eyes(size: float) -> None:
    """One of 20 points swings along the line to a second, by 2 px of 20 px between the eyes: whatever the face's size,
    0.1 for that pair.
    """
    swing = 0.02 * np.sign(np.sin(np.arange(COUNT) * np.pi + 0.5))
    made = [face({LIPS[0]: (s, 0.0)}, size=size) for s in swing]
    points = np.stack([one.points[list(LIPS), :2] for one in made]) / (0.2 * size)
    expected = np.mean(
        [np.linalg.norm(points[:, i] - points[:, j], axis=1).std() for i in range(20) for j in range(i + 1, 20)]
    )
    assert LipDynamics().measure(video_of(made)) == pytest.approx(expected)


def test_brows_that_rise_are_seen() -> None:
    rise = 0.01 * np.sin(np.arange(COUNT))
    made = [face({number: (0.0, float(up)) for brow in BROWS for number in brow}) for up in rise]
    assert EyebrowDynamics().measure(video_of(made)) > 0.005


def test_a_head_that_turns_by_a_sine_has_the_value_of_the_rule() -> None:
    yaw = 10 * np.sin(np.arange(COUNT) / 5)
    expected = np.sqrt(yaw.std() / 3 * np.diff(yaw).var() / 3)
    assert HeadMotion().measure(video_of([face(turn_deg=float(y)) for y in yaw])) == pytest.approx(expected, rel=1e-6)


def test_lips_in_silence_are_measured_where_nothing_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    from operators.metrics import silent_lips

    opening = np.where(
        np.arange(COUNT) < 24, 0.02 * (np.arange(COUNT) % 2), 0.1 * np.random.default_rng(0).random(COUNT)
    )
    made = [face({14: (0.0, float(o))}) for o in opening]
    monkeypatch.setattr(silent_lips, "speaks", lambda video, at_s: at_s >= 24 / FPS)
    # 12 open, 12 closed: 0.02 of 0.2, half of it from the median
    assert SilentLips().measure(video_of(made)) == pytest.approx(0.01 / 0.2)
    monkeypatch.setattr(silent_lips, "speaks", lambda video, at_s: at_s >= 0.0)
    with pytest.raises(Drop, match="no_silence"):
        SilentLips().measure(video_of(made))


@pytest.mark.parametrize(("late_s", "worse"), [(0.0, 0.02), (0.5, 0.3)])
def test_a_mouth_that_opens_with_the_voice_is_near_its_loudness(
    monkeypatch: pytest.MonkeyPatch, late_s: float, worse: float
) -> None:
    from operators.metrics import lip_loudness

    def level(at_s: np.ndarray) -> np.ndarray:
        return np.sin(2 * np.pi * at_s) ** 2

    monkeypatch.setattr(lip_loudness, "speaks", lambda video, at_s: at_s >= 0.0)
    made = [face({14: (0.0, 0.1 * float(level(np.array(k / FPS - late_s / 2))))}) for k in range(COUNT)]
    value = LipLoudness().measure(video_of(made, level))
    assert (value < worse) if not late_s else (value > worse)


@pytest.mark.parametrize("metric", [LipDynamics(), EyebrowDynamics(), HeadMotion(), SilentLips(), LipLoudness()])
def test_a_face_that_is_not_there_is_told(metric: Metric) -> None:
    with pytest.raises(Drop, match="no_face"):
        metric.measure(video_of([None] * 40 + [face()] * 10))
    with pytest.raises(Drop, match="too_short"):
        metric.measure(video_of([face()] * 2))


def test_silence_is_no_speech() -> None:
    with pytest.raises(Drop, match="no_speech"):
        LipLoudness().measure(video_of([face()] * COUNT))
