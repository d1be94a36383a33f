"""A corpus of one source with two people in it."""

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from manifests.manifest import LISTED, Manifest
from manifests.tables import (
    Annotation,
    Attribution,
    Clip,
    Face,
    FaceEmbedding,
    FaceQuality,
    Fingerprint,
    Identity,
    Row,
    Source,
    Track,
    Turn,
    VoiceEmbedding,
)
from tests.manifests.test_media import s3, server  # noqa: F401 - fixtures
from tests.pipeline import made_corpus
from tests.pipeline.made_corpus import clip, corpus_of, render, score, source, track


def _attributed(ada: Track, bob: Track) -> list[Attribution]:
    return [
        Attribution(
            "s", "s/1@000000-005000", "s/1", "speaker0", "s/shot", ada.track_id, 0.0, 5.0, "visible", "speaks", 1.0
        ),
        Attribution(
            "s", "s/2@010000-039000", "s/2", "speaker1", "s/shot", bob.track_id, 10.0, 39.0, "visible", "speaks", 1.0
        ),
    ]


def two_people(root: Path) -> Manifest:
    """One source with Ada on the left for 30 s, and another on the right for 60 s; they are heard in turn."""
    ada, bob = track("s", "t0", 0.0, 30.0), track("s", "t1", 600.0)
    with_ada = clip("s", 0.0, 5.0, "t0", speaker="speaker0", right_px=400.0)
    both = clip("s", 10.0, 15.0, "t1", speaker="speaker1", left_px=200.0, right_px=1000.0)  # Ada is within the crop
    bob_alone = clip("s", 20.0, 25.0, "t1", speaker="speaker1", left_px=500.0, right_px=1000.0)
    hears_ada = clip("s", 40.0, 45.0, "t1", speaker="speaker1", left_px=500.0, right_px=1000.0)
    other = clip("other")
    rows: list[Row] = [source("s"), source("other"), ada, bob, other, with_ada, both, bob_alone, hears_ada]
    rows += [render(one, root, root.parent / "scratch") for one in (with_ada, both, bob_alone, hears_ada, other)]
    rows += [score(one, "dnsmos_ovrl", 3.0) for one in (with_ada, both, bob_alone, hears_ada, other)]
    rows.append(Annotation("s", "1", with_ada.clip_id, "identity", "Ada", "list"))
    manifest = _with_voices(root, rows, (with_ada, both, bob_alone, hears_ada, other))
    (shard,) = [shard for shard in manifest.shards() if manifest.read(Source, [LISTED], shard)[0].source_id == "s"]
    manifest.write(Turn, "TrackFaces-made", shard, [
        Turn("s", "s/1", "speaker0", 0.0, 5.0), Turn("s", "s/2", "speaker1", 10.0, 39.0),
        Turn("s", "s/3", "speaker0", 41.0, 42.0)])  # fmt: skip
    manifest.write(
        Face,
        "TrackFaces-made",
        shard,
        [Face("s", "s/000000", 0.0, [0.0, 600.0], [50.0] * 2, [300.0, 900.0], [350.0] * 2, [0.9, 0.8], [1.0, 2.0])],
    )
    boxes = [0.0, 600.0], [50.0] * 2, [300.0, 900.0], [350.0] * 2
    ones, twos = ([float(one), float(two)] for one, two in ((1, 2), (3, 4)))
    looks = FaceQuality("s", "s/000000", 0.0, *boxes, ones, ones, ones, ones, ones, ones, twos)
    embedded = np.repeat(np.array([[1.0], [2.0]], "<f2"), 512, axis=1).tobytes()
    manifest.write(FaceQuality, "TrackFaces-made", shard, [looks])
    manifest.write(
        FaceEmbedding, "TrackFaces-made", shard, [FaceEmbedding("s", "s/000000", 0.0, *boxes, embedded, "network")]
    )
    manifest.write(Attribution, "TrackFaces-made", shard, _attributed(ada, bob))
    manifest.write(Fingerprint, "TrackFaces-made", shard, [Fingerprint("s", "s/looks", [0.5], b"looks of s")])
    manifest.write_whole(Identity, "Identities-made", [
        Identity("s", f"{one.track_id}=p", "p", one.track_id, 1.0, 3, "network") for one in (ada, bob)])  # fmt: skip
    more = {"turns": 3, "faces": 1, "face_quality": 1, "face_embeddings": 1, "attributions": 2, "fingerprints": 1}
    record = manifest.run
    assert record
    record.steps[0].writes.extend(more)
    manifest.remember(record)
    receipt = manifest.receipt("TrackFaces-made", shard)
    assert receipt
    for other_shard in manifest.shards():
        if other_shard != shard:
            for table in (Turn, Face, FaceQuality, FaceEmbedding, Attribution):
                manifest.write(table, "TrackFaces-made", other_shard, [])
            looks = [Fingerprint("other", "other/looks", [0.5], b"looks of other")]
            manifest.write(Fingerprint, "TrackFaces-made", other_shard, looks)
            found = manifest.receipt("TrackFaces-made", other_shard)
            assert found
            manifest.commit(
                "TrackFaces-made",
                other_shard,
                replace(found, rows={**found.rows, **dict.fromkeys(more, 0), "fingerprints": 1}),
            )
    manifest.commit("TrackFaces-made", shard, replace(receipt, rows={**receipt.rows, **more}))
    return Manifest(str(root))


def _with_voices(root: Path, rows: list[Row], clips: Iterable[Clip]) -> Manifest:
    """The corpus, with numbers of each clip's voice that hold the clip's name, to be told from all other bytes."""
    for one in clips:
        numbers = f"voice of {one.clip_id}".encode()
        rows.append(VoiceEmbedding(one.source_id, f"{one.clip_id}@made", one.clip_id, 4.0, numbers, "made"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(made_corpus.STEPS, "EmbedVoice", ("clips", "voice_embeddings"))
        return corpus_of(root, rows)
