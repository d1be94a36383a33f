"""How long a source is: subtitles, pipes, and files that state more than they hold."""

import shutil
import struct
import subprocess
from fractions import Fraction
from pathlib import Path

import av
import pytest

from tests.made_videos import tone, write_audio, write_video
from tests.operators.sources.probed import dropped, noise, probe


def subtitled(path: Path, film: Path, until_s: float) -> Path:
    """The film with a subtitle that ends so late."""
    ffmpeg = shutil.which("ffmpeg")
    if ffmpeg is None:
        pytest.skip("ffmpeg is not installed: nothing else here writes subtitles")
    words = path.with_suffix(".srt")
    words.write_text(f"1\n00:00:00,500 --> 00:00:{until_s:06.3f}\nbye\n".replace(".", ","))
    subprocess.run(
        [
            ffmpeg,
            "-v",
            "error",
            "-y",
            "-i",
            str(film),
            "-i",
            str(words),
            "-map",
            "0",
            "-map",
            "1",
            "-c",
            "copy",
            str(path),
        ],
        check=True,
    )
    return path


def test_a_subtitle_that_outlasts_the_film_makes_it_no_shorter(tmp_path):
    film = write_video(tmp_path / "film.mkv", [(noise, 2.0)], audio=tone(2.0), crf=30)
    whole = subtitled(tmp_path / "subtitled.mkv", film, 15.0)
    with av.open(str(whole)) as container:
        assert (container.duration or 0) / av.time_base == pytest.approx(15.0, abs=0.1), (
            "the test needs a file that says so"
        )
    source = probe(whole)
    assert (source.end_s, source.frames) == (pytest.approx(2.0, abs=0.05), 50)
    # The same with its end missing, where the file's own length does not show it: the space was reserved before.
    size = whole.stat().st_size
    padded = tmp_path / "padded.mkv"
    padded.write_bytes(whole.read_bytes()[: size // 2] + bytes(size - size // 2))
    drop = dropped(padded)
    assert (drop.reason, drop.retryable) == ("truncated", True)
    assert "of the stated 2.0" in drop.detail


@pytest.mark.parametrize("size", [0x7FFFF024, 0x80000024, 0xFFFFFFFF])
def test_a_wav_out_of_a_pipe_is_whole(tmp_path, size):
    path = write_audio(tmp_path / "a.wav", tone(2.0, 16000))
    content = path.read_bytes()
    data = content.index(b"data") + 4
    rest = (min(size, 0xFFFFFFFF) - data).to_bytes(4, "little")
    path.write_bytes(content[:4] + size.to_bytes(4, "little") + content[8:data] + rest + content[data + 4 :])
    source = probe(path, needs=("audio",))
    assert (source.audio_start_s, source.audio_end_s) == pytest.approx((0.0, 2.0), abs=0.01)


def wav_of(path: Path, hz: int, seconds: float, block: bytes = b"\0\0") -> Path:
    data = block * round(hz * seconds)
    form = struct.pack("<HHIIHH", 1, 1, hz, 2 * hz, 2, 16)
    path.write_bytes(
        b"RIFF"
        + struct.pack("<I", 36 + len(data))
        + b"WAVEfmt "
        + struct.pack("<I", 16)
        + form
        + b"data"
        + struct.pack("<I", len(data))
        + data
    )
    return path


def test_a_small_file_that_states_long_sound_takes_no_time(tmp_path):
    """A sample a second: 142 kB are 20 hours, which would be 4.5 GB of sound at 16 kHz."""
    slow = dropped(wav_of(tmp_path / "a.wav", 1, 71000), needs=("audio",))
    assert (slow.reason, slow.detail) == ("implausible", "sound of 1 Hz; the least is 4000")
    assert probe(wav_of(tmp_path / "b.wav", 4000, 2), needs=("audio",)).audio_hz == 4000
    path = write_video(
        tmp_path / "c.mkv",
        audio=[(0.0, tone(1.0, 16000)), (36000.0, tone(1.0, 16000))],
        audio_hz=16000,
        audio_codec="pcm_s16le",
    )
    gaps = dropped(path, needs=("audio",))
    assert (gaps.reason, gaps.detail) == ("implausible", "packets hold 2.0 s of sound, their times state 36001 s")
    sparse = write_video(
        tmp_path / "d.mkv",
        audio=[(0.0, tone(1.0, 16000)), (500.0, tone(1.0, 16000))],
        audio_hz=16000,
        audio_codec="pcm_s16le",
    )
    assert probe(sparse, needs=("audio",)).audio_end_s == pytest.approx(501, abs=0.1), (
        "somebody who says two words in ten minutes"
    )


def test_packets_that_state_more_than_they_hold_are_implausible(tmp_path):
    """AAC of 1024 samples a packet, of which each is said to last a quarter of an hour."""
    path = tmp_path / "a.mka"
    with (
        av.open(str(write_audio(tmp_path / "short.m4a", tone(2.0, 16000), 16000, "aac"))) as read,
        av.open(str(path), "w", format="matroska") as out,
    ):
        stream = out.add_stream_from_template(read.streams.audio[0])
        for n, packet in enumerate(packet for packet in read.demux() if packet.size):
            packet.time_base = Fraction(1, 1000)
            packet.pts, packet.dts, packet.duration, packet.stream = n * 900_000, n * 900_000, 900_000, stream
            out.mux(packet)
    drop = dropped(path, needs=("audio",))
    assert drop.reason == "implausible"
    assert drop.detail.startswith("packets hold 2.")


def test_what_is_too_long_is_a_field(tmp_path):
    path = write_video(tmp_path / "a.mp4", audio=tone(2.0))
    drop = dropped(path, max_s=1.5)
    assert (drop.reason, drop.detail) == ("too_long", "2 s from the first to the last packet; at most 2")
    assert probe(path, max_s=2.1).frames == 50


def test_a_picture_larger_than_any_camera_makes_is_not_decoded(tmp_path, monkeypatch):
    monkeypatch.setattr("operators.sources.probe_source.MAX_PIXELS", 320 * 179)
    drop = dropped(write_video(tmp_path / "a.mp4", audio=tone(2.0)))
    assert (drop.reason, drop.detail) == ("implausible", "pictures of 320 x 180 pixels")


def test_a_header_that_states_a_larger_picture_than_there_is_costs_nothing(tmp_path):
    """A few flipped bits, and each picture would be shown 57,000 pixels wide."""
    path = write_video(tmp_path / "a.webm", codec="libvpx")
    content = path.read_bytes()
    width = content.index(b"\xb0\x82\x01\x40") + 2
    path.write_bytes(content[:width] + (57000).to_bytes(2, "big") + content[width + 2 :])
    drop = dropped(path, needs=("video",))
    assert (drop.reason, drop.detail) == (
        "implausible",
        "the header says 57000 x 180 pixels, the first picture has 320 x 180",
    )
