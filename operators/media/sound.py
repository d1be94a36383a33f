"""The sound of a source, on the source's clock; see `operators/media/frames.py`."""

import math
import tempfile
import threading
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import IO, Any

import av
import numpy as np
from av.container import InputContainer
from av.error import FFmpegError
from numpy.typing import NDArray

from operators.base import Drop
from operators.media.clock import RunningPackets, clock_of, may_restart
from operators.media.containers import audio_of, open_media, packets_of, raise_for_machine
from operators.media.decoding import Tally, decodable

PHASE_S = 1.0  # of sound, of which it is told whether its channels are out of phase
PHASE_STEP = 4  # every how many of a codec's frames are measured for that
# of files that name none
LAYOUTS = {1: "mono", 2: "stereo", 3: "2.1", 4: "4.0", 5: "5.0", 6: "5.1", 7: "6.1", 8: "7.1"}


class SourceAudio:
    """The sound of a source's default audio track; see `operators.asks.Audio`. Safe to ask from several threads at
    once.

    It is decoded whole when first asked for, once for each rate, and kept as float32: in memory up to `IN_MEMORY`, in a
    nameless file of the folder for temporary files (TMPDIR) beyond, 230 MB an hour at 16 kHz, so that a long source
    takes no more memory than a short one. Channels are mixed down by FFmpeg's matrix (ITU-R BS.775, without the
    low-frequency channel), scaled so that the mix cannot exceed full scale. Two channels that are out of phase, as when
    one of them was inverted, would take each other away: of each second in which their difference is 6 dB or more above
    their sum, half the difference is taken, which is as loud as either of them.

    Sound lies where its pts says, within 10 ms: less than that is jitter of the timestamps, and is passed over so that
    it neither clicks nor drifts. A larger gap is silence; where sound overlaps, the later replaces the earlier.

    Args:
        track: the number of the sound track among those of the file; None for the one a player plays.

    Raises, when it is asked for:
        Drop: `no_audio_stream`, `corrupt_audio`, `too_long`, and those of `open_media` and `RunningPackets`.
    """

    JITTER_S = 0.010
    IN_MEMORY = 32 * 2**20  # bytes: 8.7 minutes at 16 kHz
    LONGEST_S = 24 * 3600.0  # more is given up: 5.5 GB of TMPDIR at 16 kHz

    def __init__(self, path: Path, track: int | None = None):
        self._path, self._track = path, track
        self._made: dict[int, _Sound] = {}
        self._lock = threading.Lock()

    @property
    def track(self) -> int | None:
        """The number of the sound track among those of the file; None for the one a player plays."""
        return self._track

    @property
    def start_s(self) -> float:
        """When the first sample sounds, in seconds on the source's clock."""
        return self._any().start_s

    @property
    def end_s(self) -> float:
        """When the last sample has sounded."""
        return self._any().end_s

    def samples(self, start_s: float, end_s: float, hz: int = 16000) -> NDArray[np.float32]:
        """Mono, (round((end_s - start_s) * hz),), -1 to 1; zeros where the source has no sound. A copy of the caller's
        own.
        """
        wanted = np.zeros(max(round((end_s - start_s) * hz), 0), np.float32)
        with self._lock:
            if hz not in self._made:
                self._made[hz] = self._decoded(hz)
            self._made[hz].read(round(start_s * hz), wanted)
        return wanted

    def _any(self) -> "_Sound":
        with self._lock:
            if not self._made:
                self._made[16000] = self._decoded(16000)
            return next(iter(self._made.values()))

    def _decoded(self, hz: int) -> "_Sound":
        """Decodes in runs: stretches whose samples follow one another, each placed by the pts of its first sample."""
        samples: Any = tempfile.SpooledTemporaryFile(self.IN_MEMORY)  # noqa: SIM115 - it goes with the last that refers to it
        pieces: list[_Piece] = []
        start_s, end_s, heard_s = math.inf, -math.inf, 0.0
        tally = Tally()
        with open_media(self._path) as container:
            stream = audio_of(container, self._track)
            if stream is None:
                raise Drop("no_audio_stream")
            run: _Run | None = None
            for frame, pts_s in _decoded_audio(RunningPackets(container, self._path, [stream]), stream, tally):
                if run is None or not run.goes_on(frame, pts_s, self.JITTER_S):
                    pieces += run.pieces() if run else []
                    run = _Run(frame, pts_s, hz, samples)
                run.add(frame)
                start_s, end_s = min(start_s, run.start_s), max(end_s, run.end_s)
                heard_s += frame.samples / frame.sample_rate
                if heard_s > self.LONGEST_S:
                    raise Drop("too_long", detail=f"more than {self.LONGEST_S:.0f} s of sound")
            pieces += run.pieces() if run else []
        tally.check("corrupt_audio")
        if not pieces:
            raise Drop("corrupt_audio", detail="the audio track holds no sample")
        return _Sound(samples, pieces, start_s, end_s)


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
                wanted[low - begin : high - begin] = np.frombuffer(
                    self.samples.read(wanted.itemsize * (high - low)), np.float32
                )


