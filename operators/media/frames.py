"""The shared decode: frames and sound of a source, on one clock.

The clock is the container's own, as FFmpeg's demuxers give it: a time is pts times time base, with edit lists applied
and nothing subtracted. Video and sound share it, so a source whose first frame comes at 0.85 s starts at 0.85 s, a
late sound track starts late, an MPEG transport stream may start at 95,443 s, and a time may be negative. Seconds here
are the seconds `ffprobe` prints.

A picture is as a player shows it: turned and mirrored by the display matrix, and with square pixels (the height stays,
the width is scaled by the sample aspect ratio). When a stream changes its size midway, every frame is shown in the
size of the first, so that boxes stay comparable. Limited range is expanded to 0..255; the matrix is the one the stream
names, BT.601 where it names none, as in FFmpeg. Pictures of high dynamic range are not tone mapped.
"""

import itertools
import math
import tempfile
import threading
from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import IO, Any, TypeVar

import av
import numpy as np
from av.error import BugError, FFmpegError, InvalidDataError, PatchWelcomeError
from av.video.reformatter import ColorRange, Colorspace, Interpolation, VideoReformatter
from numpy.typing import NDArray

from operators.base import Drop
from operators.sources.probe_source import Display, audio_of, open_media, video_of

T = TypeVar("T")

# Within half a level of the formulas of ITU-R BT.601 and BT.709, on every machine.
_ROUNDED = Interpolation.ACCURATE_RND | Interpolation.BITEXACT | Interpolation.FULL_CHR_H_INT
SCALED = Interpolation.AREA | _ROUNDED
CROPPED = Interpolation.POINT | _ROUNDED  # a chroma sample serves the pixels it covers
WHOLE = Interpolation.POINT  # about eight times faster, what other readers give, and about one level too dark
UNDECODABLE = (InvalidDataError, BugError, PatchWelcomeError)  # what FFmpeg's decoders say of a damaged packet
CROP_BLOCK = 8  # stored pixels: a multiple of every chroma subsampling
LEFT_TO_WINDOW = 1.9  # how much too large a crop still is after whole pixels were averaged, at least; Pillow advises 2 or more
LINES_OF_ONE = 1.5  # lines of the frame that are averaged for a line of a much smaller picture, at least


