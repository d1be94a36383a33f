"""Files as they come from strangers: whether there is a recording in them, whole, and two streams put into one file."""

import heapq
import re
from pathlib import Path

import av
import av.error

from operators.sources.outcomes import NotFetched, words_of

# Containers with one recording in them. What else FFmpeg reads may name other files, or be pictures and text.
CONTAINERS = "mov,mp4,matroska,webm,avi,flv,mpegts,mpeg,mpegvideo,asf,ogg,mxf,rm,wav,mp3,flac,aac,aiff,amr,dv,ivf,h264,hevc,w64,caf"
MP4_CODECS = frozenset({"h264", "hevc", "av1", "vp9", "mpeg4", "aac", "mp3", "ac3", "opus"})
SUFFIXES = {"mov": ".mp4", "matroska": ".mkv", "mpegts": ".ts", "mpeg": ".mpg", "asf": ".wmv", "ogg": ".ogv"}


def look_into(path: Path) -> str:
    """The suffix that fits the file's content.

    Raises:
        NotFetched: not_a_video, where there is neither picture nor sound in one of `CONTAINERS`.
    """
    try:
        with av.open(str(path), options={"format_whitelist": CONTAINERS, "protocol_whitelist": "file"}) as container:
            if not container.streams.video and not container.streams.audio:
                raise NotFetched("not_a_video", f"{container.format.name}: neither picture nor sound in it")
            kind = container.format.name.split(",")[0]
    except (av.error.FFmpegError, ValueError) as error:
        with path.open("rb") as file:
            start = file.read(12)
        words = re.sub(r"\[Errno \d+\] |: '.*", "", words_of(error))
        raise NotFetched("not_a_video", f"{words}; {path.stat().st_size} bytes that start with {start!r}") from None
    return SUFFIXES.get(kind, f".{kind}")


def is_page(path: Path) -> bool:
    """Whether the file starts as an HTML page does."""
    with path.open("rb") as file:
        return starts_page(file.read(1024))


def starts_page(start: bytes) -> bool:
    return start.lstrip(b"\xef\xbb\xbf \t\r\n").lower().startswith((b"<!doctype html", b"<html", b"<head", b"<body"))


def cut_short(path: Path) -> str:
    """What is missing at the end of an MP4 or WAV file, by the lengths it states itself; "" where nothing is, or none are stated.

    The boxes of ISO/IEC 14496-12, 4.2, and the RIFF header's size.
    """
    end, at = path.stat().st_size, 0
    with path.open("rb") as file:
        head = file.read(12)
        if (
            head[:4] == b"RIFF"
            and head[8:] in (b"WAVE", b"AVI ")
            and 12 < (size := int.from_bytes(head[4:8], "little") + 8) < 0xFFFFFFFF
            and size > end + 1
        ):
            return f"the file says it has {size} bytes; it has {end}"
        if head[4:8] not in (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip"):
            return ""
        while at + 8 <= end:
            file.seek(at)
            box = file.read(16)
            size, kind = int.from_bytes(box[:4], "big"), box[4:8]
            size = int.from_bytes(box[8:16], "big") if size == 1 else end - at if size == 0 else size
            if size < 8 or not kind.isalnum():
                return ""
            at += size
            if at > end:
                return f"the box {kind.decode(errors='replace')} ends at byte {at}; the file has {end}"
    return ""


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
