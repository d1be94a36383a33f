import weakref
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from operators.base import Drop
from operators.media.frames import VideoFrames
from operators.media.sound import SourceAudio
from tests.conftest import media
from tests.made_videos import COLOURS, corners, ramp, tone, truncated, write_audio, write_video


def raw_frames(path: Path) -> list[av.VideoFrame]:
    with av.open(str(path)) as container:
        return [
            frame for frame in container.decode(container.streams.best("video")) if isinstance(frame, av.VideoFrame)
        ]


def by_formula(frame: av.VideoFrame) -> tuple[np.ndarray, np.ndarray]:
    """RGB and luma of a planar YUV frame by the formulas of ITU-R BT.601 and BT.709, a chroma sample for the pixels it
    covers.
    """
    bits = frame.format.components[0].bits
    planes = []
    for plane in frame.planes:
        values = np.frombuffer(memoryview(plane), np.uint16 if bits > 8 else np.uint8).reshape(plane.height, -1)[
            :, : plane.width
        ] / 2 ** (bits - 8)
        values = values.repeat(round(frame.height / plane.height), 0).repeat(round(frame.width / plane.width), 1)
        planes.append(values[: frame.height, : frame.width])
    y, cb, cr = planes
    if frame.color_range == 2:
        cb, cr = cb - 128, cr - 128
    else:
        y, cb, cr = (y - 16) * 255 / 219, (cb - 128) * 255 / 224, (cr - 128) * 255 / 224
    kr, kb = (0.2126, 0.0722) if frame.colorspace == 1 else (0.299, 0.114)
    red, blue = y + 2 * (1 - kr) * cr, y + 2 * (1 - kb) * cb
    green = (y - kr * red - kb * blue) / (1 - kr - kb)
    return np.clip(np.stack([red, green, blue], 2), 0, 255), np.clip(y, 0, 255)


def of_drop(call) -> Drop:
    with pytest.raises(Drop) as caught:
        call()
    return caught.value


# Times


def test_times_are_the_pts_and_spans_are_half_open(tmp_path):
    times_s = [0.0, 0.04, 0.1, 0.14, 0.3, 0.5, 1.2, 1.21, 1.5]
    path = write_video(tmp_path / "vfr.mp4", times_s=times_s)
    assert [frame.pts_s for frame in VideoFrames(path)] == pytest.approx(times_s, abs=1e-4)
    assert [frame.pts_s for frame in VideoFrames(path, 0.1, 0.5)] == pytest.approx([0.1, 0.14, 0.3], abs=1e-4)
    assert [frame.pts_s for frame in VideoFrames(path, 0.11, 0.1401)] == pytest.approx([0.14], abs=1e-4)
    assert list(VideoFrames(path, 2.0, 3.0)) == []


def test_cuts_are_where_they_were_made(tmp_path):
    path = write_video(tmp_path / "cuts.mp4", [("red", 0.4), ("green", 0.8), ("blue", 0.6)])
    for frame in VideoFrames(path):
        name = "red" if frame.pts_s < 0.4 else "green" if frame.pts_s < 1.2 else "blue"
        assert frame.rgb(45).mean((0, 1)) == pytest.approx(COLOURS[name], abs=4), frame


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv", "a.ts", "a.webm", "a.avi"])
def test_a_span_gives_the_frames_of_the_whole(tmp_path, name):
    codec, audio_codec = {"a.webm": ("libvpx-vp9", "libopus"), "a.avi": ("mpeg4", "mp3")}.get(name, ("libx264", "aac"))
    grey = [np.full((36, 64, 3), level, np.uint8) for level in range(0, 250, 5)]
    path = write_video(
        tmp_path / name, [(picture, 0.04) for picture in grey], size=(64, 36), codec=codec, audio=tone(2, 48000),
        audio_hz=48000,
        audio_codec=audio_codec, keyframe_every=20,
    )  # fmt: skip
    whole = [(frame.pts_s, frame.gray().copy()) for frame in VideoFrames(path)]
    assert len(whole) == 50
    for first, last in ((0, 7), (1, 2), (19, 22), (20, 21), (33, 50), (49, 50)):
        end_s = whole[last][0] if last < 50 else None
        span = [(frame.pts_s, frame.gray()) for frame in VideoFrames(path, whole[first][0], end_s)]
        assert [pts_s for pts_s, _ in span] == [pts_s for pts_s, _ in whole[first:last]]
        for (_, seen), (_, expected) in zip(span, whole[first:last], strict=True):
            assert (seen == expected).all()


