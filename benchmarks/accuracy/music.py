"""Whether `music_activation` tells music under speech, and music alone, from speech.

    HEADSET_MEDIA=... python -m benchmarks.accuracy.music

Speech alone is that of 26 recordings, 8 s each at most; music is that of four films, at 0 to 15 dB under each of the
voices and by itself. Voices are taken in turns, by name: the limit is chosen on the first half, as what 5 % of
its speech alone passes, and stated on the second.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from benchmarks.accuracy.audio_quality import HZ, MEDIA, MUSIC, SPEECH, heard, with_music
from benchmarks.accuracy.face_verification import area
from operators.speech.score_audio import continuous_frequency_activation

UNDER_DB = (0, 5, 10, 15)
MOST_FALSE = 0.05
SHORT_S = 3.0  # the shortest clips of `talking_head`
LIMITS = (2.4, 2.6, 2.8)


def activation(wave: NDArray[np.float32]) -> float:
    """`music_activation`, of sound at 48 kHz."""
    from scipy.signal import resample_poly

    return continuous_frequency_activation(np.asarray(resample_poly(wave, 16000, HZ), np.float32))


def above(values: Sequence[float] | NDArray[np.float64]) -> str:
    """The share of values above each of `LIMITS`."""
    return ", ".join(f"above {limit} {np.mean(np.array(values) > limit):.0%}" for limit in LIMITS)


def main() -> None:
    names = sorted({*SPEECH, *(str(path.relative_to(MEDIA)) for path in (MEDIA / "speakers").glob("*.flac"))})
    voices = [heard(name) for name in names]
    alone = np.array([activation(voice) for voice in voices])
    half = np.arange(len(voices)) % 2
    limit = float(np.quantile(alone[half == 0], 1 - MOST_FALSE))
    least, middle, most = np.percentile(alone, [0, 50, 100])
    print(
        f"{len(voices)} voices alone: {least:.2f} to {most:.2f}, median {middle:.2f}; limit {limit:.2f}, above it"
        f" {np.mean(alone[half == 1] > limit):.0%} of the other half"
    )
    short = [
        activation(voice[at : at + round(SHORT_S * HZ)])
        for voice in voices
        for at in range(0, len(voice) - round(SHORT_S * HZ) + 1, round(SHORT_S * HZ))
    ]
    least, middle, most = np.percentile(short, [0, 50, 100])
    print(
        f"{len(short)} pieces of {SHORT_S:g} s of them: {least:.2f} to {most:.2f}, median {middle:.2f}; {above(short)}"
    )
    for name, music in ((name, heard(path)) for name, path in MUSIC.items()):
        print(f"{name} by itself: {activation(music):.2f}")
        for under_db in UNDER_DB:
            found = np.array([activation(with_music(voice, music, under_db)) for voice in voices])
            print(
                f"  {under_db} dB under the voice: AUC {area(found, alone):.2f}, found"
                f" {np.mean(found[half == 1] > limit):.0%} of the other half; {above(found)}"
            )


if __name__ == "__main__":
    main()
