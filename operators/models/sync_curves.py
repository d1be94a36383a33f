"""How a mouth and a voice go together over shifts in time."""

import numpy as np
from numpy.typing import NDArray

from operators.base import Audio
from operators.models.mfcc import mel_energies
from operators.timeline import MFCC_TAIL_S, TICK_HZ

_STEADY = 9  # ticks: standard deviation of the Gaussian whose mean is taken off, so that slow changes do not count


def voice_level(audio: Audio, first: int, count: int) -> NDArray[np.float64]:
    """(count,): how open the mouth sounds in the 40 ms from each tick on.

    The mean log energy of the bands from 0.8 to 4 kHz, where open vowels are strong, minus half of that below 0.4 kHz,
    which hums and nasals fill with the lips closed. Without unit; about 10 apart between a vowel and a pause.
    """
    start_s = first / TICK_HZ
    energies = np.log(
        mel_energies(audio.samples(start_s, start_s + count / TICK_HZ + MFCC_TAIL_S)) + 100
    )  # 100: far below speech, above dither
    level = energies[:, 8:20].mean(axis=1) - 0.5 * energies[:, :5].mean(axis=1)
    return level.reshape(count, 4).mean(axis=1)


def correlations(openings: NDArray[np.float64], voice: NDArray[np.float64]) -> NDArray[np.float64]:
    """How well the mouth's opening goes with the voice at each shift, -1 to 1.

    The mean of two Pearson correlations: of both signals freed of slow changes, and of the speeds at which they change.
    The first has the higher peak, the second the narrower one.

    Args:
        openings: (n,)
        voice: (n + 2 * reach,), beginning `reach` ticks before the openings.

    Returns:
        (2 * reach + 1,), from the sound early by `reach` to late by `reach`.
    """
    from scipy.ndimage import gaussian_filter1d

    def correlated(mouth: NDArray[np.float64], sound: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.array(
            [
                np.corrcoef(mouth, sound[shift : shift + len(mouth)])[0, 1]
                for shift in range(len(sound) - len(mouth) + 1)
            ]
        )

    mouth, sound = (signal - gaussian_filter1d(signal, _STEADY, mode="nearest") for signal in (openings, voice))
    return (correlated(mouth, sound) + correlated(np.gradient(openings), np.gradient(voice))) / 2


def peak(curve: NDArray[np.float64]) -> tuple[float, float]:
    """Where a curve over shifts -reach to reach is highest, to a part of a tick (parabola through three points), and by
    how much over its median.
    """
    top = int(np.argmax(curve))
    between = 0.0
    if 0 < top < len(curve) - 1:
        before, at, after = curve[top - 1 : top + 2]
        between = 0.5 * (before - after) / (before - 2 * at + after)
    return top + between - len(curve) // 2, float(curve[top] - np.median(curve))