def test_frames_may_be_iterated_again_and_by_more_threads(tmp_path):
    path = write_video(tmp_path / "a.mp4", [(ramp(), 1.0)])
    frames = VideoFrames(path)
    assert [frame.pts_s for frame in frames] == [frame.pts_s for frame in frames]
    threaded = VideoFrames(path, threads=2)
    assert all((one.rgb() == other.rgb()).all() for one, other in zip(frames, threaded, strict=True))


def test_only_the_frames_that_a_consumer_holds_live(tmp_path):
    path = write_video(tmp_path / "a.mp4", [(ramp(), 2.0)])
    alive: weakref.WeakSet = weakref.WeakSet()
    most = 0
    for frame in VideoFrames(path):
        frame.rgb()
        alive.add(frame)
        most = max(most, len(alive))
    assert most <= 2


def test_a_transport_stream_keeps_its_clock(tmp_path):
    path = write_video(tmp_path / "a.ts", audio=tone(2))
    frames = list(VideoFrames(path))
    assert frames[0].pts_s == pytest.approx(float(raw_frames(path)[0].time or 0))
    assert frames[0].pts_s > 0.01
    assert SourceAudio(path).start_s == pytest.approx(frames[0].pts_s, abs=0.03)


# Pixels


@pytest.mark.parametrize("bt709", [False, True])
@pytest.mark.parametrize("full_range", [False, True])
@pytest.mark.parametrize(
    ("pixel_format", "codec"),
    [("yuv420p", "libx264"), ("yuv444p", "libx264"), ("yuv422p10le", "libx264"), ("yuv420p10le", "libx265")],
)
def test_colours_agree_with_the_formula(tmp_path, pixel_format, codec, full_range, bt709):
    path = write_video(
        tmp_path / "a.mp4", [(ramp(), 0.4)], pixel_format=pixel_format, codec=codec, full_range=full_range, bt709=bt709
    )  # fmt: skip
    rgb, luma = by_formula(raw_frames(path)[0])
    frame = next(iter(VideoFrames(path)))
    assert np.abs(frame.gray() - luma).max() <= 1.6
    assert np.abs(frame.crop(0, 0, 320, 180, (320, 180)) - rgb).max() <= 0.6
    assert np.abs(frame.rgb() - rgb).max() <= 4.5
    assert np.abs(frame.rgb(90) - rgb.reshape(90, 2, 160, 2, 3).mean((1, 3))).mean() <= 0.6
    assert np.abs(frame.gray(90) - luma.reshape(90, 2, 160, 2).mean((1, 3))).mean() <= 0.6
    assert np.abs(frame.rgb() - ramp().astype(float)).mean() < 4  # what was encoded, through the encoder's own loss


def test_8_bit_pictures_are_those_of_opencv():
    cv2 = pytest.importorskip("cv2")
    for parts in (
        ("single", "headpose_31.mp4"),
        ("odd", "torchcodec_bt709_full_range.mp4"),
        ("odd", "moviepy_fire2.mp4"),
    ):
        capture = cv2.VideoCapture(str(media(*parts)))
        for frame, _ in zip(VideoFrames(media(*parts)), range(10), strict=False):
            read, picture = capture.read()
            assert read, parts
            assert (frame.rgb() == picture[:, :, ::-1]).all(), parts


def test_gray_of_limited_range_is_expanded(tmp_path):
    path = write_video(tmp_path / "a.mp4", [("black", 0.2), ("white", 0.2)])
    dark, *_, light = VideoFrames(path)
    assert (dark.gray().max(), light.gray().min()) == (0, 255)
    assert (dark.gray(60).max(), light.gray(60).min()) == (0, 255)


