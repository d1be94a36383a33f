"""The shared decode: frames and sound of a source, on one clock.

The clock is the container's own, as FFmpeg's demuxers give it: a time is pts times time base, with edit lists applied
and nothing subtracted. Video and sound share it, so a source whose first frame comes at 0.85 s starts at 0.85 s, a
late sound track starts late, an MPEG transport stream may start at 95,443 s, and a time may be negative. Seconds here
are the seconds `ffprobe` prints.

A picture is as a player shows it: turned and mirrored by the display matrix, and with square pixels (the height stays,
the width is scaled by the sample aspect ratio). When a stream changes its size midway, every frame is shown in the
size of the first, so that boxes stay comparable. Limited range is expanded to 0..255; the matrix is the one the stream
names, BT.601 where it names none, as in FFmpeg. Pictures of high dynamic range (PQ, HLG) are shown as on an ordinary
screen, see `tone.py`.

Where a file's clock starts anew, as when transport streams or recordings of a browser were put one behind the other,
one clock runs on, see `clock.py`. Containers that know no presentation times (AVI, Matroska in the manner of Video for
Windows) store when a packet is to be decoded: a picture is shown when the decoder gives it out, as FFmpeg's best-effort
timestamps say.
"""

import itertools
import math
import threading
from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

import av
import numpy as np
from av.error import FFmpegError
from av.video.reformatter import Interpolation
from numpy.typing import NDArray

from operators.base import Drop
from operators.media.clock import RunningPackets, clock_of, may_restart
from operators.media.containers import Display, open_media, packets_of, shown_when_decoded, video_of
from operators.media.decoding import Tally, shown
from operators.media.pixels import (
    CROPPED,
    SCALED,
    are_even,
    cut,
    expanded,
    has_whole_samples,
    is_full_range,
    is_planar_yuv,
    read_only,
    reformatted,
    step_of,
    whole_flags,
    yuv_of,
    yuv_of_rgb,
)  # fmt: skip
from operators.media.tone import ToneMap, is_hdr

T = TypeVar("T")

CROP_BLOCK = 8  # stored pixels: a multiple of every chroma subsampling
# how much too large a crop still is after whole pixels were averaged, at least; Pillow advises 2 or more
LEFT_TO_WINDOW = 1.9


