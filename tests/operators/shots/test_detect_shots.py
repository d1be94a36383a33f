"""Transitions against hand-checked truth (see docs/measured/shots.md), against scenedetect itself, and against videos
that were made.
"""

from itertools import pairwise

import cv2
import pytest

from manifests.tables import Shot, Source, Transition, span_id
from operators.base import Drop
from operators.media.frames import VideoFrames
from operators.shots.detect_shots import CutDetectors, DetectShots
from tests.conftest import media
from tests.cut_suite import suite
from tests.made_cuts import Made
from tests.made_videos import ramp, write_video

# By file: the first frame of every shot but the first, and the gradual transitions: the first mixed frame, and the
# first one after.
TRUTH = {
    ("multi", "avi_testvideo.mp4"): (
        (205, 256, 312, 422, 494, 526, 579, 686, 736, 768, 826, 870, 971, 1003, 1020, 1085, 1103, 1128, 1206, 1242),
        ((0, 9), (106, 122), (1314, 1329), (1419, 1427)),
    ),
    ("multi", "avi_testhyland.mp4"): ((63, 252), ()),
    ("multi", "hamilton_short_clip.mp4"): ((20, 82, 211), ()),
    ("multi", "avi_billhyland.mp4"): ((), ()),
    ("multi", "panda_YemkZ7DLOBU.15.mp4"): ((31,), ()),  # a jump cut
    ("single", "headpose_31.mp4"): ((), ()),
    ("negative", "pyfeat_face_noface.mov"): ((72,), ()),  # by one black frame
    ("odd", "torchcodec_nasa_13013.mp4"): ((240,), ((150, 179),)),
}


def rows_of(path, source=None, **fields) -> list[Shot | Transition]:
    return list(DetectShots(**fields)(source or Source("s", str(path)), VideoFrames(path)))


def told(path, **fields) -> list[tuple[str, int, int]]:
    """Kind, first frame and first frame after of the transitions found; checks that the rows tile the source."""
    times_s = []

    def frames():
        for frame in VideoFrames(path):
            times_s.append(frame.pts_s)
            yield frame

    rows = list(DetectShots(**fields)(Source("s", str(path)), frames()))
    tiles = [row for row in rows if row.end_s > row.start_s]
    assert tiles[0].start_s == times_s[0]
    assert tiles[-1].end_s > times_s[-1]
    assert all(before.end_s == after.start_s for before, after in pairwise(tiles))
    number = {at_s: number for number, at_s in enumerate(times_s)} | {tiles[-1].end_s: len(times_s)}
    return [(row.kind, number[row.start_s], number[row.end_s]) for row in rows if isinstance(row, Transition)]


def wrong(made: list[tuple[str, int, int]], found: list[tuple[str, int, int]], frames: int = 1) -> list[str]:
    """What is missed and what is false. A gradual transition is found where a gradual one overlaps it, a cut where one
    is so near.
    """
    left, missed = list(found), []
    for kind, first, end in made:
        hits = [
            one
            for one in left
            if (
                (one[0] == "cut" and abs(one[1] - first) <= frames)
                if kind == "cut"
                else (one[0] != "cut" and one[1] < end and one[2] > first)
            )
        ]
        missed += [] if hits else [f"missed {kind} {first} {end}"]
        left = [one for one in left if one not in (hits[:1] if kind == "cut" else hits)]
    return missed + [f"false {one}" for one in left]


def truth(made: Made) -> list[tuple[str, int, int]]:
    return [(one.kind, one.first, one.end) for one in made.truth]


@pytest.mark.parametrize(
    "parts",
    [pytest.param(parts, marks=pytest.mark.slow if "headpose" in parts[1] else (), id=parts[1]) for parts in TRUTH],
)
def test_finds_the_transitions_of_real_films(parts):
    cuts, slow = TRUTH[parts]
    found = told(media(*parts))
    assert wrong([("cut", cut, cut) for cut in cuts] + [("slow", *span) for span in slow], found) == []
    gradual = [one[1:] for one in found if one[0] != "cut"]
    assert [pytest.approx(span, abs=2) for span in slow] == gradual


def test_values_and_cuts_are_those_of_scenedetect_on_the_same_pictures():
    from scenedetect.detectors import AdaptiveDetector, ContentDetector
    from scenedetect.stats_manager import StatsManager

    settings = DetectShots(
        detectors=("adaptive", "content"), threshold=3.0, min_content=12.0, jump_threshold=3.0, jump_content=12.0
    )
    ours, found = CutDetectors(settings), []
    theirs = {
        "adaptive": AdaptiveDetector(3.0, min_scene_len=0, min_content_val=12.0),
        "content": ContentDetector(27.0, min_scene_len=0),
    }
    theirs["adaptive"].stats_manager = stats = StatsManager()
    expected = []
    for number, frame in enumerate(VideoFrames(media("multi", "hamilton_short_clip.mp4"))):
        picture = frame.rgb(DetectShots.height)
        found += [(name, cut, score) for cut, name, score in ours.see(number, picture)]
        bgr = cv2.cvtColor(picture, cv2.COLOR_RGB2BGR)
        expected += [(name, cut) for name, detector in theirs.items() for cut in detector.process_frame(number, bgr)]
        if number:
            assert ours._values[-1] == stats.get_metrics(number, ["content_val"])[0]
    assert [one[:2] for one in found] == expected
    assert len(expected) > 4
    ratios = {cut: score for name, cut, score in found if name == "adaptive"}
    assert ratios == {cut: pytest.approx(stats.get_metrics(cut, ["adaptive_ratio (w=2)"])[0]) for cut in ratios}


