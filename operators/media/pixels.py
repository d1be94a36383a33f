"""Pixels of decoded pictures: conversion to RGB and luma, and parts of a picture without the cost of the rest."""

import threading
from collections.abc import Callable, Hashable
from functools import cache
from typing import Any, TypeVar

import av
import numpy as np
from av.video.reformatter import ColorRange, Colorspace, Interpolation, VideoReformatter
from numpy.typing import NDArray

T = TypeVar("T")

# Within half a level of the formulas of ITU-R BT.601 and BT.709, on every machine.
_ROUNDED = Interpolation.ACCURATE_RND | Interpolation.BITEXACT | Interpolation.FULL_CHR_H_INT
SCALED = Interpolation.AREA | _ROUNDED
CROPPED = Interpolation.POINT | _ROUNDED  # a chroma sample serves the pixels it covers
WHOLE = Interpolation.POINT  # about eight times faster, what other readers give, and about one level too dark
LINES_OF_ONE = 1.5  # lines of the frame that are averaged for a line of a much smaller picture, at least

_of_thread = threading.local()


def _kept(what: str, most: int, kind: Hashable, make: Callable[[], T]) -> T:
    """What this thread made for a kind before, since it is not safe to share and slow to make; else what it makes now.
    The last few kinds are kept.
    """
    made: dict[Hashable, Any] = _of_thread.__dict__.setdefault(what, {})
    if kind not in made:
        if len(made) >= most:
            made.pop(next(iter(made)))
        made[kind] = make()
    return made[kind]


def reformatted(frame: av.VideoFrame, form: str, width: int, height: int, flags: Interpolation) -> NDArray[np.uint8]:
    """Converted to full range."""
    if form == "rgb24" and flags != WHOLE:
        form = "gbrp"  # the same levels at two thirds of the cost: FFmpeg has vector code for planes only
    kind = form, width, height, flags, frame.width, frame.height, frame.format.name
    converter = _kept("converters", 32, kind, VideoReformatter)
    # Luma must not pass through RGB, which it would where the matrix of the target differs from the stream's.
    matrix = Colorspace.ITU601 if form == "gray" else None
    made = converter.reformat(
        frame, width, height, form, matrix, matrix, interpolation=flags, dst_color_range=ColorRange.JPEG, threads=1
    )
    return np.array(made.to_ndarray(), np.uint8, copy=True if made is frame else None)


def yuv_of(frame: av.VideoFrame, width: int, height: int, flags: Interpolation = SCALED) -> NDArray[np.uint8]:
    """(height * 3 // 2, width) scaled, as YUV 4:2:0 of BT.709 in limited range."""
    converter = _kept("coders", 8, (width, height, frame.width, frame.height, frame.format.name), VideoReformatter)
    made = converter.reformat(
        frame, width, height, "yuv420p", None, Colorspace.ITU709, interpolation=flags, dst_color_range=ColorRange.MPEG,
        threads=1,
    )  # fmt: skip
    return np.array(made.to_ndarray(), np.uint8, copy=True if made is frame else None)


def yuv_of_rgb(rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """(height * 3 // 2, width) of (height, width, 3), both even, full range: YUV 4:2:0 of BT.709 in limited range."""
    frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(rgb), format="rgb24")
    return yuv_of(frame, frame.width, frame.height)


# Rounded as by FFmpeg's conversion: a test holds that.
_EXPANDED = np.clip(np.round((np.arange(256) - 16) * 255 / 219), 0, 255).astype(np.uint8).tobytes()


