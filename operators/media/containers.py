"""Files as they come from strangers, opened: whether there is a recording in them, and which streams a player would
show and play.
"""

import ctypes
import errno
import heapq
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import av
import numpy as np
from av.codec.hwaccel import HWAccel
from av.container import InputContainer
from av.error import FFmpegError
from av.stream import Disposition, Stream
from numpy.typing import NDArray

from operators.base import Drop
from operators.media.headers import kind_of

# Containers with one recording in them. What else FFmpeg reads may name other files, or be pictures and text.
CONTAINERS = (
    "mov,mp4,matroska,webm,avi,flv,mpegts,mpeg,mpegvideo,asf,ogg,mxf,rm,wav,mp3,flac,aac,aiff,amr,dv,ivf,h264,hevc,w64"
    ",caf"
)
MP4_CODECS = frozenset({"h264", "hevc", "av1", "vp9", "mpeg4", "aac", "mp3", "ac3", "opus"})
# What the system says when the disk, the memory or the number of open files is at fault.
_OF_MACHINE = {errno.EIO, errno.EMFILE, errno.ENFILE, errno.ENOSPC, errno.ENODEV, errno.ESTALE, errno.EINTR}
MAX_PIXELS = 8192 * 4352  # of a picture; a decoder refuses more, however small the file
MAX_SHAPE = 16  # a pixel so much wider than high, or higher, is a broken header; broadcasts have 0.7 to 2.2
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
    # The primary context is the one torch uses: a further one takes some hundred MB of the GPU and a tenth of a second
    # a file.
    _let_ffmpeg_in()
    return HWAccel("cuda", allow_software_fallback=True, options={"primary_ctx": "1"})


def _let_ffmpeg_in() -> None:
    """Gives the GPU's primary context the one flag that FFmpeg accepts it with, also where torch has made it with
    others.

    FFmpeg refuses a context whose waits do not block (ENOTSUP, "incompatible flags"); torch makes it so. Seen on an
    H100, CUDA 13.0.
    """
    cuda = ctypes.CDLL("libcuda.so.1")
    device = ctypes.c_int()
    if cuda.cuInit(0) == 0 and cuda.cuDeviceGet(ctypes.byref(device), 0) == 0:
        cuda.cuDevicePrimaryCtxSetFlags_v2(device, _BLOCKING_WAITS)


def open_media(path: Path, on_gpu: bool = False) -> InputContainer:
    """Opens a file for reading, the only place that does. Nothing that the file names is opened; a title in any
    encoding is no hindrance.

    Args:
        on_gpu: decode on the GPU where this process can, and the GPU knows the codec. The pictures come to main memory.

    Raises:
        Drop: `empty_file`, `not_a_video`, `truncated` where an MP4 has lost its index, or `unreadable` where this
            machine is at fault.
        FileNotFoundError: when there is no such file.
    """
    if path.stat().st_size == 0:
        raise Drop("empty_file", detail="0 bytes", retryable=True)
    try:
        with path.open("rb") as stream:
            head = stream.read(64)
    except OSError as error:
        raise Drop("unreadable", detail=str(error.strerror), retryable=True) from error
    hwaccel = _on_gpu() if on_gpu and decodes_on_gpu() else None
    try:
        return av.open(
            str(path),
            options={"protocol_whitelist": "file", "format_whitelist": CONTAINERS},
            hwaccel=hwaccel,
            metadata_errors="replace",
        )
    except FFmpegError as error:
        raise_for_machine(error)
        if head[4:8] == b"ftyp":
            raise Drop(
                "truncated", detail="an MP4 without its index (moov): the file ends too early", retryable=True
            ) from error
        raise Drop("not_a_video", detail=f"{error.strerror}; the file begins as {kind_of(head)}") from error


def raise_for_machine(error: FFmpegError) -> None:
    """
    Raises:
        Drop: `unreadable`, retryable, for an error that tells of this machine rather than of the file.
    """
    if error.errno in _OF_MACHINE:
        raise Drop("unreadable", detail=str(error.strerror), retryable=True) from error


def packets_of(container: InputContainer, streams: Sequence[Stream]) -> Iterator[av.Packet]:
    """The packets of some streams in the order of the file, and an empty one for each at the end.

    Raises:
        Drop: `corrupt_file` where reading cannot go on, `unreadable` where this machine is at fault.
    """
    read = 0
    try:
        for packet in container.demux(list(streams)):
            read += packet.size > 0
            yield packet
    except FFmpegError as error:
        raise_for_machine(error)
        raise Drop("corrupt_file", detail=f"{error.strerror} after {read} packets") from error


