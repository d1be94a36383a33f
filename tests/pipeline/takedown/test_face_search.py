"""Whom a picture finds in what was embedded, without a look at any source."""

import numpy as np
import pytest
from PIL import Image

from manifests.tables import FaceEmbedding, Row, Source
from operators.models.face_pictures import embedding
from operators.picture import Picture
from pipeline.takedown.face_search import MIN_COSINE, search_faces
from tests.operators.faces.crossing import portraits
from tests.pipeline.corpus_steps.test_identities import corpus, track


@pytest.mark.parametrize("network", ["faceplugin", "dlib_resnet"])
def test_appearances_are_enough(tmp_path, network):
    two = portraits()
    views = [embedding(Picture(rgb), network) for rgb in two]
    assert views[0] is not None
    assert views[1] is not None
    faces = [track("a", 0), track("a", 1)]
    edges = [[one.left_px[0] for one in faces], [50.0] * 2, [one.right_px[0] for one in faces], [150.0] * 2]
    packed = np.stack([views[1], views[0]]).astype("<f2").tobytes()
    rows: list[Row] = [Source("a", "https://example.org/gone.mp4"), *faces]
    rows += [
        FaceEmbedding("a", f"a/{1000 * n:06d}", float(n), edges[0], edges[1], edges[2], edges[3], packed, network)
        for n in range(3)
    ]
    picture = tmp_path / "her.png"
    Image.fromarray(two[0]).save(picture)
    found, unseen = search_faces(corpus(tmp_path / "corpus", rows), picture)
    assert [(one.row_id[-2:], one.looks) for one in found] == [("t1", 3), ("t0", 3)]
    assert found[0].cosine > 0.99
    assert found[1].cosine < MIN_COSINE
    assert unseen == []
    other = corpus(
        tmp_path / "other",
        [FaceEmbedding(**{**vars(row), "model": "arcface"}) if isinstance(row, FaceEmbedding) else row for row in rows],
    )
    assert search_faces(other, picture) == ([], ["a"]), "numbers of another network say nothing"
