import threading
import time
import weakref
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import pytest

from operators.base import Drop
from operators.media.containers import decodes_on_gpu
from operators.media.frames import SourceFrame, VideoFrames
from operators.media.sound import SourceAudio
from tests.conftest import media
from tests.made_sounds import KINDS, LATE_S, centre_s, lit
from tests.made_videos import COLOURS, clicks, corners, flashes, ramp, tone, truncated, write_audio, write_video


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


@pytest.mark.parametrize("turn_deg", [0, 90])
def test_pictures_as_a_gpu_stores_them_are_the_same(tmp_path, turn_deg):
    """NVDEC gives NV12, whose two planes hold what the three of YUV 4:2:0 do."""
    frame = next(iter(VideoFrames(write_video(tmp_path / "a.mp4", [(ramp(), 0.1)], rotation_deg=turn_deg))))
    stored = frame._frame.reformat(format="nv12")
    assert [plane.width for plane in stored.planes] == [320, 160]
    on_gpu = SourceFrame(stored, frame.pts_s, frame._display)
    for look in (
        lambda one: one.rgb(),
        lambda one: one.rgb(20),
        lambda one: one.gray(),
        lambda one: one.gray(20),
        lambda one: one.luma(3, 5, 90, 71),
        lambda one: one.crop(8, 16, 128, 136, (40, 40)),
        lambda one: one.crop(7.5, 3, 90, 70.25, (60, 60)),
        lambda one: one.crop(-5, -5, 170, 170, (16, 16)),
    ):
        apart = np.abs(look(on_gpu).astype(int) - look(frame))
        assert apart.mean() <= 1
        assert apart.max() <= 3, "two fast conversions of whole frames round apart, the others by a level"


@pytest.mark.parametrize(("name", "codec"), [("a.mp4", "libx264"), ("a.webm", "libvpx-vp9"), ("a.avi", "mpeg4")])
def test_a_gpu_decodes_the_same_frames(tmp_path, name, codec):
    """Where this process holds none, or it does not know the codec, the CPU decodes."""
    path = write_video(tmp_path / name, [(ramp(), 1.0)], codec=codec)
    for start_s in (None, 0.5):
        expected, made = (list(VideoFrames(path, start_s, on_gpu=on_gpu)) for on_gpu in (False, True))
        assert [frame.pts_s for frame in made] == [frame.pts_s for frame in expected]
        assert all((one.gray() == other.gray()).all() for one, other in zip(made, expected, strict=True))


@pytest.mark.skipif(not decodes_on_gpu(), reason="this process holds no GPU")
def test_nvdec_decodes_where_there_is_one(tmp_path):
    path = write_video(tmp_path / "a.mp4", [(ramp(), 0.2)])
    assert {frame._frame.format.name for frame in VideoFrames(path, on_gpu=True)} == {"nv12"}


# Crops


def test_a_crop_is_the_area_average_of_its_box(tmp_path):
    frame = next(iter(VideoFrames(write_video(tmp_path / "a.mp4", [(ramp(), 0.1)]))))
    whole = frame.crop(0, 0, 320, 180, (320, 180)).astype(float)
    expected = whole[20:120, 40:240].reshape(25, 4, 50, 4, 3).mean((1, 3))
    # rounded when blocks are averaged, and once more
    assert np.abs(frame.crop(40, 20, 240, 120, (50, 25)) - expected).max() <= 1.5
    assert (frame.crop(41, 21, 141, 91, (100, 70)) == whole[21:91, 41:141]).all()


@pytest.mark.parametrize("turn_deg", [0, 90, 180, 270])
def test_a_strongly_shrunk_crop_is_the_area_average_too(tmp_path, turn_deg):
    frame = next(iter(VideoFrames(write_video(tmp_path / "a.mp4", [(ramp(), 0.1)], rotation_deg=turn_deg))))
    whole = frame.crop(0, 0, frame.width, frame.height, (frame.width, frame.height)).astype(float)
    expected = whole[9:169, 10:170].reshape(16, 10, 16, 10, 3).mean((1, 3))
    assert np.abs(frame.crop(10, 9, 170, 169, (16, 16)) - expected).max() <= 2
    to_the_edge = whole[20:180, 0:160].reshape(16, 10, 16, 10, 3).mean((1, 3))
    assert np.abs(frame.crop(0, 20, 160, 180, (16, 16)) - to_the_edge).max() <= 2
    moved = [frame.crop(10 + step, 9, 170 + step, 169, (16, 16)).astype(float).mean() for step in (0, 0.5, 1, 1.5)]
    assert np.abs(np.diff(moved, 2)).max() <= 0.1


