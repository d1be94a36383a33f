"""Crops of a frame: what they average, and that they do not depend on what was asked for before, or by whom."""

import threading
import time

import av
import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from operators.media.frames import VideoFrames
from tests.made_videos import ramp, write_video


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


def planes_of_rgb(rgb) -> list[NDArray[np.float64]]:
    """Luma and the two chromas of ITU-R BT.709 in limited range, at half the size each way, by its formula."""
    red, green, blue = (rgb.astype(float) / 255).transpose(2, 0, 1)
    luma = 0.2126 * red + 0.7152 * green + 0.0722 * blue
    full = 16 + 219 * luma, 128 + 224 * (blue - luma) / 1.8556, 128 + 224 * (red - luma) / 1.5748
    return [plane.reshape(plane.shape[0] // 2, 2, plane.shape[1] // 2, 2).mean((1, 3)) for plane in full]


@pytest.mark.parametrize("turn_deg", [0, 90, 180, 270])
@pytest.mark.parametrize(
    "more", [{}, {"bt709": True}, {"full_range": True}, {"pixel_format": "yuv422p"}, {"pixel_format": "yuv420p10le"}]
)
def test_planes_are_those_of_the_picture_by_the_formula(tmp_path, turn_deg, more):
    video = write_video(tmp_path / "a.mp4", [(ramp(), 0.1)], rotation_deg=turn_deg, **more)
    frame = next(iter(VideoFrames(video)))
    even, odd, beyond = (20, 10, 140, 90), (21, 10, 141, 90), (-20, -10, 100, 70)
    for box, most in ((even, 1.5), (odd, 1.5), (beyond, 1.5)):
        for size in ((120, 80), (60, 40), (240, 160)):
            planes = frame.planes(*box, size)
            assert planes.shape == (size[1] * 3 // 2, size[0])
            assert not planes.flags.writeable
            luma, chroma = planes[: size[1]], planes[size[1] :].reshape(2, size[1] // 2, size[0] // 2)
            halved = luma.reshape(size[1] // 2, 2, size[0] // 2, 2).mean((1, 3))
            for found, wanted in zip((halved, *chroma), planes_of_rgb(frame.crop(*box, size)), strict=True):
                # a sharp edge to what lies beyond the frame spreads over a pixel
                assert np.abs(found - wanted)[2:-2, 2:-2].mean() < most


def test_planes_of_an_even_box_are_cut_and_not_converted(tmp_path):
    """At its own size, a picture of BT.709 in limited range comes out as it is stored."""
    frame = next(iter(VideoFrames(write_video(tmp_path / "a.mp4", [(ramp(), 0.1)], bt709=True))))
    with av.open(str(tmp_path / "a.mp4")) as container:
        stored = next(container.decode(video=0)).to_ndarray()
    height, width = frame.height, frame.width
    planes = frame.planes(40, 20, 160, 100, (120, 80))
    assert (planes[:80] == stored[20:100, 40:160]).all()
    chroma = stored[height:].reshape(2, height // 2, width // 2)[:, 10:50, 20:80]
    assert (planes[80:].reshape(2, 40, 60) == chroma).all()


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