def _decoded_audio(
    packets: Iterable[av.Packet], stream: av.AudioStream, tally: Tally
) -> Iterator[tuple[av.AudioFrame, float]]:
    stream.codec_context.thread_count = 1
    next_s = 0.0
    for frame in decodable(packets, tally):
        if not frame.sample_rate or not frame.samples:
            continue
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
        self._is_stereo = len(frame.layout.channels) == 2
        # of a stretch of stereo of which it is not known yet whether its channels are out of phase
        self._held: list[av.AudioFrame] = []
        self._held_s = 0.0

    @property
    def end_s(self) -> float:
        return self.start_s + self._samples / self._rate

    def goes_on(self, frame: av.AudioFrame, pts_s: float, jitter_s: float) -> bool:
        same = (frame.sample_rate, frame.layout.name, frame.format.name) == (self._rate, self._layout, self._format)
        return same and abs(pts_s - self.end_s) <= jitter_s

    def add(self, frame: av.AudioFrame) -> None:
        self._samples += frame.samples
        frame.pts = None  # the run is placed as a whole
        self._held.append(frame)
        self._held_s += frame.samples / self._rate
        if not self._is_stereo or self._held_s >= PHASE_S:
            self._release()

    def pieces(self) -> list[_Piece]:
        """Where the run lies: as many samples as its length makes at the asked rate."""
        self._release()
        self._take(None)
        count = min(self._made, round(self._samples * self._hz / self._rate))
        return [_Piece(round(self.start_s * self._hz), count, self._place)]

    def _release(self) -> None:
        turn = self._is_stereo and is_out_of_phase(self._held)
        for frame in self._held:
            self._take(_with_one_turned(frame) if turn else frame)
        self._held, self._held_s = [], 0.0

    def _take(self, frame: av.AudioFrame | None) -> None:
        try:
            made = self._resampler.resample(frame)
        except FFmpegError as error:
            raise_for_machine(error)
            raise Drop(
                "corrupt_audio", detail=f"{self._layout} at {self._rate} Hz cannot be resampled: {error.strerror}"
            ) from error
        for part in made:
            wave = np.clip(part.to_ndarray().reshape(-1).astype(np.float32), -1.0, 1.0)
            self._file.write(wave.tobytes())
            self._made += len(wave)


def is_out_of_phase(frames: Sequence[av.AudioFrame]) -> bool:
    """Whether the difference of two channels is 6 dB or more above their sum: one is the other's inverse, nearly."""
    power = common = 0.0
    for frame in frames[::PHASE_STEP]:
        left, right = _channels(frame.to_ndarray().astype(np.float32), frame.format.is_planar)
        if frame.format.name.startswith("u8"):
            left, right = left - 128, right - 128
        power += float(left @ left + right @ right)
        common += float(left @ right)
    # Sum and difference have the powers P + 2 C and P - 2 C; 6 dB is a factor of 4.
    return -10 * common >= 3 * power > 0


def _channels(samples: NDArray[Any], planar: bool) -> tuple[NDArray[Any], NDArray[Any]]:
    """The two channels of a frame's array; views."""
    return (samples[0], samples[1]) if planar else (samples[0, 0::2], samples[0, 1::2])


def _with_one_turned(frame: av.AudioFrame) -> av.AudioFrame:
    samples = frame.to_ndarray().copy()
    _, right = _channels(samples, frame.format.is_planar)
    right[:] = -right if samples.dtype.kind == "f" else ~right  # of whole numbers, signed or not, without an overflow
    turned = av.AudioFrame.from_ndarray(samples, format=frame.format.name, layout=frame.layout.name)
    turned.sample_rate, turned.time_base = frame.sample_rate, frame.time_base
    return turned


def native_channels(
    path: Path, start_s: float, end_s: float, track: int | None = None
) -> tuple[NDArray[np.float32], int, str]:
    """What a span of a sound track holds: (channels, samples), -1 to 1, its rate, and FFmpeg's name of the layout.

    A sample lies where `SourceAudio` places it, and what the track does not hold is 0.

    Raises:
        Drop: `no_audio_stream`, and those of `open_media` and `RunningPackets`.
    """
    with open_media(path) as container:
        stream = audio_of(container, track)
        if stream is None:
            raise Drop("no_audio_stream")
        context = stream.codec_context
        context.thread_count = 1
        hz, count = context.sample_rate, len(context.layout.channels)
        layout = context.layout.name if "channels" not in context.layout.name else LAYOUTS.get(count, "")
        wanted = np.zeros((count, round((end_s - start_s) * hz)), np.float32)
        resampler = av.AudioResampler("fltp", context.layout, hz)
        next_s: float | None = None
        try:
            for frame in decodable(_from(container, path, stream, start_s), Tally()):
                pts_s = frame.time if frame.time is not None else next_s or 0.0
                placed_s = next_s if next_s is not None and abs(pts_s - next_s) <= SourceAudio.JITTER_S else pts_s
                next_s = placed_s + frame.samples / hz
                if placed_s >= end_s:
                    break
                frame.pts = None
                for part in resampler.resample(frame):
                    samples = part.to_ndarray()
                    first = round((placed_s - start_s) * hz)
                    low, high = max(first, 0), min(first + samples.shape[1], wanted.shape[1])
                    if low < high:
                        wanted[:, low:high] = samples[:, low - first : high - first]
        except FFmpegError as error:
            raise_for_machine(error)
            raise Drop("corrupt_audio", detail=f"{layout} at {hz} Hz cannot be converted: {error.strerror}") from error
        return wanted, hz, layout


def _from(container: InputContainer, path: Path, stream: av.AudioStream, start_s: float) -> Iterable[av.Packet]:
    """The packets of a second before the span, so that a coder's overlap is decoded; from the file's start on where no
    seek leads there.
    """
    if may_restart(container, path) and clock_of(path).parts > 1:
        return RunningPackets(container, path, [stream])
    time_base = stream.time_base or Fraction(1, stream.codec_context.sample_rate)
    at_s = max(start_s - 1.0, float((stream.start_time or 0) * time_base))
    try:
        container.seek(int(at_s / time_base), stream=stream)
    except FFmpegError:
        container.seek(0)
    return packets_of(container, [stream])
