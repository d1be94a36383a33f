"""On made videos of a real photograph that moves, whose faults are known, and on real films."""

from itertools import islice, pairwise

import numpy as np
import pytest

from manifests.tables import Clip
from operators.base import Drop
from operators.media.frames import VideoFrames
from operators.pictures.score_picture import ScorePicture, Stretches, duplicates, small_plane
from tests.conftest import media
from tests.made_videos import write_video

SIDE, FPS, FRAMES = 240, 25, 50


def clip(side: float = SIDE, end_s: float = FRAMES / FPS) -> Clip:
    return Clip("s", "s/000000-002000/t0", "s/shot", "s/shot/t0", "speaker0", 0.0, end_s, 0, 0, side, side)


def moving(count: int = FRAMES, step: int = 3) -> list[np.ndarray]:
    """A photograph that slides to the left and stays on the screen."""
    from skimage import data

    wide = data.astronaut()[20 : 20 + SIDE]
    return [np.ascontiguousarray(wide[:, step * n : step * n + SIDE]) for n in range(count)]


def scores(path, row: Clip | None = None, **fields) -> dict[str, float]:
    row = row or clip()
    found = list(ScorePicture(**fields)(row, VideoFrames(path, row.start_s, row.end_s)))
    assert all(score.subject == row.clip_id and score.score_id == f"{row.clip_id}#{score.metric}" for score in found)
    assert len({score.metric for score in found}) == len(found)
    return {score.metric: score.value for score in found}


def of(tmp_path, pictures: list[np.ndarray], crf: int = 20, **fields) -> dict[str, float]:
    """Scores of pictures shown at 25 a second."""
    path = write_video(
        tmp_path / "made.mp4",
        [(lambda t: pictures[min(round(t * FPS), len(pictures) - 1)], len(pictures) / FPS)],
        size=(SIDE, SIDE),
        crf=crf,
    )
    return scores(path, clip(end_s=len(pictures) / FPS), **fields)


def test_a_clean_film(tmp_path):
    found = of(tmp_path, moving())
    assert found["frozen_share"] == 0
    assert found["duplicate_share"] == 0
    assert found["distinct_fps"] == pytest.approx(25)
    assert found["combing_share"] == 0
    assert found["bars_share"] == 0
    assert found["seam_share"] < 0.5
    assert found["brightness_jump"] < 5
    assert found["picture_motion"] > 20
    assert found["picture_brightness"] == pytest.approx(np.mean(moving()), abs=5)