@pytest.mark.parametrize("turn_deg", [0, 90, 180, 270])
def test_a_shrunk_crop_on_blocks_is_the_area_average(tmp_path, turn_deg):
    frame = next(iter(VideoFrames(write_video(tmp_path / "a.mp4", [(ramp(), 0.1)], rotation_deg=turn_deg))))
    whole = frame.crop(0, 0, frame.width, frame.height, (frame.width, frame.height)).astype(float)
    for left, top, side, size in ((8, 16, 120, 40), (16, 24, 144, 16), (0, 0, 96, 60)):
        expected = cv2.resize(whole[top : top + side, left : left + side], (size, size), interpolation=cv2.INTER_AREA)
        assert np.abs(frame.crop(left, top, left + side, top + side, (size, size)) - expected).max() <= 2


@pytest.mark.parametrize("turn_deg", [0, 90, 180, 270])
@pytest.mark.parametrize(
    "more", [{}, {"full_range": True}, {"pixel_format": "yuv422p"}, {"pixel_format": "yuv422p10le"}]
)
def test_luma_is_a_part_of_gray(tmp_path, turn_deg, more):
    frame = next(iter(VideoFrames(write_video(tmp_path / "a.mp4", [(ramp(), 0.1)], rotation_deg=turn_deg, **more))))
    gray = frame.gray()
    assert np.ptp(gray) > 100
    for left, top, right, bottom in ((0, 0, frame.width, frame.height), (3, 5, 90, 71), (50, 0, 51, 100)):
        assert (frame.luma(left, top, right, bottom) == gray[top:bottom, left:right]).all()
        assert not frame.luma(left, top, right, bottom).flags.writeable


def test_of_a_much_larger_frame_the_middle_lines_stand_for_all(tmp_path):
    """Levels go up and down by five a line: of any but the middle lines the picture would be ten levels off."""
    levels = 20 + 5 * np.abs(40 - np.arange(720) % 80)
    picture = np.broadcast_to(levels[:, None, None], (720, 1280, 3)).astype(np.uint8)
    frame = next(iter(VideoFrames(write_video(tmp_path / "a.mp4", [(picture, 0.1)], size=(1280, 720), fps=10))))
    for made, whole in ((frame.rgb(72), frame.rgb()), (frame.gray(72), frame.gray())):
        expected = cv2.resize(whole.astype(float), (128, 72), interpolation=cv2.INTER_AREA)
        assert np.abs(made - expected).mean() <= 1.5


def test_a_crop_keeps_fractions_of_a_pixel(tmp_path):
    frame = next(iter(VideoFrames(write_video(tmp_path / "a.mp4", [(ramp(), 0.1)]))))
    per_pixel = 215 / 319  # the ramp's red
    means = [frame.crop(100 + step, 50, 164 + step, 114, (16, 16))[..., 0].mean() for step in (0, 0.25, 0.5, 0.75)]
    assert np.diff(means) == pytest.approx([0.25 * per_pixel] * 3, abs=0.1)


def test_a_crop_is_black_beyond_the_frame_and_grows_smoothly(tmp_path):
    frame = next(iter(VideoFrames(write_video(tmp_path / "a.mp4", [("white", 0.1)]))))
    cut = frame.crop(-20, -10, 20, 30, (40, 40))
    assert (cut[:10] == 0).all()
    assert (cut[:, :20] == 0).all()
    assert (cut[10:, 20:] >= 254).all()
    assert (frame.crop(400, 10, 410, 20, (4, 4)) == 0).all()
    assert (frame.crop(10, 10, 20, 100, (100, 20)) >= 254).all()
    with pytest.raises(ValueError, match="no area"):
        frame.crop(5, 5, 5, 9, (4, 4))


def test_a_crop_does_not_depend_on_what_was_asked_before(tmp_path):
    path = write_video(tmp_path / "a.mp4", [(ramp(), 0.1)], rotation_deg=90)
    fresh, asked = next(iter(VideoFrames(path))), next(iter(VideoFrames(path)))
    for picture in (asked.rgb, asked.gray):
        picture(90)
        picture()
    assert (fresh.crop(13.5, 20.25, 99, 171, (64, 64)) == asked.crop(13.5, 20.25, 99, 171, (64, 64))).all()