def test_pictures_are_made_once_read_only_and_never_scaled_up(tmp_path):
    frame = next(iter(VideoFrames(write_video(tmp_path / "a.mp4", size=(322, 182)))))
    assert (frame.width, frame.height) == (322, 182)
    assert frame.rgb(90).shape == (90, 159, 3)
    assert frame.gray(90).shape == (90, 159)
    assert frame.rgb(90) is frame.rgb(90)
    assert frame.rgb(4000) is frame.rgb()
    assert frame.rgb().shape == (182, 322, 3)
    assert frame.rgb().flags.c_contiguous
    assert frame.gray().flags.c_contiguous
    for made in (frame.rgb(), frame.rgb(90), frame.gray(), frame.gray(90), frame.crop(0, 0, 9, 9, (4, 4))):
        with pytest.raises(ValueError, match="read-only"):
            made[0] = 0


def test_an_odd_size_is_kept(tmp_path):
    path = write_video(tmp_path / "a.mp4", [(ramp((321, 181)), 0.1)], size=(321, 181), pixel_format="yuv444p")
    frame = next(iter(VideoFrames(path)))
    assert frame.rgb().shape == (181, 321, 3)
    assert np.abs(frame.crop(0, 0, 321, 181, (321, 181)) - ramp((321, 181)).astype(float)).mean() < 3


