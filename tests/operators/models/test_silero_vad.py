"""Where there is speech, against what the silero-vad package itself says."""

import numpy as np
import pytest

from operators.models.silero_vad import SileroVad, spans
from tests.conftest import media
from tests.operators.speech.test_diarize_speakers import sample, wave_of

LEVELS = {"x": 0.9, "h": 0.45, "m": 0.3, ".": 0.1}


def test_speech_of_the_sample_is_what_the_package_says():
    """By `OnnxWrapper` and `get_speech_timestamps` of silero-vad 6.2.3 with their defaults."""
    wave, _ = sample()
    said = list(SileroVad().probabilities([wave]))
    assert len(said) == -(-len(wave) // 512)
    published = [0.017839, 0.194833, 0.49294, 0.33489, 0.228398, 0.08433, 0.030935]
    fresh = list(SileroVad().probabilities([wave[210 * 512 : 217 * 512]]))
    assert fresh == pytest.approx(published, abs=1e-4)
    assert spans(said, len(wave)) == [(108064, 115680), (121888, 286688), (288800, 345568), (348704, 480000)]


def test_of_real_files_too():
    far, near = wave_of(media("speech", "ami_trn09.wav")), wave_of(media("speakers", "1688-142285-0003.flac"))
    vad = SileroVad()
    found = [spans(vad.probabilities([wave]), len(wave)) for wave in (far, near)]
    assert found[0] == [(1568, 61408), (67616, 202208), (206880, 217568), (220192, 240608), (245792, 480001)]
    assert found[1] == [(8736, 40416), (44576, 75232)]


def test_a_stream_is_one_listening_whatever_its_blocks():
    wave = sample()[0][: 6 * 16000 + 77]
    whole = list(SileroVad().probabilities([wave]))
    pieces = [wave[:10], wave[10:700], wave[700:700], wave[700:50000], wave[50000:]]
    assert list(SileroVad().probabilities(pieces)) == whole
    # The end is filled up with zeros.
    assert list(SileroVad().probabilities([np.pad(wave, (0, -len(wave) % 512))])) == whole
    assert list(SileroVad().probabilities([])) == []


def test_silence_and_noise_are_no_speech():
    noise = np.random.default_rng(0).normal(0, 0.01, 3 * 16000).astype(np.float32)
    for wave in (np.zeros(3 * 16000, np.float32), noise):
        assert max(SileroVad().probabilities([wave])) < 0.2


@pytest.mark.parametrize(
    ("said", "at_05", "at_04"),
    [
        # four steps of silence are less than 100 ms
        ("...xxxxxxxxxx....xxxxxxxxxx......", [(1056, 14304)], [(1056, 14304)]),
        ("xxxxxxxx", [], []),  # 3996 samples are less than 250 ms
        ("..xxxxxxx....", [(544, 6556)], [(544, 6556)]),  # silence at the end is too short to end it
        ("xxxxxxxxxxhhhhhhhhhh......xxxxxx", [(0, 10720)], [(0, 10720)]),  # what is between both thresholds goes on
        ("xxxxxxxxxxmmmmmxxxxxxxxx", [(0, 5600), (7200, 12188)], [(0, 12188)]),
    ],
)
def test_speech_begins_at_the_threshold_and_ends_well_below_it(
    said: str, at_05: list[tuple[int, int]], at_04: list[tuple[int, int]]
):
    """By `get_speech_timestamps_from_probs` of silero-vad 6.2.3."""
    count = len(said) * 512 - 100
    assert spans([LEVELS[letter] for letter in said], count) == at_05
    assert spans([LEVELS[letter] for letter in said], count, threshold=0.4) == at_04
