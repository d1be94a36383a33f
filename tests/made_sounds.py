"""Films whose flashes and pulses of sound come at the same known times, with sound tracks of every odd kind."""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import av
import numpy as np
from av.stream import Disposition
from numpy.typing import NDArray

from operators.base import Audio
from tests.made_videos import flashes, tone, write_video

LENGTH_S = 5.0
LATE_S = 0.731  # QuickTime rounds a late start to the millisecond
FRAMES_S = {
    "constant": [n / 25 for n in range(125)],
    "variable": np.cumsum([0.0, *np.tile([0.02, 0.07, 0.033, 0.05, 0.04], 23)]).tolist(),
}


def pulses(seconds: float, times_s: list[float], hz: int) -> NDArray[np.float32]:
    """(n,) silence but for bursts of 1 kHz whose energy is centred on the times, 5 ms wide."""
    at = np.arange(round(seconds * hz)) / hz
    return sum(
        (0.8 * np.exp(-(((at - t) / 0.002) ** 2)) * np.cos(2 * np.pi * 1000 * (at - t)) for t in times_s),
        np.zeros(len(at)),
    ).astype(np.float32)


def centre_s(samples: NDArray[np.float32], hz: int, start_s: float = 0.0) -> float:
    """When the energy of a stretch of sound is centred."""
    power = np.square(samples, dtype=np.float64)
    return start_s + float((np.arange(len(samples)) * power).sum() / power.sum()) / hz


@dataclass(frozen=True)
class WavAudio:
    """Samples at 16 kHz, the first at `start_s` of the source's clock."""

    wave: NDArray[np.float32]
    start_s: float = 0.0

    @property
    def end_s(self) -> float:
        return self.start_s + len(self.wave) / 16000

    def samples(self, start_s: float, end_s: float, hz: int = 16000) -> NDArray[np.float32]:
        assert hz == 16000
        begin, end = round((start_s - self.start_s) * hz), round((end_s - self.start_s) * hz)
        wanted = np.zeros(end - begin, np.float32)
        heard = self.wave[max(begin, 0) : max(end, 0)]
        wanted[max(-begin, 0) : max(-begin, 0) + len(heard)] = heard
        return wanted


@dataclass(frozen=True)
class Delayed:
    """A sound that comes later, on the clock of what it is put under."""

    audio: Audio
    by_s: float

    @property
    def start_s(self) -> float:
        return self.audio.start_s + self.by_s

    @property
    def end_s(self) -> float:
        return self.audio.end_s + self.by_s

    def samples(self, start_s: float, end_s: float, hz: int = 16000) -> NDArray[np.float32]:
        return self.audio.samples(start_s - self.by_s, end_s - self.by_s, hz)


def lit(frames: str) -> list[float]:
    """Three frames' times, of which each film flashes and sounds; each is shown for 40 ms or more, so that no rate of
    25 a second passes over it.
    """
    long = [at for at, then in pairwise(FRAMES_S[frames]) if then - at >= 0.0399]
    return [min(long, key=lambda at: abs(at - wanted)) for wanted in (1.5, 2.5, 3.5)]


def late_film(path: Path, late_s: float) -> Path:
    """Flashes at `lit("constant")`, and pulses of sound so much after them."""
    return _film(path, audio=pulses(LENGTH_S, [at + late_s for at in lit("constant")], 48000), audio_hz=48000)


def _film(path: Path, frames: str = "constant", **sound) -> Path:
    times_s = FRAMES_S[frames]
    sound = {"audio_codec": "pcm_s16le", **sound}
    return write_video(
        path, [(flashes(lit(frames), (160, 160), 0.019), LENGTH_S)], size=(160, 160), times_s=times_s, **sound
    )


def _surround(path: Path) -> Path:
    channels = np.zeros((round(LENGTH_S * 48000), 6), np.float32)
    channels[:, 2] = pulses(LENGTH_S, lit("constant"), 48000)
    return _film(path, audio=channels, audio_hz=48000)


def _stereo(path: Path) -> Path:
    wave = pulses(LENGTH_S, lit("constant"), 44100)
    return _film(path, audio=np.stack([wave, 0.5 * wave], 1), audio_hz=44100)


def _second_default(path: Path) -> Path:
    """Two tracks, of which the second is the one to play; the first, in another language, holds a tone."""
    wave = pulses(LENGTH_S, lit("constant"), 44100)
    both = _film(path.with_name("both.mkv"), audio=tone(LENGTH_S), more_audio=[wave])
    with av.open(str(both)) as source, av.open(str(path), "w") as made:
        streams = {
            stream.index: made.add_stream_from_template(stream)
            for stream in source.streams
            if stream.type in ("video", "audio")
        }
        sounds = [streams[stream.index] for stream in source.streams.audio]
        for stream, flag, language in zip(sounds, (Disposition(0), Disposition.default), ("deu", "eng"), strict=True):
            stream.disposition = flag
            stream.metadata["language"] = language
        for packet in source.demux(*source.streams.video, *source.streams.audio):
            if packet.dts is not None:
                packet.stream = streams[packet.stream.index]
                made.mux(packet)
    return path


# Kind: (suffix, how the film is made at a path, its frames).
KINDS: dict[str, tuple[str, Callable[[Path], Path], str]] = {
    "mono 8 kHz": (".mov", lambda path: _film(path, audio=pulses(LENGTH_S, lit("constant"), 8000), audio_hz=8000),
                   "constant"),
    "mono 44.1 kHz": (".mov", lambda path: _film(path, audio=pulses(LENGTH_S, lit("constant"), 44100), audio_hz=44100),
                      "constant"),
    "mono 96 kHz": (".mov", lambda path: _film(path, audio=pulses(LENGTH_S, lit("constant"), 96000), audio_hz=96000),
                    "constant"),
    "48 kHz, variable frame rate": (
        ".mkv", lambda path: _film(path, "variable", audio=pulses(LENGTH_S, lit("variable"), 48000), audio_hz=48000),
        "variable",
    ),
    "AAC": (".mp4", lambda path: _film(path, audio=pulses(LENGTH_S, lit("constant"), 44100), audio_hz=44100,
                                       audio_codec="aac"), "constant"),
    "late start": (
        ".mov", lambda path: _film(path, audio=[(LATE_S, pulses(4.0, [t - LATE_S for t in lit("constant")], 48000))],
                                   audio_hz=48000), "constant",
    ),
    "early end": (".mkv", lambda path: _film(path, audio=pulses(4.0, lit("constant"), 48000), audio_hz=48000),
                  "constant"),
    "5.1, the centre alone": (".mov", _surround, "constant"),
    "stereo, one side louder": (".mkv", _stereo, "constant"),
    "two tracks, the second to be played": (".mkv", _second_default, "constant"),
}  # fmt: skip
