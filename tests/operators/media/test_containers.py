"""What is opened, and what is said of what cannot be."""

import ast
import errno
from pathlib import Path

import av
import numpy as np
import pytest
from av.error import err_check

from operators.base import Drop
from operators.media import containers
from operators.media.containers import audio_of, join, open_media, packets_of, suffix_of, video_of
from operators.media.frames import VideoFrames
from operators.media.headers import kind_of, stated_bytes
from operators.media.sound import SourceAudio
from tests.made_videos import ramp, tone, truncated, write_audio, write_video

ROOT = Path(__file__).parents[3]
TITLE = "Interview de l'ete dernier"


def of_drop(call) -> Drop:
    with pytest.raises(Drop) as caught:
        call()
    return caught.value


def test_no_other_place_opens_media_for_reading() -> None:
    """`av.open` of an "r" mode, which is its default, knows no whitelist and raises at a title that is not UTF-8."""
    readers = []
    for package in ("manifests", "operators", "pipeline"):
        for path in (ROOT / package).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.Call) and ast.unparse(node.func) in ("av.open", "av.container.open"):
                    mode = [*node.args[1:2], *(word.value for word in node.keywords if word.arg == "mode")]
                    if not (mode and isinstance(mode[0], ast.Constant) and str(mode[0].value).startswith("w")):
                        readers.append(str(path.relative_to(ROOT)))
    assert readers == ["operators/media/containers.py"]


def titled(path: Path) -> Path:
    """A film whose title is in Latin-1."""
    codecs = {".flv": ("flv1", "mp3"), ".avi": ("mpeg4", "mp3"), ".wav": ("", "pcm_s16le")}
    codec, audio_codec = codecs.get(path.suffix, ("libx264", "aac"))
    plain = path.with_name("plain" + path.suffix)
    if codec:
        write_video(plain, audio=tone(2.0), codec=codec, audio_codec=audio_codec)
    else:
        write_audio(plain, tone(2.0), 44100)
    with av.open(str(plain)) as source, av.open(str(path), "w") as target:
        target.metadata["title"] = TITLE
        into = {stream.index: target.add_stream_from_template(stream) for stream in source.streams}
        for packet in source.demux():
            if packet.size:
                packet.stream = into[packet.stream_index]
                target.mux(packet)
    assert TITLE.encode() in path.read_bytes()
    path.write_bytes(path.read_bytes().replace(TITLE.encode(), TITLE.replace("e", "\xe9").encode("latin-1")))
    return path


@pytest.mark.parametrize("suffix", [".avi", ".mp4", ".mov", ".mkv", ".flv", ".wav"])
def test_a_title_that_is_not_utf_8_loses_no_film(tmp_path: Path, suffix: str) -> None:
    path = titled(tmp_path / f"film{suffix}")
    with pytest.raises(UnicodeDecodeError), av.open(str(path)):
        pass
    assert SourceAudio(path).end_s == pytest.approx(2.0, abs=0.06)
    if suffix != ".wav":
        assert len(list(VideoFrames(path))) == 50
    with open_media(path) as container:
        assert "\ufffd" in container.metadata["title"]


