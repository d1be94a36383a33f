"""Linking. The real films' truth is by eye; see docs/measured/tracks.md."""

import numpy as np
import pytest

from manifests.boxes import box_at
from manifests.tables import Face, FaceEmbedding, Shot, Source, Track
from operators.base import Drop
from operators.faces.detect_faces import DetectFaces
from operators.faces.track_faces import TrackFaces
from operators.media.frames import VideoFrames
from tests.conftest import media

SHOT = Shot("s", "s/000000-010000", 0.0, 10.0)
WIDTH = 100.0


def face(at_s: float, *seen: tuple[float, float] | tuple[float, float, float]) -> Face:
    """A looked-at frame with faces 100 px wide, each at its centre (x, y), and its confidence, 0.9 where not given."""
    x, y, sure = (np.array([(*one, 0.9)[:3] for one in seen]).reshape(-1, 3)).T
    left, top, right, bottom = ((middle + side * WIDTH / 2).tolist() for side in (-1, 1) for middle in (x, y))
    return Face("s", f"s/{round(at_s * 1000):06d}", at_s, left, top, right, bottom, sure.tolist(), [0.0] * len(x))


# three who have nothing in common
ANNA, BERTA, CARL = np.linalg.qr(np.random.default_rng(3).normal(size=(512, 3)))[0].T


def seen(row: Face, *who: np.ndarray) -> FaceEmbedding:
    """Who the faces of a row are, from left to right; a little different each time."""
    rng = np.random.default_rng(round(row.pts_s * 1000))
    views = np.stack([one + rng.normal(0, 0.02, 512) for one in who])
    views /= np.linalg.norm(views, axis=1, keepdims=True)
    return FaceEmbedding(
        "s",
        row.face_id,
        row.pts_s,
        row.left_px,
        row.top_px,
        row.right_px,
        row.bottom_px,
        views.astype("<f2").tobytes(),
        "made",
    )


def run(
    faces: list[Face], shot: Shot = SHOT, face_embeddings: list[FaceEmbedding] | None = None, **fields
) -> tuple[list[Track], list[Drop]]:
    told = list(TrackFaces(**fields)(shot, faces, face_embeddings or []))
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
    """One walks to the right in front of one who walks to the left; while they overlap only the one in front is
    seen.
    """
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
    assert [(track.times_s[0], track.times_s[-1]) for track in tracks] == [
        (0.0, pytest.approx(1.4)),
        (4.0, pytest.approx(5.8)),
    ]


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


def turned_back() -> list[Face]:
    """Two come near, are not to be seen for a second, and go back."""
    come = [200 + 36 * n for n in range(6)]
    faces = [face(n / 5, (x, 300), (960 - x, 300)) for n, x in enumerate([200] * 5 + come)]
    faces += [face((len(faces) + n) / 5) for n in range(4)]
    return [
        *faces,
        *(face((len(faces) + n) / 5, (x, 300), (960 - x, 300)) for n, x in enumerate(come[::-1] + [200] * 5)),
    ]


def test_who_is_seen_puts_tracks_right_that_went_over_to_the_other():
    faces = turned_back()
    ends = [(centres(track)[0], centres(track)[-1]) for track in run(faces)[0]]
    assert ends == [(200, 760), (760, 200)], "by motion alone both have changed places"
    looks = [seen(row, ANNA, BERTA) for row in faces[::5] if row.left_px]
    tracks, dropped = run(faces, face_embeddings=looks)
    assert not dropped
    assert [(centres(track)[0], centres(track)[-1]) for track in tracks] == [(200, 200), (760, 760)]
    assert all(track.times_s == [row.pts_s for row in faces] for track in tracks), (
        "each is one track, through where it was hidden"
    )
    assert all(track.confidence.count(0) == 4 for track in tracks)
    late = [FaceEmbedding(**{**vars(row), "pts_s": row.pts_s + 0.04}) for row in looks]
    assert run(faces, face_embeddings=late)[0] == tracks, "looks at other times belong to the nearest boxes"
    never = [FaceEmbedding(**{**vars(row), "left_px": [9000.0] * 2, "right_px": [9100.0] * 2}) for row in looks]
    assert run(faces, face_embeddings=never)[0] == run(faces)[0], "no box there, nobody's look"


