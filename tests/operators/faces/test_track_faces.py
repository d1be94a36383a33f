"""Linking. The real films' truth is by eye; see docs/tracks.md."""

import numpy as np
import pytest

from manifests.tables import Face, Shot, Source, Track
from operators.base import Drop
from operators.faces.detect_faces import DetectFaces
from operators.faces.track_faces import TrackFaces, box_at
from pipeline.decode import VideoFrames
from tests.conftest import media

SHOT = Shot("s", "s/000000-010000", 0.0, 10.0)
WIDTH = 100.0


def face(at_s: float, *seen: tuple[float, float] | tuple[float, float, float]) -> Face:
    """A looked-at frame with faces 100 px wide, each at its centre (x, y), and its confidence, 0.9 where not given."""
    x, y, sure = (np.array([(*one, 0.9)[:3] for one in seen]).reshape(-1, 3)).T
    left, top, right, bottom = ((middle + side * WIDTH / 2).tolist() for side in (-1, 1) for middle in (x, y))
    return Face("s", f"s/{round(at_s * 1000):06d}", at_s, left, top, right, bottom, sure.tolist(), [0.0] * len(x))


def run(faces: list[Face], shot: Shot = SHOT, **fields) -> tuple[list[Track], list[Drop]]:
    told = list(TrackFaces(**fields)(shot, faces))
    return [one for one in told if isinstance(one, Track)], [one for one in told if isinstance(one, Drop)]


def centres(track: Track) -> np.ndarray:
    return (np.array(track.left_px) + np.array(track.right_px)) / 2


def test_two_still_faces_are_two_tracks_named_from_left_to_right():
    tracks, dropped = run([face(n / 5, (600, 300), (200, 310)) for n in range(25)])
    assert not dropped
    assert [track.track_id for track in tracks] == ["s/000000-010000/t0", "s/000000-010000/t1"]
    assert [centres(track)[0] for track in tracks] == [200, 600]
    assert [(track.start_s, track.end_s) for track in tracks] == [(0.0, pytest.approx(5.0))] * 2
    assert all(track.confidence == [0.9] * 25 for track in tracks)


def test_two_people_cross_and_keep_their_tracks():
    """One walks to the right in front of one who walks to the left; while they overlap only the one in front is seen."""
    rng = np.random.default_rng(7)
    faces, behind = [], []
    for n in range(31):
        at_s = n / 5
        front, back = 150 + 110 * at_s, 850 - 110 * at_s
        shake = rng.normal(0, 3, 4)
        seen = [(front + shake[0], 300 + shake[1])]
        if abs(front - back) > 90:
            seen.append((back + shake[2], 310 + shake[3]))
            behind.append(at_s)
        faces.append(face(at_s, *sorted(seen)))
    hidden = 31 - len(behind)
    assert hidden >= 3
    tracks, dropped = run(faces)
    assert not dropped
    assert len(tracks) == 2
    right, left = tracks
    assert np.polyfit(right.times_s, centres(right), 1)[0] == pytest.approx(110, abs=5)
    assert np.polyfit(left.times_s, centres(left), 1)[0] == pytest.approx(-110, abs=5)
    assert right.confidence.count(0) == 0
    assert left.confidence.count(0) == hidden
    assert [at_s for at_s, sure in zip(left.times_s, left.confidence, strict=True) if sure] == behind


def test_a_moment_hidden_is_interpolated_with_confidence_0():
    faces = [face(n / 5, *([(200 + 10 * n, 300)] if not 8 <= n < 12 else [])) for n in range(20)]
    (track,), _ = run(faces)
    assert track.confidence == [0.9] * 8 + [0.0] * 4 + [0.9] * 8
    assert centres(track) == pytest.approx(200 + 10 * np.arange(20))
    box = box_at(track, 1.9)
    assert box is not None
    assert (box.left + box.right) / 2 == pytest.approx(200 + 10 * 1.9 * 5)
    assert box.confidence == 0
    assert box_at(track, -0.1) is None
    assert box_at(track, 3.9) is None


def test_hidden_for_longer_is_another_track():
    tracks, _ = run([face(n / 5, *([(200, 300)] if not 8 <= n < 20 else [])) for n in range(30)])
    assert [(track.times_s[0], track.times_s[-1]) for track in tracks] == [(0.0, pytest.approx(1.4)), (4.0, pytest.approx(5.8))]


