"""How the sound of a clip is made: its level, its width, what it lacks and what lies under the voice."""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from math import ceil
from typing import ClassVar

import av
import numpy as np
from av.error import BlockingIOError, EOFError
from av.filter import Graph
from numpy.typing import NDArray

from manifests.tables import Annotation, Clip, Score
from operators.base import Audio, Drop, Measure, Media, Operator
from operators.media.sound import SourceAudio, native_channels

Wave = NDArray[np.float32]

FLOOR_DB = -100.0  # below the quantisation noise of 16 bits, -98 dBFS
NOTHING = 2.0**-16  # half a step of 16 bits: what is below it is digital silence
FRAME = 400  # samples at 16 kHz: 25 ms


@dataclass(frozen=True)
class ScoreAudio(Operator):
    """Loudness, peaks, clipping, noise, bandwidth, channels and music of a clip's sound.

    | metric | variant | range | what |
    |---|---|---|---|
    | loudness_lufs | ebu_r128 | -70 to 0 | integrated loudness of all channels; broadcast is at -23 |
    | true_peak_dbtp | bs1770 | -60 to 6 | highest value between the samples; above 0 a player may clip |
    | sample_peak_dbfs | native | -100 to 6 | largest sample |
    | clipped_share | flat_runs | 0 to 1, lower is better | samples in runs of three or more at the channel's largest
    value |
    | peak_density | p99.5_0.8 | 0.005 to 1, lower is better | samples above 0.8 of the 99.5th percentile; unclipped
    speech has 0.01 to 0.02 |
    | snr_db | p10_25ms_16khz | -20 to 100, higher is better | speech over steady noise, which is taken from the pauses
    |
    | bandwidth_hz | p95_-75db | 0 to half the rate, higher is better | above it there is nothing: the spectrum is 75 dB
    below its top |
    | balance_db | left_right | -100 to 100, best at 0 | level of the left channel over that of the right; absent for
    one channel |
    | side_to_mid_db | left_right | -100 to 100 | what differs over what is common: -100 mono, 0 unlike or one-sided,
    100 out of phase |
    | digital_silence_share | runs_0.1s | 0 to 1, best at 0 | of the clip, where no channel holds a sample other than 0
    for 0.1 s or more |
    | music_activation | cfa | 0 to 5, lower is less | steady tones that go on under the voice |

    All but `snr_db` and `music_activation`, which hear the mono mix, are of the channels as stored, at their own rate.
    The annotation `channel_layout` says mono, mono_in_stereo, one_sided, out_of_phase, stereo or surround.

    Loudness and true peak are those of FFmpeg's `ebur128` (ITU-R BS.1770, EBU R 128). `snr_db` needs
    pauses: a clip without any scores low however clean it is. `music_activation` is the continuous frequency activation
    of K. Seyerlehner et al., "Automatic music detection in television productions" (DAFx 2007), median over blocks of
    2.3 s; it finds tones, not beats, and a voice that holds its vowels has some of it.
    """

    measures: ClassVar[dict[str, Measure]] = {
        "loudness_lufs": Measure("integrated loudness of all channels; broadcast is at -23", "LUFS", -70, 0),
        "true_peak_dbtp": Measure("highest value between the samples; above 0 a player may clip", "dBTP", -60, 6),
        "sample_peak_dbfs": Measure("largest sample", "dBFS", -100, 6),
        "clipped_share": Measure(
            "samples in runs of three or more at the channel's largest value", "", 0, 1, better="lower"
        ),
        "peak_density": Measure(
            "samples above 0.8 of the 99.5th percentile; unclipped speech has 0.01 to 0.02", "", 0, 1, better="lower"
        ),
        "snr_db": Measure("speech over steady noise, which is taken from the pauses", "dB", -20, 100, better="higher"),
        "bandwidth_hz": Measure("above it the spectrum is 75 dB below its top", "Hz", 0, None, better="higher"),
        "balance_db": Measure("level of the left channel over that of the right; best at 0", "dB", -100, 100),
        "side_to_mid_db": Measure("what differs over what is common: -100 mono, 100 out of phase", "dB", -100, 100),
        "digital_silence_share": Measure(
            "share of the clip in which every sample is 0 for 0.1 s or more", "", 0, 1, better="lower"
        ),
        "music_activation": Measure("steady tones that go on under the voice", "", 0, 5, better="lower"),
    }

    @property
    def least_s(self) -> float:
        """What a gate of loudness needs."""
        return 0.4

    def __call__(self, clip: Clip, audio: Audio, media: Media) -> Iterator[Score | Annotation]:
        """One row a metric, and the annotation.

        Raises:
            Drop: audio_too_short; no_audio_stream; digital_silence, for a track without a single sample other than 0:
                that is no silent speaker, the sound is missing.
        """
        if clip.end_s - clip.start_s < self.least_s:
            raise Drop("audio_too_short", detail=f"{clip.end_s - clip.start_s:.3f} s < {self.least_s:g} s")
        track = audio.track if isinstance(audio, SourceAudio) else None
        channels, hz, layout = native_channels(media.path, clip.start_s, clip.end_s, track)
        if np.abs(channels).max() < NOTHING:
            raise Drop(
                "digital_silence",
                detail=f"{channels.shape[1]} samples in {len(channels)} channels, none above {NOTHING:.1g}",
            )
        heard = audio.samples(clip.start_s, clip.end_s, 16000)
        loudness, true_peak = loudness_and_true_peak(channels, hz, layout)
        values = [
            ("loudness_lufs", "ebu_r128", loudness),
            ("true_peak_dbtp", "bs1770", true_peak),
            ("sample_peak_dbfs", "native", _db(float(np.abs(channels).max()))),
            ("clipped_share", "flat_runs", clipped_share(channels)),
            ("peak_density", "p99.5_0.8", peak_density(channels)),
            ("bandwidth_hz", "p95_-75db", bandwidth_hz(channels, hz)),
            ("digital_silence_share", "runs_0.1s", silent_share(channels, hz)),
        ]
        if np.abs(heard).max() >= NOTHING:  # channels out of phase leave nothing
            values += [
                ("snr_db", "p10_25ms_16khz", pause_snr_db(heard)),
                ("music_activation", "cfa", continuous_frequency_activation(heard)),
            ]
        kind = "mono" if len(channels) == 1 else "surround"
        if len(channels) >= 2:
            balance, side = balance_and_side_db(channels)
            values += [("balance_db", "left_right", balance), ("side_to_mid_db", "left_right", side)]
        if len(channels) == 2:
            kind = layout_kind(balance, side)
        for metric, variant, value in values:
            yield Score(
                clip.source_id, f"{clip.clip_id}#{metric}", clip.clip_id, metric, variant, round(float(value), 4)
            )
        yield Annotation(
            clip.source_id, f"{clip.clip_id}#channel_layout", clip.clip_id, "channel_layout", kind, "ScoreAudio"
        )