class SourceFrame:
    """One decoded picture; see `operators.base.Frame`. Safe to ask from several threads at once.

    Attributes:
        pts_s: seconds on the source's clock.
        width, height: displayed pixels, the same for all frames of a source.
    """

    def __init__(self, frame: av.VideoFrame, pts_s: float, display: Display):
        self.pts_s, self.width, self.height = pts_s, display.width, display.height
        self._frame, self._display = frame, display
        self._made: dict[tuple[str, int], NDArray[np.uint8]] = {}
        self._lock = threading.Lock()
        self._shared: dict[Hashable, Any] = {}
        self._sharing = threading.RLock()  # not the lock of the conversions, which what is shared asks for

    def __repr__(self) -> str:
        return f"<SourceFrame {self.pts_s:.3f} s, {self.width}x{self.height}>"

    def rgb(self, height: int | None = None) -> NDArray[np.uint8]:
        """(h, w, 3), 0 to 255, displayed orientation, read-only; scaled to `height` lines, never up, where given.

        A pixel is the mean of those it covers. Of a frame that is 4.5 times as large or more only every third, fifth, ... line is looked at, as far as
        its lines divide so and 1.5 or more are left for each of the picture: on real films 0.3 levels of 255 from the whole mean in the mean.
        """
        return self._converted("rgb24", height)

    def gray(self, height: int | None = None) -> NDArray[np.uint8]:
        """(h, w) luma, 0 to 255, displayed orientation, read-only; scaled to `height` lines, never up, where given.

        It comes from the luma plane alone, black at 0 and white at 255 whatever the range the stream stores. Scaled as by `rgb`.
        """
        return self._converted("gray", height)

    def luma(self, left: int, top: int, right: int, bottom: int) -> NDArray[np.uint8]:
        """(bottom - top, right - left) of `gray()`, 0 to 255, read-only, without the cost of the rest; whole displayed pixels within the frame."""
        if not self._is_stored_as_shown() or self._frame.format.components[0].bits != 8:
            return _read_only(self.gray()[top:bottom, left:right])
        x0, y0, x1, y1 = self._stored(left, top, right, bottom)
        plane = self._frame.planes[0]
        stored = np.frombuffer(memoryview(plane), np.uint8).reshape(-1, plane.line_size)[y0:y1, x0:x1]
        if self._frame.color_range != ColorRange.JPEG:
            stored = _expanded(stored)
        return _read_only(self._display.turned(stored))

    def crop(self, left: float, top: float, right: float, bottom: float, size: tuple[int, int]) -> NDArray[np.uint8]:
        """(size[1], size[0], 3) RGB of a box of the displayed frame; black beyond the frame, read-only.

        The box keeps its fractions of a pixel. An axis is averaged over the area (a Hamming window, since Pillow's box
        window knows whole pixels only) when it shrinks, and bilinear when it grows.
        Only the part of the frame under the box is converted. Where that is four times too large or more, whole blocks of its pixels are
        averaged first, while it is converted, and the window does the rest: on real frames a third of a level of 255 from the window alone
        in the mean, up to 16 at single pixels of sharp edges. A box of whole pixels whose corner lies on a multiple of 8 is averaged while it is
        converted and needs no window, where it shrinks: a fifth of the cost.

        Raises:
            ValueError: for a box without area.
        """
        if not (right > left and bottom > top):
            raise ValueError(f"the box {left, top, right, bottom} has no area")
        from PIL import Image

        outer = math.floor(left), math.floor(top), math.ceil(right), math.ceil(bottom)
        inner = max(outer[0], 0), max(outer[1], 0), min(outer[2], self.width), min(outer[3], self.height)
        too_large = min((right - left) / size[0], (bottom - top) / size[1])
        if too_large > 1 and inner == (left, top, right, bottom) and (made := self._scaled(*inner, *size)) is not None:
            return _read_only(made)
        shrink = int(too_large / LEFT_TO_WINDOW)
        box = left - outer[0], top - outer[1], right - outer[0], bottom - outer[1]  # in the canvas
        if inner == outer and shrink > 1 and (blocks := self._blocks(*outer, shrink)):
            canvas, x, y = blocks
            box = (left - x) / shrink, (top - y) / shrink, (right - x) / shrink, (bottom - y) / shrink
        elif inner == outer:
            canvas = self._region(*inner)
        else:
            canvas = np.zeros((outer[3] - outer[1], outer[2] - outer[0], 3), np.uint8)
            if inner[0] < inner[2] and inner[1] < inner[3]:
                canvas[inner[1] - outer[1] : inner[3] - outer[1], inner[0] - outer[0] : inner[2] - outer[0]] = self._region(*inner)
        picture = Image.fromarray(np.ascontiguousarray(canvas))
        # One axis after the other, since a box may shrink on one and grow on the other.
        across = Image.Resampling.HAMMING if size[0] < right - left else Image.Resampling.BILINEAR
        down = Image.Resampling.HAMMING if size[1] < bottom - top else Image.Resampling.BILINEAR
        if across == down:
            picture = picture.resize(size, across, box)
        else:
            picture = picture.resize((size[0], canvas.shape[0]), across, (box[0], 0, box[2], canvas.shape[0]))
            picture = picture.resize(size, down, (0, box[1], size[0], box[3]))
        return _read_only(np.asarray(picture))

    def once(self, key: Hashable, make: Callable[[], T]) -> T:
        """What `make` gives, made for this frame once, however many operators ask for it by that key, from whatever thread.

        What `make` raises is raised to who asked, and the next one tries again.
        """
        with self._sharing:
            if key not in self._shared:
                self._shared[key] = make()
            return self._shared[key]

    def _converted(self, form: str, height: int | None) -> NDArray[np.uint8]:
        lines = self.height if height is None else min(height, self.height)
        with self._lock:
            if (form, lines) not in self._made:
                shown = max(1, round(self.width * lines / self.height)), lines
                width, height = shown[::-1] if self._display.transposed else shown
                flags = WHOLE if (width, height) == (self._frame.width, self._frame.height) else SCALED
                step = _step(self._frame.height, height) if _is_planar_yuv(self._frame.format) else 1
                frame = self._frame if step == 1 else _cut(self._frame, 0, 0, self._frame.width, self._frame.height, step)
                stored = _reformatted(frame, form, width, height, flags)
                self._made[form, lines] = _read_only(self._display.turned(stored))
            return self._made[form, lines]

    def _region(self, left: int, top: int, right: int, bottom: int) -> NDArray[np.uint8]:
        """RGB of whole displayed pixels within the frame."""
        if not self._is_stored_as_shown():
            return self.rgb()[top:bottom, left:right]
        left, top, right, bottom = self._stored(left, top, right, bottom)
        x0, y0 = left // CROP_BLOCK * CROP_BLOCK, top // CROP_BLOCK * CROP_BLOCK
        x1, y1 = (
            min(-(-side // CROP_BLOCK) * CROP_BLOCK, most) for side, most in ((right, self._frame.width), (bottom, self._frame.height))
        )
        part = self._part(x0, y0, x1, y1, x1 - x0, y1 - y0, CROPPED)
        return self._display.turned(part[top - y0 : bottom - y0, left - x0 : right - x0])

    def _scaled(self, left: int, top: int, right: int, bottom: int, width: int, height: int) -> NDArray[np.uint8] | None:
        """RGB of whole displayed pixels within the frame, made smaller; None where their corner lies on no block."""
        x0, y0, x1, y1 = self._stored(left, top, right, bottom)
        if not self._is_stored_as_shown() or x0 % CROP_BLOCK or y0 % CROP_BLOCK:
            return None
        width, height = (height, width) if self._display.transposed else (width, height)
        return self._display.turned(self._part(x0, y0, x1, y1, width, height, SCALED))

    def _blocks(self, left: int, top: int, right: int, bottom: int, side: int) -> tuple[NDArray[np.uint8], float, float] | None:
        """RGB of a part of the frame that holds these displayed pixels, a pixel the mean of `side` by `side`, and its left and top.

        None where blocks would reach beyond the frame.
        """
        if not self._is_stored_as_shown():
            return None
        left, top, right, bottom = self._stored(left, top, right, bottom)
        x0, y0, step = left // CROP_BLOCK * CROP_BLOCK, top // CROP_BLOCK * CROP_BLOCK, side * CROP_BLOCK
        x1, y1 = x0 + -(-(right - x0) // step) * step, y0 + -(-(bottom - y0) // step) * step
        if x1 > self._frame.width or y1 > self._frame.height:
            return None
        part = self._part(x0, y0, x1, y1, (x1 - x0) // side, (y1 - y0) // side, SCALED)
        if self._display.transposed:
            x0, y0, x1, y1 = y0, x0, y1, x1
        shown = (self.width - x1 if self._display.flipped_x else x0), (self.height - y1 if self._display.flipped_y else y0)
        return self._display.turned(part), *shown

    def _part(self, x0: int, y0: int, x1: int, y1: int, width: int, height: int, flags: Interpolation) -> NDArray[np.uint8]:
        """RGB of stored pixels, whose corner lies on a block, scaled."""
        with self._lock:
            part = _cut(self._frame, x0, y0, x1, y1, _step(y1 - y0, height))
            return _reformatted(part, "rgb24", width, height, flags)

    def _is_stored_as_shown(self) -> bool:
        """Whether the displayed pixels are the stored ones but for their order, so that a part can be converted by itself."""
        stored_size = (self.height, self.width) if self._display.transposed else (self.width, self.height)
        return stored_size == (self._frame.width, self._frame.height) and _is_planar_yuv(self._frame.format)

    def _stored(self, left: int, top: int, right: int, bottom: int) -> tuple[int, int, int, int]:
        """Where displayed pixels are stored."""
        if self._display.flipped_x:
            left, right = self.width - right, self.width - left
        if self._display.flipped_y:
            top, bottom = self.height - bottom, self.height - top
        return (top, left, bottom, right) if self._display.transposed else (left, top, right, bottom)


@dataclass(frozen=True)
class VideoFrames:
    """The frames of a source whose pts lies in [start_s, end_s), in order of pts; of the whole source where they are None.

    Each iteration opens the file anew, so it may be iterated as often as wanted, by several threads too. It decodes
    from the key frame before the span, and holds no frame that the consumer does not hold.

    Packets that cannot be decoded, frames that the decoder marks as damaged, and frames whose pts is not after the
    one before are left out. When they are more than a tenth of the packets, or no frame is left, the iteration ends in
    a drop.

    Args:
        threads: that decode; more than one decodes several frames at once.
        on_gpu: where the process holds a GPU that knows the codec; the frames are the same, since decoders of a standard agree to the bit.

    Raises:
        Drop: `no_video_stream`, `corrupt_video`, and those of `open_media`.
    """

    path: Path
    start_s: float | None = None
    end_s: float | None = None
    threads: int = 1
    on_gpu: bool = False

    def __iter__(self) -> Iterator[SourceFrame]:
        with open_media(self.path, self.on_gpu) as container:
            stream = video_of(container)
            if stream is None:
                raise Drop("no_video_stream")
            size = stream.codec_context.width, stream.codec_context.height
            stream.codec_context.thread_count = self.threads
            stream.codec_context.thread_type = "AUTO" if self.threads > 1 else "NONE"
            begun = self._sought(container, stream)
            if begun is None:
                whole = replace(self, start_s=None)
                yield from (frame for frame in whole if self.start_s is None or frame.pts_s >= self.start_s)
                return
            tally, frames = begun
            display = None
            for frame, pts_s in frames:
                if self.end_s is not None and pts_s >= self.end_s:
                    break
                display = display or Display.of(stream, frame, size)
                if self.start_s is None or pts_s >= self.start_s:
                    yield SourceFrame(frame, pts_s, display)
            tally.check("corrupt_video")

    def _sought(self, container, stream) -> "tuple[_Tally, Iterator[tuple[av.VideoFrame, float]]] | None":
        """Frames from one that is not after the span's start on; None where no seek leads there."""
        tally = _Tally()
        if self.start_s is None or (stream.start_time is not None and self.start_s <= float(stream.start_time * stream.time_base)):
            return tally, _decoded(container, stream, tally)
        # Containers index by decoding time, by byte or not at all, so that a seek may land behind the wanted frame.
        for back_s in (0.0, 1.0, 5.0, 30.0):
            try:
                container.seek(math.floor((self.start_s - back_s) / stream.time_base + 0.01), stream=stream)
            except FFmpegError:
                return None
            tally = _Tally()
            frames = _decoded(container, stream, tally)
            first = next(frames, None)
            if first is not None and first[1] <= self.start_s:
                return tally, itertools.chain([first], frames)
        return None


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


@dataclass
class _Tally:
    packets: int = 0
    lost: int = 0  # packets that raise, frames marked as damaged or out of order
    kept: int = 0

    def check(self, reason: str) -> None:
        if self.packets and (self.lost * 10 > self.packets or not self.kept):
            raise Drop(reason, detail=f"{self.lost} of {self.packets} packets undecodable")


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


def _decodable(container, stream, tally: _Tally) -> Iterator[Any]:
    """The frames of the packets that can be decoded; the others are counted."""
    for packet in container.demux(stream):
        tally.packets += packet.size > 0
        try:
            frames = stream.codec_context.decode(packet)
        except UNDECODABLE:
            tally.lost += 1
        else:
            yield from frames


def _decoded(container, stream, tally: _Tally) -> Iterator[tuple[av.VideoFrame, float]]:
    last_s = -math.inf
    for frame in _decodable(container, stream, tally):
        pts = frame.pts if frame.pts is not None else frame.dts
        pts_s = float(pts * frame.time_base) if pts is not None else -math.inf
        if frame.is_corrupt or pts_s <= last_s:
            tally.lost += 1
            continue
        last_s = pts_s
        tally.kept += 1
        yield frame, pts_s


_of_thread = threading.local()


def _kept(what: str, most: int, kind: Hashable, make: Callable[[], T]) -> T:
    """What this thread made for a kind before, since it is not safe to share and slow to make; else what it makes now. The last few kinds are kept."""
    made: dict[Hashable, Any] = _of_thread.__dict__.setdefault(what, {})
    if kind not in made:
        if len(made) >= most:
            made.pop(next(iter(made)))
        made[kind] = make()
    return made[kind]


def _reformatted(frame: av.VideoFrame, form: str, width: int, height: int, flags: Interpolation) -> NDArray[np.uint8]:
    """Converted to full range."""
    if form == "rgb24" and flags != WHOLE:
        form = "gbrp"  # the same levels at two thirds of the cost: FFmpeg has vector code for planes only
    kind = form, width, height, flags, frame.width, frame.height, frame.format.name
    converter = _kept("converters", 32, kind, VideoReformatter)
    # Luma must not pass through RGB, which it would where the matrix of the target differs from the stream's.
    matrix = Colorspace.ITU601 if form == "gray" else None
    made = converter.reformat(frame, width, height, form, matrix, matrix, interpolation=flags, dst_color_range=ColorRange.JPEG, threads=1)
    return np.array(made.to_ndarray(), np.uint8, copy=True if made is frame else None)


# Rounded as by FFmpeg's conversion: a test holds that.
_EXPANDED = np.clip(np.round((np.arange(256) - 16) * 255 / 219), 0, 255).astype(np.uint8).tobytes()


def _expanded(luma: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Limited range, 16 to 235, to full range."""
    return np.frombuffer(luma.tobytes().translate(_EXPANDED), np.uint8).reshape(luma.shape)


def _is_planar_yuv(form: av.VideoFormat) -> bool:
    return not form.is_rgb and not form.has_palette and (form.is_planar or len(form.components) == 1)


def _step(lines: int, height: int) -> int:
    """Every how many of the lines of a picture need to be looked at when it is to have so few: 1, 3, 5, ...; it divides their number."""
    steps = range(int(lines / (LINES_OF_ONE * height)), 2, -1)
    return next((step for step in steps if step % 2 and lines % step == 0), 1)


def _cut(frame: av.VideoFrame, x0: int, y0: int, x1: int, y1: int, step: int = 1) -> av.VideoFrame:
    """A part of the stored picture, whose corner lies on a block: all its lines, or the middle ones of every `step`, which is odd and divides their number.

    It holds until this thread cuts one of the same size.
    """
    form = frame.format
    size = x1 - x0, (y1 - y0) // step
    part = _kept("parts", 4, (*size, form.name), lambda: av.VideoFrame(*size, form.name))
    part.colorspace, part.color_range = frame.colorspace, frame.color_range
    for deep, whole, cut in zip(_depths(form.name), frame.planes, part.planes, strict=True):
        wide, high = frame.width // whole.width, frame.height // whole.height  # of chroma subsampling
        source = np.frombuffer(memoryview(whole), np.uint8).reshape(-1, whole.line_size)
        target = np.frombuffer(memoryview(cut), np.uint8).reshape(-1, cut.line_size)
        target[: cut.height, : cut.width * deep] = source[y0 // high + step // 2 :: step, x0 // wide * deep :][
            : cut.height, : cut.width * deep
        ]
    return part


@cache
def _depths(form: str) -> tuple[int, ...]:
    """Bytes a sample of each plane."""
    components = av.VideoFormat(form).components
    deep = 2 if max(component.bits for component in components) > 8 else 1
    planes = [component.plane for component in components]
    return tuple(deep * planes.count(plane) for plane in sorted(set(planes)))


def _read_only(array: NDArray[np.uint8]) -> NDArray[np.uint8]:
    array = np.ascontiguousarray(array).view()
    array.flags.writeable = False
    return array


def _sound(path: Path, hz: int, jitter_s: float, in_memory: int) -> _Sound:
    """Decodes in runs: stretches whose samples follow one another, each placed by the pts of its first sample."""
    samples: Any = tempfile.SpooledTemporaryFile(in_memory)  # noqa: SIM115 - it goes with the last that refers to it
    pieces: list[_Piece] = []
    start_s, end_s = math.inf, -math.inf
    tally = _Tally()
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


def _decoded_audio(container, stream, tally: _Tally) -> Iterator[tuple[av.AudioFrame, float]]:
    stream.codec_context.thread_count = 1
    next_s = 0.0
    for frame in _decodable(container, stream, tally):
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
