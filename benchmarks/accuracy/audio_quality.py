"""How the scores of `ScoreAudio` and DNSMOS move when real speech is made worse by known steps.

    HEADSET_MEDIA=... HEADSET_WEIGHTS=... python -m benchmarks.accuracy.audio_quality [docs/measured/audio.png]

Eight recordings of speech, 8 s each, as mono at 48 kHz; music of four films for what lies under the voice.
"""

import io
import os
import sys
from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

from operators.media.sound import SourceAudio
from operators.speech.score_audio import (
    bandwidth_hz,
    clipped_share,
    continuous_frequency_activation,
    loudness_and_true_peak,
    pause_snr_db,
    peak_density,
)
from operators.speech.score_speech import ScoreSpeech, dnsmos

MEDIA = Path(os.environ["HEADSET_MEDIA"])
HZ, SECONDS = 48000, 8.0
SPEECH = (
    "speech/sadtalker_chinese_news.wav", "speech/resemblyzer_X2zqiX6yL3I.mp3", "speakers/2033-164914-0001.flac",
    "speakers/2414-128291-0007.flac", "single/latentsync_demo1_video.mp4", "single/headpose_31.mp4",
    "hdtf/retalking_face_1.mp4", "multi/avi_billhyland.mp4",
)  # fmt: skip
MUSIC = {
    "orchestra": "odd/moviepy_chaplin.mp4", "cartoon": "negative/pyfeat_no_face.mp4",
    "film and its sounds": "odd/lhotse_big_buck_bunny_small.mp4",
    "rap over beats": "multi/hamilton_short_clip.mp4",
}  # fmt: skip

Wave = NDArray[np.float32]


def heard(name: str) -> Wave:
    sound = SourceAudio(MEDIA / name)
    start_s = max(sound.start_s, 0.0)
    return sound.samples(start_s, min(start_s + SECONDS, sound.end_s), HZ)


def level(wave: Wave) -> float:
    return float(np.sqrt(np.mean(np.square(wave, dtype=np.float64))))


def with_noise(wave: Wave, snr_db: float) -> Wave:
    noise = np.random.default_rng(0).standard_normal(len(wave))
    return (wave + noise * level(wave) * 10 ** (-snr_db / 20)).astype(np.float32)


def with_music(wave: Wave, music: Wave, ratio_db: float) -> Wave:
    under = np.resize(music, len(wave))
    return (wave + under * level(wave) / level(under) * 10 ** (-ratio_db / 20)).astype(np.float32)


def overdriven(wave: Wave, over_db: float) -> Wave:
    """Driven `over_db` beyond full scale, clipped there, and turned down."""
    return (0.7 * np.clip(wave * 10 ** (over_db / 20) / np.abs(wave).max(), -1, 1)).astype(np.float32)


def at_rate(wave: Wave, hz: int) -> Wave:
    """Resampled to a rate and back, as FFmpeg does it."""
    for start, end in ((HZ, hz), (hz, HZ)):
        frame = av.AudioFrame.from_ndarray(wave[None], format="fltp", layout="mono")
        frame.sample_rate = start
        resampler = av.AudioResampler("fltp", "mono", end)
        wave = np.concatenate([part.to_ndarray()[0] for whole in (frame, None) for part in resampler.resample(whole)])
    return wave


def coded(wave: Wave, codec: str, kbps: int) -> Wave:
    made = io.BytesIO()
    with av.open(made, "w", format={"aac": "mp4", "libmp3lame": "mp3"}[codec]) as container:
        stream: Any = container.add_stream(codec, rate=HZ, layout="mono")
        stream.bit_rate = kbps * 1000
        step = stream.codec_context.frame_size or 1152
        for at in range(0, len(wave), step):
            frame = av.AudioFrame.from_ndarray(
                np.ascontiguousarray(wave[None, at : at + step]), format="fltp", layout="mono"
            )
            frame.sample_rate, frame.pts, frame.time_base = HZ, at, Fraction(1, HZ)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    made.seek(0)
    with av.open(made, "r") as container:
        return np.concatenate([frame.to_ndarray()[0] for frame in container.decode(audio=0)]).astype(np.float32)