@pytest.mark.parametrize("turn_deg", [0, 90, 180, 270])
def test_rotation_is_applied_to_every_picture(tmp_path, turn_deg):
    path = write_video(tmp_path / "a.mp4", [(corners((64, 36)), 0.1)], size=(64, 36), rotation_deg=turn_deg)
    expected = np.rot90(corners((64, 36)), -turn_deg // 90)
    frame = next(iter(VideoFrames(path)))
    height, width = expected.shape[:2]
    assert (frame.width, frame.height) == (width, height)
    for top in (0, height // 2):
        for left in (0, width // 2):
            inner = slice(top + 4, top + height // 2 - 4), slice(left + 4, left + width // 2 - 4)
            shown = expected[inner].mean((0, 1))
            assert frame.rgb()[inner].mean((0, 1)) == pytest.approx(shown, abs=5)
            assert frame.gray()[inner].mean() == pytest.approx(shown @ [0.299, 0.587, 0.114], abs=5)
            box = inner[1].start, inner[0].start, inner[1].stop, inner[0].stop
            assert frame.crop(*box, (8, 8)).mean((0, 1)) == pytest.approx(shown, abs=5)


def test_pixels_that_are_not_square_are_shown_square(tmp_path):
    frame = next(iter(VideoFrames(write_video(tmp_path / "a.mp4", [(corners(), 0.1)], sar=Fraction(4, 3)))))
    assert (frame.width, frame.height) == (427, 180)
    assert frame.rgb().shape == (180, 427, 3)
    assert frame.rgb(90).shape == (90, 214, 3)
    assert frame.crop(230, 10, 420, 80, (10, 10)).mean((0, 1)) == pytest.approx(COLOURS["green"], abs=5)


def test_frames_keep_the_size_of_the_first_when_the_stream_changes_it(tmp_path):
    parts = [
        write_video(tmp_path / "1.ts", [(corners(), 1.0)]),
        write_video(tmp_path / "2.ts", [(corners((160, 90)), 1.0)], size=(160, 90), times_s=[1.0, 1.04, 1.08]),
    ]
    path = tmp_path / "both.ts"
    path.write_bytes(b"".join(part.read_bytes() for part in parts))
    stored = {(frame.width, frame.height) for frame in raw_frames(path)}
    assert stored == {(320, 180), (160, 90)}, "the test needs a stream that changes its size"
    last = list(VideoFrames(path))[-1]
    assert (last.width, last.height) == (320, 180)
    assert last.rgb().shape == (180, 320, 3)
    assert last.crop(170, 100, 310, 170, (8, 8)).mean((0, 1)) == pytest.approx(COLOURS["white"], abs=6)


# GPU


# Damage


def test_a_damaged_stream_is_a_drop_with_its_numbers(tmp_path):
    whole = write_video(tmp_path / "a.mp4", [(ramp(), 2.0)], keyframe_every=1, crf=5)
    damaged = tmp_path / "b.mp4"
    bytes_ = bytearray(whole.read_bytes())
    with av.open(str(whole)) as container:
        spans = [(packet.pos or 0, packet.size) for packet in container.demux(video=0) if packet.size]
    for pos, size in spans[::2]:
        bytes_[pos : pos + size] = b"\xff" * size
    damaged.write_bytes(bytes_)
    drop = of_drop(lambda: list(VideoFrames(damaged)))
    assert (drop.reason, drop.detail) == ("corrupt_video", "25 of 50 packets undecodable")


def test_a_few_bad_packets_are_skipped(tmp_path):
    whole = write_video(tmp_path / "a.mp4", [(ramp(), 2.0)], keyframe_every=1, crf=5)
    damaged = tmp_path / "b.mp4"
    bytes_ = bytearray(whole.read_bytes())
    with av.open(str(whole)) as container:
        spans = [(packet.pos or 0, packet.size) for packet in container.demux(video=0) if packet.size]
    for pos, size in (spans[7], spans[30]):
        bytes_[pos : pos + size] = b"\xff" * size
    damaged.write_bytes(bytes_)
    missing = {frame.pts_s for frame in VideoFrames(whole)} - {frame.pts_s for frame in VideoFrames(damaged)}
    assert sorted(missing) == pytest.approx([7 * 0.04, 30 * 0.04])


def test_what_is_no_video_is_a_drop(tmp_path):
    (tmp_path / "empty.mp4").write_bytes(b"")
    (tmp_path / "page.mp4").write_text("<!DOCTYPE html><title>404</title>" * 40)
    sound = write_audio(tmp_path / "a.wav", tone(1, 16000))
    silent = write_video(tmp_path / "a.mp4")
    cut_off = truncated(silent, tmp_path / "b.mp4", 0.02)
    for path, reason in (
        (tmp_path / "empty.mp4", "empty_file"),
        (tmp_path / "page.mp4", "not_a_video"),
        (sound, "no_video_stream"),
        (cut_off, "truncated"),
    ):
        assert of_drop(lambda path=path: list(VideoFrames(path))).reason == reason
    assert of_drop(lambda: SourceAudio(silent).samples(0, 1)).reason == "no_audio_stream"
    with pytest.raises(FileNotFoundError):
        list(VideoFrames(tmp_path / "none.mp4"))


# Real files


@pytest.mark.parametrize(
    ("name", "frames", "size"),
    [
        ("decord_flipping_a_pancake.mkv", 310, (426, 240)),
        ("decord_video_0.mov", 3, (568, 320)),
        ("decord_video_90.mov", 3, (320, 568)),
        ("decord_video_180.mov", 3, (568, 320)),
        ("lhotse_big_buck_bunny_small.mp4", 132, (427, 240)),
        ("moviepy_chaplin.mp4", 241, (640, 360)),
        ("moviepy_fire2.mp4", 25, (1280, 720)),
        ("moviepy_no_duration.webm", 74, (1280, 720)),
        ("talkvid_10_gt.mp4", 109, (512, 512)),
        ("torchcodec_av1_video.mkv", 125, (640, 360)),
        ("torchcodec_bt709_full_range.mp4", 30, (1280, 720)),
        ("torchcodec_h265_video.mp4", 10, (128, 128)),
        ("torchcodec_nasa_13013.mp4", 390, (480, 270)),  # the second video stream, which a player shows
        ("decord_corrupted.mp4", 48, (1280, 720)),  # of 50: one packet raises, one frame is marked as damaged
    ],
)
def test_odd_files_give_every_frame(name, frames, size):
    seen = [(frame.pts_s, frame.width, frame.height) for frame in VideoFrames(media("odd", name))]
    assert len(seen) == frames
    assert {(width, height) for _, width, height in seen} == {size}
    times_s = [pts_s for pts_s, _, _ in seen]
    assert times_s == sorted(set(times_s))


def test_edit_lists_hide_frames():
    for parts, frames in ((("negative", "pyfeat_no_face.mp4"), 95), (("hdtf", "hdtf_RD_Radio10_0_clip_0.mp4"), 61)):
        assert len(list(VideoFrames(media(*parts)))) == frames


def test_real_spans_equal_the_whole():
    path = media("hdtf", "retalking_face_1.mp4")
    whole = [(frame.pts_s, frame.gray(80).copy()) for frame in VideoFrames(path)]
    for first, last in ((40, 44), (90, 99)):
        span = list(VideoFrames(path, whole[first][0], whole[last][0]))
        assert [frame.pts_s for frame in span] == [pts_s for pts_s, _ in whole[first:last]]
        assert all(
            (frame.gray(80) == picture).all() for frame, (_, picture) in zip(span, whole[first:last], strict=True)
        )