def test_a_jump_is_another_track():
    tracks, _ = run([face(n / 5, (200 if n < 10 else 700, 300)) for n in range(20)])
    assert [len(track.times_s) for track in tracks] == [10, 10]


def test_unsure_boxes_continue_a_track_and_never_start_one():
    (track,), dropped = run([face(n / 5, (200, 300, 0.9 if n < 5 else 0.65), (700, 300, 0.7)) for n in range(15)])
    assert not dropped
    assert len(track.times_s) == 15
    assert centres(track) == pytest.approx(np.full(15, 200))


def test_short_tracks_are_given_up_and_counted():
    faces = [face(n / 5, (200, 300), *([(700, 300)] if n in (3, 4) else [])) for n in range(15)]
    tracks, (dropped,) = run(faces)
    assert len(tracks) == 1
    assert (dropped.reason, dropped.detail) == ("track_too_short", "2 sightings in 0.20 s")
    assert isinstance(dropped.row, Track)
    assert dropped.row.track_id == "s/000000-010000/t1"


def test_tracks_of_hardly_ever_sure_boxes_are_given_up():
    tracks, (dropped,) = run([face(n / 5, (200, 300, 0.82 if n in (3, 7) else 0.7)) for n in range(15)])
    assert not tracks
    assert (dropped.reason, dropped.detail) == ("face_unsure", "2 of 12 sightings sure")


@pytest.mark.parametrize("faces", [[], [face(0.2), face(0.4)], [face(n / 5, (200, 300, 0.72)) for n in range(9)]])
def test_a_shot_without_a_sure_face_is_dropped(faces):
    with pytest.raises(Drop, match="no_face"):
        list(TrackFaces()(SHOT, faces))


def test_only_the_shots_own_frames_count():
    faces = [face(n / 5, (200, 300)) for n in range(50)]
    (track,), _ = run(faces, Shot("s", "s/002000-004000", 2.0, 4.0))
    assert (track.times_s[0], track.times_s[-1], track.end_s) == (2.0, pytest.approx(3.8), 4.0)


def tracks_of(*parts: str, shot: tuple[float, float]) -> list[Track]:
    path = media(*parts)
    faces = list(DetectFaces()(Source("s", ""), VideoFrames(path, *shot)))
    return run(faces, Shot("s", "s/shot", *shot))[0]


@pytest.mark.parametrize("name", ["avi_billhyland.mp4", "panda_it8sFJe038g.7.mp4", "panda_R_YVZHusX4w.6.mp4"])
def test_two_people_in_view_throughout_are_two_whole_tracks(name):
    times_s = [frame.pts_s for frame in VideoFrames(media("multi", name))]
    tracks = tracks_of("multi", name, shot=(times_s[0], times_s[-1] + 0.01))
    assert len(tracks) == 2
    for track in tracks:
        assert track.start_s == times_s[0]
        assert track.end_s > times_s[-1] - 0.01
        assert max(np.abs(np.diff(centres(track)))) < 0.7 * np.median(np.array(track.right_px) - np.array(track.left_px)), (
            "never jumps to the other man"
        )
    assert all(left < right for left, right in zip(tracks[0].left_px, tracks[1].left_px, strict=True))


def test_one_man_passes_in_front_of_another():
    """avi_testhyland, 2.2 to 8.4 s: the man with the cap hides the other, whose face is gone from 3.4 to 4.8 s."""
    tracks = tracks_of("multi", "avi_testhyland.mp4", shot=(2.102, 8.408))
    first, cap, again = tracks
    assert 3.1 < first.end_s < 3.7
    assert cap.start_s < 2.9
    assert cap.end_s > 8.3
    assert 4.7 < again.start_s < 5.2
    at = [box_at(track, track.times_s[-1]) for track in (cap, again)]
    assert at[0] is not None
    assert at[1] is not None
    assert at[0].left < 300 < at[1].left, "the man with the cap ends on the left"


def test_a_dog_gets_no_track():
    with pytest.raises(Drop, match="no_face"):
        tracks_of("negative", "panda_aCx99cgrkVY.22.mp4", shot=(0.0, 4.4))