def test_a_stream_without_a_decoder_is_a_drop_that_names_it(tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.mkv", audio=tone(1.0))
    unknown = path.read_bytes().replace(b"A_AAC", b"A_XYZ").replace(b"V_MPEG4/ISO/AVC", b"V_MPEG4/ISO/XYZ")
    path.write_bytes(unknown)
    with open_media(path) as container:
        drop = of_drop(lambda: audio_of(container))
        assert (drop.reason, drop.retryable) == ("no_decoder", False)
        assert "(audio)" in drop.detail
        assert of_drop(lambda: video_of(container)).reason == "no_decoder"
        assert containers.described(container) == "video of an unknown codec, audio of an unknown codec"


@pytest.mark.parametrize("number", [errno.EPERM, errno.ENOMEM, errno.EINVAL, errno.ENOSYS, errno.ERANGE])
def test_whatever_the_library_says_at_opening_is_a_drop_of_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    path = write_video(tmp_path / "a.mkv")
    monkeypatch.setattr(containers.av, "open", lambda *_, **__: err_check(-number))
    drop = of_drop(lambda: open_media(path))
    assert (drop.reason, drop.retryable) == ("not_a_video", False)


def test_what_is_this_machines_fault_is_worth_another_try(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert of_drop(lambda: open_media(tmp_path)).reason == "unreadable", "a folder"
    path = write_video(tmp_path / "a.mkv")
    monkeypatch.setattr(containers.av, "open", lambda *_, **__: err_check(-errno.EIO))
    drop = of_drop(lambda: open_media(path))
    assert (drop.reason, drop.retryable) == ("unreadable", True)


class Breaking:
    """A container that gives one packet and then no more."""

    def __init__(self, number: int):
        self.number = number

    def demux(self, _streams):
        yield av.Packet(b"12345678")
        err_check(-self.number)


@pytest.mark.parametrize(
    ("number", "reason", "retryable"), [(errno.EPERM, "corrupt_file", False), (errno.EIO, "unreadable", True)]
)
def test_a_file_that_cannot_be_read_on_is_a_drop(number: int, reason: str, retryable: bool) -> None:
    drop = of_drop(lambda: list(packets_of(Breaking(number), [])))  # type: ignore[arg-type]
    assert (drop.reason, drop.retryable) == (reason, retryable)
    assert reason == "unreadable" or drop.detail.endswith("after 1 packets")


@pytest.mark.parametrize("number", [errno.EPERM, errno.ENOMEM, errno.EIO])
def test_whatever_a_decoder_says_of_a_packet_that_packet_is_lost(tmp_path: Path, number: int) -> None:
    from operators.media.decoding import Tally, decodable

    class Decoder:
        def decode(self, _packet):
            err_check(-number)

    class Packet:
        size = 7
        stream = type("Stream", (), {"codec_context": Decoder()})

    tally = Tally()
    assert list(decodable([Packet(), Packet()], tally)) == []  # type: ignore[list-item]
    assert (tally.packets, tally.lost) == (2, 2)
    assert of_drop(lambda: tally.check("corrupt_video")).detail == "2 of 2 packets undecodable"


def test_a_resampler_that_gives_up_is_a_drop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_audio(tmp_path / "a.wav", tone(1.0), 44100)

    class Refusing:
        def __init__(self, *_, **__):
            pass

        def resample(self, _frame):
            err_check(-errno.ENOMEM)

    monkeypatch.setattr("operators.media.sound.av.AudioResampler", Refusing)
    assert of_drop(lambda: SourceAudio(path).samples(0, 1)).reason == "corrupt_audio"


def test_join_opens_nothing_that_a_file_names(tmp_path: Path) -> None:
    video = write_video(tmp_path / "v.mp4")
    sound = write_audio(tmp_path / "a.m4a", tone(2.0), 44100, "aac")
    write_audio(tmp_path / "other.ts", tone(2.0), 44100, "aac")
    (tmp_path / "list.m3u8").write_text("#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\nother.ts\n#EXT-X-ENDLIST\n")
    with open_media(join(video, sound, tmp_path / "both.mp4")) as container:
        assert [stream.type for stream in container.streams] == ["video", "audio"]
    assert of_drop(lambda: join(video, tmp_path / "list.m3u8", tmp_path / "no.mp4")).reason == "not_a_video"
    assert of_drop(lambda: join(sound, video, tmp_path / "no.mp4")).reason == "no_video_stream"
    assert of_drop(lambda: join(video, video, tmp_path / "no.mp4")).reason == "no_audio_stream"


def test_the_suffix_is_that_of_the_content(tmp_path: Path) -> None:
    for made, suffix in ((write_video(tmp_path / "a.mp4"), ".mp4"), (write_video(tmp_path / "a.mkv"), ".mkv")):
        wrong = made.rename(tmp_path / "film.jpg")
        assert suffix_of(wrong) == suffix


def test_what_a_file_begins_as_holds_nothing_of_its_content() -> None:
    said = {
        b"root:x:0:0:secret": "a text",
        b"<!DOCTYPE html><title>secret": "an HTML page",
        b"\x89PNG\r\n\x1a\n": "a PNG picture",
        bytes(64): "zeros",
        b"#EXTM3U\nsecret": "a playlist",
        b"\x00\x01secret\xff\xfe": "unknown data",
    }
    assert {kind_of(start) for start in said} == set(said.values())
    assert all(kind_of(start) == kind for start, kind in said.items())


@pytest.mark.parametrize("size", [0x7FFFF024, 0x7FFFFFFF, 0x80000024, 0xFFFFFFFF, 0xFFFFFFFF - 8, 0])
def test_a_riff_length_written_into_a_pipe_is_none(tmp_path: Path, size: int) -> None:
    path = write_audio(tmp_path / "a.wav", tone(1.0), 44100)
    whole = path.read_bytes()
    assert stated_bytes(path) == len(whole)
    path.write_bytes(whole[:4] + size.to_bytes(4, "little") + whole[8:])
    assert stated_bytes(path) == 0
    cut = truncated(write_audio(tmp_path / "b.wav", tone(1.0), 44100), tmp_path / "c.wav", 0.5)
    assert stated_bytes(cut) == len(whole)


def test_a_picture_wider_than_any_pixel_is_shown_as_stored(tmp_path: Path) -> None:
    """The shape of a pixel comes from the header: 4000 times as wide as high would be 128,000 columns."""
    from fractions import Fraction

    path = write_video(tmp_path / "a.mkv", [(ramp((32, 32)), 0.2)], size=(32, 32), sar=Fraction(4000, 1))
    frame = next(iter(VideoFrames(path)))
    assert (frame.width, frame.height) == (32, 32)


def test_a_picture_of_more_pixels_than_a_screen_has_is_not_decoded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_video(tmp_path / "a.mp4", [(ramp((640, 480)), 0.2)], size=(640, 480))
    assert len(list(VideoFrames(path))) == 5
    monkeypatch.setattr(containers, "MAX_PIXELS", 640 * 400)
    assert of_drop(lambda: list(VideoFrames(path))).reason == "corrupt_video"


def test_a_picture_of_few_lines_can_be_asked_for_with_fewer(tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.mp4", [(np.zeros((2, 640, 3), np.uint8), 0.2)], size=(640, 2))
    frame = next(iter(VideoFrames(path)))
    assert frame.rgb(0).shape == (1, 320, 3)
    assert frame.gray(1).shape == (1, 320)
