"""Clips cut as their source stores them, and through RGB as they once were: the hash of their frames and their look."""

import hashlib
from pathlib import Path

import numpy as np
import pytest

from operators.clips.render_clips import RenderClips
from operators.media.frames import VideoFrames
from tests.made_videos import corners, tone, write_video
from tests.operators.clips.test_render_clips import clip, pictures, render


@pytest.mark.parametrize("pixels", ["yuv", "rgb"])
def test_the_frame_hash_is_that_of_the_pictures_encoded(tmp_path: Path, pixels: str):
    video = write_video(tmp_path / "made.mp4", [("red", 1.0), ("blue", 1.0)], size=(160, 160), audio=tone(2.0))
    of = clip(0.519, 1.519)
    row, path = render(video, of, RenderClips(size=160, pixels=pixels))
    box = of.left_px, of.top_px, of.right_px, of.bottom_px
    frames = [
        frame.planes(*box, (160, 160)) if pixels == "yuv" else frame.crop(*box, (160, 160))
        for frame in VideoFrames(video, 0.519, 1.519)
    ]
    assert row.frames == len(frames) == 25
    wanted = hashlib.sha256(b"".join(frame.tobytes() for frame in frames)).hexdigest()
    assert row.frames_sha256 == {"yuv": "yuv420p:", "rgb": ""}[pixels] + wanted
    assert row.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert row.bytes == path.stat().st_size
    assert row.render_id == "made/0.519-1.519/t0@recording"
    assert row.made_by == "recording"


def test_both_ways_show_the_same_pictures(tmp_path: Path):
    video = write_video(
        tmp_path / "made.mp4", [(corners((320, 180)), 1.0)], size=(320, 180), audio=tone(1.0), bt709=True, crf=5
    )
    of = clip(0.0, 0.9, (80, 20, 240, 180))
    shown = [
        np.stack([picture for _, picture in pictures(render(video, of, RenderClips(size=160, pixels=pixels))[1])])
        for pixels in ("yuv", "rgb")
    ]
    assert np.abs(shown[0].astype(int) - shown[1]).mean() < 1


def test_the_frames_of_an_old_corpus_are_hashed_as_they_were(tmp_path: Path):
    """RGB, height x width x 3: this number was in manifests before pictures were cut as YUV."""
    video = write_video(tmp_path / "made.mp4", [("gray", 1.0)], size=(160, 160), audio=tone(1.0), bt709=True, crf=0)
    grey = next(iter(VideoFrames(video))).crop(0, 0, 160, 160, (160, 160))
    assert np.ptp(grey) == 0
    row, _ = render(video, clip(0.0, 0.4), RenderClips(size=160, pixels="rgb"))
    assert row.frames_sha256 == hashlib.sha256(bytes([int(grey[0, 0, 0])]) * (10 * 160 * 160 * 3)).hexdigest()
