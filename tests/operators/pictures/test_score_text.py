"""On a photograph with writing on it, and on real films whose writing was seen by eye."""

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from manifests.tables import Clip, Track
from operators.base import Drop
from operators.media.frames import VideoFrames
from operators.pictures.score_text import ScoreText
from tests.conftest import media
from tests.made_videos import write_video

CLIP = Clip("s", "s/000000-003000/t0", "s/shot", "s/shot/t0", "speaker0", 0.0, 3.0, 0, 0, 512, 512)
FACE = (176.0, 76.0, 272.0, 180.0)
TIMES = [n / 5 for n in range(15)]
TRACK = Track("s", "s/shot/t0", "s/shot", 0.0, 3.0, TIMES, *([edge] * 15 for edge in FACE), [0.9] * 15)  # pyright: ignore[reportCallIssue]
OPERATOR = ScoreText(rate_hz=1.0)


def photograph(*lines: tuple[str, int, int]) -> np.ndarray:
    """The astronaut with lines of writing, each 28 px high, at x and y."""
    from skimage import data

    picture = Image.fromarray(data.astronaut())
    for words, x, y in lines:
        ImageDraw.Draw(picture).text(
            (x, y), words, "white", ImageFont.load_default(28), stroke_width=2, stroke_fill="black"
        )
    return np.array(picture)


def scores(tmp_path, *shots: np.ndarray) -> dict[str, float]:
    """Of pictures shown for a second each, which is one look."""
    path = write_video(tmp_path / "text.mp4", [(picture, 1.0) for picture in shots], size=(512, 512))
    found = list(OPERATOR(CLIP, [TRACK], VideoFrames(path, 0.0, 3.0)))
    assert all(score.subject == CLIP.clip_id and score.score_id == f"{CLIP.clip_id}#{score.metric}" for score in found)
    return {score.metric: score.value for score in found}


def test_a_photograph_without_writing(tmp_path):
    found = scores(tmp_path, photograph())
    assert found["face_text_share"] == 0
    assert found["text_share"] < 0.02, "the patch on her suit can be read"


@pytest.mark.slow
def test_writing_covers_more_with_every_line(tmp_path):
    lines = [("breaking news tonight", 60, 440), ("and more of it follows", 60, 400), ("SUBSCRIBE NOW", 20, 20)]
    values = [scores(tmp_path, photograph(*lines[:count]))["text_share"] for count in range(4)]
    grown = np.diff(values)
    assert (grown > 0.015).all(), values
    assert (grown < 0.06).all(), "a line covers about 300 x 40 of 512 x 512 pixels"


def test_a_watermark_stays_and_a_subtitle_does_not(tmp_path):
    mark = ("example.org", 20, 20)
    stays = scores(tmp_path, photograph(mark), photograph(mark, ("said before", 60, 440)), photograph(mark))
    assert stays["text_looks_share"] == 1
    assert 0.01 < stays["static_text_share"] < stays["text_share"] - 0.005
    goes = scores(tmp_path, photograph(), photograph(("said before", 60, 440)))
    assert goes["text_share"] > 0.005
    assert goes["static_text_share"] < 0.002


def test_writing_over_the_face(tmp_path):
    found = scores(tmp_path, photograph(("SPEAKER", 160, 130)))
    assert 0.2 < found["face_text_share"] < 0.6, "a third of the face's height"


@pytest.mark.parametrize(
    ("parts", "least", "most"),
    [
        (("multi", "avi_billhyland.mp4"), 0.1, 0.35),  # the names of a firm behind two men, and their own below
        (("negative", "pyfeat_single_face.mp4"), 0, 0),  # nothing; the detector alone takes the man for a character
        (("single", "speakervid_generated_single_4.mp4"), 0, 0),  # likewise
        (("single", "headpose_31.mp4"), 0, 0),
    ],
)
def test_real_films(parts, least, most):
    path = media(*parts)
    frame = next(iter(VideoFrames(path)))
    clip = Clip("s", "s/c", "s/shot", "s/shot/t0", "v", 0.0, 2.0, 0, 0, frame.width, frame.height)
    found = {score.metric: score.value for score in OPERATOR(clip, [TRACK], VideoFrames(path, 0.0, 2.0))}
    assert least <= found["text_share"] <= most


def test_without_frames():
    with pytest.raises(Drop, match="no_frames"):
        list(OPERATOR(CLIP, [TRACK], []))
