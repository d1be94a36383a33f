"""Cuts against hand-checked truth. The frame numbers below were checked by eye on contact sheets; see docs/tracks.md."""

from itertools import pairwise

import pytest

from manifests.tables import Shot, Source, span_id
from operators.base import Drop
from operators.shots.detect_shots import DetectShots
from pipeline.decode import VideoFrames
from tests.conftest import media
from tests.made_videos import ramp, write_video

# By file: the first frame of every shot but the first, and the frames through which slow transitions last.
TRUTH = {
    ("multi", "avi_testvideo.mp4"): (
        (205, 256, 312, 422, 494, 526, 579, 686, 736, 768, 826, 870, 971, 1003, 1020, 1085, 1103, 1128, 1206, 1242),
        ((112, 120), (1315, 1326)),
    ),
    ("multi", "avi_testhyland.mp4"): ((63, 252), ()),
    ("multi", "hamilton_short_clip.mp4"): ((20, 82, 211), ()),
    ("multi", "avi_billhyland.mp4"): ((), ()),
    ("single", "headpose_31.mp4"): ((), ()),
    ("negative", "pyfeat_face_noface.mov"): ((72,), ()),  # by one black frame
}


def shots_of(path, source=None, **fields) -> list[Shot]:
    return list(DetectShots(**fields)(source or Source("s", str(path)), VideoFrames(path)))


@pytest.mark.parametrize("parts", TRUTH, ids=lambda parts: parts[-1])
def test_finds_the_cuts_of_real_films(parts):
    path = media(*parts)
    cuts, slow = TRUTH[parts]
    times_s = [frame.pts_s for frame in VideoFrames(path)]
    shots = shots_of(path)
    told = [times_s.index(shot.start_s) for shot in shots[1:]]
    right = [cut for cut in cuts if any(abs(cut - frame) <= 1 for frame in told)]
    wrong = [
        frame for frame in told if not any(abs(cut - frame) <= 1 for cut in cuts) and not any(low <= frame <= high for low, high in slow)
    ]
    f1 = 2 * len(right) / (2 * len(right) + len(wrong) + len(cuts) - len(right)) if cuts or wrong else 1.0
    assert f1 == 1.0, f"missed {sorted(set(cuts) - set(right))}, false {wrong}"
    assert shots[0].start_s == times_s[0]
    assert all(before.end_s == after.start_s for before, after in pairwise(shots))
    assert shots[-1].end_s > times_s[-1]


def test_agrees_with_scenedetect_reading_the_file_itself():
    from scenedetect import AdaptiveDetector, detect

    path = media("multi", "avi_testvideo.mp4")
    theirs = detect(str(path), AdaptiveDetector(adaptive_threshold=DetectShots.threshold, min_scene_len=5))
    times_s = [frame.pts_s for frame in VideoFrames(path)]
    assert [times_s.index(shot.start_s) for shot in shots_of(path)] == [start.get_frames() for start, _ in theirs]


def test_cuts_lie_on_the_first_frame_of_the_new_shot(tmp_path):
    path = write_video(tmp_path / "three.mp4", [("red", 1.0), ("blue", 1.52), ("green", 0.6)])
    source = Source("s", str(path), start_s=0.0, end_s=3.12)
    assert shots_of(path, source) == [Shot("s", span_id("s", *span), *span) for span in [(0.0, 1.0), (1.0, 2.52), (2.52, 3.12)]]


def test_cuts_of_a_variable_rate_are_pts(tmp_path):
    times_s = [0.5 + n / 30 for n in range(30)] + [1.5 + n / 12 for n in range(12)]
    path = write_video(tmp_path / "vfr.mkv", [("red", 1.5), ("yellow", 1.0)], times_s=times_s)
    shots = shots_of(path)
    assert [shot.start_s for shot in shots] == pytest.approx([0.5, 1.5], abs=2e-3)
    assert shots[-1].end_s == pytest.approx(times_s[-1] + 1 / 30, abs=2e-3), (
        "a median gap after the last frame, since the source claims no end"
    )


def test_one_odd_frame_does_not_make_a_shot(tmp_path):
    path = write_video(tmp_path / "flash.mp4", [(ramp(), 1.0), ("white", 0.04), (ramp(), 1.0)])
    assert all(shot.end_s - shot.start_s >= DetectShots.min_shot_s for shot in shots_of(path))


def test_a_source_without_frames_is_dropped():
    with pytest.raises(Drop, match="no_frames"):
        list(DetectShots()(Source("s", "nothing"), iter(())))