@pytest.mark.parametrize(("of_three", "fps"), [((0, 0, 2), 50 / 3), ((0, 0, 0), 25 / 3)])
def test_copied_frames_are_counted_and_take_from_the_rate(tmp_path, of_three, fps):
    pictures = moving(48)
    made = [pictures[n // 3 * 3 + of_three[n % 3]] for n in range(48)]
    found = of(tmp_path, made, crf=26)
    assert found["frozen_share"] == 0
    assert found["duplicate_share"] == pytest.approx(1 - fps / 25, abs=0.03)
    assert found["distinct_fps"] == pytest.approx(fps, abs=0.7)


def test_frozen_time_is_the_share_that_stands_still(tmp_path):
    pictures = moving()
    for frozen in (0, 20, 40):
        made = [pictures[5] if 5 <= n < 5 + frozen else picture for n, picture in enumerate(pictures)]
        found = of(tmp_path, made, crf=26)
        assert found["frozen_share"] == pytest.approx(frozen / FRAMES, abs=0.03)
        assert found["duplicate_share"] == 0
    standing = of(tmp_path, [pictures[5]] * FRAMES)
    assert standing["frozen_share"] == 1
    assert "distinct_fps" not in standing


def test_a_flash_is_the_largest_jump(tmp_path):
    pictures = moving()
    pictures[20] = np.full_like(pictures[20], 250)
    assert of(tmp_path, pictures)["brightness_jump"] == pytest.approx(250 - pictures[19].mean(), abs=10)


def test_letterbox_interlacing_and_blocks(tmp_path):
    pictures = moving()
    boxed = [picture.copy() for picture in pictures]
    for picture in boxed:
        picture[:36] = picture[-24:] = 0
    assert of(tmp_path, boxed)["bars_share"] == pytest.approx(60 / SIDE, abs=0.01)
    fields = [now.copy() for now in pictures[:-1]]
    for now, after in zip(fields, pictures[1:], strict=True):
        now[1::2] = after[1::2]
    assert of(tmp_path, fields)["combing_share"] > 0.2
    coarse = of(tmp_path, pictures, crf=48)
    assert coarse["picture_blockiness"] > of(tmp_path, pictures)["picture_blockiness"] + 0.1
    assert coarse["picture_noise"] < of(tmp_path, pictures)["picture_noise"], "compression takes it away"


def test_enlargement_blurs(tmp_path):
    from PIL import Image

    values = []
    for side in (SIDE, SIDE // 2, SIDE // 4):
        made = [
            np.asarray(Image.fromarray(picture).resize((side, side)).resize((SIDE, SIDE))) for picture in moving(25)
        ]
        values.append(of(tmp_path, made)["picture_blur"])
    assert all(after > before + 0.03 for before, after in pairwise(values)), values


def test_only_the_box_is_looked_at(tmp_path):
    pictures = moving(25)
    for picture in pictures:
        picture[:, SIDE // 2 :] = 0
    path = write_video(tmp_path / "half.mp4", [(lambda t: pictures[min(round(t * FPS), 24)], 1.0)], size=(SIDE, SIDE))
    assert scores(path, clip(SIDE / 2, 1.0))["bars_share"] == 0
    assert scores(path, clip(SIDE, 1.0))["bars_share"] == pytest.approx(0.5, abs=0.02)


def test_a_split_screen_has_a_seam(tmp_path):
    pictures = moving(25)
    for picture in pictures:
        picture[:, SIDE // 2 :] = 250
    path = write_video(tmp_path / "split.mp4", [(lambda t: pictures[min(round(t * FPS), 24)], 1.0)], size=(SIDE, SIDE))
    assert scores(path, clip(SIDE, 1.0), full_hz=5.0)["seam_share"] > 0.9
    assert scores(path, clip(SIDE / 2, 1.0), full_hz=5.0)["seam_share"] < 0.5
    assert "seam_share" not in scores(path, clip(SIDE, 1.0)), "one look"


def test_what_cannot_be_looked_at_is_dropped(tmp_path):
    path = write_video(tmp_path / "red.mp4", [("red", 1.0)])
    with pytest.raises(Drop, match="no_frames"):
        list(ScorePicture()(clip(), []))  # pyright: ignore[reportArgumentType]
    aside = Clip("s", "s/0-1/t0", "s/shot", "s/shot/t0", "speaker0", 0.0, 1.0, 315, 0, 500, 185)
    with pytest.raises(Drop, match="crop_empty"):
        list(ScorePicture()(aside, VideoFrames(path)))


def test_duplicates_are_dips_between_motion():
    assert duplicates([9, 0.5, 8, 0.4, 9]) == [False, True, False, True, False]
    assert duplicates([9, 0.1, 0.2, 0.1, 9]) == [False, True, True, True, False]
    assert duplicates([9, 4, 3, 4, 9]) == [False] * 5, "a pause is no copy"
    assert duplicates([0.5, 0.1, 0.5]) == [False] * 3, "nothing moves"
    assert duplicates([0.1, 9, 9]) == [False] * 3
    assert duplicates([]) == []


def test_what_creeps_is_not_still():
    creeping, still = Stretches(), Stretches()
    for n in range(30):
        creeping.add(np.full((16, 16), n, np.int16))
        still.add(np.full((16, 16), n % 3, np.int16))
    spans = np.full(30, 0.04)
    assert not creeping.frames(spans, 0.5).any()
    assert still.frames(spans, 0.5).all()
    assert not still.frames(spans, 2.0).any()


def test_the_small_picture_is_about_120_px_wide():
    frame = next(iter(VideoFrames(media("single", "headpose_31.mp4"))))
    assert small_plane(frame, (400, 100, 900, 600)).shape == (120, 121)
    assert small_plane(frame, (400, 100, 480, 180)).shape == (80, 80)


@pytest.mark.parametrize(
    ("name", "fps"), [("headpose_31.mp4", 25.0), ("speakervid_range_head_1.mp4", 25.0), ("lia_vox_driving2.mp4", 25.0)]
)
def test_real_films(name, fps):
    """`speakervid_range_head_1` has 30 frames a second, every sixth of them a copy by the same rule: what is held here
    is that it stays so.
    """
    path = media("single", name)
    first = list(islice(VideoFrames(path), 61))
    row = Clip(
        "s",
        "s/0/t0",
        "s/shot",
        "s/shot/t0",
        "v",
        first[0].pts_s,
        first[-1].pts_s,
        0,
        0,
        first[0].width,
        first[0].height,
    )
    found = scores(path, row)
    assert found["distinct_fps"] == pytest.approx(fps, abs=1.5)
    assert found["frozen_share"] == 0
    assert found["bars_share"] == 0