def loudness_and_true_peak(channels: Wave, hz: int, layout: str) -> tuple[float, float]:
    """Integrated loudness in LUFS, -70 where all is below the gate, and true peak in dB of full scale, by FFmpeg's
    `ebur128`.
    """
    graph = Graph()
    source = graph.add_abuffer(format="fltp", sample_rate=hz, layout=layout, time_base=Fraction(1, hz))
    meter, sink = graph.add("ebur128", "metadata=1:peak=true"), graph.add("abuffersink")
    source.link_to(meter)
    meter.link_to(sink)
    graph.configure()
    frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(channels), format="fltp", layout=layout)
    frame.sample_rate, frame.pts, frame.time_base = hz, 0, Fraction(1, hz)
    graph.push(frame)
    graph.push(None)
    said: dict[str, str] = {}
    while True:
        try:
            pulled = graph.pull()
        except (BlockingIOError, EOFError):
            break
        said = dict(getattr(pulled, "metadata", {})) or said
    # Its true peak is told to a thousandth of full scale, so that a quiet one may lie below the sample's.
    return float(said["lavfi.r128.I"]), _db(max(float(said["lavfi.r128.true_peak"]), float(np.abs(channels).max())))


def clipped_share(channels: Wave) -> float:
    """Share of samples in runs of three or more at a channel's largest value, within 2e-5 of it: what clipping leaves,
    until a coder rounds it off.
    """
    top = np.abs(channels).max(axis=1, keepdims=True)
    signs = np.sign(channels) * ((np.abs(channels) >= top * (1 - 2e-5)) & (top >= NOTHING))
    middle = (signs[:, 1:-1] != 0) & (signs[:, :-2] == signs[:, 1:-1]) & (signs[:, 2:] == signs[:, 1:-1])
    flat = np.zeros(channels.shape, bool)
    for shift in range(3):
        flat[:, shift : shift + middle.shape[1]] |= middle
    return float(flat.mean())


def peak_density(channels: Wave) -> float:
    """Share of samples above 0.8 of the 99.5th percentile of magnitudes, of the channel that has most of them: clipping
    crowds them, and coding leaves that.
    """
    magnitudes = np.abs(channels)
    high = np.percentile(magnitudes, 99.5, axis=1, keepdims=True)
    return float((magnitudes > np.maximum(0.8 * high, NOTHING)).mean(axis=1).max())


