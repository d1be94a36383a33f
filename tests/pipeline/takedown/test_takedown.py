"""Takedowns: not one byte is left, in any file, and nothing brings it back."""

import json
import tarfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from manifests.errors import UsageError
from manifests.manifest import LISTED, Manifest
from manifests.media import MediaStore, sha256_of
from manifests.tables import (
    Attribution,
    Clip,
    Dropped,
    Face,
    FaceEmbedding,
    FaceQuality,
    Fingerprint,
    Identity,
    Render,
    Row,
    Source,
    Split,
    Track,
    Turn,
    VoiceEmbedding,
    tables,
)
from manifests.takedowns import REASON, Region, Takedown, Takedowns
from pipeline.__main__ import main
from pipeline.corpus_steps.splits import split_clips
from pipeline.query.selection import selection
from pipeline.release.place import Place
from pipeline.release.release import release
from pipeline.takedown.takedown import takedown_identity, takedown_like, takedown_source
from tests.conftest import media, weights
from tests.manifests.test_media import s3, server  # noqa: F401 - fixtures
from tests.pipeline.made_corpus import clip, corpus_of, render, source, track
from tests.pipeline.takedown.made import FORMS, all_bytes, holding, made, rows_of, whole
from tests.pipeline.takedown.people import two_people


def test_nothing_of_a_source_is_left_in_tables_media_selections_and_shards(released: Manifest, tmp_path: Path):
    manifest, root = released, tmp_path / "corpus"
    media = MediaStore(str(root))
    (gone,) = [row for row in manifest.table(Render).to_pylist() if row["source_id"] == "gone"]
    pixels = media.fetch(gone["media"], gone["sha256"], tmp_path).read_bytes()
    assert len(holding(pixels, root, *(tmp_path / form for form in FORMS))) >= 4

    found = takedown_source(manifest, "gone")
    assert holding(pixels, root, *(tmp_path / form for form in FORMS)) == set()
    # The id is left where it must be, to keep the source out, and nowhere else.
    assert holding(b"gone", *(tmp_path / form for form in FORMS)) == set()
    left = {path.relative_to(root) for path, content in all_bytes(root).items() if b"gone" in content}
    assert {path.parts[0] for path in left} == {"takedowns.json", "drops"}
    assert all(path.parts[:2] == ("drops", LISTED) for path in left if path.parts[0] == "drops")
    assert not media.has(gone["media"])
    assert found.copies == ["z"]
    assert found.rows == {
        "sources": 1,
        "tracks": 1,
        "clips": 1,
        "renders": 1,
        "scores": 1,
        "annotations": 1,
        "drops": 1,
        "duplicates": 1,
        "splits": 1,
    }
    assert found.media == [gone["media"]]
    assert found.selections == {f"hq:{selection(manifest, 'hq').version}": 1}
    assert found.shards == {
        "webdataset: train-00000.tar": 1,
        "parquet: train-00000.parquet": 1,
        "folder: train-00001": 1,
    }


def test_what_is_left_is_as_it_was_and_adds_up(released: Manifest, tmp_path: Path):
    manifest, root = released, tmp_path / "corpus"
    before = {name: manifest.table(table).to_pylist() for name, table in tables().items() if name != "drops"}
    takedown_source(manifest, "gone")
    manifest = Manifest(str(root))
    whole(manifest)
    for name, rows in before.items():
        kept = [row for row in rows if row["source_id"] != "gone" and row.get("duplicate_of") != "gone"]
        assert manifest.table(tables()[name]).to_pylist() == kept, name
    assert selection(manifest, "hq").clips == 2
    assert selection(manifest, "hq").taken_down == 1
    rows = manifest.parquet(selection(manifest, "hq").file).to_table()
    assert selection(manifest, "hq").seconds == pytest.approx(sum(rows["seconds"].to_pylist()))
    for form in FORMS:
        place = Place(str(tmp_path / form))
        assert [one for shard in place.shards() for one in shard.clips] == [clip("a").clip_id, clip("z").clip_id]
        assert len(place.shards()) == (2 if form == "folder" else 1)
        assert all(place.holds(shard) for shard in place.shards())
        facts = json.loads((tmp_path / form / "release.json").read_text())
        assert (facts["clips"], facts["takedowns"]) == (2, 1)
    with tarfile.open(tmp_path / "webdataset" / "train-00000.tar") as tar:
        assert [(member.uid, member.mtime) for member in tar] == [(0, 0)] * 4
    rows = pq.read_table(tmp_path / "parquet" / "train-00000.parquet").to_pylist()
    assert [row["video"][:22] for row in rows] == [f"the pixels and sound of {name}".encode()[:22] for name in "az"]


