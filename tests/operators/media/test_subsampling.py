"""Pictures whose sides are no multiple of what a chroma sample covers, at every subsampling: a part has the colours of
its place in the whole.
"""

from pathlib import Path

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from operators.media.containers import Display
from operators.media.frames import SourceFrame, VideoFrames
from tests.made_videos import write_video

SIZES = [(321, 181), (320, 181), (321, 180), (320, 180), (33, 17)]
FORMATS = [
    "yuv420p",
    "yuvj420p",
    "yuv422p",
    "yuv440p",
    "yuv444p",
    "yuv411p",
    "yuv410p",
    "nv12",
    "nv16",
    "yuva420p",
    "yuv420p10le",
    "p010le",
    "gray",
]


def waves(size: tuple[int, int]) -> NDArray[np.uint8]:
    """(h, w, 3) colours that change over some forty pixels, differently everywhere."""
    x, y = np.meshgrid(np.arange(size[0]), np.arange(size[1]))
    return (
        np.stack([127 + 90 * np.sin(x / 27), 127 + 90 * np.cos(y / 23 + x / 60), 127 + 90 * np.sin((x + y) / 49)], 2)
        .round()
        .astype(np.uint8)
    )


def frame_of(form: str, size: tuple[int, int]) -> SourceFrame:
    stored = av.VideoFrame.from_ndarray(waves(size), format="rgb24").reformat(format=form)
    return SourceFrame(stored, 0.0, Display(*size, False, False, False, 0))


@pytest.mark.parametrize("size", SIZES, ids=str)
@pytest.mark.parametrize("form", FORMATS)
def test_a_crop_has_the_colours_of_its_place(form: str, size: tuple[int, int]) -> None:
    frame, random = frame_of(form, size), np.random.default_rng(0)
    whole = frame.rgb().astype(int)
    theirs = frame._frame.to_ndarray(format="rgb24").astype(int)
    limit = 4 if frame._frame.format.components[0].bits > 8 else 3
    width, height = size
    boxes = [(0, 0, width, height), (width - 9, height - 9, width, height), (0, height - 12, 20, height)]
    for _ in range(20):
        left, top = int(random.integers(0, width - 9)), int(random.integers(0, height - 9))
        boxes.append((left, top, int(random.integers(left + 8, width + 1)), int(random.integers(top + 8, height + 1))))
    for left, top, right, bottom in boxes:
        made = frame.crop(left, top, right, bottom, (right - left, bottom - top)).astype(int)
        assert np.abs(made - whole[top:bottom, left:right]).max() <= limit
        assert np.abs(made - theirs[top:bottom, left:right]).mean() <= 3
    assert np.abs(frame.luma(3, 5, width, height).astype(int) - frame.gray()[5:, 3:]).max() == 0


@pytest.mark.parametrize("size", SIZES, ids=str)
@pytest.mark.parametrize("form", FORMATS)
def test_a_smaller_picture_is_the_mean_of_the_whole(form: str, size: tuple[int, int]) -> None:
    frame = frame_of(form, size)
    for lines in (size[1] // 2, size[1] // 5, 1):
        small, gray = frame.rgb(lines), frame.gray(lines)
        assert small.shape[:2] == gray.shape == (lines, max(1, round(size[0] * lines / size[1])))
        assert np.abs(small.mean((0, 1)) - frame.rgb().mean((0, 1))).max() < (12 if lines > 1 else 60)


@pytest.mark.parametrize(
    ("suffix", "codec", "audio", "form"),
    [
        (".webm", "libvpx", "libopus", "yuv420p"),
        (".webm", "libvpx-vp9", "libopus", "yuv420p"),
        (".avi", "mpeg4", "mp3", "yuv420p"),
        (".avi", "mjpeg", "mp3", "yuvj420p"),
        (".mkv", "libx264", "aac", "yuv444p"),
    ],
)
def test_a_film_of_odd_sides_looks_as_its_even_twin(
    tmp_path: Path, suffix: str, codec: str, audio: str, form: str
) -> None:
    twins = [
        write_video(
            tmp_path / f"{side}{suffix}", [(waves(size), 0.2)], size=size, codec=codec, pixel_format=form, crf=5
        )
        for side, size in (("odd", (321, 181)), ("even", (322, 182)))
    ]
    odd, even = (next(iter(VideoFrames(path))) for path in twins)
    assert (odd.width, odd.height) == (321, 181)
    for left, top, right, bottom in (
        (0, 0, 100, 100),
        (221, 81, 321, 181),
        (150.5, 60.25, 321, 181),
        (-20, -20, 340, 200),
    ):
        seen, expected = (one.crop(left, top, right, bottom, (64, 64)).astype(int) for one in (odd, even))
        assert np.abs(seen - expected)[4:60, 4:60].mean() < 4
