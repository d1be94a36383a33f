"""How the speech of a clip sounds."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from numpy.typing import NDArray

from manifests.tables import Clip, Score
from operators.base import Audio, Drop, Measure, Operator
from operators.models.catalogue_sound import DNSMOS
from operators.weights import Weight

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

SAMPLE_HZ = 16000
WINDOW_S = 9.01  # what the DNSMOS network takes
FRAME = SAMPLE_HZ * 25 // 1000
FLOOR_DBFS = -100.0  # below the quantisation noise of 16 bits, -98 dBFS

# From the network's output to opinion scores, the highest power first: the non-personalised fit of
# `DNSMOS/dnsmos_local.py` in microsoft/DNS-Challenge.
FITS = {
    "dnsmos_sig": (-0.08397278, 1.22083953, 0.0052439),
    "dnsmos_bak": (-0.13166888, 1.60915514, -0.39604546),
    "dnsmos_ovrl": (-0.06766283, 1.11546468, 0.04602535),
}


@dataclass(frozen=True)
class ScoreSpeech(Operator):
    """Opinion scores, level, clipping and noise of a clip's sound, all of its mono mix at 16 kHz.

    | metric | variant | range | what |
    |---|---|---|---|
    | dnsmos_sig, dnsmos_bak, dnsmos_ovrl | dnsmos_p835 | 1 to 5, higher is better | opinion of the speech, the
    background, the whole |
    | speech_dbfs | rms_16khz | -100 to 0 | level; 0 is a square wave at full scale |
    | speech_peak | peak_16khz | 0 to 1 | largest sample |
    | speech_clipped | at_0.99_16khz | 0 to 1, lower is better | share of samples at 0.99 of full scale or beyond |
    | level_range_db | p95_p10_25ms | 0 to 100, higher is cleaner | 95th less 10th percentile of the levels of 25 ms
    frames |

    DNSMOS is C. K. A. Reddy, V. Gopal, R. Cutler, "DNSMOS P.835: A non-intrusive perceptual objective speech quality
    metric to evaluate noise suppressors" (ICASSP 2022). `level_range_db` stands for the signal-to-noise ratio as far as
    the clip has pauses: steady noise fills them. A clip without pauses scores low however clean it is.
    Clipping before a mix or a resampling that rounds it off is not seen.
    """

    measures: ClassVar[dict[str, Measure]] = {
        "dnsmos_sig": Measure("opinion of the speech", "MOS", 1, 5, better="higher"),
        "dnsmos_bak": Measure("opinion of the background", "MOS", 1, 5, better="higher"),
        "dnsmos_ovrl": Measure("opinion of the whole sound", "MOS", 1, 5, better="higher"),
        "speech_dbfs": Measure("level; 0 is a square wave at full scale", "dBFS", -100, 0),
        "speech_peak": Measure("largest sample", "", 0, 1),
        "speech_clipped": Measure("share of samples at 0.99 of full scale or beyond", "", 0, 1, better="lower"),
        "level_range_db": Measure(
            "95th less 10th percentile of the levels of 25 ms frames", "dB", 0, 100, better="higher"
        ),
    }

    silent_dbfs: float = -80.0  # a level below this is silence: coders make some noise of their own

    @property
    def weights(self) -> tuple[Weight, ...]:
        return (DNSMOS,)

    def __call__(self, clip: Clip, audio: Audio) -> Iterator[Score]:
        """One row a metric.

        Raises:
            Drop: silent_audio; audio_too_short, for less than one frame of 25 ms.
        """
        samples = np.clip(audio.samples(clip.start_s, clip.end_s, SAMPLE_HZ), -1, 1)
        if len(samples) < FRAME:
            raise Drop("audio_too_short", detail=f"{len(samples) / SAMPLE_HZ:.3f} s")
        level_dbfs = float(dbfs(samples))
        if level_dbfs < self.silent_dbfs:
            raise Drop("silent_audio", detail=f"{level_dbfs:.1f} dBFS")
        values = [(metric, "dnsmos_p835", value) for metric, value in dnsmos(self.model, samples).items()]
        values += [
            ("speech_dbfs", "rms_16khz", level_dbfs),
            ("speech_peak", "peak_16khz", float(np.abs(samples).max())),
            ("speech_clipped", "at_0.99_16khz", float(np.mean(np.abs(samples) >= 0.99))),
            ("level_range_db", "p95_p10_25ms", level_range_db(samples)),
        ]
        for metric, variant, value in values:
            yield Score(clip.source_id, f"{clip.clip_id}#{metric}", clip.clip_id, metric, variant, value)

    @cached_property
    def model(self) -> "InferenceSession":
        return DNSMOS.session()


def dbfs(samples: NDArray[np.float32]) -> NDArray[np.float64]:
    """Root mean square over the last axis in dB of full scale, not below -100."""
    power = np.mean(np.square(samples, dtype=np.float64), axis=-1)
    return 10 * np.log10(np.maximum(power, 10 ** (FLOOR_DBFS / 10)))


def level_range_db(samples: NDArray[np.float32]) -> float:
    """95th less 10th percentile of the levels of 25 ms frames; 0 to 100."""
    frames = samples[: len(samples) // FRAME * FRAME].reshape(-1, FRAME)
    low, high = np.percentile(dbfs(frames), [10, 95])
    return float(high - low)


def dnsmos(model: "InferenceSession", samples: NDArray[np.float32]) -> dict[str, float]:
    """Opinion scores of speech at 16 kHz, as `dnsmos_local.py` takes them: means over windows of 9.01 s, one a second.

    Shorter sound is doubled until it fills a window. The end of a window is rounded as there, which leaves those that
    start at second 7 to 23 one sample short, and they are passed over as there: published values are made that way.
    """
    size = int(WINDOW_S * SAMPLE_HZ)
    while len(samples) < size:
        samples = np.tile(samples, 2)
    raw = []
    for second in range(int(len(samples) // SAMPLE_HZ - WINDOW_S) + 1):
        window = samples[second * SAMPLE_HZ : int((second + WINDOW_S) * SAMPLE_HZ)]
        if len(window) == size:
            raw.append(np.asarray(model.run(None, {"input_1": window[None].astype(np.float32)})[0])[0])
    # The network gives the opinions in the order of FITS.
    return {
        metric: float(np.mean(np.polyval(fit, np.asarray(raw, np.float64)[:, n])))
        for n, (metric, fit) in enumerate(FITS.items())
    }
