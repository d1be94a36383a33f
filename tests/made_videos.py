"""Tiny videos whose truth is known: what is shown when, where the cuts are, which sample clicks. The same call writes
the same picture and sound.
"""

from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from av.stream import Disposition
from numpy.typing import NDArray

COLOURS = {
    "black": (0, 0, 0), "white": (255, 255, 255), "gray": (128, 128, 128), "red": (200, 30, 30), "green": (30, 160, 40),
    "blue": (30, 50, 190), "yellow": (220, 200, 40), "cyan": (40, 190, 200), "magenta": (190, 40, 180),
}  # fmt: skip
Look = str | tuple[int, int, int] | NDArray[np.uint8] | Callable[[float], NDArray[np.uint8]]
LAYOUTS = {1: "mono", 2: "stereo", 6: "5.1"}


def write_video(
    path: Path,
    shots: Sequence[tuple[Look, float]] = (("red", 1.0), ("blue", 1.0)),
    *,
    fps: float = 25,
    size: tuple[int, int] = (320, 180),
    times_s: Sequence[float] | None = None,
    audio: NDArray[np.float32] | Sequence[tuple[float, NDArray[np.float32]]] | None = None,
    audio_hz: int = 44100,
    audio_codec: str = "aac",
    more_audio: Sequence[NDArray[np.float32]] = (),
    rotation_deg: int = 0,
    codec: str = "libx264",
    pixel_format: str = "yuv420p",
    full_range: bool = False,
    bt709: bool = False,
    sar: Fraction | None = None,
    keyframe_every: int = 12,
    crf: int = 18,
    options: dict[str, str] | None = None,
) -> Path:  # long: one container is filled, by eighteen knobs
    """Writes a video and returns its path; the suffix chooses the container.

    Args:
        shots: what is shown and for how many seconds: a colour's name, an RGB triple, a picture (h, w, 3) of `size`, or
            a function from the time in seconds to such a picture. The cuts are the running sum of the seconds.
        times_s: the time of every frame, for a variable rate; `n / fps` where None.
        audio: (n,) mono or (n, channels), -1 to 1, from time 0; or parts with the second at which each begins, which
            only codecs without frames of a fixed size (such as pcm_s16le in .mov or .mkv) can place anywhere.
        more_audio: further tracks, which are not the default one.
        rotation_deg: clockwise turn that a player applies.
        sar: shape of a pixel, width over height.
        options: of the container.
    """
    ends = np.cumsum([seconds for _, seconds in shots])
    if times_s is None:
        times_s = [n / fps for n in range(round(float(ends[-1]) * fps))]
    rate = Fraction(fps).limit_denominator(1001)
    time_base = 1 / rate if codec == "mpeg4" else Fraction(1, 90000)  # MPEG-4 Part 2 knows no finer one than 1/65535
    with av.open(str(path), "w", options=options or {}) as container:
        video = container.add_stream(codec, rate=rate)
        assert isinstance(video, av.VideoStream)
        video.width, video.height = size
        video.pix_fmt = pixel_format
        context = video.codec_context
        context.time_base = time_base
        context.thread_count = 1
        context.gop_size = keyframe_every
        if codec == "libx264":
            context.options = {"crf": str(crf), "preset": "veryfast", "threads": "1"}
        elif codec == "libx265":
            context.options = {
                "crf": str(crf),
                "preset": "ultrafast",
                "x265-params": "log-level=none:pools=none:frame-threads=1",
            }
        context.color_range = 2 if full_range else 1
        if bt709:
            context.colorspace, context.color_primaries, context.color_trc = 1, 1, 1
        if sar is not None:
            context.sample_aspect_ratio = sar
        if rotation_deg:
            video.set_display_rotation(-rotation_deg)
        tracks = [
            _track(container, samples, audio_hz, audio_codec)
            for samples in ([] if audio is None else [audio]) + list(more_audio)
        ]
        for later in tracks[1:]:
            later[0].disposition = Disposition(0)
        for time_s in times_s:
            shot = min(int(np.searchsorted(ends, time_s + 1e-9, side="right")), len(shots) - 1)
            frame = av.VideoFrame.from_ndarray(_picture(shots[shot][0], time_s, size), format="rgb24")
            frame = frame.reformat(
                format=pixel_format,
                dst_colorspace="ITU709" if bt709 else "ITU601",
                dst_color_range="JPEG" if full_range else "MPEG",
                threads=1,
            )
            frame.pts, frame.time_base = round(time_s / time_base), time_base
            container.mux(video.encode(frame))
        container.mux(video.encode(None))
        for stream, parts in tracks:
            _encode(container, stream, parts, audio_hz)
    return path