def expanded(luma: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Limited range, 16 to 235, to full range."""
    return np.frombuffer(luma.tobytes().translate(_EXPANDED), np.uint8).reshape(luma.shape)


def is_planar_yuv(form: av.VideoFormat) -> bool:
    return not form.is_rgb and not form.has_palette and (form.is_planar or len(form.components) == 1)


def step_of(lines: int, height: int) -> int:
    """Every how many of the lines of a picture need to be looked at when it is to have so few: 1, 3, 5, ...; it divides
    their number.
    """
    steps = range(int(lines / (LINES_OF_ONE * height)), 2, -1)
    return next((step for step in steps if step % 2 and lines % step == 0), 1)


def cut(frame: av.VideoFrame, x0: int, y0: int, x1: int, y1: int, step: int = 1) -> av.VideoFrame:
    """A part of the stored picture, whose corner lies on a block: all its lines, or the middle ones of every `step`,
    which is odd and divides their number.

    It holds until this thread cuts one of the same size.
    """
    form = frame.format
    size = x1 - x0, (y1 - y0) // step
    part = _kept("parts", 4, (*size, form.name), lambda: av.VideoFrame(*size, form.name))
    part.colorspace, part.color_range = frame.colorspace, frame.color_range
    for (deep, wide, high), whole, piece in zip(_layout(form.name), frame.planes, part.planes, strict=True):
        source = np.frombuffer(memoryview(whole), np.uint8).reshape(-1, whole.line_size)
        target = np.frombuffer(memoryview(piece), np.uint8).reshape(-1, piece.line_size)
        lines = source[y0 // high + step // 2 :: step, x0 // wide * deep :][: piece.height, : piece.width * deep]
        target[: len(lines), : lines.shape[1]] = lines
        target[len(lines) : piece.height] = target[max(len(lines) - 1, 0)]
    return part


def has_whole_samples(frame: av.VideoFrame) -> bool:
    """Whether each chroma sample covers as many pixels as any other.

    Where a side is odd, say, FFmpeg stretches the chroma over the picture, so that a part of it converted by itself has
    other colours.
    """
    wide, high = _subsampling(frame.format.name)
    return frame.width % wide == 0 and frame.height % high == 0


def are_even(frame: av.VideoFrame, left: float, top: float, right: float, bottom: float) -> bool:
    """Whether a box with an area begins and ends between samples of every plane: at even pixels, where a sample of
    chroma covers two each way at most.
    """
    is_even = all(edge % 2 == 0 for edge in (left, top, right, bottom))
    return is_even and right > left and bottom > top and max(_subsampling(frame.format.name)) <= 2


def whole_flags(frame: av.VideoFrame) -> Interpolation:
    """What converts a whole picture without scaling: the fast way, but for subsamplings where that takes the chroma of
    another place.
    """
    return WHOLE if _subsampling(frame.format.name) in ((1, 1), (2, 1), (2, 2)) else CROPPED


def is_full_range(frame: av.VideoFrame) -> bool:
    """Whether luma is stored as 0 to 255, as FFmpeg's conversion takes it."""
    return frame.color_range == ColorRange.JPEG or frame.format.name.startswith(("yuvj", "gray"))


@cache
def _subsampling(form: str) -> tuple[int, int]:
    """How many pixels a chroma sample covers across and down."""
    known = av.VideoFormat(form)
    if not any(component.is_chroma for component in known.components):
        return 1, 1
    return 64 // known.chroma_width(64), 64 // known.chroma_height(64)


@cache
def _layout(form: str) -> tuple[tuple[int, int, int], ...]:
    """Of each plane the bytes a sample, and how many pixels a sample covers across and down."""
    components = av.VideoFormat(form).components
    deep = 2 if max(component.bits for component in components) > 8 else 1
    planes: dict[int, list[Any]] = {}
    for component in components:
        planes.setdefault(component.plane, []).append(component)
    covers = [_subsampling(form) if held[0].is_chroma else (1, 1) for _, held in sorted(planes.items())]
    return tuple(
        (deep * len(planes[plane]), wide, high) for plane, (wide, high) in zip(sorted(planes), covers, strict=True)
    )


def read_only(array: NDArray[np.uint8]) -> NDArray[np.uint8]:
    array = np.ascontiguousarray(array).view()
    array.flags.writeable = False
    return array
