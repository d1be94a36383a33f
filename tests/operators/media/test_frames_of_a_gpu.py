"""Frames that a GPU decodes are those of the CPU."""

import numpy as np
import pytest

from operators.media.containers import decodes_on_gpu
from operators.media.frames import SourceFrame, VideoFrames
from tests.made_videos import ramp, write_video


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
