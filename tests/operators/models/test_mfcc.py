"""Against numbers that python_speech_features 0.6 gave for the same signal (mfcc(x, 16000, numcep=13, winlen=0.025,
winstep=0.01) on 16-bit samples).
"""

import numpy as np
import pytest

from operators.models.mfcc import mel_energies, mfcc

TRUTH = {
    0: [
        18.1016,
        23.2192,
        14.9734,
        10.091,
        5.0521,
        -0.9375,
        -6.2548,
        -11.7974,
        -16.0358,
        -19.2977,
        -20.3251,
        -20.3357,
        -18.6728,
    ],
    10: [
        18.5547,
        23.891,
        14.1991,
        6.5909,
        -1.6055,
        -10.4531,
        -17.4391,
        -22.9853,
        -25.0484,
        -23.8732,
        -19.0144,
        -12.7256,
        -5.8107,
    ],
    45: [-36.0437] + [0.0] * 12,  # digital silence
    99: [
        20.1441,
        5.6634,
        -23.8979,
        -39.5327,
        -31.5102,
        -6.5871,
        16.1357,
        17.8418,
        0.691,
        -19.2109,
        -24.0017,
        -12.7457,
        3.4625,
    ],
}


def rising_tone(seconds: float = 1.015) -> np.ndarray:
    """A tone that rises from 200 Hz, interrupted by 0.1 s of digital silence in every half second."""
    t = np.arange(round(seconds * 16000)) / 16000
    return (0.3 * np.sin(2 * np.pi * (200 + 300 * t) * t) * (t % 0.5 < 0.4)).astype(np.float32)


def test_equals_python_speech_features():
    cepstra = mfcc(rising_tone())
    assert cepstra.shape == (100, 13)
    for frame, truth in TRUTH.items():
        assert cepstra[frame] == pytest.approx(truth, abs=1e-4)


@pytest.mark.parametrize(("samples", "windows"), [(100, 1), (400, 1), (401, 2), (640 * 25 + 240, 100), (640 * 25, 99)])
def test_number_of_windows(samples, windows):
    assert len(mfcc(np.zeros(samples, np.float32))) == windows


def test_a_tone_is_in_its_band():
    t = np.arange(8000) / 16000
    bands = mel_energies((0.5 * np.sin(2 * np.pi * 1000 * t)).astype(np.float32)).mean(axis=0)
    assert bands.argmax() in (8, 9)  # peaks at 921 and 1080 Hz