def test_many_threads_get_the_same_pictures(tmp_path):
    path = write_video(tmp_path / "a.mp4", [(ramp(), 0.4)])
    frames, alone = list(VideoFrames(path)), list(VideoFrames(path))
    seen: list[list[np.ndarray]] = []

    def look():
        seen.append(
            [picture for f in frames for picture in (f.rgb(), f.rgb(90), f.gray(45), f.crop(9, 9, 99, 99, (32, 32)))]
        )

    threads = [threading.Thread(target=look) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    expected = [picture for f in alone for picture in (f.rgb(), f.rgb(90), f.gray(45), f.crop(9, 9, 99, 99, (32, 32)))]
    assert len(seen) == 4
    for pictures in seen:
        assert all((one == other).all() for one, other in zip(pictures, expected, strict=True))


def test_what_readers_of_a_frame_share_is_made_once(tmp_path):
    frame = next(iter(VideoFrames(write_video(tmp_path / "a.mp4", [(ramp(), 0.1)]))))
    made, seen = [], []

    def make():
        time.sleep(0.05)  # long enough for the other threads to ask meanwhile
        made.append(float(frame.gray(45).mean()))
        return made[-1]

    threads = [threading.Thread(target=lambda: seen.append(frame.once("mean", make))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == 1
    assert seen == made * 4
    assert frame.once("another", lambda: frame.once("mean", make) + 1) == made[0] + 1
    with pytest.raises(ZeroDivisionError):
        frame.once("broken", lambda: 1 / 0)
    assert frame.once("broken", lambda: 2) == 2, "an error is not kept"


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


# Sound


@pytest.mark.parametrize(
    ("name", "codec"),
    [
        ("a.mp4", "aac"),
        ("a.mkv", "pcm_s16le"),
        ("a.mkv", "libopus"),
        ("a.ts", "aac"),
        ("a.mov", "pcm_s16le"),
        ("a.mp4", "mp3"),
    ],
)
@pytest.mark.parametrize("hz", [16000, 48000])
def test_a_click_sounds_with_its_flash(tmp_path, name, codec, hz):
    times_s = [0.2, 0.88, 1.6]
    path = write_video(
        tmp_path / name,
        [(flashes(times_s), 2.0)],
        audio=clicks(2.0, times_s, 48000),
        audio_hz=48000,
        audio_codec=codec,
        keyframe_every=50,
    )
    seen_s = [frame.pts_s for frame in VideoFrames(path) if frame.gray(20).mean() > 128]
    sound = SourceAudio(path)
    for flash_s in seen_s:
        near = sound.samples(flash_s - 0.1, flash_s + 0.1, hz)
        assert len(near) == round(0.2 * hz)
        click_s = flash_s - 0.1 + int(np.argmax(near > 0.3)) / hz
        assert click_s == pytest.approx(flash_s, abs=0.0015), codec
    assert len(seen_s) == 3


def test_a_click_in_uncompressed_sound_lands_in_its_sample(tmp_path):
    path = write_audio(tmp_path / "a.wav", clicks(2.0, [0.5, 1.75], 16000), 16000)
    loud = np.flatnonzero(SourceAudio(path).samples(0, 2) > 0.5)
    assert set(loud) == {*range(8000, 8032), *range(28000, 28032)}


def test_late_sound_is_late_and_zeros_before(tmp_path):
    for name in ("a.mkv", "a.mov"):
        path = write_video(
            tmp_path / name, audio=[(0.7, clicks(1.0, [0.2], 16000))], audio_hz=16000, audio_codec="pcm_s16le"
        )
        sound = SourceAudio(path)
        assert (sound.start_s, sound.end_s) == pytest.approx((0.7, 1.7), abs=0.001)
        samples = sound.samples(0.0, 2.0)
        assert (samples[: int(0.69 * 16000)] == 0).all()
        assert np.argmax(samples > 0.5) == pytest.approx(0.9 * 16000, abs=16)
        assert (sound.samples(0.85, 0.95) == samples[13600:15200]).all()
    assert (sound.samples(-2.0, -1.0) == 0).all()
    assert len(sound.samples(5.0, 5.5)) == 8000


def test_a_gap_is_silence_and_an_overlap_is_replaced(tmp_path):
    parts = [(0.0, tone(0.5, 16000)), (0.9, clicks(0.5, [0.1], 16000))]
    path = write_video(tmp_path / "a.mkv", audio=parts, audio_hz=16000, audio_codec="pcm_s16le")
    samples = SourceAudio(path).samples(0.0, 1.4)
    assert (samples[8016 : 9 * 1600 - 16] == 0).all()
    assert np.argmax(samples[8016:] > 0.5) + 8016 == pytest.approx(16000, abs=16)
    parts = [(0.0, tone(1.0, 16000)), (0.97, clicks(0.5, [0.1], 16000))]
    path = write_video(tmp_path / "b.mkv", audio=parts, audio_hz=16000, audio_codec="pcm_s16le")
    samples = SourceAudio(path).samples(0.0, 1.4)
    assert (samples[round(0.971 * 16000) : 17000] == 0).all()
    assert np.abs(samples[15000:15500]).max() > 0.2
    assert np.argmax(samples > 0.5) == pytest.approx(1.07 * 16000, abs=16)


def test_jitter_of_timestamps_neither_clicks_nor_drifts(tmp_path):
    # Matroska rounds to milliseconds: 1024 samples at 44.1 kHz are never a whole number of them.
    exact, jittery = (
        write_audio(tmp_path / "a.wav", tone(5.0), 44100),
        write_audio(tmp_path / "a.mkv", tone(5.0), 44100),
    )
    with av.open(str(jittery)) as container:
        frames = list(container.decode(audio=0))
    steps = [
        float(b.time - a.time) - a.samples / a.sample_rate
        for a, b in pairwise(frames)
        if a.time is not None and b.time is not None
    ]
    assert max(map(abs, steps)) > 1e-4, "the test needs timestamps that jitter"
    assert np.abs(SourceAudio(exact).samples(0, 5, 16000) - SourceAudio(jittery).samples(0, 5, 16000)).max() < 1e-6


def test_channels_are_mixed_down_without_clipping(tmp_path):
    loud = np.sign(tone(1.0, 48000, 100.0, 1.0)) * 0.98
    for channels in (1, 2, 6):
        path = write_audio(tmp_path / f"{channels}.wav", np.stack([loud] * channels, 1).astype(np.float32), 48000)
        mono = SourceAudio(path).samples(0.0, 1.0, 48000)
        assert np.abs(mono).max() <= 1.0
        assert np.median(np.abs(mono)) == pytest.approx(0.98, abs=0.02), channels
    left_only = np.stack([loud, np.zeros_like(loud)], 1).astype(np.float32)
    assert np.median(
        np.abs(SourceAudio(write_audio(tmp_path / "l.wav", left_only, 48000)).samples(0, 1, 48000))
    ) == pytest.approx(0.49, abs=0.01)


def test_of_several_tracks_the_default_one_plays(tmp_path):
    path = write_video(tmp_path / "a.mp4", audio=tone(2.0, frequency_hz=440), more_audio=[tone(2.0, frequency_hz=1500)])
    spectrum = np.abs(np.fft.rfft(SourceAudio(path).samples(0.5, 1.5)))
    assert np.argmax(spectrum) == pytest.approx(440, abs=2)


def test_sound_is_decoded_once_for_each_rate_and_shared_by_threads(tmp_path, monkeypatch):
    path = write_audio(tmp_path / "a.wav", tone(2.0, 16000))
    sound = SourceAudio(path)
    threads = [threading.Thread(target=sound.samples, args=(0.0, 1.0, hz)) for hz in (16000, 16000, 8000)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    path.unlink()
    assert len(sound.samples(0.0, 1.0, 16000)) == 16000
    assert len(sound.samples(0.0, 1.0, 8000)) == 8000
    sound.samples(0.0, 1.0)[:] = 5
    assert np.abs(sound.samples(0.0, 1.0)).max() < 1


def test_long_sound_lies_on_disk_and_is_the_same(tmp_path, monkeypatch):
    """With an overlap and a gap, asked from within, across and around them."""
    parts = [(0.2, tone(1.0, 16000)), (1.17, clicks(0.5, [0.1], 16000)), (1.9, tone(0.5, 16000, frequency_hz=300))]
    path = write_video(tmp_path / "a.mkv", audio=parts, audio_hz=16000, audio_codec="pcm_s16le")
    short = SourceAudio(path)
    for hz in (16000, 44100):
        short.samples(0, 1, hz)
    monkeypatch.setattr(SourceAudio, "IN_MEMORY", 4096)
    long = SourceAudio(path)
    for hz in (16000, 44100):
        for span in ((-0.5, 4.0), (0.7, 1.3), (1.15, 1.2), (1.5, 2.0), (5.0, 6.0)):
            assert (long.samples(*span, hz) == short.samples(*span, hz)).all()
        kept: list[Any] = [sound._made[hz].samples for sound in (short, long)]
        assert [file._rolled for file in kept] == [False, True]
    assert np.abs(long.samples(0.0, 2.4)).max() > 0.5


@pytest.mark.parametrize("kind", KINDS)
def test_sound_of_every_kind_comes_with_its_picture_to_the_sample(tmp_path, kind):
    suffix, make, frames = KINDS[kind]
    path = make(tmp_path / f"made{suffix}")
    shown = [frame.pts_s for frame in VideoFrames(path) if frame.gray(20).mean() > 128]
    assert shown == pytest.approx(lit(frames), abs=0.001)  # Matroska's times are whole milliseconds
    sound = SourceAudio(path)
    for flash_s in lit(frames):
        for hz in (16000, 48000):
            first = round((flash_s - 0.1) * hz)
            found_s = centre_s(sound.samples(first / hz, (first + 0.2 * hz) / hz, hz), hz, first / hz)
            assert found_s == pytest.approx(flash_s, abs=1 / 16000), (kind, hz)
    if kind == "early end":
        assert sound.end_s == pytest.approx(4.0, abs=0.001)
        assert not sound.samples(4.01, 5.0).any()
    if kind == "late start":
        assert sound.start_s == pytest.approx(LATE_S, abs=0.0001)
        assert not sound.samples(0.0, 0.73).any()


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


def test_a_real_late_sound_track():
    assert SourceAudio(media("negative", "pyfeat_face_noface.mov")).start_s == pytest.approx(2.43, abs=0.001)


def test_the_track_a_player_plays_of_two_and_its_rate():
    # Tracks of 8 and 16 kHz: FFmpeg's best one is the second, which is marked as default.
    path = media("odd", "torchcodec_nasa_13013.mp4")
    with av.open(str(path)) as container:
        tracks = [
            np.concatenate([f.to_ndarray().mean(axis=0) for f in container.decode(stream)])
            for stream in _each(container)
        ]
        rates = [stream.codec_context.sample_rate for stream in container.streams.audio]
    heard = SourceAudio(path).samples(2.0, 4.0, rates[1])
    assert rates == [8000, 16000]
    alike = [np.corrcoef(heard, tracks[1][2 * 16000 + shift :][: len(heard)])[0, 1] for shift in (-200, 0, 200)]
    assert alike[1] > 0.999
    assert max(alike[0], alike[2]) < 0.9


def _each(container):
    for stream in container.streams.audio:
        container.seek(0)
        yield stream


def test_surround_sound_of_a_real_film_is_mixed_by_the_published_matrix():
    path = media("odd", "lhotse_big_buck_bunny_small.mp4")
    with av.open(str(path)) as container:
        assert container.streams.audio[0].codec_context.layout.name == "5.1"
        channels = np.concatenate([frame.to_ndarray() for frame in container.decode(audio=0)], axis=1)
    sound = SourceAudio(path)
    heard = sound.samples(sound.start_s + 0.5, sound.start_s + 4.5, 48000)
    # ITU-R BS.775: centre and surround at -3 dB beside the front, no low-frequency channel; to mono by halving, and
    # scaled not to exceed full scale.
    left, right, centre, _, back_left, back_right = channels[:, 24000 : 24000 + len(heard)]
    mixed = 0.5 * (left + right) + 2**-0.5 * centre + 2**-0.5 * 0.5 * (back_left + back_right)
    scale = float(heard @ mixed / (mixed @ mixed))
    assert np.abs(heard - scale * mixed).max() < 0.02 * np.abs(heard).max()


def test_sound_of_a_video_is_its_published_sound():
    video = SourceAudio(media("single", "wav2lipgfpgan_kim_7s_raw.mp4"))
    alone = SourceAudio(media("single", "wav2lipgfpgan_kim_audio.mp3"))
    one = video.samples(video.start_s + 0.5, video.start_s + 6.5)
    other = alone.samples(alone.start_s + 0.5, alone.start_s + 6.5)
    assert np.corrcoef(one, other)[0, 1] > 0.999


def test_real_spans_equal_the_whole():
    path = media("hdtf", "retalking_face_1.mp4")
    whole = [(frame.pts_s, frame.gray(80).copy()) for frame in VideoFrames(path)]
    for first, last in ((40, 44), (90, 99)):
        span = list(VideoFrames(path, whole[first][0], whole[last][0]))
        assert [frame.pts_s for frame in span] == [pts_s for pts_s, _ in whole[first:last]]
        assert all(
            (frame.gray(80) == picture).all() for frame, (_, picture) in zip(span, whole[first:last], strict=True)
        )
