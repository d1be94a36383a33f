"""Whom a picture finds in what was embedded, without a look at any source."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from manifests.tables import FaceEmbedding, Row, Source
from operators.models.face_pictures import embedding
from operators.picture import Picture
from pipeline.takedown.face_search import MIN_COSINE, _faces_of, search_faces
from tests.made_videos import write_video
from tests.operators.faces.crossing import portraits
from tests.pipeline.corpus_steps.test_identities import corpus, track


def test_only_looks_in_which_the_face_was_seen_are_looked_at(tmp_path: Path) -> None:
    """A track's boxes are guessed while it is hidden."""

    def look(at_s: float) -> np.ndarray:
        return np.full((240, 320, 3), 200 if 1.0 <= at_s < 4.0 else 40, np.uint8)

    path = write_video(tmp_path / "film.mp4", [(look, 5.0)], fps=10, size=(320, 240))
    hidden = replace(track("a", 0), confidence=[0.0 if 1.0 <= at < 4.0 else 0.9 for at in track("a", 0).times_s])
    assert all(picture.mean() < 120 for picture in _faces_of(path, hidden))
    assert any(picture.mean() > 120 for picture in _faces_of(path, track("a", 0)))


@pytest.mark.parametrize("network", ["faceplugin", "dlib_resnet"])
def test_appearances_are_enough(tmp_path, network):
    two = portraits()
    views = [embedding(Picture(rgb), network) for rgb in two]
    assert views[0] is not None
    assert views[1] is not None
    faces = [track("a", 0), track("a", 1)]
    edges = [[one.left_px[0] for one in faces], [50.0] * 2, [one.right_px[0] for one in faces], [150.0] * 2]
    apart, once_alike = (
        np.stack(pair).astype("<f2").tobytes() for pair in ((views[1], views[0]), (views[0], views[0]))
    )
    rows: list[Row] = [Source("a", "https://example.org/gone.mp4"), *faces]
    rows += [
        FaceEmbedding("a", f"a/{1000 * n:06d}", float(n), edges[0], edges[1], edges[2], edges[3], packed, network)
        for n, packed in enumerate((apart, once_alike, apart))  # one look of the other face errs
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
