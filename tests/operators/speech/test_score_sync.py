"""Offset and confidence: on made signals, and on real clips with sound moved by a known time or taken from another."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from manifests.tables import ActiveSpeaker, Clip, FaceLandmarks, Score
from operators.base import Drop
from operators.faces.landmark_faces import LandmarkFaces
from operators.media.frames import VideoFrames
from operators.media.sound import SourceAudio
from operators.models.face_geometry import MODEL, POINTS, in_units, packed_landmarks
from operators.models.sync_curves import correlations, peak, voice_level
from operators.speech.detect_active_speaker import DetectActiveSpeaker
from operators.speech.score_sync import ScoreSync, speaking_share
from tests.conftest import media
from tests.made_sounds import Delayed, WavAudio
from tests.made_videos import tone, write_audio, write_video
from tests.operators.speech.test_detect_active_speaker import Box, track, turn

HEADPOSE: dict[float, Box] = {
    0.0: (383, 209, 706, 532),
    2.0: (392, 211, 712, 531),
    4.0: (417, 215, 702, 500),
    6.0: (385, 202, 666, 483),
}
INTERVIEW: dict[float, Box] = {
    2.0: (541, 64, 659, 182),
    3.0: (517, 57, 639, 179),
    4.0: (520, 57, 646, 183),
    5.0: (539, 68, 665, 194),
}


def clip(start_s: float, end_s: float) -> Clip:
    return Clip("s", "s/clip/t0", "s/000000-012000", "s/000000-012000/t0", "speaker0", start_s, end_s, 0, 0, 100, 100)


def told(
    path, span: tuple[float, float], boxes: dict[float, Box], audio=None, speaking: list[ActiveSpeaker] | None = None
) -> tuple[dict[str, float], list[Drop]]:
    try:
        looks = list(LandmarkFaces()(clip(*span), [track(boxes)], VideoFrames(path, *span)))
    except Drop:
        looks = []
    rows = list(ScoreSync()(clip(*span), speaking or [], looks, audio or SourceAudio(path)))
    return {row.metric: row.value for row in rows if isinstance(row, Score)}, [
        row for row in rows if isinstance(row, Drop)
    ]


@pytest.mark.parametrize("late", [-9, -1, 0, 4, 15])
def test_the_peak_lies_where_the_sound_was_put(late):
    rng = np.random.default_rng(7)
    voice = rng.normal(size=230)
    openings = voice[15 + late : 215 + late] + 0.5 * rng.normal(size=200)
    curve = correlations(openings, voice)
    offset, height = peak(curve)
    assert offset == pytest.approx(late, abs=0.3)
    assert height > 0.7
    assert len(curve) == 31


def test_values_and_speeds_count_alike():
    rng = np.random.default_rng(3)
    voice = rng.normal(size=200).cumsum()
    openings = voice.copy()
    assert correlations(openings, voice) == pytest.approx([1.0])
    jerky = openings + 2 * np.tile([1, -1], 100)  # changes the speed twice as fast as it changes the value
    values = np.corrcoef(freed(jerky), freed(voice))[0, 1]
    speeds = np.corrcoef(np.gradient(jerky), np.gradient(voice))[0, 1]
    assert correlations(jerky, voice) == pytest.approx([(values + speeds) / 2])
    assert abs(values - speeds) > 0.05


def freed(signal: np.ndarray) -> np.ndarray:
    from scipy.ndimage import gaussian_filter1d

    return signal - gaussian_filter1d(signal, 9, mode="nearest")


def test_slow_changes_do_not_count():
    rng = np.random.default_rng(7)
    voice, trend = rng.normal(size=230), np.linspace(0, 30, 200)
    plain, drifting = (correlations(voice[15:215] + added, voice).max() for added in (np.zeros(200), trend))
    assert drifting == pytest.approx(plain, abs=0.05)


def test_peak_between_two_ticks():
    offset, height = peak(np.array([0, 0, 0, 0.1, 0.9, 0.9, 0.1, 0, 0]))
    assert offset == pytest.approx(0.5)
    assert height == pytest.approx(0.9)


def test_vowels_are_louder_than_hums_and_pauses(tmp_path):
    # Tones stand for sounds: in the bands of open vowels, of a hum with closed lips, and nothing.
    seconds = [tone(0.4, 16000, 1500), tone(0.4, 16000, 150), np.zeros(6400, np.float32)]
    level = voice_level(SourceAudio(write_audio(tmp_path / "a.wav", np.concatenate(seconds))), 0, 30)
    vowel, hum, pause = (level[n + 2 : n + 8].mean() for n in (0, 10, 20))
    assert vowel > pause > hum


def bursts(late_s: float) -> tuple[WavAudio, Callable[[float], float]]:
    """Five seconds of sound in bursts of known times, and how far the mouth that makes them is open at a time."""
    began_s = 0.4 + np.cumsum(np.random.default_rng(5).uniform(0.28, 0.6, 9))

    def sounds(at_s: np.ndarray) -> np.ndarray:
        return np.any([(at_s >= began) & (at_s < began + 0.16) for began in began_s], axis=0)

    at_s = np.arange(5 * 16000) / 16000
    return WavAudio(
        (0.5 * np.sin(2 * np.pi * 1500 * at_s) * sounds(at_s - late_s)).astype(np.float32)
    ), lambda pts_s: 0.1 * float(sounds(pts_s + np.linspace(0, 0.04, 9)).mean())


def opened(opening: Callable[[float], float], times_s: list[float], seen: list[bool] | None = None) -> FaceLandmarks:
    """A face 0.5 of its square high, whose lips are apart by `opening` heights of it at each time."""
    points = np.zeros((len(times_s), POINTS, 3))
    points[:, [10, 152], 1] = 0.25, 0.75
    points[:, [14, 87, 317], 1] = 0.6
    points[:, [13, 82, 312], 1] = 0.6 - 0.5 * np.array([[opening(at_s)] for at_s in times_s])
    told = [0.0] * len(times_s)
    return FaceLandmarks(
        "s", "s/clip/t0/m", "s/clip/t0", MODEL, 0.0, times_s, seen or [True] * len(times_s), told, told,
        [200.0] * len(times_s), packed_landmarks(in_units(points)), b"", told, told, told, told, told, told,
    )  # fmt: skip


@pytest.mark.parametrize("late_s", [-0.12, 0.0, 0.08])
def test_the_offset_is_that_of_the_sound_and_no_other(late_s):
    """To a third of a tick, with a mouth that is known and not found, seen at each tick or at every second one."""
    audio, opening = bursts(late_s)
    for step_s in (0.04, 0.08):
        looks = [opened(opening, list(np.arange(0.2, 4.8, step_s)))]
        rows = [row for row in ScoreSync()(clip(0.2, 4.8), [], looks, audio) if isinstance(row, Score)]
        (offset_s,) = (row.value for row in rows if row.metric == "av_offset_s")
        assert offset_s == pytest.approx(late_s, abs=0.013)


def test_a_mouth_that_is_looked_at_too_seldom_or_hidden_is_not_judged():
    audio, opening = bursts(0.0)
    sparse = opened(opening, list(np.arange(0.2, 4.8, 0.2)))
    hidden = opened(opening, times := list(np.arange(0.2, 4.8, 0.08)), [at % 4 > 0 for at in range(len(times))])
    for looks, reason in (([sparse], "looks_too_sparse"), ([hidden], "mouth_unseen"), ([], "mouth_unseen")):
        (drop,) = ScoreSync()(clip(0.2, 4.8), [], looks, audio)
        assert isinstance(drop, Drop)
        assert drop.reason == reason


def test_a_voice_is_heard_in_its_own_tick():
    wave = np.concatenate([np.zeros(6400, np.float32), tone(0.4, 16000, 1500)])
    level = voice_level(WavAudio(wave, 2.0), 50, 20)
    assert np.ptp(level[:9]) == pytest.approx(0, abs=1e-6)
    assert level[8] < level[9] < level[10]  # windows of 25 ms reach 15 ms into the next tick
    assert np.ptp(level[10:19]) < 0.2


def test_share_counts_ticks_without_a_score_as_silent():
    row = ActiveSpeaker("s", "t/m", "shot", "t", "m", 1.0, 0.04, [1.0, -1.0, 1.0, 1.0])
    assert speaking_share(row, 25, 28) == 0.75
    assert speaking_share(row, 27, 30) == 0.5
    assert speaking_share(row, 20, 25) == pytest.approx(1 / 6)
    assert speaking_share(row, 40, 44) == 0.0


def test_what_cannot_be_judged_is_said_and_the_share_is_kept(tmp_path):
    path = write_video(tmp_path / "v.mp4", [("gray", 4.0)], audio=tone(4.0))
    boxes: dict[float, Box] = {0.0: (100, 40, 200, 140), 4.0: (100, 40, 200, 140)}
    asked: Any = clip(0, 4)  # a clip has what is asked of a shot
    detect = DetectActiveSpeaker("mouth_motion")
    speaking = list(detect(asked, [track(boxes)], [turn(0, 4)], VideoFrames(path), SourceAudio(path)))
    for span, reason in (((0.0, 1.5), "sync_too_short"), ((0.0, 3.0), "mouth_unseen")):
        scores, drops = told(path, span, boxes, speaking=speaking)
        assert scores == {"speaking_share": 0.0}
        assert [drop.reason for drop in drops] == [reason]


def test_no_sound():
    scores, drops = told(media("negative", "facerec_interview.mp4"), (2.0, 5.0), INTERVIEW)
    assert scores == {}
    assert [drop.reason for drop in drops] == ["no_sound"]


@pytest.mark.parametrize("by_s", [-0.24, 0.0, 0.24])
def test_a_known_shift_is_found(by_s):
    path = media("single", "headpose_31.mp4")
    scores, _ = told(path, (0.1, 6.0), HEADPOSE, Delayed(SourceAudio(path), by_s))
    assert scores["av_offset_s"] == pytest.approx(by_s, abs=0.06)
    assert scores["av_confidence"] > 0.9


def test_foreign_sound_is_less_sure():
    path = media("single", "headpose_31.mp4")
    scores, _ = told(path, (0.1, 6.0), HEADPOSE, SourceAudio(media("single", "latentsync_demo1_audio.wav")))
    assert scores["av_confidence"] < 0.9