def main(picture: str = "") -> None:
    from scipy.signal import resample_poly

    voices = [heard(name) for name in SPEECH]
    musics = {name: heard(path) for name, path in MUSIC.items()}
    network = ScoreSpeech().model

    def slow(wave: Wave) -> Wave:
        return np.asarray(resample_poly(wave, 1, 3), np.float32)

    def opinion(wave: Wave) -> float:
        return dnsmos(network, wave)["dnsmos_ovrl"]

    steps: dict[str, tuple[str, str, Sequence[float], Callable[[Wave, float], float]]] = {
        "noise": ("white noise, dB under the speech", "snr_db", (40, 30, 20, 10, 0),
                  lambda w, x: pause_snr_db(with_noise(slow(w), x))),
        "noise, opinion": ("white noise, dB under the speech", "dnsmos_ovrl", (40, 30, 20, 10, 0),
                           lambda w, x: opinion(with_noise(slow(w), x))),
        "loudness": ("gain, dB", "loudness_lufs", (0, -6, -12, -18, -24),
                     lambda w, x: _loudness(w * np.float32(10 ** (x / 20)))),
        "clipping": ("driven over full scale, dB", "clipped_share", (0, 3, 6, 12, 18),
                     lambda w, x: clipped_share(overdriven(w, x)[None])),
        "clipping, coded": (
            "driven over full scale, then AAC 96 kbit/s, dB", "peak_density", (0, 3, 6, 12, 18),
            lambda w, x: peak_density(coded(overdriven(w, x), "aac", 96)[None]),
        ),
        "rate": ("resampled to kHz and back", "bandwidth_hz", (48, 32, 16, 11.025, 8),
                 lambda w, x: bandwidth_hz(at_rate(w, round(1000 * x))[None], HZ)),
        "mp3": ("MP3, kbit/s", "bandwidth_hz", (192, 128, 64, 48, 32),
                lambda w, x: bandwidth_hz(coded(w, "libmp3lame", int(x))[None], HZ)),
        "music": (
            "orchestra, dB under the speech", "music_activation", (40, 20, 10, 5, 0),
            lambda w, x: continuous_frequency_activation(slow(with_music(w, musics["orchestra"], x))),
        ),
    }  # fmt: skip
    found = {
        label: np.array([[score(wave, x) for x in at] for wave in voices]) for label, (_, _, at, score) in steps.items()
    }
    for label, (what, metric, at, _) in steps.items():
        values = found[label]
        print(
            f"{what} | {metric} | "
            + " | ".join(f"{x:g}: {value:.4g}" for x, value in zip(at, np.median(values, axis=0), strict=True))
        )
        turned = np.diff(values, axis=1) * np.sign(np.median(values[:, -1] - values[:, 0]))
        print(f"  steps the right way: {np.mean(turned > 0):.0%}, unchanged {np.mean(turned == 0):.0%}")
    alone = [continuous_frequency_activation(slow(wave)) for wave in voices]
    for name, music in musics.items():
        under = {
            x: [continuous_frequency_activation(slow(with_music(wave, music, x))) for wave in voices]
            for x in (20, 15, 10, 5, 0)
        }
        print(
            f"{name} under speech, AUC against speech alone: "
            + ", ".join(f"{x} dB {np.mean([a > b for a in values for b in alone]):.2f}" for x, values in under.items())
        )
    if picture:
        draw(picture, {label: (*steps[label][:3], found[label]) for label in steps})


def _loudness(wave: Wave) -> float:
    return loudness_and_true_peak(wave[None], HZ, "mono")[0]


def draw(picture: str, panels: dict[str, tuple[str, str, Sequence[float], NDArray[np.float64]]]) -> None:
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    figure, plots = plt.subplots(2, 4, figsize=(13, 5.5), layout="constrained")
    for axes, (what, metric, at, values) in zip(plots.flat, panels.values(), strict=True):
        axes.plot(range(len(at)), values.T, color="#88aacc", linewidth=0.8)
        axes.plot(range(len(at)), np.median(values, axis=0), color="#224466", linewidth=2)
        axes.set_xticks(range(len(at)), [f"{x:g}" for x in at])
        axes.set_xlabel(what, fontsize=8)
        axes.set_title(metric, fontsize=9)
        axes.grid(alpha=0.3)
    figure.savefig(picture, dpi=90)


if __name__ == "__main__":
    main(*sys.argv[1:])
