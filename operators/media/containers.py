"""Files as they come from strangers, opened: whether there is a recording in them, and which streams a player would show and play."""

import ctypes
import heapq
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import av
import av.error
import numpy as np
from av.codec.hwaccel import HWAccel
from av.container import InputContainer
from av.error import ArgumentError, FFmpegError, InvalidDataError, PatchWelcomeError
from av.error import EOFError as EndOfFile
from av.stream import Disposition
from numpy.typing import NDArray

from operators.base import Drop

# Containers with one recording in them. What else FFmpeg reads may name other files, or be pictures and text.
CONTAINERS = "mov,mp4,matroska,webm,avi,flv,mpegts,mpeg,mpegvideo,asf,ogg,mxf,rm,wav,mp3,flac,aac,aiff,amr,dv,ivf,h264,hevc,w64,caf"
MP4_CODECS = frozenset({"h264", "hevc", "av1", "vp9", "mpeg4", "aac", "mp3", "ac3", "opus"})
SUFFIXES = {"mov": ".mp4", "matroska": ".mkv", "mpegts": ".ts", "mpeg": ".mpg", "asf": ".wmv", "ogg": ".ogv"}


_BLOCKING_WAITS = 4  # CU_CTX_SCHED_BLOCKING_SYNC of cuda.h


@cache
def decodes_on_gpu() -> bool:
    """Whether this process can decode on a GPU (NVDEC): it holds one, and the driver's library is there."""
    try:
        _on_gpu().create(av.Codec("h264", "r"))
    except (FFmpegError, NotImplementedError, OSError):
        return False
    return True


def _on_gpu() -> HWAccel:
    # The primary context is the one torch uses: a further one takes some hundred MB of the GPU and a tenth of a second a file.
    _let_ffmpeg_in()
    return HWAccel("cuda", allow_software_fallback=True, options={"primary_ctx": "1"})


def _let_ffmpeg_in() -> None:
    """Gives the GPU's primary context the one flag that FFmpeg accepts it with, also where torch has made it with others.

    FFmpeg refuses a context whose waits do not block (ENOTSUP, "incompatible flags"); torch makes it so. Seen on an H100, CUDA 13.0.
    """
    cuda = ctypes.CDLL("libcuda.so.1")
    device = ctypes.c_int()
    if cuda.cuInit(0) == 0 and cuda.cuDeviceGet(ctypes.byref(device), 0) == 0:
        cuda.cuDevicePrimaryCtxSetFlags_v2(device, _BLOCKING_WAITS)


def open_media(path: Path, on_gpu: bool = False) -> InputContainer:
    """Opens a file for reading; nothing that the file names is opened.

    Args:
        on_gpu: decode on the GPU where this process can, and the GPU knows the codec. The pictures come to main memory.

    Raises:
        Drop: `empty_file`, `not_a_video`, or `truncated` where an MP4 has lost its index.
        FileNotFoundError: when there is no such file.
    """
    if path.stat().st_size == 0:
        raise Drop("empty_file", detail="0 bytes", retryable=True)
    try:
        hwaccel = _on_gpu() if on_gpu and decodes_on_gpu() else None
        return av.open(str(path), options={"protocol_whitelist": "file", "format_whitelist": CONTAINERS}, hwaccel=hwaccel)
    except (InvalidDataError, ArgumentError, EndOfFile, PatchWelcomeError) as error:
        with path.open("rb") as stream:
            head = stream.read(64)
        if head[4:8] == b"ftyp":
            raise Drop("truncated", detail="an MP4 without its index (moov): the file ends too early", retryable=True) from error
        raise Drop("not_a_video", detail=f"{error.strerror}; the file begins with {head[:24]!r}") from error


def video_of(container: InputContainer) -> av.VideoStream | None:
    """The video stream a player shows: FFmpeg's best one, cover pictures left out."""
    moving = [stream for stream in container.streams.video if not stream.disposition & Disposition.attached_pic]
    best = container.streams.best("video")
    return _decodable(best if best in moving else moving[0] if moving else None)