def video_of(container: InputContainer) -> av.VideoStream | None:
    """The video stream a player shows: FFmpeg's best one, cover pictures left out.

    Raises:
        Drop: `no_decoder`.
    """
    moving = [stream for stream in container.streams.video if not stream.disposition & Disposition.attached_pic]
    best = container.streams.best("video")
    found = _decodable(best if best in moving else moving[0] if moving else None)
    if found is not None:
        found.codec_context.options = {**found.codec_context.options, "max_pixels": str(MAX_PIXELS)}
    return found


def audio_of(container: InputContainer, track: int | None = None) -> av.AudioStream | None:
    """A sound track: the one of that number among them, from 0; where it is None, FFmpeg's best one, the default track
    where one is marked.

    Raises:
        Drop: `no_decoder`.
    """
    if track is not None:
        return _decodable(container.streams.audio[track] if track < len(container.streams.audio) else None)
    return _decodable(container.streams.best("audio", container.streams.best("video")))


def shown_when_decoded(container: InputContainer, stream: av.VideoStream) -> bool:
    """Whether the times of a stream's packets are those of decoding alone: in AVI, and in Matroska's mapping of Video
    for Windows.
    """
    is_vfw = container.format.name == "matroska,webm" and stream.codec_context.codec_tag.strip("\0") != ""
    return container.format.name == "avi" or is_vfw


def described(container: InputContainer) -> str:
    """The streams in words: "video h264, audio of an unknown codec"."""
    return ", ".join(f"{stream.type} {_codec_of(stream)}" for stream in container.streams) or "no streams"


def _codec_of(stream: Stream) -> str:
    return stream.codec_context.name if stream.codec_context is not None else "of an unknown codec"


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
        """Of any frame of a stream whose header says `size`, as width and height. Where pixels are not square the width
        is scaled.
        """
        sar = stream.sample_aspect_ratio
        sar = sar if sar and 1 / MAX_SHAPE <= sar <= MAX_SHAPE else None
        width, height = size if all(size) else (frame.width, frame.height)
        width = max(1, round(width * sar)) if sar else width
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

    def turned_planes(self, stored: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """The planes of a stored picture in YUV 4:2:0, (h * 3 // 2, w) with both sides even, as displayed."""
        height, width = stored.shape[0] * 2 // 3, stored.shape[1]
        chroma = stored[height:].reshape(2, height // 2, width // 2)
        shown = [self.turned(plane) for plane in (stored[:height], *chroma)]
        return np.concatenate([plane.ravel() for plane in shown]).reshape(-1, shown[0].shape[1])


def _decodable(stream: Any) -> Any:
    if stream is not None and stream.codec_context is None:
        raise Drop("no_decoder", detail=f"stream {stream.index} ({stream.type}) has a codec this build cannot decode")
    return stream


def suffix_of(path: Path) -> str:
    """The suffix that fits the file's content.

    Raises:
        Drop: `not_a_video`, where there is neither picture nor sound in one of `CONTAINERS`, and the others of
            `open_media`.
    """
    with open_media(path) as container:
        if not container.streams.video and not container.streams.audio:
            raise Drop("not_a_video", detail=f"{container.format.name}: neither picture nor sound in it")
        kind = container.format.name.split(",")[0]
    return SUFFIXES.get(kind, f".{kind}")


def join(video: Path, audio: Path, made: Path) -> Path:
    """One file of the picture of one and the sound of another, packets unchanged: MP4 where it can hold them, else
    Matroska.

    Raises:
        Drop: those of `open_media`, `no_video_stream`, `no_audio_stream`, `not_a_video` where no container holds what
            is in them.
    """
    with open_media(video) as pictures, open_media(audio) as sounds:
        shown, heard = video_of(pictures), audio_of(sounds)
        if shown is None or heard is None:
            raise Drop(
                "no_video_stream" if shown is None else "no_audio_stream",
                detail=described(pictures if shown is None else sounds),
            )
        streams = {"video": shown, "audio": heard}
        kind = "mp4" if all(stream.codec.canonical_name in MP4_CODECS for stream in streams.values()) else "matroska"
        try:
            with av.open(str(made), "w", format=kind, options={"fflags": "+bitexact"}) as out:
                into = {name: out.add_stream_from_template(stream) for name, stream in streams.items()}
                packets = [
                    (packet for packet in packets_of(one, [stream]) if packet.dts is not None)
                    for one, stream in ((pictures, shown), (sounds, heard))
                ]
                for packet in heapq.merge(*packets, key=lambda packet: (packet.dts or 0) * (packet.time_base or 0)):
                    packet.stream = into[packet.stream.type]
                    out.mux(packet)
        except FFmpegError as error:
            raise_for_machine(error)
            raise Drop("not_a_video", detail=f"cannot be put together: {error.strerror}") from error
    return made
