import hashlib

import av
import pytest
from av.stream import Disposition

from operators.media.headers import stated_bytes
from tests.conftest import media
from tests.made_videos import clicks, corners, tone, truncated, write_audio, write_video
from tests.operators.sources.probed import dropped, noise, probe


def test_the_facts_of_a_video(tmp_path):
    path = write_video(tmp_path / "a.mp4", audio=tone(2.0), more_audio=[tone(1.0)], size=(322, 182))
    source = probe(path)
    assert (source.sha256, source.bytes) == (hashlib.sha256(path.read_bytes()).hexdigest(), path.stat().st_size)
    assert (source.container, source.video_codec, source.pixel_format) == ("mov,mp4,m4a,3gp,3g2,mj2", "h264", "yuv420p")
    assert (source.width, source.height, source.rotation_deg, source.frames, source.variable_fps) == (
        322,
        182,
        0,
        50,
        False,
    )
    assert (source.start_s, source.end_s, source.fps) == pytest.approx((0.0, 2.0, 25.0))
    assert (source.audio_codec, source.audio_hz, source.audio_channels) == ("aac", 44100, 1)
    assert (source.audio_start_s, source.audio_end_s) == pytest.approx((0.0, 2.0), abs=0.025)
    assert (source.source_id, source.uri, source.licence) == ("s", str(path), "")


@pytest.mark.parametrize("turn_deg", [0, 90, 180, 270])
def test_the_size_is_the_displayed_one(tmp_path, turn_deg):
    source = probe(
        write_video(tmp_path / "a.mp4", [(corners((64, 36)), 0.2)], size=(64, 36), rotation_deg=turn_deg),
        needs=("video",),
    )
    assert source.rotation_deg == turn_deg
    assert (source.width, source.height) == ((36, 64) if turn_deg in (90, 270) else (64, 36))


def test_variable_rate_late_sound_and_10_bit(tmp_path):
    path = write_video(
        tmp_path / "a.mkv", times_s=[0.0, 0.04, 0.1, 0.14, 0.3, 0.5, 1.2], pixel_format="yuv420p10le", codec="libx265",
        audio=[(0.7, clicks(1.0, [0.2], 16000))], audio_hz=16000, audio_codec="pcm_s16le",
    )  # fmt: skip
    source = probe(path)
    assert source.variable_fps
    assert source.frames == 7
    assert source.pixel_format == "yuv420p10le"
    assert (source.audio_start_s, source.audio_end_s) == pytest.approx((0.7, 1.7), abs=0.005)
    assert source.end_s >= 1.2


def test_milliseconds_of_matroska_are_not_a_variable_rate(tmp_path):
    assert not probe(write_video(tmp_path / "a.mkv", fps=30), needs=()).variable_fps


def test_a_missing_duration_is_measured(tmp_path):
    path = write_video(
        tmp_path / "a.webm", codec="libvpx-vp9", options={"live": "1"}, audio=tone(2.0, 48000), audio_hz=48000,
        audio_codec="libopus"
    )  # fmt: skip
    with av.open(str(path)) as container:
        assert container.duration is None, "the test needs a file without a duration"
    source = probe(path)
    assert (source.end_s, source.frames) == (pytest.approx(2.0, abs=0.05), 50)


def test_what_a_recipe_needs_must_be_there(tmp_path):
    sound, silent = write_audio(tmp_path / "a.wav", tone(1.0, 16000)), write_video(tmp_path / "a.mp4")
    assert dropped(sound).reason == "no_video_stream"
    assert dropped(silent).reason == "no_audio_stream"
    heard, seen = probe(sound, needs=("audio",)), probe(silent, needs=("video",))
    assert (heard.video_codec, heard.width, heard.frames, heard.audio_codec) == ("", 0, 0, "pcm_s16le")
    assert (heard.start_s, heard.end_s) == pytest.approx((0.0, 1.0))
    assert (seen.audio_codec, seen.audio_hz, seen.audio_end_s) == ("", 0, 0.0)


