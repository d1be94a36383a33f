"""Where there is speech, by the voice activity detector of the Silero team, https://github.com/snakers4/silero-vad,
version 6.
"""

from collections.abc import Iterable, Iterator
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from operators.models.catalogue_sound import SILERO_VAD

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

SAMPLE_HZ = 16000
STEP = 512  # samples that the network takes at once, 32 ms
CONTEXT = 64  # samples before them that it is given again
HYSTERESIS = 0.15  # speech goes on until its probability is so much below the threshold
MIN_SPEECH = SAMPLE_HZ * 250 // 1000  # samples; less is no speech
MIN_SILENCE = SAMPLE_HZ * 100 // 1000  # samples; less does not end speech
PAD = SAMPLE_HZ * 30 // 1000  # samples added on both sides


class SileroVad:
    """The probability of speech every 32 ms. Its state goes from step to step, so that a stream is one listening,
    whatever its length.
    """

    def probabilities(self, blocks: Iterable[NDArray[np.float32]]) -> Iterator[float]:
        """One number, 0 to 1, for each 512 samples of the blocks put together; the last ones are filled up with zeros.

        Args:
            blocks: mono samples at 16 kHz, -1 to 1, of any length each.
        """
        state = np.zeros((2, 1, 128), np.float32)
        given = np.zeros((1, CONTEXT + STEP), np.float32)
        rate = np.array(SAMPLE_HZ, np.int64)
        for step in _steps(blocks):
            given[0, :CONTEXT] = given[0, -CONTEXT:]
            given[0, CONTEXT:] = step
            said, state = self._session.run(None, {"input": given, "state": state, "sr": rate})
            yield float(np.asarray(said)[0, 0])

    @cached_property
    def _session(self) -> "InferenceSession":
        return SILERO_VAD.session()


def spans(probabilities: Iterable[float], count: int, threshold: float = 0.5) -> list[tuple[int, int]]:
    """Stretches of speech, half open, in samples: those that silero-vad's own `get_speech_timestamps` gives by default.

    Speech begins where the probability reaches the threshold, and ends where it falls `HYSTERESIS` below it for
    `MIN_SILENCE` or more.

    Args:
        probabilities: of each 512 samples, 0 to 1.
        count: samples there are.
        threshold: 0 to 1.
    """
    low = max(threshold - HYSTERESIS, 0.01)
    found: list[list[int]] = []
    begun = fallen = None
    for n, probability in enumerate(probabilities):
        at = n * STEP
        if probability >= threshold:
            begun, fallen = at if begun is None else begun, None
        elif probability < low and begun is not None:
            fallen = at if fallen is None else fallen
            if at - fallen >= MIN_SILENCE:
                if fallen - begun > MIN_SPEECH:
                    found.append([begun, fallen])
                begun = fallen = None
    if begun is not None and count - begun > MIN_SPEECH:
        found.append([begun, count])
    return [(max(0, begin - PAD), min(count, end + PAD)) for begin, end in found]  # pauses are longer than two of them


def _steps(blocks: Iterable[NDArray[np.float32]]) -> Iterator[NDArray[np.float32]]:
    rest = np.zeros(0, np.float32)
    for block in blocks:
        rest = np.concatenate([rest, block])
        whole = len(rest) // STEP * STEP
        yield from rest[:whole].reshape(-1, STEP)
        rest = rest[whole:]
    if len(rest):
        yield np.pad(rest, (0, STEP - len(rest)))