def audio_of(container: InputContainer) -> av.AudioStream | None:
    """The audio stream a player plays beside that video: FFmpeg's best one, which is the default track where one is marked."""
    return _decodable(container.streams.best("audio", container.streams.best("video")))


@dataclass(frozen=True)
class Display:
    """How a player shows the stored picture: stretched by the shape of its pixels, then turned or mirrored.

    `width` and `height` are displayed pixels. All three turns are those of the display matrix, in this order.
    """

    width: int
    height: int
    transposed: bool
    flipped_x: bool
    flipped_y: bool
    rotation_deg: int  # clockwise

    @classmethod
    def of(cls, stream: av.VideoStream, frame: av.VideoFrame, size: tuple[int, int]) -> "Display":
        """Of any frame of a stream whose header says `size`, as width and height. Where pixels are not square the width is scaled."""
        sar = stream.sample_aspect_ratio
        width, height = size if all(size) else (frame.width, frame.height)
        width = round(width * sar) if sar else width
        matrix = frame.side_data.get("DISPLAYMATRIX")
        # Of the 3 x 3 matrix: x' = a x + c y, y' = b x + d y (ISO/IEC 14496-12, 6.2.2).
        a, b, _, c, d = np.frombuffer(bytes(matrix), np.int32)[:5].tolist() if matrix else (1, 0, 0, 0, 1)
        transposed = abs(a) + abs(d) < abs(b) + abs(c)
        if transposed:
            return cls(height, width, True, c < 0, b < 0, 90 if b > 0 else 270)
        return cls(width, height, False, a < 0, d < 0, 180 if a < 0 else 0)

    def turned(self, picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """A stored picture (h, w) or (h, w, 3) as displayed; a view."""
        if self.transposed:
            picture = picture.swapaxes(0, 1)
        return picture[:: -1 if self.flipped_y else 1, :: -1 if self.flipped_x else 1]


def _decodable(stream: Any) -> Any:
    if stream is not None and stream.codec_context is None:
        raise Drop("no_decoder", detail=f"stream {stream.index} ({stream.type}) has a codec this build cannot decode")
    return stream


def suffix_of(path: Path) -> str:
    """The suffix that fits the file's content.

    Raises:
        Drop: not_a_video, where there is neither picture nor sound in one of `CONTAINERS`.
    """
    try:
        with av.open(str(path), options={"format_whitelist": CONTAINERS, "protocol_whitelist": "file"}) as container:
            if not container.streams.video and not container.streams.audio:
                raise Drop("not_a_video", detail=f"{container.format.name}: neither picture nor sound in it")
            kind = container.format.name.split(",")[0]
    except (av.error.FFmpegError, ValueError) as error:
        with path.open("rb") as file:
            start = file.read(12)
        words = re.sub(r"\[Errno \d+\] |: '.*", "", str(error))
        raise Drop("not_a_video", detail=f"{words}; {path.stat().st_size} bytes that start with {start!r}") from None
    return SUFFIXES.get(kind, f".{kind}")


def join(video: Path, audio: Path, made: Path) -> Path:
    """One file of the picture of one and the sound of another, packets unchanged: MP4 where it can hold them, else Matroska."""
    with av.open(str(video)) as pictures, av.open(str(audio)) as sounds:
        streams = {"video": pictures.streams.video[0], "audio": sounds.streams.audio[0]}
        kind = "mp4" if all(stream.codec.canonical_name in MP4_CODECS for stream in streams.values()) else "matroska"
        with av.open(str(made), "w", format=kind, options={"fflags": "+bitexact"}) as out:
            into = {name: out.add_stream_from_template(stream) for name, stream in streams.items()}
            packets = [(packet for packet in stream.container.demux(stream) if packet.dts is not None) for stream in streams.values()]
            for packet in heapq.merge(*packets, key=lambda packet: packet.dts * packet.time_base):
                packet.stream = into[packet.stream.type]
                out.mux(packet)
    return made