def test_a_cover_picture_is_no_video(tmp_path):
    path = tmp_path / "a.mp4"
    with av.open(str(path), "w") as container:
        sound, cover = container.add_stream("aac", rate=44100), container.add_stream("mjpeg", rate=25)
        cover.width, cover.height, cover.pix_fmt = 64, 36, "yuvj420p"
        cover.disposition = Disposition.attached_pic
        for packet in cover.encode(
            av.VideoFrame.from_ndarray(corners((64, 36)), format="rgb24").reformat(format="yuvj420p")
        ):
            container.mux(packet)
        container.mux(cover.encode(None))
        frame = av.AudioFrame.from_ndarray(tone(1.0)[None, :], format="fltp", layout="mono")
        frame.sample_rate = 44100
        container.mux(sound.encode(frame))
        container.mux(sound.encode(None))
    with av.open(str(path)) as container:
        assert container.streams.video, "the test needs a cover"
    assert dropped(path).reason == "no_video_stream"
    assert probe(path, needs=("audio",)).width == 0


@pytest.mark.parametrize(
    ("content", "reason", "detail"),
    [
        (b"", "empty_file", "0 bytes"),
        (b"<!DOCTYPE html><html><title>404 Not Found</title></html>" * 20, "not_a_video", "begins as an HTML page"),
        (b"only some words\n" * 100, "not_a_video", "begins as a text"),
        (bytes(range(256)) * 40, "not_a_video", "Invalid data"),
    ],
)
def test_what_is_no_video(tmp_path, content, reason, detail):
    path = tmp_path / "a.mp4"
    path.write_bytes(content)
    drop = dropped(path)
    assert drop.reason == reason
    assert detail in drop.detail


def test_a_picture_or_a_text_is_no_video(tmp_path):
    with av.open(str(tmp_path / "a.png"), "w") as container:
        stream = container.add_stream("png", rate=1)
        stream.width, stream.height, stream.pix_fmt = 64, 36, "rgb24"
        container.mux(stream.encode(av.VideoFrame.from_ndarray(corners((64, 36)), format="rgb24")))
        container.mux(stream.encode(None))
    (tmp_path / "a.txt").write_text("only some words\n" * 100)
    assert dropped(tmp_path / "a.png").reason == dropped(tmp_path / "a.txt").reason == "not_a_video"


def test_a_file_that_names_other_files_opens_none(tmp_path):
    write_video(tmp_path / "other.ts", audio=tone(2.0))
    (tmp_path / "list.mp4").write_text("#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\nother.ts\n#EXT-X-ENDLIST\n")
    (tmp_path / "parts.mp4").write_text("ffconcat version 1.0\nfile other.ts\n")
    assert dropped(tmp_path / "list.mp4").reason == "not_a_video"
    assert dropped(tmp_path / "parts.mp4").reason == "not_a_video"


def test_a_missing_file_is_an_error_not_an_answer(tmp_path):
    with pytest.raises(FileNotFoundError):
        probe(tmp_path / "none.mp4")


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("a.mp4", {}),
        ("a.mp4", {"movflags": "faststart"}),
        ("a.mp4", {"movflags": "frag_keyframe+empty_moov"}),
        ("a.mkv", {}),
        ("a.avi", {}),
    ],
)
def test_a_truncated_file_is_told_from_a_whole_one(tmp_path, name, options):
    codec, audio_codec = ("mpeg4", "mp3") if name == "a.avi" else ("libx264", "aac")
    whole = write_video(
        tmp_path / name, [(noise, 2.0)], audio=tone(2.0, 48000), audio_hz=48000, options=options, crf=30, codec=codec,
        audio_codec=audio_codec
    )  # fmt: skip
    assert stated_bytes(whole) == whole.stat().st_size
    assert probe(whole).frames == 50
    for share in (0.01, 0.3, 0.5, 0.9):
        drop = dropped(truncated(whole, tmp_path / ("cut" + whole.suffix), share))
        assert (drop.reason, drop.retryable) == ("truncated", True), share
        assert f"{int(whole.stat().st_size * share)} of the stated" in drop.detail


