"""The sound of a source, on the source's clock; see `operators/media/frames.py`."""

import math
import tempfile
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import av
import numpy as np
from numpy.typing import NDArray

from operators.base import Drop
from operators.media.containers import audio_of, open_media
from operators.media.decoding import Tally, decodable


class SourceAudio:
    """The sound of a source's default audio track; see `operators.base.Audio`. Safe to ask from several threads at once.

    It is decoded whole when first asked for, once for each rate, and kept as float32: in memory up to `IN_MEMORY`, in a nameless file of the
    folder for temporary files (TMPDIR) beyond, 230 MB an hour at 16 kHz, so that a long source takes no more memory than a short one.
    Channels are mixed down by FFmpeg's matrix (ITU-R BS.775, without the low-frequency channel), scaled so that the mix cannot exceed full scale.

    Sound lies where its pts says, within 10 ms: less than that is jitter of the timestamps, and is passed over so that
    it neither clicks nor drifts. A larger gap is silence; where sound overlaps, the later replaces the earlier.

    Raises, when it is asked for:
        Drop: `no_audio_stream`, `corrupt_audio`, and those of `open_media`.
    """

    JITTER_S = 0.010
    IN_MEMORY = 32 * 2**20  # bytes: 8.7 minutes at 16 kHz

    def __init__(self, path: Path):
        self._path = path
        self._made: dict[int, _Sound] = {}
        self._lock = threading.Lock()

    @property
    def start_s(self) -> float:
        """When the first sample sounds, in seconds on the source's clock."""
        return self._any().start_s

    @property
    def end_s(self) -> float:
        """When the last sample has sounded."""
        return self._any().end_s

    def samples(self, start_s: float, end_s: float, hz: int = 16000) -> NDArray[np.float32]:
        """Mono, (round((end_s - start_s) * hz),), -1 to 1; zeros where the source has no sound. A copy of the caller's own."""
        wanted = np.zeros(max(round((end_s - start_s) * hz), 0), np.float32)
        with self._lock:
            if hz not in self._made:
                self._made[hz] = _sound(self._path, hz, self.JITTER_S, self.IN_MEMORY)
            self._made[hz].read(round(start_s * hz), wanted)
        return wanted

    def _any(self) -> "_Sound":
        with self._lock:
            if not self._made:
                self._made[16000] = _sound(self._path, 16000, self.JITTER_S, self.IN_MEMORY)
            return next(iter(self._made.values()))


@dataclass(frozen=True)
class _Piece:
    first: int  # number of its first sample, counted from time 0
    count: int
    place: int  # of its first sample in the file of samples, in bytes


@dataclass(frozen=True)
class _Sound:
    samples: IO[bytes]  # float32
    pieces: list[_Piece]  # where they overlap, the later is heard
    start_s: float
    end_s: float

    def read(self, begin: int, wanted: NDArray[np.float32]) -> None:
        """Puts the samples from number `begin` on into `wanted`; where there are none it stays as it is."""
        for piece in self.pieces:
            low, high = max(begin, piece.first), min(begin + len(wanted), piece.first + piece.count)
            if low < high:
                self.samples.seek(piece.place + wanted.itemsize * (low - piece.first))
                wanted[low - begin : high - begin] = np.frombuffer(self.samples.read(wanted.itemsize * (high - low)), np.float32)


def _sound(path: Path, hz: int, jitter_s: float, in_memory: int) -> _Sound:
    """Decodes in runs: stretches whose samples follow one another, each placed by the pts of its first sample."""
    samples: Any = tempfile.SpooledTemporaryFile(in_memory)  # noqa: SIM115 - it goes with the last that refers to it
    pieces: list[_Piece] = []
    start_s, end_s = math.inf, -math.inf
    tally = Tally()
    with open_media(path) as container:
        stream = audio_of(container)
        if stream is None:
            raise Drop("no_audio_stream")
        run: _Run | None = None
        for frame, pts_s in _decoded_audio(container, stream, tally):
            if run is None or not run.goes_on(frame, pts_s, jitter_s):
                pieces += run.pieces() if run else []
                run = _Run(frame, pts_s, hz, samples)
            run.add(frame)
            start_s, end_s = min(start_s, run.start_s), max(end_s, run.end_s)
        pieces += run.pieces() if run else []
    tally.check("corrupt_audio")
    if not pieces:
        raise Drop("corrupt_audio", detail="the audio track holds no sample")
    return _Sound(samples, pieces, start_s, end_s)


def _decoded_audio(container, stream, tally: Tally) -> Iterator[tuple[av.AudioFrame, float]]:
    stream.codec_context.thread_count = 1
    next_s = 0.0
    for frame in decodable(container, stream, tally):
        pts_s = float(frame.pts * frame.time_base) if frame.pts is not None else next_s
        next_s = pts_s + frame.samples / frame.sample_rate
        tally.kept += 1
        yield frame, pts_s


class _Run:
    """Sound whose samples follow one another, resampled, mixed down to mono and written to `file` as it comes."""

    def __init__(self, frame: av.AudioFrame, start_s: float, hz: int, file: IO[bytes]):
        self.start_s, self._samples, self._hz = start_s, 0, hz
        self._rate, self._layout, self._format = frame.sample_rate, frame.layout.name, frame.format.name
        self._resampler = av.AudioResampler("flt", "mono", hz, options={"rematrix_maxval": "1.0"})
        self._file, self._place, self._made = file, file.tell(), 0

    @property
    def end_s(self) -> float:
        return self.start_s + self._samples / self._rate

    def goes_on(self, frame: av.AudioFrame, pts_s: float, jitter_s: float) -> bool:
        same = (frame.sample_rate, frame.layout.name, frame.format.name) == (self._rate, self._layout, self._format)
        return same and abs(pts_s - self.end_s) <= jitter_s

    def add(self, frame: av.AudioFrame) -> None:
        self._samples += frame.samples
        frame.pts = None  # the run is placed as a whole
        self._take(self._resampler.resample(frame))

    def pieces(self) -> list[_Piece]:
        """Where the run lies: as many samples as its length makes at the asked rate."""
        self._take(self._resampler.resample(None))
        count = min(self._made, round(self._samples * self._hz / self._rate))
        return [_Piece(round(self.start_s * self._hz), count, self._place)]

    def _take(self, frames: list[av.AudioFrame]) -> None:
        for frame in frames:
            wave = np.clip(frame.to_ndarray().reshape(-1).astype(np.float32), -1.0, 1.0)
            self._file.write(wave.tobytes())
            self._made += len(wave)