def test_agrees_with_scenedetect_reading_the_file_itself():
    from scenedetect import AdaptiveDetector, detect

    path = media("multi", "avi_testvideo.mp4")
    theirs = detect(str(path), AdaptiveDetector(adaptive_threshold=DetectShots.threshold, min_scene_len=5))
    cuts = [cut for _, cut, _ in told(path, detectors=("adaptive",))]
    assert [start.get_frames() for start, _ in theirs[1:]] == sorted([*cuts, 1315]), (
        "1315 is where a fade to white begins fast"
    )


# Of the made suite, a few of those that were looked at while the limits were chosen; all of them in the slow test
# below.
@pytest.mark.parametrize(
    "name", ["cuts_25_fps", "fade_through_black", "fade_out_then_cut", "flash_of_one_frame", "variable_rate"]
)
def test_finds_the_transitions_of_made_videos(tmp_path, name):
    made = next(made for made in suite() if made.name == name)
    found = told(made.write(tmp_path))
    assert wrong(truth(made), found, frames=0) == []
    assert [one[0] for one in found] == [one.kind for one in made.truth]
    assert [one[1:] for one in found] == [pytest.approx((one.first, one.end), abs=1) for one in made.truth]


@pytest.mark.slow
def test_finds_the_transitions_of_the_whole_suite(tmp_path):
    errors = {made.name: wrong(truth(made), told(made.write(tmp_path))) for made in suite()}
    # The hand is gone at once, five frames before the cut.
    assert {name: what for name, what in errors.items() if what} == {
        "cut_after_a_waved_hand": ["missed cut 60 60", "false ('cut', 55, 55)"]
    }


def test_one_setting_chooses_the_detectors(tmp_path):
    path = next(made for made in suite() if made.name == "fade_and_cut").write(tmp_path)
    assert [kind for kind, *_ in told(path)] == ["fade", "cut"]
    assert [kind for kind, *_ in told(path, detectors=("threshold",))] == ["fade"]
    assert told(path, detectors=("content",))[-1][0] == "cut"
    with pytest.raises(ValueError, match="motion; it may have adaptive, content, threshold, dissolve"):
        DetectShots(detectors=("motion",))


def test_cuts_lie_on_the_first_frame_of_the_new_shot(tmp_path):
    path = write_video(tmp_path / "three.mp4", [("red", 1.0), ("blue", 1.52), ("green", 0.6)])
    source = Source("s", str(path), start_s=0.0, end_s=3.12)
    rows = rows_of(path, source)
    shots = [row for row in rows if isinstance(row, Shot)]
    assert shots == [Shot("s", span_id("s", *span), *span) for span in [(0.0, 1.0), (1.0, 2.52), (2.52, 3.12)]]
    cuts = [row for row in rows if isinstance(row, Transition)]
    assert [(cut.transition_id, cut.start_s, cut.end_s, cut.kind, cut.detector) for cut in cuts] == [
        ("s/001000-001000", 1.0, 1.0, "cut", "adaptive"),
        ("s/002520-002520", 2.52, 2.52, "cut", "adaptive"),
    ]


def test_cuts_of_a_variable_rate_are_pts(tmp_path):
    times_s = [0.5 + n / 30 for n in range(30)] + [1.5 + n / 12 for n in range(12)]
    path = write_video(tmp_path / "vfr.mkv", [("red", 1.5), ("yellow", 1.0)], times_s=times_s)
    shots = [row for row in rows_of(path) if isinstance(row, Shot)]
    assert [shot.start_s for shot in shots] == pytest.approx([0.5, 1.5], abs=2e-3)
    assert shots[-1].end_s == pytest.approx(times_s[-1] + 1 / 30, abs=2e-3), (
        "a median gap after the last frame, since the source claims no end"
    )


def test_one_odd_frame_is_no_cut(tmp_path):
    path = write_video(tmp_path / "flash.mp4", [(ramp(), 1.0), ("white", 0.04), (ramp(), 1.0)])
    assert told(path) == []


def test_a_source_without_frames_is_dropped():
    with pytest.raises(Drop, match="no_frames"):
        list(DetectShots()(Source("s", "nothing"), iter(())))
