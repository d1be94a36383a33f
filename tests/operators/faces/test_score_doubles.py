"""Whether one person is there twice, of faces that say who they are and of a film put beside itself."""

import numpy as np
import pytest

from manifests.tables import FaceEmbedding, Source
from operators.faces.embed_faces import EmbedFaces
from operators.faces.score_doubles import ScoreDoubles
from operators.media.frames import VideoFrames
from tests.made_videos import write_video
from tests.operators.clips.test_render_clips import clip
from tests.operators.faces.crossing import SIZE, heads

WHO = np.linalg.qr(np.random.default_rng(0).normal(size=(512, 4)))[0].T


def look(at_s: float, *who: int, model: str = "made") -> FaceEmbedding:
    edges = [float(100 * n) for n in range(len(who))]
    packed = WHO[list(who)].astype("<f2").tobytes()
    return FaceEmbedding("made", f"made/{at_s}", at_s, edges, edges, edges, edges, packed, model)


@pytest.mark.parametrize(
    ("looks", "likeness"),
    [
        ([look(0, 0, 1), look(1, 0, 1), look(2, 0, 1)], 0.0),
        ([look(0, 0, 1, 0), look(1, 0, 2, 0), look(2, 0, 1)], 1.0),  # the two most alike, the median look
        ([look(0, 0), look(1, 0), look(2, 0)], 0.0),  # nobody beside
        ([look(0, 0, 0), look(1, 0), look(2, 0)], 0.0),  # one look alone may err
        ([look(5, 0, 0), look(6, 0, 0), look(1, 0)], 0.0),  # another time than the clip's
        ([], 0.0),
    ],
)
def test_the_two_that_are_most_alike(looks: list[FaceEmbedding], likeness: float):
    (score,) = ScoreDoubles()(clip(0.0, 4.0), looks)
    assert (score.metric, score.value) == ("double_likeness", pytest.approx(likeness, abs=2e-3))


def test_a_network_of_another_scale_is_brought_to_the_same():
    (score,) = ScoreDoubles()(clip(0.0, 4.0), [look(0, 0, 1, model="dlib_resnet"), look(1, 0, 1, model="dlib_resnet")])
    assert score.value < -1, "a cosine of 0 is far below that of two people"


def test_a_picture_beside_its_copy_and_beside_another(tmp_path):
    """By pixels: one portrait twice, and two portraits."""
    found = []
    for other in (0, 1):
        picture = np.full((SIZE[1], SIZE[0], 3), 90, np.uint8)
        for which, left in ((0, 20), (other, 380)):
            head = heads()[which]
            picture[40 : 40 + len(head), left : left + len(head)] = head
        path = write_video(tmp_path / f"{other}.mp4", [(picture, 2.2)], size=SIZE, fps=10)
        rows = list(EmbedFaces(network="dlib_resnet")(Source("made", "made.mp4"), VideoFrames(path)))
        (score,) = ScoreDoubles()(clip(0.0, 2.2), rows)
        found.append(score.value)
    assert found[0] > 0.9
    assert found[1] < 0.4