def write_audio(path: Path, samples: NDArray[np.float32], hz: int = 16000, codec: str = "pcm_s16le") -> Path:
    """Writes sound alone; the suffix chooses the container."""
    with av.open(str(path), "w") as container:
        stream, parts = _track(container, samples, hz, codec)
        _encode(container, stream, parts, hz)
    return path


def truncated(path: Path, to: Path, share: float) -> Path:
    """The first `share` of a file's bytes, as a broken download leaves it."""
    whole = path.read_bytes()
    to.write_bytes(whole[: int(len(whole) * share)])
    return to


def tone(seconds: float, hz: int = 44100, frequency_hz: float = 440.0, level: float = 0.3) -> NDArray[np.float32]:
    """(n,) a sine."""
    return (level * np.sin(2 * np.pi * frequency_hz * np.arange(round(seconds * hz)) / hz)).astype(np.float32)


def clicks(
    seconds: float, times_s: Sequence[float], hz: int = 44100, level: float = 0.9, length_s: float = 0.002
) -> NDArray[np.float32]:
    """(n,) silence but for a click from each of the times on."""
    samples = np.zeros(round(seconds * hz), np.float32)
    for time_s in times_s:
        samples[round(time_s * hz) : round((time_s + length_s) * hz)] = level
    return samples


def flashes(
    times_s: Sequence[float], size: tuple[int, int] = (320, 180), length_s: float = 0.039
) -> Callable[[float], NDArray[np.uint8]]:
    """A look that is black but for a white picture from each of the times on."""

    def look(time_s: float) -> NDArray[np.uint8]:
        lit = any(flash - 1e-6 <= time_s < flash + length_s for flash in times_s)
        return np.full((size[1], size[0], 3), 255 if lit else 0, np.uint8)

    return look


def corners(size: tuple[int, int] = (320, 180)) -> NDArray[np.uint8]:
    """(h, w, 3) red top left, green top right, blue bottom left, white bottom right: shows how a picture is turned."""
    width, height = size
    picture = np.empty((height, width, 3), np.uint8)
    picture[: height // 2, : width // 2] = COLOURS["red"]
    picture[: height // 2, width // 2 :] = COLOURS["green"]
    picture[height // 2 :, : width // 2] = COLOURS["blue"]
    picture[height // 2 :, width // 2 :] = COLOURS["white"]
    return picture


def ramp(size: tuple[int, int] = (320, 180)) -> NDArray[np.uint8]:
    """(h, w, 3) smooth gradients: red grows to the right, green downwards, blue to the left."""
    width, height = size
    x = np.broadcast_to(np.linspace(20, 235, width), (height, width))
    y = np.broadcast_to(np.linspace(20, 235, height)[:, None], (height, width))
    return np.stack([x, y, 255 - x], axis=2).round().astype(np.uint8)


def _picture(look: Look, time_s: float, size: tuple[int, int]) -> NDArray[np.uint8]:
    if callable(look):
        look = look(time_s)
    if isinstance(look, str):
        look = COLOURS[look]
    if isinstance(look, tuple):
        picture = np.empty((size[1], size[0], 3), np.uint8)
        picture[:] = look
        return picture
    return np.ascontiguousarray(look)


def _track(container, samples, hz: int, codec: str):
    parts = [(0.0, samples)] if isinstance(samples, np.ndarray) else list(samples)
    channels = 1 if parts[0][1].ndim == 1 else parts[0][1].shape[1]
    stream = container.add_stream(codec, rate=hz)
    stream.layout = LAYOUTS[channels]
    stream.time_base = Fraction(1, hz)
    return stream, parts


def _encode(container, stream, parts, hz: int) -> None:
    packed = stream.format.name in ("s16", "s32", "flt")
    for start_s, samples in parts:
        planes = np.atleast_2d(samples.T).astype(np.float32)
        for at in range(0, planes.shape[1], 1024):
            chunk = planes[:, at : at + 1024]
            laid_out: Any = np.ascontiguousarray(chunk.T).reshape(1, -1) if packed else np.ascontiguousarray(chunk)
            for width, whole in (("s16", np.int16), ("s32", np.int32)):
                if width in stream.format.name:
                    laid_out = (np.clip(laid_out, -1, 1).astype(np.float64) * np.iinfo(whole).max).round().astype(whole)
            frame = av.AudioFrame.from_ndarray(laid_out, format=stream.format.name, layout=stream.layout.name)
            frame.sample_rate, frame.time_base = hz, Fraction(1, hz)
            frame.pts = round(start_s * hz) + at
            container.mux(stream.encode(frame))
    container.mux(stream.encode(None))
