"""What a file holds, measured by reading every packet of the streams a player would show and play."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any

import av
import numpy as np
from av.codec.hwaccel import HWAccel
from av.container import InputContainer
from av.error import ArgumentError, BugError, FFmpegError, InvalidDataError, PatchWelcomeError
from av.error import EOFError as EndOfFile
from av.stream import Disposition
from numpy.typing import NDArray

from manifests.tables import Source
from operators.base import Drop, Media, Operator
from operators.media.containers import CONTAINERS

MP4_BOXES = {b"ftyp", b"styp", b"moov", b"moof", b"mdat", b"mfra", b"sidx", b"free", b"skip", b"wide", b"uuid", b"meta", b"pnot"}
STATES_DURATION = ("mov", "matroska")  # demuxers whose duration is what the file says, not an estimate


@dataclass(frozen=True)
class ProbeSource(Operator):
    """The facts of a source: streams, size, rotation, rate, and the spans in which there is picture and sound.

    Every packet of the two streams is read and none but the first frame is decoded, so that durations and frame counts
    are measured, not believed. A source is given up as `empty_file`, `not_a_video`, `no_decoder`, `no_video_stream`,
    `no_audio_stream`, `corrupt_video` (not one frame decodes) or `truncated` (retryable).
    """

    needs: tuple[str, ...] = ("video", "audio")  # streams without which a source is of no use
    truncated_share: float = 0.02  # of the stated duration that may be missing
    truncated_s: float = 0.5  # that may be missing however short the source

    def __call__(self, source: Source, media: Media) -> Iterator[Source | Drop]:
        source = replace(source, bytes=media.path.stat().st_size, sha256=source.sha256 or _sha256(media.path))
        stated = stated_bytes(media.path)
        if source.bytes and stated - source.bytes > self.truncated_share * stated:
            raise Drop("truncated", detail=f"{source.bytes} of the stated {stated} bytes", retryable=True)
        with open_media(media.path) as container:
            video, audio = video_of(container), audio_of(container)
            if video is None and "video" in self.needs:
                raise Drop("no_video_stream", detail=_streams(container))
            if audio is None and "audio" in self.needs:
                raise Drop("no_audio_stream", detail=_streams(container))
            if video is None and audio is None:
                raise Drop("not_a_video", detail=f"neither picture nor sound: {_streams(container)}")
            packets, display = _read(container, video, audio)
            if video is not None and display is None:
                raise Drop("corrupt_video", detail=f"not one frame of {packets[video.index].count} packets decodes")
            self._check_whole(container, packets)
            yield _facts(source, container, video, audio, packets, display)

    def _check_whole(self, container: InputContainer, packets: dict[int, "_Packets"]) -> None:
        """Raises a drop where the file states clearly more than its packets hold."""
        if not container.format.name.startswith(STATES_DURATION):
            return
        for stream in container.streams:
            read = packets.get(stream.index)
            if read is None or stream.duration is None or stream.time_base is None:
                continue
            stated, held = float(stream.duration * stream.time_base), read.end_s - read.start_s if read.count else 0.0
            if stated - held > max(self.truncated_s, self.truncated_share * stated):
                text = f"{stream.type}: {held:.2f} s of the stated {stated:.2f} s" + (
                    f", {read.count} of {stream.frames} packets" if stream.frames else ""
                )
                raise Drop("truncated", detail=text, retryable=True)
        if container.duration is not None and packets:
            stated = container.duration / av.time_base + (container.start_time or 0) / av.time_base
            held = max(read.end_s for read in packets.values())
            every_stream = {stream.index for stream in container.streams if stream.type in ("video", "audio")} <= set(packets)
            if every_stream and stated - held > max(self.truncated_s, self.truncated_share * stated):
                raise Drop("truncated", detail=f"packets end at {held:.2f} s of the stated {stated:.2f} s", retryable=True)


def stated_bytes(path: Path) -> int:
    """How long the outermost boxes of an MP4, Matroska or RIFF file say it is; 0 where they do not say."""
    size = path.stat().st_size
    with path.open("rb") as file:
        head = file.read(16)
        if head[:4] == b"RIFF":
            stated = int.from_bytes(head[4:8], "little") + 8
            return stated if 8 < stated < 2**32 else 0
        if head[:4] == b"\x1a\x45\xdf\xa3":  # EBML: the header, then one segment
            _, header, length = _ebml_number(head[4:12])
            file.seek(4 + length + header)
            if file.read(4) != b"\x18\x53\x80\x67":
                return 0
            known, segment, wide = _ebml_number(file.read(8))
            return 4 + length + header + 4 + wide + segment if known else 0
        at = 0
        while at < size:
            file.seek(at)
            box = file.read(16)
            if box[4:8] not in MP4_BOXES:
                return 0 if at == 0 else at
            length = int.from_bytes(box[:4], "big")
            length = int.from_bytes(box[8:16], "big") if length == 1 else length
            if length < 8:  # 0: to the end of the file
                return at
            at += length
        return at


@cache
def decodes_on_gpu() -> bool:
    """Whether this process can decode on a GPU (NVDEC): it holds one, and the driver's library is there."""
    try:
        _on_gpu().create(av.Codec("h264", "r"))
    except (FFmpegError, NotImplementedError):
        return False
    return True


