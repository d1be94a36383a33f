"""What a voice sounds like, 100 times a second: mel bands and their cepstrum, as LR-ASD and SyncNet were trained on."""

import numpy as np
from numpy.typing import NDArray


def mfcc(samples: NDArray[np.float32]) -> NDArray[np.float64]:
    """13 mel-frequency cepstral coefficients, 100 a second, as python_speech_features defines them.

    25 ms windows without taper, 26 triangles from 0 to 8 kHz on the mel scale of O'Shaughnessy, orthonormal DCT-II,
    sine lifter 22; the first coefficient is the logarithm of the window's energy. Sound on a 16-bit scale.

    Args:
        samples: (n,) at 16 kHz, -1 to 1. 240 samples more than a whole number of hundredths fill the last window.

    Returns:
        (max(1, 1 + ceil((n - 400) / 160)), 13)
    """
    from scipy.fft import dct

    power = _power(samples)
    energy, bands = power.sum(axis=1), power @ _mel_triangles().T
    smallest = np.finfo(float).eps  # what stands for silence before a logarithm
    cepstra = np.asarray(dct(np.log(np.where(bands == 0, smallest, bands)), type=2, norm="ortho"))[:, :13]
    cepstra *= 1 + 11 * np.sin(np.pi * np.arange(13) / 22)
    cepstra[:, 0] = np.log(np.where(energy == 0, smallest, energy))
    return cepstra


def mel_energies(samples: NDArray[np.float32]) -> NDArray[np.float64]:
    """(windows, 26): the energy in each mel band of the windows of `mfcc`, 16-bit scale squared."""
    return _power(samples) @ _mel_triangles().T


def _power(samples: NDArray[np.float32]) -> NDArray[np.float64]:
    """(windows, 257): the power spectrum of each 25 ms window, 100 a second, of the sound with its treble raised."""
    signal = np.round(samples.astype(np.float64) * 32768).clip(-32768, 32767)
    signal = np.append(signal[:1], signal[1:] - 0.97 * signal[:-1])
    count = max(1, 1 + int(np.ceil((len(signal) - 400) / 160)))
    padded = np.pad(signal, (0, (count - 1) * 160 + 400 - len(signal)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, 400)[::160]
    return np.abs(np.fft.rfft(windows, 512)) ** 2 / 512


def _mel_triangles() -> NDArray[np.float64]:
    """(26, 257): how much each bin of the spectrum counts in each band."""
    mels = np.linspace(0, 2595 * np.log10(1 + 8000 / 700), 28)
    edges = np.floor(513 * 700 * (10 ** (mels / 2595) - 1) / 16000)
    low, peak, high = edges[:-2, None], edges[1:-1, None], edges[2:, None]
    bins = np.arange(257)
    rising, falling = (bins - low) / (peak - low), (high - bins) / (high - peak)
    return np.where(bins < peak, rising, falling).clip(0)
