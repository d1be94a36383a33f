"""Measures of sound on samples whose answer is known by arithmetic."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from manifests.tables import ActiveSpeaker, Track
from operators.speech.score_audio import clipped_share, loudness_and_true_peak, peak_density
from operators.speech.score_speech import FITS, FRAME, SAMPLE_HZ, ScoreSpeech, dnsmos, level_range_db
from operators.timeline import own_voice, smoothed_score

Wave = NDArray[np.float32]


def test_what_is_below_half_a_step_of_16_bits_is_silent_and_not_clipped() -> None:
    loud, silent = np.array([0.5, 0.5, 0.5, 0.1] * 5, np.float32), np.full(20, 1e-6, np.float32)
    assert clipped_share(np.stack([loud, silent])) == pytest.approx(15 / 40)
    assert clipped_share(np.stack([np.roll(loud, 1)[:-4]])) == pytest.approx(12 / 16)
    assert clipped_share(np.array([[0.5, 0.5, 0.1, 0.5, 0.5, 0.2]], np.float32)) == 0, "two in a row are no run"


def test_the_channel_with_most_crowded_peaks_is_told() -> None:
    square, spikes = np.tile(np.array([1, -1], np.float32), 500), np.zeros(1000, np.float32)
    spikes[::100] = 1
    assert peak_density(np.stack([spikes, square])) == 1
    assert peak_density(spikes[None]) == pytest.approx(0.01)


def test_a_true_peak_is_no_lower_than_the_samples() -> None:
    quiet = np.full((1, 48000), 1e-4, np.float32)
    quiet[0, ::2] *= -0.3
    assert loudness_and_true_peak(quiet, 48000, "mono")[1] >= -80.0 - 1e-3


def test_the_range_of_levels_is_from_the_tenth_to_the_95th_percentile() -> None:
    frames = np.full((100, FRAME), 0.1, np.float32)
    frames[:8] = 0.001
    assert level_range_db(frames.ravel()) == pytest.approx(0, abs=0.01), "eight in a hundred are fewer than a tenth"
    frames[:12] = 0.001
    assert level_range_db(frames.ravel()) == pytest.approx(40, abs=0.01)


class Heard:
    """Stands for the network of DNSMOS: notes the first sample of each window, and has an opinion of none."""

    def __init__(self) -> None:
        self.begins: list[float] = []

    def run(self, _: None, given: dict[str, Wave]) -> list[Wave]:
        self.begins.append(float(given["input_1"][0, 0]))
        return [np.zeros((1, len(FITS)), np.float32)]


@pytest.mark.parametrize(("length_s", "begins"), [(9.5, [0]), (12, [0, 1, 2]), (12.2, [0, 1, 2])])
def test_windows_begin_once_a_second_as_long_as_they_are_whole(length_s: float, begins: list[int]) -> None:
    heard: Any = Heard()
    dnsmos(heard, (np.arange(int(length_s * SAMPLE_HZ)) // SAMPLE_HZ).astype(np.float32))
    assert heard.begins == begins


def test_a_peak_below_zero_is_a_peak() -> None:
    from manifests.tables import Clip
    from tests.made_sounds import WavAudio

    wave = np.full(SAMPLE_HZ, 0.25, np.float32)
    wave[100] = -0.75
    operator = ScoreSpeech()
    operator.__dict__["model"] = Heard()
    clip = Clip("s", "s/x", "", "", "", 0.0, 1.0, 0.0, 0.0, 1.0, 1.0)
    assert {row.metric: row.value for row in operator(clip, WavAudio(wave))}["speech_peak"] == 0.75


def test_a_face_that_never_has_the_word_with_a_voice_has_none_of_its_own() -> None:
    voices = {"a": np.array([True, False, False]), "b": np.array([False, True, True])}
    assert own_voice(np.array([False, False, False]), voices) is None
    assert own_voice(np.array([True, True, True]), voices) == "b"
    assert own_voice(np.array([True, True, True]), {}) is None


def test_a_smoothed_score_is_as_high_at_its_ends_as_within() -> None:
    track = Track("s", "s/t", "s/x", 0.0, 1.0, [0.0, 1.0], [0.0] * 2, [0.0] * 2, [9.0] * 2, [9.0] * 2, [1.0] * 2)
    row = ActiveSpeaker("s", "s/t/m", "s/x", "s/t", "m", 0.0, 0.04, [2.0] * 25)
    assert smoothed_score(track, [row], np.array([0.0, 0.5, 0.98]), 0.5).tolist() == [2.0, 2.0, 2.0]
    assert smoothed_score(track, [row], np.array([1.5]), 0.5).tolist() == [-np.inf]