def test_who_crosses_and_goes_on_is_left_alone():
    faces = [face(n / 5, *sorted([(150 + 22 * n, 300), (850 - 22 * n, 330)])) for n in range(31)]
    who = [(ANNA, BERTA) if 150 + 22 * n < 850 - 22 * n else (BERTA, ANNA) for n in range(31)]
    tracks, _ = run(faces, face_embeddings=[seen(row, *both) for row, both in zip(faces, who, strict=True)])
    assert tracks == run(faces)[0]
    assert [np.polyfit(track.times_s, centres(track), 1)[0] for track in tracks] == [
        pytest.approx(110),
        pytest.approx(-110),
    ]


def test_one_hidden_for_longer_is_one_track_when_it_is_the_same_person():
    faces = [face(n / 5, *([(200, 300)] if not 8 <= n < 20 else [])) for n in range(30)]
    assert len(run(faces)[0]) == 2
    (track,), _ = run(faces, face_embeddings=[seen(row, ANNA) for row in faces if row.left_px])
    assert track.confidence == [0.9] * 8 + [0.0] * 12 + [0.9] * 10
    other = [seen(row, ANNA if row.pts_s < 3 else BERTA) for row in faces if row.left_px]
    assert len(run(faces, face_embeddings=other)[0]) == 2
    assert len(run(faces, face_embeddings=[seen(row, ANNA) for row in faces if row.left_px], max_hidden_s=2.0)[0]) == 2


def test_two_at_once_are_never_one_track():
    faces = [face(n / 5, (200, 300), (700, 300)) for n in range(20)]
    assert len(run(faces, face_embeddings=[seen(row, ANNA, ANNA) for row in faces])[0]) == 2


def test_a_head_that_turns_keeps_its_track():
    """Seen from another side it looks like someone else, but it never left its place."""
    faces = [face(n / 5, (200 + n, 300)) for n in range(20)]
    looks = [seen(row, ANNA if row.pts_s < 2 else BERTA) for row in faces]
    assert len(run(faces, face_embeddings=looks)[0]) == 1


def test_a_track_that_jumps_to_who_comes_in_front_is_cut():
    """Anna's face is gone for a look, and then Berta's is in its place."""
    faces = [face(n / 5, *([(200, 300)] if n != 10 else [])) for n in range(20)]
    looks = [seen(row, ANNA if row.pts_s < 2 else BERTA) for row in faces if row.left_px]
    tracks, _ = run(faces, face_embeddings=looks)
    assert [(track.times_s[0], track.times_s[-1]) for track in tracks] == [(0.0, 1.8), (2.2, 3.8)]
    single = [looks[0], looks[-1]]
    assert len(run(faces, face_embeddings=single)[0]) == 1, "one look at each is no evidence"
    three = [
        seen(row, CARL if row.pts_s in (2.4, 3.0, 3.6) else BERTA) if row.pts_s > 2 else seen(row, ANNA)
        for row in faces
        if row.left_px
    ]
    assert len(run(faces, face_embeddings=three, alike=0.6)[0]) == 1, "nor are looks that do not agree"


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
        assert max(np.abs(np.diff(centres(track)))) < 0.7 * np.median(
            np.array(track.right_px) - np.array(track.left_px)
        ), "never jumps to the other man"
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


def test_who_was_hidden_by_another_is_the_same_again():
    """The same shot: with a look at who it is, the man behind is one track, hidden from 3.4 to 4.8 s."""
    from operators.faces.embed_faces import EmbedFaces

    shot = Shot("s", "s/shot", 2.102, 8.408)
    frames = list(VideoFrames(media("multi", "avi_testhyland.mp4"), shot.start_s, shot.end_s))
    detector = DetectFaces()
    source = Source("s", "")
    face_embeddings = list(EmbedFaces(network="faceplugin", detector=detector)(source, frames))
    tracks, _ = run(list(detector(source, frames)), shot, face_embeddings)
    assert len(tracks) == 2
    behind = tracks[0]
    hidden = [at_s for at_s, sure in zip(behind.times_s, behind.confidence, strict=True) if not sure]
    assert behind.end_s > 8.3
    assert 3.1 < min(hidden) < 3.7
    assert 4.4 < max(hidden) < 5.2


def test_a_dog_gets_no_track():
    with pytest.raises(Drop, match="no_face"):
        tracks_of("negative", "panda_aCx99cgrkVY.22.mp4", shot=(0.0, 4.4))
