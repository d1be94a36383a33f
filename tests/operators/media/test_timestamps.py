"""Containers that store when a packet is decoded and not when its picture is shown: every frame once, one frame
apart.
"""

import struct
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from manifests.tables import Source
from operators.media.frames import VideoFrames
from operators.sources.probe_source import ProbeSource
from tests.made_videos import tone, write_video
from tests.operators.sources.probed import Given

COUNT = 60


def brighter(time_s: float) -> np.ndarray:
    """A picture whose grey tells its number."""
    return np.full((180, 320, 3), 20 + 3 * round(time_s * 25), np.uint8)


def film(path: Path, codec: str = "libx264") -> Path:
    return write_video(path, [(brighter, COUNT / 25)], codec=codec, keyframe_every=24, audio=tone(COUNT / 25))


def by_decoding_time(path: Path, source: Path, container_format: str) -> Path:
    """The same packets with the times of decoding alone."""
    with av.open(str(source)) as read, av.open(str(path), "w", format=container_format) as written:
        stream = written.add_stream_from_template(read.streams.video[0])
        for n, packet in enumerate(packet for packet in read.demux(video=0) if packet.size):
            packet.time_base = Fraction(1, 25)
            packet.pts, packet.dts, packet.duration = n, n, 1
            packet.stream = stream
            written.mux(packet)
    return path


def vfw(path: Path, source: Path) -> Path:
    """As Matroska holds what Video for Windows made: the codec's name is a FOURCC in a BITMAPINFOHEADER."""
    by_decoding_time(path, source, "matroska")
    content = path.read_bytes()
    at = content.index(b"V_MPEG4/ISO/AVC")
    private = content.index(b"\x63\xa2", at)
    length = content[private + 2] & 0x7F
    extradata = content[private + 3 : private + 3 + length]
    header = struct.pack("<IiiHH4sIiiII", 40 + length, 320, 180, 1, 24, b"H264", 320 * 180 * 3, 0, 0, 0, 0)
    new = (
        content[:at]
        + b"V_MS/VFW/FOURCC"
        + content[at + 15 : private]
        + b"\x63\xa2"
        + bytes([0x80 | length + 40])
        + header
        + extradata
    )
    new += content[private + 3 + length :]
    path.write_bytes(_raised(new, content, private))
    return path


def _raised(new: bytes, old: bytes, within: int) -> bytes:
    """With the sizes of the elements around a place larger by 40: segment, tracks and entry."""
    out = bytearray(new)
    for name in (b"\x18\x53\x80\x67", b"\x16\x54\xae\x6b", b"\xae"):
        at = old.rindex(name, 0, within) + len(name)
        width = 9 - old[at].bit_length()
        size = int.from_bytes(old[at : at + width], "big") & (1 << 7 * width) - 1
        out[at : at + width] = (size + 40 | 1 << 7 * width).to_bytes(width, "big")
    return bytes(out)


def made(kind: str, folder: Path) -> Path:
    if kind == "avi":
        return by_decoding_time(folder / "made.avi", film(folder / "film.ts"), "avi")
    return vfw(folder / "made.mkv", film(folder / "film.mp4"))


@pytest.mark.parametrize("kind", ["avi", "vfw"])
def test_every_frame_comes_once_one_frame_apart(tmp_path: Path, kind: str) -> None:
    path = made(kind, tmp_path)
    with av.open(str(path)) as container:
        guessed = [frame.pts or 0 for frame in container.decode(video=0)]
        assert guessed != sorted(guessed), "the test needs a film whose times of presentation are guessed wrong"
    frames = [(frame.pts_s, frame.gray(20).mean()) for frame in VideoFrames(path)]
    assert len(frames) == COUNT
    assert np.diff([time_s for time_s, _ in frames]) == pytest.approx([0.04] * (COUNT - 1), abs=0.0011)
    assert (np.diff([level for _, level in frames]) > 1).all(), "in the order of display"
    for first in (1, 10, 24, 25, 40, COUNT - 3):
        span = [frame.pts_s for frame in VideoFrames(path, frames[first][0] - 0.001, frames[first + 2][0] - 0.001)]
        assert span == pytest.approx([time_s for time_s, _ in frames[first : first + 2]])
    [source] = ProbeSource(needs=("video",))(Source("s", str(path)), Given(path))
    assert isinstance(source, Source)
    assert (source.frames, source.fps) == (COUNT, pytest.approx(25, abs=0.1))
    assert source.start_s == pytest.approx(frames[0][0], abs=0.001)
    assert source.end_s == pytest.approx(frames[-1][0] + 0.04, abs=0.003)