def _on_gpu() -> HWAccel:
    # The primary context is the one torch uses: a further one takes some hundred MB of the GPU and a tenth of a second a file.
    return HWAccel("cuda", allow_software_fallback=True, options={"primary_ctx": "1"})


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


@dataclass
class _Packets:
    """What the packets of one stream say; those that a player must not show are not counted."""

    count: int = 0
    times_s: list[float] = field(default_factory=list)
    end_s: float = -np.inf
    start_s: float = np.inf

    def add(self, packet: av.Packet, not_before_s: float) -> None:
        pts = packet.pts if packet.pts is not None else packet.dts
        if packet.size == 0 or packet.is_discard:
            return
        self.count += 1
        if pts is None or packet.time_base is None:
            return
        time_s, end_s = float(pts * packet.time_base), float((pts + (packet.duration or 0)) * packet.time_base)
        self.times_s.append(time_s)
        self.start_s, self.end_s = min(self.start_s, max(time_s, not_before_s)), max(self.end_s, end_s)


def _read(
    container: InputContainer, video: av.VideoStream | None, audio: av.AudioStream | None
) -> tuple[dict[int, _Packets], Display | None]:
    chosen = [stream for stream in (video, audio) if stream is not None]
    packets = {stream.index: _Packets() for stream in chosen}
    # An encoder's priming has packets before the stream's start, and no sound.
    not_before_s = {s.index: float(s.start_time * s.time_base) if s.start_time is not None and s.time_base else -np.inf for s in chosen}
    display = None
    size = (0, 0)
    if video is not None:
        size = video.codec_context.width, video.codec_context.height
        video.codec_context.thread_count = 1
    for packet in container.demux(chosen):
        index = packet.stream.index
        packets[index].add(packet, not_before_s[index])
        if video is not None and display is None and index == video.index:
            try:
                frames = video.codec_context.decode(packet)
            except (InvalidDataError, BugError, PatchWelcomeError):
                continue
            display = Display.of(video, frames[0], size) if frames else None
    return packets, display


def _facts(source, container, video, audio, packets: dict[int, _Packets], display: Display | None) -> Source:
    facts: dict = {"container": container.format.name}
    if audio is not None:
        read = packets[audio.index]
        facts |= {
            "audio_codec": audio.codec_context.codec.canonical_name,
            "audio_hz": audio.sample_rate,
            "audio_channels": audio.channels,
            "audio_start_s": read.start_s if read.count else 0.0,
            "audio_end_s": read.end_s if read.count else 0.0,
        }
        facts |= {"start_s": facts["audio_start_s"], "end_s": facts["audio_end_s"]}
    if video is not None and display is not None:
        read = packets[video.index]
        gaps = np.diff(np.sort(read.times_s))
        step_s = float(np.median(gaps)) if len(gaps) else 0.0
        end_s = max(read.end_s, max(read.times_s) + step_s) if read.end_s <= max(read.times_s) else read.end_s
        facts |= {
            "start_s": read.start_s,
            "end_s": end_s,
            "width": display.width,
            "height": display.height,
            "rotation_deg": display.rotation_deg,
            "frames": read.count,
            "fps": read.count / (end_s - read.start_s) if end_s > read.start_s else 0.0,
            "variable_fps": bool(len(gaps)) and bool((np.abs(gaps - step_s) > 0.1 * step_s).any()),
            "video_codec": video.codec_context.codec.canonical_name,
            "pixel_format": video.codec_context.pix_fmt or "",
        }
    return replace(source, **facts)


def _decodable(stream: Any) -> Any:
    if stream is not None and stream.codec_context is None:
        raise Drop("no_decoder", detail=f"stream {stream.index} ({stream.type}) has a codec this build cannot decode")
    return stream


def _streams(container: InputContainer) -> str:
    return ", ".join(f"{s.type} {s.name or ''}".strip() for s in container.streams) or "no streams"


def _ebml_number(data: bytes) -> tuple[bool, int, int]:
    """Whether the number at the start is known (all ones: not), the number, and the bytes it takes."""
    if not data or not data[0]:
        return False, 0, 1
    length = 9 - data[0].bit_length()
    value = int.from_bytes(data[:length], "big") & (1 << 7 * length) - 1
    return value != (1 << 7 * length) - 1, value, length


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