def test_an_index_that_is_cut_off_and_packets_that_are_missing_are_truncation(tmp_path):
    whole = write_video(tmp_path / "a.mp4", [(noise, 2.0)], audio=tone(2.0), crf=30)
    cut = truncated(whole, tmp_path / "b.mp4", 0.99)
    assert dropped(cut).reason == "truncated"
    path = write_video(tmp_path / "c.mkv", [(noise, 2.0)], audio=tone(2.0), crf=30)
    padded = tmp_path / "d.mkv"  # as a download tool leaves it that reserves the space first
    padded.write_bytes(
        path.read_bytes()[: path.stat().st_size // 2] + bytes(path.stat().st_size - path.stat().st_size // 2)
    )
    drop = dropped(padded)
    assert drop.reason == "truncated"
    assert "of the stated 2.0" in drop.detail


def test_a_stream_of_garbage_is_corrupt(tmp_path):
    whole = write_video(tmp_path / "a.mp4", audio=tone(2.0), keyframe_every=1)
    content = bytearray(whole.read_bytes())
    with av.open(str(whole)) as container:
        for packet in container.demux(video=0):
            if packet.size and packet.pos is not None:
                content[packet.pos : packet.pos + packet.size] = b"\xff" * packet.size
    (tmp_path / "b.mp4").write_bytes(content)
    drop = dropped(tmp_path / "b.mp4")
    assert (drop.reason, drop.detail) == ("corrupt_video", "not one frame of 50 packets decodes")


@pytest.mark.parametrize(
    ("parts", "frames", "size", "turn_deg", "variable", "streams"),
    [
        (("odd", "moviepy_fire2.mp4"), 25, (1280, 720), 180, True, ("h264", "aac", 48000, 1)),
        (("odd", "decord_video_90.mov"), 3, (320, 568), 90, False, ("h264", "", 0, 0)),
        (("odd", "decord_video_180.mov"), 3, (568, 320), 180, False, ("h264", "", 0, 0)),
        (("odd", "torchcodec_av1_video.mkv"), 125, (640, 360), 0, False, ("av1", "", 0, 0)),
        (("odd", "torchcodec_h265_video.mp4"), 10, (128, 128), 0, False, ("hevc", "", 0, 0)),
        (("odd", "torchcodec_nasa_13013.mp4"), 390, (480, 270), 0, False, ("h264", "aac", 16000, 2)),
        (("odd", "lhotse_big_buck_bunny_small.mp4"), 132, (427, 240), 0, False, ("h264", "aac", 48000, 6)),
        (("odd", "decord_flipping_a_pancake.mkv"), 310, (426, 240), 0, False, ("h264", "opus", 48000, 1)),
        (("odd", "moviepy_no_duration.webm"), 74, (1280, 720), 0, False, ("vp9", "opus", 48000, 2)),
        (("negative", "liveportrait_d9.mp4"), 587, (480, 480), 0, False, ("h264", "aac", 44100, 2)),
        (("negative", "pyfeat_face_noface.mov"), 169, (960, 540), 0, True, ("hevc", "aac", 44100, 2)),
        (("negative", "pyfeat_no_face.mp4"), 95, (960, 540), 0, False, ("h264", "aac", 44100, 2)),
        (("hdtf", "hdtf_RD_Radio10_0_clip_0.mp4"), 61, (512, 512), 0, True, ("h264", "aac", 16000, 1)),
        (("hdtf", "retalking_face_1.mp4"), 135, (700, 700), 0, True, ("h264", "aac", 44100, 2)),
        (("multi", "hamilton_short_clip.mp4"), 275, (640, 360), 0, False, ("h264", "aac", 44100, 2)),
        (("grid", "bbaf2n.mpg"), 75, (360, 288), 0, False, ("mpeg1video", "mp2", 44100, 2)),
    ],
)
def test_real_files(parts, frames, size, turn_deg, variable, streams):
    source = probe(media(*parts), needs=("video",))
    assert (source.frames, (source.width, source.height)) == (frames, size)
    assert (source.rotation_deg, source.variable_fps) == (turn_deg, variable)
    assert (source.video_codec, source.audio_codec, source.audio_hz, source.audio_channels) == streams


def test_real_files_state_late_starts():
    late_video, late_sound = (
        probe(media("multi", "hamilton_short_clip.mp4")),
        probe(media("negative", "pyfeat_face_noface.mov")),
    )
    assert late_video.audio_start_s - late_video.start_s == pytest.approx(-0.844, abs=0.002)
    assert late_sound.audio_start_s - late_sound.start_s == pytest.approx(2.430, abs=0.002)


# Clocks that start anew


def test_two_recordings_in_one_file_are_one_source_as_long_as_both(tmp_path):
    parts = [write_video(tmp_path / f"{n}.ts", [("red", 2.0)], audio=tone(2.0)) for n in range(2)]
    joined = tmp_path / "joined.ts"
    joined.write_bytes(b"".join(part.read_bytes() for part in parts))
    source, alone = probe(joined), probe(parts[0])
    assert (source.frames, source.clock_parts, alone.clock_parts) == (100, 2, 1)
    assert source.end_s - source.start_s == pytest.approx(4.0, abs=0.1)
    assert source.audio_end_s - source.audio_start_s == pytest.approx(4.0, abs=0.1)
    assert source.start_s == pytest.approx(alone.start_s)