class SourceFrame:
    """One decoded picture; see `operators.asks.Frame`. Safe to ask from several threads at once.

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

        A pixel is the mean of those it covers. Of a frame that is 4.5 times as large or more only every third, fifth,
        ... line is looked at, as far as its lines divide so and 1.5 or more are left for each of the picture: on real
        films 0.3 levels of 255 from the whole mean in the mean.
        """
        return self._converted("rgb24", height)

    def gray(self, height: int | None = None) -> NDArray[np.uint8]:
        """(h, w) luma, 0 to 255, displayed orientation, read-only; scaled to `height` lines, never up, where given.

        It comes from the luma plane alone, black at 0 and white at 255 whatever the range the stream stores. Scaled as
        by `rgb`.
        """
        return self._converted("gray", height)

    def luma(self, left: int, top: int, right: int, bottom: int) -> NDArray[np.uint8]:
        """(bottom - top, right - left) of `gray()`, 0 to 255, read-only, without the cost of the rest; whole displayed
        pixels within the frame.
        """
        if not self._is_stored_as_shown() or self._frame.format.components[0].bits != 8:
            return read_only(self.gray()[top:bottom, left:right])
        x0, y0, x1, y1 = self._stored(left, top, right, bottom)
        plane = self._frame.planes[0]
        stored = np.frombuffer(memoryview(plane), np.uint8).reshape(-1, plane.line_size)[y0:y1, x0:x1]
        if not is_full_range(self._frame):
            stored = expanded(stored)
        return read_only(self._display.turned(stored))

    def crop(self, left: float, top: float, right: float, bottom: float, size: tuple[int, int]) -> NDArray[np.uint8]:
        """(size[1], size[0], 3) RGB of a box of the displayed frame; black beyond the frame, read-only.

        The box keeps its fractions of a pixel. An axis is averaged over the area (a Hamming window, since Pillow's box
        window knows whole pixels only) when it shrinks, and bilinear when it grows.
        Only the part of the frame under the box is converted. Where that is four times too large or more, whole blocks
        of its pixels are averaged first, while it is converted, and the window does the rest: on real frames a third of
        a level of 255 from the window alone in the mean, up to 16 at single pixels of sharp edges. A box of whole
        pixels whose corner lies on a multiple of 8 is averaged while it is converted and needs no window, where it
        shrinks: a fifth of the cost.

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
            return read_only(made)
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
                canvas[inner[1] - outer[1] : inner[3] - outer[1], inner[0] - outer[0] : inner[2] - outer[0]] = (
                    self._region(*inner)
                )
        picture = Image.fromarray(np.ascontiguousarray(canvas))
        # One axis after the other, since a box may shrink on one and grow on the other.
        across = Image.Resampling.HAMMING if size[0] < right - left else Image.Resampling.BILINEAR
        down = Image.Resampling.HAMMING if size[1] < bottom - top else Image.Resampling.BILINEAR
        if across == down:
            picture = picture.resize(size, across, box)
        else:
            picture = picture.resize((size[0], canvas.shape[0]), across, (box[0], 0, box[2], canvas.shape[0]))
            picture = picture.resize(size, down, (0, box[1], size[0], box[3]))
        return read_only(np.asarray(picture))

    def planes(self, left: float, top: float, right: float, bottom: float, size: tuple[int, int]) -> NDArray[np.uint8]:
        """(size[1] * 3 // 2, size[0]) a box of the displayed frame as YUV 4:2:0 of BT.709 in limited range, read-only:
        the luma, then a quarter as many samples of each chroma. Both sides are even.

        A box of whole even pixels within the frame is scaled as it is stored, any other goes through RGB, see `crop`.
        """
        is_within = left >= 0 and top >= 0 and right <= self.width and bottom <= self.height
        if not (is_within and are_even(self._frame, left, top, right, bottom) and self._is_stored_as_shown()):
            return read_only(yuv_of_rgb(self.crop(left, top, right, bottom, size)))
        x0, y0, x1, y1 = self._stored(int(left), int(top), int(right), int(bottom))
        width, height = size[::-1] if self._display.transposed else size
        with self._lock:
            made = yuv_of(cut(self._frame, x0, y0, x1, y1), width, height)
        return read_only(self._display.turned_planes(made))

    def once(self, key: Hashable, make: Callable[[], T]) -> T:
        """What `make` gives, made for this frame once, however many operators ask for it by that key, from whatever
        thread.

        What `make` raises is raised to who asked, and the next one tries again.
        """
        with self._sharing:
            if key not in self._shared:
                self._shared[key] = make()
            return self._shared[key]

    def _converted(self, form: str, height: int | None) -> NDArray[np.uint8]:
        lines = self.height if height is None else max(1, min(height, self.height))
        with self._lock:
            if (form, lines) not in self._made:
                shown = max(1, round(self.width * lines / self.height)), lines
                width, height = shown[::-1] if self._display.transposed else shown
                flags = (
                    whole_flags(self._frame) if (width, height) == (self._frame.width, self._frame.height) else SCALED
                )
                step = step_of(self._frame.height, height) if is_planar_yuv(self._frame.format) else 1
                frame = (
                    self._frame if step == 1 else cut(self._frame, 0, 0, self._frame.width, self._frame.height, step)
                )
                stored = reformatted(frame, form, width, height, flags)
                self._made[form, lines] = read_only(self._display.turned(stored))
            return self._made[form, lines]

    def _region(self, left: int, top: int, right: int, bottom: int) -> NDArray[np.uint8]:
        """RGB of whole displayed pixels within the frame."""
        if not self._is_stored_as_shown():
            return self.rgb()[top:bottom, left:right]
        left, top, right, bottom = self._stored(left, top, right, bottom)
        x0, y0 = left // CROP_BLOCK * CROP_BLOCK, top // CROP_BLOCK * CROP_BLOCK
        x1, y1 = (
            min(-(-side // CROP_BLOCK) * CROP_BLOCK, most)
            for side, most in ((right, self._frame.width), (bottom, self._frame.height))
        )
        part = self._part(x0, y0, x1, y1, x1 - x0, y1 - y0, CROPPED)
        return self._display.turned(part[top - y0 : bottom - y0, left - x0 : right - x0])

    def _scaled(
        self, left: int, top: int, right: int, bottom: int, width: int, height: int
    ) -> NDArray[np.uint8] | None:
        """RGB of whole displayed pixels within the frame, made smaller; None where their corner lies on no block."""
        x0, y0, x1, y1 = self._stored(left, top, right, bottom)
        if not self._is_stored_as_shown() or x0 % CROP_BLOCK or y0 % CROP_BLOCK:
            return None
        width, height = (height, width) if self._display.transposed else (width, height)
        return self._display.turned(self._part(x0, y0, x1, y1, width, height, SCALED))

    def _blocks(
        self, left: int, top: int, right: int, bottom: int, side: int
    ) -> tuple[NDArray[np.uint8], float, float] | None:
        """RGB of a part of the frame that holds these displayed pixels, a pixel the mean of `side` by `side`, and its
        left and top.

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
        shown = (
            (self.width - x1 if self._display.flipped_x else x0),
            (self.height - y1 if self._display.flipped_y else y0),
        )
        return self._display.turned(part), *shown

    def _part(
        self, x0: int, y0: int, x1: int, y1: int, width: int, height: int, flags: Interpolation
    ) -> NDArray[np.uint8]:
        """RGB of stored pixels, whose corner lies on a block, scaled."""
        with self._lock:
            part = cut(self._frame, x0, y0, x1, y1, step_of(y1 - y0, height))
            return reformatted(part, "rgb24", width, height, flags)

    def _is_stored_as_shown(self) -> bool:
        """Whether the displayed pixels are the stored ones but for their order, so that a part can be converted by
        itself.
        """
        stored_size = (self.height, self.width) if self._display.transposed else (self.width, self.height)
        is_same = stored_size == (self._frame.width, self._frame.height)
        return is_same and is_planar_yuv(self._frame.format) and has_whole_samples(self._frame)

    def _stored(self, left: int, top: int, right: int, bottom: int) -> tuple[int, int, int, int]:
        """Where displayed pixels are stored."""
        if self._display.flipped_x:
            left, right = self.width - right, self.width - left
        if self._display.flipped_y:
            top, bottom = self.height - bottom, self.height - top
        return (top, left, bottom, right) if self._display.transposed else (left, top, right, bottom)


@dataclass(frozen=True)
class VideoFrames:
    """The frames of a source whose pts lies in [start_s, end_s), in order of pts; of the whole source where they are
    None.

    Each iteration opens the file anew, so it may be iterated as often as wanted, by several threads too. It decodes
    from the key frame before the span, and holds no frame that the consumer does not hold.

    Packets that cannot be decoded, frames that the decoder marks as damaged, and frames whose pts is not after the
    one before are left out. When they are more than a tenth of the packets, or no frame is left, the iteration ends in
    a drop.

    Args:
        threads: that decode; more than one decodes several frames at once.
        on_gpu: where the process holds a GPU that knows the codec; the frames are the same, since decoders of a
            standard agree to the bit.

    Raises:
        Drop: `no_video_stream`, `corrupt_video`, and those of `open_media` and `RunningPackets`.
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
            display, tone_map = None, ToneMap()
            for frame, pts_s in frames:
                if self.end_s is not None and pts_s >= self.end_s:
                    break
                display = display or Display.of(stream, frame, size)
                if self.start_s is None or pts_s >= self.start_s:
                    yield SourceFrame(tone_map(frame) if is_hdr(frame.color_trc) else frame, pts_s, display)
            tally.check("corrupt_video")

    def _sought(self, container, stream) -> "tuple[Tally, Iterator[tuple[av.VideoFrame, float]]] | None":
        """Frames from one that is not after the span's start on; None where no seek leads there."""
        tally = Tally()
        if self.start_s is None or (
            stream.start_time is not None and self.start_s <= float(stream.start_time * stream.time_base)
        ):
            return tally, shown(
                RunningPackets(container, self.path, [stream]), tally, shown_when_decoded(container, stream)
            )
        if may_restart(container, self.path) and clock_of(self.path).parts > 1:
            return None
        # Containers index by decoding time, by byte or not at all, so that a seek may land behind the wanted frame.
        for back_s in (0.0, 1.0, 5.0, 30.0):
            try:
                container.seek(math.floor((self.start_s - back_s) / stream.time_base + 0.01), stream=stream)
            except FFmpegError:
                return None
            tally = Tally()
            frames = shown(packets_of(container, [stream]), tally, shown_when_decoded(container, stream))
            first = next(frames, None)
            if first is not None and first[1] <= self.start_s:
                return tally, itertools.chain([first], frames)
        return None
