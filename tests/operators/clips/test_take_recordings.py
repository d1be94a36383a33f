"""Recordings with made faces, so that the answer is known."""

from dataclasses import replace

import pytest

from manifests.tables import Annotation, Clip, Face, Shot, Source, Track
from operators.base import Drop
from operators.clips.take_recordings import TakeRecordings
from tests.operators.clips.test_plan_clips import hidden, track

SOURCE = Source(
    "take", "/studio/M003/video/left_30/disgusted/level_2/017.mp4", start_s=0.0, end_s=4.0, width=1920, height=1080
)
SHOT = Shot("take", "take/000000-004000", 0.0, 4.0)
FACE = track(end_s=4.0, x=1100)


def looks(count: int = 40, faces: int = 1) -> list[Face]:
    """Ten a second, with heads turned by 28, 29 and 30 degrees in turn."""
    zero = [0.0] * faces
    return [
        Face("take", f"take/{n:06d}", n / 10, zero, zero, zero, zero, [0.9] * faces, [28.0 + n % 3] * faces)
        for n in range(count)
    ]


def taken(
    source: Source = SOURCE,
    shots: list[Shot] | None = None,
    tracks: list[Track] | None = None,
    faces: list[Face] | None = None,
) -> list[Clip | Annotation]:
    return list(TakeRecordings()(source, shots or [SHOT], [FACE] if tracks is None else tracks, faces or looks()))


def test_a_recording_is_one_clip_with_the_labels_of_its_path():
    clip, *notes = taken()
    assert isinstance(clip, Clip)
    assert (clip.clip_id, clip.start_s, clip.end_s) == ("take/000000-004000/t0", 0.0, 4.0)
    assert (clip.left_px, clip.top_px, clip.right_px, clip.bottom_px) == (560, 0, 1640, 1080)
    told = {note.name: (note.value, note.model) for note in notes if isinstance(note, Annotation)}
    assert told == {
        "identity": ("M003", "path"), "view": ("left_30", "path"), "emotion": ("disgusted", "path"),
        "level": ("2", "path"),
        "sentence": ("017", "path"), "yaw_deg": ("29", "DetectFaces"),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({"source": replace(SOURCE, uri="/studio/M003/video/left/disgusted/level_2/017.mp4")}, "name_unknown"),
        ({"shots": [replace(SHOT, end_s=2.0), replace(SHOT, start_s=2.0)]}, "cut_inside"),
        ({"tracks": []}, "no_face"),
        ({"faces": looks(37) + looks(3, faces=2)}, "two_faces"),
        ({"tracks": [hidden(FACE, 1.0, 1.3)]}, "no_face"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_no_whole_recording_is_told(given: dict, reason: str):
    with pytest.raises(Drop) as drop:
        taken(**given)
    assert drop.value.reason == reason


def test_a_blink_of_the_detector_is_forgiven():
    assert isinstance(taken(tracks=[hidden(FACE, 1.0, 1.2)])[0], Clip)