def test_a_source_that_was_taken_down_is_not_listed_again_by_its_id_or_its_content(corpus: Manifest):
    takedown_source(corpus, "gone")
    again, other = source("gone"), source("other-address", sha256=source("gone").sha256)
    assert [one.source_id for one in Manifest(corpus.root).add([again, other, source("new")])] == ["new"]
    manifest = Manifest(corpus.root)
    drops = [(row["subject"], row["reason"]) for row in manifest.table(Dropped).to_pylist() if row["reason"] == REASON]
    assert sorted(drops) == [("gone", REASON), ("other-address", REASON)]
    assert manifest.add([again]) == []
    assert manifest.count_rows(Dropped) == Manifest(corpus.root).count_rows(Dropped)


def test_a_catalog_that_tells_the_sizes_of_files_goes(corpus: Manifest) -> None:
    assert main(["catalog", corpus.root, "--format", "iceberg"]) == 0
    assert Path(corpus.root, "catalog", "iceberg").is_dir()
    takedown_source(Manifest(corpus.root), "gone")
    assert not [path for path in Path(corpus.root, "catalog").rglob("*") if path.is_file()]


def test_a_takedown_of_what_is_gone_already_does_nothing(released: Manifest):
    takedown_source(released, "gone")
    again = takedown_source(Manifest(released.root), "gone")
    assert (again.files, again.receipts, again.media, again.shards, again.done) == (0, 0, [], {}, True)


def test_content_that_another_source_has_too_stays_and_is_told(tmp_path: Path):
    rows = rows_of(tmp_path, tmp_path / "scratch")
    twin = clip("twin")
    rows += [
        source("twin"),
        twin,
        render(twin, tmp_path, tmp_path / "scratch", b"the pixels and sound of gone/000000-005000/t0" * 100),
    ]
    manifest = corpus_of(tmp_path, rows)
    found = takedown_source(manifest, "gone")
    assert len(found.shared) == 1
    assert MediaStore(str(tmp_path)).has(found.shared[0])
    takedown_source(Manifest(str(tmp_path)), "twin")
    assert not MediaStore(str(tmp_path)).has(found.shared[0])


