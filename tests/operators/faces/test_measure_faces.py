"""What is measured is tested in test_score_sharpness.py and in test_measures.py; here is where and when it is
measured.
"""

from itertools import islice

import cv2
import numpy as np
import pytest

from manifests.boxes import Box, square_around
from manifests.tables import Source
from operators.faces.detect_faces import DetectFaces
from operators.faces.measure_faces import MEASURES, MeasureFaces, look_at
from operators.media.frames import VideoFrames
from operators.metrics.lip_sync import Still
from tests.conftest import media
from tests.made_videos import write_video

SOURCE = Source("s", "")


def test_the_boxes_and_times_are_those_of_the_detector():
    frames = list(islice(VideoFrames(media("multi", "avi_billhyland.mp4")), 30))
    faces = list(DetectFaces()(SOURCE, frames))
    looks = list(MeasureFaces()(SOURCE, frames))
    assert len(looks) == 5
    assert [(look.face_quality_id, look.pts_s, look.left_px, look.bottom_px) for look in looks] == [
        (face.face_id, face.pts_s, face.left_px, face.bottom_px) for face in faces
    ]
    assert all(len(getattr(look, measure)) == len(look.left_px) == 2 for look in looks for measure in MEASURES)
    by_time = {frame.pts_s: frame for frame in frames}
    for look in looks:
        for box in DetectFaces().faces(by_time[look.pts_s]):
            square = square_around(box, 1.0)
            left, top, right, bottom = (round(edge) for edge in square)
            how = cv2.INTER_AREA if square[2] - square[0] > 128 else cv2.INTER_LINEAR
            gray = cv2.resize(by_time[look.pts_s].gray()[top:bottom, left:right], (128, 128), interpolation=how)
            assert look.sharpness[look.left_px.index(box.left)] == pytest.approx(
                cv2.Laplacian(gray, cv2.CV_64F).var(), rel=0.25
            )


def test_a_look_without_a_face_is_a_row(tmp_path):
    looks = list(MeasureFaces()(SOURCE, VideoFrames(write_video(tmp_path / "red.mp4", [("red", 1.0)]))))
    assert [look.pts_s for look in looks] == pytest.approx([0, 0.2, 0.4, 0.6, 0.8])
    assert all(getattr(look, measure) == [] for look in looks for measure in MEASURES)


def test_what_lies_beyond_the_frame_is_not_measured(tmp_path):
    (frame, *_) = VideoFrames(write_video(tmp_path / "ramp.mp4", [("gray", 0.2)]))
    boxes = [
        Box(-60.0, 20.0, -20.0, 60.0, 0.9, 0.0),
        Box(-10.0, 20.0, 30.0, 60.0, 0.9, 0.0),
        Box(100.0, 100.0, 120.0, 120.0, 0.9, 0.0),
    ]
    look = look_at("s", frame, boxes)
    assert (look.face_quality_id, look.left_px) == ("s/000000", [-60.0, -10.0, 100.0])
    assert np.isnan(look.sharpness).tolist() == [True, False, False]
    assert np.isnan(look.noise).tolist() == [True, False, True]
    assert look.brightness[1:] == pytest.approx([128, 128], abs=1.5)
    assert look.sharpness[1:] == pytest.approx([0, 0], abs=0.1), "the edge of the frame is no edge of the face"


def test_blocks_of_compression_are_looked_for_where_the_frame_has_them():
    """Blocks of 8 x 8 pixels from the frame's corner on; faces lie anywhere, and not by as much across as down."""
    draw = np.random.default_rng(2)
    levels = draw.integers(40, 216, (20, 20)).repeat(8, 0).repeat(8, 1) + draw.integers(-3, 4, (160, 160))
    frame = Still(np.stack([levels] * 3, axis=2).astype(np.uint8))
    on_the_grid, beside = look_at("s", frame, [Box(48, 40, 112, 104), Box(45, 42, 109, 106)]).blockiness
    assert on_the_grid > 5
    assert beside == pytest.approx(on_the_grid, rel=0.35)


def test_a_face_is_detected_once_for_both_operators():
    (frame,) = islice(VideoFrames(media("multi", "avi_billhyland.mp4")), 1)
    seen = DetectFaces().detect([frame])[0]
    assert len(seen) == 2
    assert MeasureFaces().detect([frame])[0] is seen


def test_the_same_fields_as_the_detector():
    assert MeasureFaces(detector="yunet").weights == DetectFaces(detector="yunet").weights
    assert MeasureFaces().fingerprint() != MeasureFaces(min_proposal=0.4).fingerprint()
    assert MeasureFaces().fingerprint() != DetectFaces().fingerprint()
