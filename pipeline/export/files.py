"""Files and folders of an export, written whole or not at all."""

import os
import shutil
import wave
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.uint8]
_LAYOUTS = {1: "mono", 2: "stereo"}
_STEP = 1024


@contextmanager
def whole_folder(path: Path) -> Iterator[Path]:
    """A folder to write into, which takes its place when all is written, instead of what was there."""
    part = path.with_name(f"part.{path.name}")
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True)
    try:
        yield part
        if path.exists():
            shutil.rmtree(path)
        os.replace(part, path)
    finally:
        shutil.rmtree(part, ignore_errors=True)


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """A file to write, with the same suffix, which takes its place when it is written."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"part.{path.name}")
    try:
        yield part
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    with whole_file(path) as part:
        part.write_text(text)


def write_lines(path: Path, lines: Iterable[str]) -> None:
    """Each line with its end, the last one too."""
    write_text(path, "".join(f"{line}\n" for line in lines))


def write_picture(path: Path, picture: Picture, quality: int = 95) -> None:
    """PNG, or JPEG of this quality, by the suffix."""
    from PIL import Image

    Image.fromarray(picture).save(
        path, quality=quality, compress_level=1
    )  # of PNG: a third of the time, a tenth more bytes


def write_wav(path: Path, samples: NDArray[np.float32], hz: int = 16000) -> None:
    """16-bit PCM.

    Args:
        samples: (n,), or (channels, n).
    """
    channels = np.atleast_2d(samples)
    with wave.open(str(path), "wb") as file:
        file.setnchannels(len(channels))
        file.setsampwidth(2)
        file.setframerate(hz)
        file.writeframes(np.round(np.clip(channels.T, -1, 1) * 32767).astype("<i2").tobytes())


def write_mp4(
    path: Path,
    pictures: Iterable[Picture],
    fps: float,
    samples: NDArray[np.float32] | None = None,
    hz: int = 16000,
) -> int:
    """H.264 (CRF 18, yuv420p, BT.709) with AAC where there is sound. Returns the frames written. Sides are even.

    Args:
        samples: (n,) for one channel, or (2, n) for left and right.
    """
    import av
    from av.video.reformatter import ColorPrimaries, ColorRange, Colorspace, ColorTrc

    rate = Fraction(fps).limit_denominator(1001)
    count = 0
    with av.open(str(path), "w", options={"movflags": "+faststart"}) as container:
        video = container.add_stream("libx264", rate=rate, options={"crf": "18", "preset": "veryfast"})
        context = video.codec_context
        video.pix_fmt, video.time_base = "yuv420p", 1 / rate
        context.time_base, context.thread_count = 1 / rate, 1  # x264's bytes depend on the threads
        context.color_primaries, context.color_trc = ColorPrimaries.BT709, ColorTrc.BT709
        context.colorspace, context.color_range = Colorspace.ITU709, ColorRange.MPEG
        channels = None if samples is None else np.atleast_2d(samples)
        sound: Any = None
        if channels is not None:
            sound = container.add_stream("aac", rate=hz, layout=_LAYOUTS[len(channels)])
        for picture in pictures:
            if not count:
                video.height, video.width = picture.shape[:2]
                if channels is not None:
                    container.mux(list(_packets(sound, channels, hz)))
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="rgb24")
            frame = frame.reformat(
                format="yuv420p", dst_colorspace=Colorspace.ITU709, dst_color_range=ColorRange.MPEG, threads=1
            )
            frame.pts, frame.time_base = count, 1 / rate
            container.mux(video.encode(frame))
            count += 1
        container.mux(video.encode(None))
    return count


def _packets(sound: Any, channels: NDArray[np.float32], hz: int) -> Iterator[Any]:
    """The sound in frames of 1024 samples, as AAC takes it."""
    import av

    for at in range(0, channels.shape[1], _STEP):
        part = np.ascontiguousarray(channels[:, at : at + _STEP])
        heard = av.AudioFrame.from_ndarray(part, "fltp", _LAYOUTS[len(channels)])
        heard.sample_rate, heard.pts, heard.time_base = hz, at, Fraction(1, hz)
        yield from sound.encode(heard)
    yield from sound.encode(None)