def test_a_release_that_was_moved_away_is_named(released: Manifest, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    (tmp_path / "parquet").rename(tmp_path / "elsewhere")
    assert main(["takedown", str(tmp_path / "corpus"), "--source", "gone", "--yes"]) == 1
    assert "NOT REACHED: the release parquet is not at" in capsys.readouterr().out


def test_what_is_not_there_is_told(corpus: Manifest):
    with pytest.raises(UsageError, match="did you mean a?"):
        takedown_source(corpus, "a.mp4")
    with pytest.raises(UsageError, match="knows no identity 'Bob'; it knows Ada"):
        takedown_identity(corpus, "Bob")
    assert corpus.takedowns().all == ()


@pytest.mark.slow
def test_a_takedown_reaches_a_corpus_and_a_release_on_s3(s3, tmp_path: Path):  # noqa: F811
    from manifests.bucket import s3_client

    manifest = made("s3://corpus/taken", tmp_path / "scratch")
    release(manifest, "s3://corpus/taken-out", "webdataset", "r")
    found = takedown_source(manifest, "gone")
    assert found.shards == {"r: train-00000.tar": 1}
    client = s3_client()
    for prefix in ("taken/", "taken-out/"):
        for one in client.list_objects_v2(Bucket="corpus", Prefix=prefix)["Contents"]:
            assert b"sound of gone" not in client.get_object(Bucket="corpus", Key=one["Key"])["Body"].read()
    (shard,) = Place("s3://corpus/taken-out").shards()
    assert sha256_of(Place("s3://corpus/taken-out").get(shard.name, tmp_path)) == shard.sha256


# Persons.


def test_a_person_is_taken_out_of_every_clip_that_shows_or_holds_them_and_nobody_else_is(tmp_path: Path):
    root = tmp_path / "corpus"
    manifest = two_people(root)
    split_clips(manifest, (1.0, 0.0, 0.0))
    release(Manifest(str(root)), str(tmp_path / "out"), "webdataset", "r")
    found = takedown_identity(Manifest(str(root)), "Ada")
    manifest = Manifest(str(root))
    assert [row["clip_id"] for row in manifest.table(Clip).to_pylist()] == [
        "other/000000-005000/t0",
        "s/020000-025000/t1",
    ]
    assert found.clips == ["s/000000-005000/t0", "s/010000-015000/t1", "s/040000-045000/t1"]
    assert [row["track_id"][-2:] for row in manifest.table(Track).to_pylist()] == ["t1"]
    assert [row["turn_id"] for row in manifest.table(Turn).to_pylist()] == ["s/2"]
    assert [row["left_px"] for row in manifest.table(Face).to_pylist()] == [[600.0]]
    (look,) = manifest.table(FaceQuality).to_pylist()
    assert (look["left_px"], look["sharpness"], look["blockiness"]) == ([600.0], [2.0], [4.0])
    (seen,) = manifest.table(FaceEmbedding).to_pylist()
    assert (np.frombuffer(seen["embeddings"], "<f2") == 2.0).tolist() == [True] * 512
    assert [row["turn_id"] for row in manifest.table(Attribution).to_pylist()] == ["s/2"]
    assert [row["track_id"][-2:] for row in manifest.table(Identity).to_pylist()] == ["t1"]
    assert [row["clip_id"] for row in manifest.table(Split).to_pylist()] == [
        "other/000000-005000/t0",
        "s/020000-025000/t1",
    ]
    assert [row["clip_id"] for row in manifest.table(VoiceEmbedding).to_pylist()] == [
        "other/000000-005000/t0",
        "s/020000-025000/t1",
    ]
    assert [row["source_id"] for row in manifest.table(Fingerprint).to_pylist()] == ["other"]
    assert holding(b"looks of s", root) == set()  # of the whole picture, with everybody in it
    for gone in found.clips:
        assert holding(f"sound of {gone}".encode(), root, tmp_path / "out") == set()
        assert holding(f"voice of {gone}".encode(), root, tmp_path / "out") == set()
    assert len(holding(b"voice of s/020000-025000/t1", root)) == 1
    assert holding(b"voice of s/020000-025000/t1", tmp_path / "out") == set()  # no release has anybody's
    assert [shard.clips for shard in Place(str(tmp_path / "out")).shards()] == [
        ["other/000000-005000/t0", "s/020000-025000/t1"]
    ]
    assert len(found.media) == 3
    assert holding(b"Ada", root, tmp_path / "out") == {"takedowns.json"}
    whole(manifest)
    again = takedown_identity(manifest, "Ada")
    assert (again.files, again.media, again.clips) == (0, [], found.clips)


def test_the_file_of_a_person_s_source_goes_and_who_a_killed_takedown_left(tmp_path: Path) -> None:
    root = tmp_path / "corpus"
    manifest = two_people(root)
    (tmp_path / "film").write_bytes(b"all that the source shows")
    media, sha256 = MediaStore(str(root)).put(tmp_path / "film", ".mp4")
    (shard,) = [shard for shard in manifest.shards() if manifest.read(Source, [LISTED], shard)[0].source_id == "s"]
    (kept,) = manifest.read(Source, [LISTED], shard)
    manifest.write(Source, LISTED, shard, [replace(kept, media=media, sha256=sha256)])
    left = [Identity(**row) for row in manifest.table(Identity).to_pylist()]
    gone = replace(left[0], identity_id="p", track_id="s/gone", **{Identity.key: "s/gone=p"})
    manifest.write_whole(Identity, "Identities-again", [*left, gone])
    takedown_identity(Manifest(str(root)), "Ada")
    assert holding(b"all that the source shows", root) == set()
    assert [row["track_id"][-2:] for row in Manifest(str(root)).table(Identity).to_pylist()] == ["t1"]


def test_what_a_later_run_makes_of_a_person_is_dropped(tmp_path: Path):
    takedown_identity(two_people(tmp_path / "corpus"), "Ada")
    gone = Manifest(str(tmp_path / "corpus")).takedowns()
    assert gone.covers(track("s", "t7", 20.0, 30.0))  # another detector's box of the same face
    assert not gone.covers(track("s", "t7", 600.0))
    assert not gone.covers(track("other", "t0", 0.0, 30.0))
    assert gone.covers(clip("s", 2.0, 9.0, "t7", right_px=500.0))
    assert not gone.covers(clip("s", 12.0, 19.0, "t1", left_px=500.0, right_px=1000.0))
    assert gone.covers(clip("s", 2.0, 9.0, "t1", left_px=500.0, right_px=1000.0))  # she is heard in it
    assert gone.covers(Turn("s", "s/9", "speaker4", 0.5, 4.0))
    assert not gone.covers(Turn("s", "s/9", "speaker4", 4.0, 9.0))
    assert gone.covers(Fingerprint("s", "s/looks", [], b""))
    assert not gone.covers(Fingerprint("other", "other/looks", [], b""))


def test_a_run_filters_what_was_taken_down_and_its_counts_add_up():
    from manifests.tables import Shot
    from operators.faces.track_faces import TrackFaces
    from pipeline.engine.outcome import Answer, StepLog
    from pipeline.recipe import Step

    shot = Shot("s", "s/000000-060000", 0.0, 60.0)
    ada, bob = track("s", "t0", 0.0, 30.0), track("s", "t1", 600.0)
    region = Region("s", 0.0, 30.0, ada.times_s, ada.left_px, ada.top_px, ada.right_px, ada.bottom_px)
    gone = Takedowns((Takedown("identity:Ada", "2026", {}, [region], []),))
    step = Step(TrackFaces(), "TrackFaces-x", 0, {})
    log = StepLog(step, gone)
    log.enter(shot, Answer("answered", [ada, bob]))
    assert log.rows[Track] == [bob]
    assert [(drop.subject, drop.reason) for drop in log.drops] == [(ada.track_id, REASON)]
    receipt = log.receipt()
    assert receipt.calls == {"read": 1, "answered": 1, "dropped": 0, "failed": 0}
    assert (receipt.rows, receipt.given_up) == ({"tracks": 1}, {"tracks": 1})


def test_a_person_is_found_by_a_picture_of_their_face(tmp_path: Path):
    """Bill is the man on the left of this interview; the other one stays."""
    film, picture = media("multi", "avi_billhyland.mp4"), media("multi", "gallery_hyland", "Bill", "1.jpg")
    weights()
    rows: list[Row] = [
        Source("film", str(film), end_s=20.0),
        Source("none", "https://example.org/none.mp4", end_s=20.0),
    ]
    for name, left, right in (("t0", 178.0, 284.0), ("t1", 571.0, 688.0)):
        looks = [1.0, 5.0, 9.0, 13.0, 17.0]
        box = [left] * 5, [100.0] * 5, [right] * 5, [100.0 + right - left] * 5
        rows.append(
            Track("film", f"film/000000-020000/{name}", "film/000000-020000", 0.0, 20.0, looks, *box, [1.0] * 5)
        )
        rows.append(
            clip(
                "film",
                0.0,
                5.0,
                name,
                shot_id="film/000000-020000",
                track_id=f"film/000000-020000/{name}",
                left_px=left,
                right_px=right,
            )
        )
    rows.append(track("none"))
    manifest = corpus_of(tmp_path, rows)
    with pytest.raises(
        UsageError,
        match=r"nobody in .* looks like .*; the most alike is film/000000-020000/t0, with a cosine of 0\.[4-9]",
    ):
        takedown_like(manifest, picture, min_cosine=0.95)
    found = takedown_like(manifest, picture)
    assert [one.row_id[-2:] for one in found.matches] == ["t0", "t1"]
    assert found.matches[0].cosine > 0.5
    assert found.matches[1].cosine < 0.2
    assert found.unseen == ["none"]
    assert [row["clip_id"] for row in Manifest(str(tmp_path)).table(Clip).to_pylist()] == ["film/000000-005000/t1"]
    with pytest.raises(UsageError, match="no face is found in"):
        takedown_like(manifest, blank(tmp_path))


def blank(folder: Path) -> Path:
    from PIL import Image

    Image.new("RGB", (200, 200), "gray").save(folder / "blank.png")
    return folder / "blank.png"