def bandwidth_hz(channels: Wave, hz: int) -> float:
    """The highest frequency whose level, 95th percentile over windows of about 40 ms, is within 75 dB of the loudest
    one's.
    """
    size = 2 ** ceil(np.log2(hz * 0.03))
    power = np.square(_spectra(channels, size, size // 2, "blackmanharris")).max(axis=0)  # its sidelobes are 92 dB down
    level = np.percentile(power, 95, axis=0)
    return float(np.flatnonzero(level >= level.max() * 10**-7.5)[-1] * hz / size)


def silent_share(channels: Wave, hz: int) -> float:
    """Share of the span in stretches of 0.1 s or more without a sample in any channel."""
    silent = np.concatenate([[False], np.abs(channels).max(axis=0) < NOTHING, [False]])
    edges = np.flatnonzero(np.diff(silent.astype(np.int8)))
    lengths = edges[1::2] - edges[::2]
    return float(lengths[lengths >= hz / 10].sum() / channels.shape[1])


def balance_and_side_db(channels: Wave) -> tuple[float, float]:
    """Of the first two channels, the level of the left over the right one, and of their difference over their sum; -100
    to 100 dB.
    """
    left, right = channels[0].astype(np.float64), channels[1].astype(np.float64)
    return _ratio_db(left, right), _ratio_db(left - right, left + right)


def layout_kind(balance_db: float, side_db: float) -> str:
    """What two channels hold, by `balance_and_side_db`: a side 40 dB down is none, a difference 6 dB over the sum is
    turned phase.
    """
    if abs(balance_db) >= 40:
        return "one_sided"
    if side_db <= -40:
        return "mono_in_stereo"
    return "out_of_phase" if side_db >= 6 else "stereo"


def pause_snr_db(samples: Wave) -> float:
    """Power of speech over power of noise, -20 to 100 dB, of sound at 16 kHz: the quietest tenth of 25 ms is taken for
    noise alone, and the noise for steady.
    """
    frames = samples[: len(samples) // FRAME * FRAME].reshape(-1, FRAME).astype(np.float64)
    power = np.mean(frames**2, axis=1)
    noise = max(float(np.percentile(power, 10)), 1e-12)
    return float(np.clip(10 * np.log10(max(power.mean() - noise, 1e-12) / noise), -20, 100))


def continuous_frequency_activation(samples: Wave) -> float:
    """Tones that go on, 0 to 5, of sound at 16 kHz: the five steepest peaks, over frequency, of how often each is
    louder than its neighbours.

    Spectra of 1024 samples at 11,025 Hz, 256 apart, less their mean over 21 neighbouring frequencies; blocks of 100
    spectra, half of them shared; the median over blocks, as published but for that median.
    """
    from scipy.ndimage import uniform_filter1d
    from scipy.signal import argrelmax, argrelmin, resample_poly

    levels = 20 * np.log10(
        np.maximum(_spectra(resample_poly(samples, 441, 640), 1024, 256, "hann"), 10 ** (FLOOR_DB / 20))
    )
    standing_out = levels - uniform_filter1d(levels, 21, axis=1) > 0.1
    heights = []
    for at in range(0, max(1, len(standing_out) - 99), 50):
        often = standing_out[at : at + 100].mean(axis=0)
        valleys = argrelmin(often, mode="clip")[0]
        peaks = [(often[peak], valleys[valleys < peak], valleys[valleys > peak]) for peak in argrelmax(often)[0]]
        steep = [
            height - max(often[before[-1]], often[after[0]])
            for height, before, after in peaks
            if len(before) and len(after)
        ]
        heights.append(sum(sorted(steep)[-5:]))
    return float(np.median(heights))


def _spectra(samples: NDArray[np.floating], size: int, hop: int, window: str) -> NDArray[np.float64]:
    """(..., windows, size // 2 + 1): magnitudes of windows of a signal's last axis, 1 for a sine of amplitude 1 or so;
    one window at least.
    """
    from scipy.signal import windows

    padded = np.pad(samples, [(0, 0)] * (samples.ndim - 1) + [(0, max(0, size - samples.shape[-1]))])
    weights: NDArray[np.float64] = getattr(windows, window)(size, sym=False)
    cut = np.lib.stride_tricks.sliding_window_view(padded, size, axis=-1)[..., ::hop, :]
    return np.abs(np.fft.rfft(cut * (2 * weights / weights.sum())))


def _db(amplitude: float) -> float:
    return float(20 * np.log10(max(amplitude, 10 ** (FLOOR_DB / 20))))


def _ratio_db(over: NDArray[np.float64], under: NDArray[np.float64]) -> float:
    floor = 10 ** (FLOOR_DB / 10)
    return float(
        np.clip(10 * np.log10((np.mean(over**2) + 1e-20) / (np.mean(under**2) + 1e-20)), 10 * np.log10(floor), 100)
    )
