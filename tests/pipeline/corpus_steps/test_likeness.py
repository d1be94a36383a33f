"""Who is like whom, of vectors and boxes written down by hand."""

from pathlib import Path

import numpy as np
import pytest

import headset
from manifests.errors import UsageError
from manifests.manifest import Manifest
from manifests.tables import Clip, FaceEmbedding, Row, VoiceEmbedding
from pipeline.corpus_steps.likeness import Likeness, likeness
from pipeline.takedown.takedown import takedown_source
from tests.pipeline import made_corpus
from tests.pipeline.made_corpus import clip, corpus_of, source, track


def packed(*angles_deg: float, numbers: int = 192) -> bytes:
    """Vectors of length 1 in a plane: the cosine of two is that of their angles' difference."""
    rows = np.zeros((len(angles_deg), numbers))
    rows[:, 0], rows[:, 1] = np.cos(np.radians(angles_deg)), np.sin(np.radians(angles_deg))
    return rows.astype("<f2").tobytes()


def voice(of: Clip, angle_deg: float, model: str = "campplus", numbers: int = 192) -> VoiceEmbedding:
    numbers_of = packed(angle_deg, numbers=numbers)
    return VoiceEmbedding(of.source_id, f"{of.clip_id}@{model}", of.clip_id, 4.0, numbers_of, model)


def look(name: str, at_s: float, *faces: tuple[float, float]) -> FaceEmbedding:
    """Faces 300 px wide, each with its left side and the angle of its vector."""
    left = [one for one, _ in faces]
    sides = left, [50.0] * len(left), [one + 300 for one in left], [350.0] * len(left)
    angles = packed(*(angle for _, angle in faces), numbers=512)
    return FaceEmbedding(name, f"{name}/{round(at_s * 1000):06d}", at_s, *sides, angles, "faceplugin")


@pytest.fixture
def corpus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Manifest:
    """Five clips; in `a` somebody else stands at the right, and the face turns away after the clip."""
    monkeypatch.setitem(made_corpus.STEPS, "EmbedVoice", ("clips", "voice_embeddings"))
    monkeypatch.setitem(made_corpus.STEPS, "EmbedFaces", ("sources", "face_embeddings"))
    clips = {name: clip(name) for name in "abcde"}
    rows: list[Row] = [row for name, one in clips.items() for row in (source(name), track(name), one)]
    rows += [voice(clips["a"], 0), voice(clips["b"], 60), voice(clips["c"], 20), voice(clips["d"], 1, "another", 256)]
    rows += [look("a", 1.0, (0.0, 0.0), (700.0, 90.0)), look("a", 3.0, (700.0, 90.0), (10.0, 40.0))]
    rows += [look("a", 30.0, (0.0, 180.0)), look("b", 1.0, (0.0, 50.0)), look("c", 2.0, (0.0, 25.0))]
    rows += [look("d", 2.0, (400.0, 20.0))]  # nobody's box
    return corpus_of(tmp_path / "corpus", rows)


def test_voices_by_the_cosine_of_one_network(corpus: Manifest) -> None:
    found = likeness(corpus, "voice").nearest("a/000000-005000/t0")
    assert [one.clip_id[0] for one in found] == ["c", "b"]
    assert [one.cosine for one in found] == pytest.approx([np.cos(np.radians(20)), 0.5], abs=1e-3)
    assert likeness(corpus, "voice").nearest("d/000000-005000/t0") == []
    assert [one.clip_id[0] for one in likeness(corpus, "voice").nearest("a/000000-005000/t0", 1)] == ["c"]


def test_a_face_is_the_mean_of_the_looks_at_its_track_within_the_clip(corpus: Manifest) -> None:
    """Of `a` 0 and 40 degrees, so 20: `c` is 5 away, `b` 30."""
    found = likeness(corpus, "face").nearest("a/000000-005000/t0")
    assert [one.clip_id[0] for one in found] == ["c", "b"]
    assert [one.cosine for one in found] == pytest.approx(np.cos(np.radians([5, 30])), abs=1e-3)


@pytest.mark.parametrize(("network", "same"), [("faceplugin", 0.5), ("dlib_resnet", 0.945)])
def test_faces_are_one_person_from_where_identities_join_them(network: str, same: float) -> None:
    vectors = np.ones((1, 1), np.float32)
    assert Likeness("face", ("a",), (network,), vectors).same("a") == pytest.approx(same)
    assert Likeness("face", ("a",), (network,), vectors).same("b") is None
    assert Likeness("voice", ("a",), ("campplus",), vectors).same("a") is None  # no step joins voices


def test_what_was_not_embedded_is_told(corpus: Manifest) -> None:
    for by, name, needs in (("face", "d", "EmbedFaces"), ("voice", "e", "EmbedVoice")):
        with pytest.raises(UsageError, match=f"no {by} of {name}/.* has no {needs}"):
            likeness(corpus, by).nearest(f"{name}/000000-005000/t0")
    with pytest.raises(UsageError, match="alike by face or voice, not by 'hair'"):
        likeness(corpus, "hair")


def test_who_was_taken_down_is_like_nobody(corpus: Manifest) -> None:
    assert len(likeness(corpus, "voice").clip_ids) == 4
    takedown_source(corpus, "c")
    found = likeness(Manifest(corpus.root), "voice").nearest("a/000000-005000/t0")
    assert [one.clip_id[0] for one in found] == ["b"]


def test_in_a_notebook_they_are_players(corpus: Manifest) -> None:
    found = headset.open(corpus.root).clips[0].similar("voice")
    assert [one.clip_id[0] for one in found] == ["c", "b"]
    assert "cosine 0.940" in found._repr_html_()
    assert "one person" not in found.title
    assert "one person from a cosine of 0.500 on" in headset.open(corpus.root).clips[0].similar("face")._repr_html_()
    assert len(found) == 2
