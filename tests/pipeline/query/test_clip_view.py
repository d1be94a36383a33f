"""The wide view: every clip once, and in each column what the tables say of it."""

from pathlib import Path

import pytest

from manifests.errors import UsageError
from manifests.manifest import Manifest
from manifests.tables import Annotation, Duplicate, Published, Split
from pipeline.query.clip_view import columns
from pipeline.query.clip_view import select_rows as rows_of
from tests.pipeline.made_corpus import clip, corpus_of, render, score, source


def asked(manifest: Manifest, query: str) -> list[tuple]:
    return rows_of(manifest, query).fetchall()


def published(source_id: str, name: str, identity: str) -> Published:
    return Published(
        source_id,
        f"list/{name}",
        "list",
        name,
        0.0,
        5.0,
        None,
        None,
        0.0,
        None,
        0.0,
        0.0,
        1.0,
        1.0,
        1.0,
        1.0,
        "",
        identity,
        "train",
    )


def test_a_row_a_clip_with_what_each_table_says_of_it(tmp_path: Path):
    a, b = clip("s1"), clip("s2", 1.0, 7.5, published_id="list/x")
    rendered = render(a, tmp_path, tmp_path / "scratch")
    rows = [source("s1", channel="news", language="en"), source("s2"), a, b, rendered, score(a, "face_width_px", 300.0),
            score(b, "face_width_px", 100.0),
            score(a, "dnsmos_ovrl", 3.5), score(rendered, "sharpness", 0.25),
            Annotation("s1", "1", a.clip_id, "emotion", "happy", "list"),
            Annotation("s1", "2", a.clip_id, "emotion", "calm", "list"),
            Annotation("s1", "3", a.clip_id, "action", "nod", "list", 0.0, 1.0),
            published("s2", "x", "Ada"), Annotation("s2", "4", "list/x", "hair", "brown", "list")]  # fmt: skip
    manifest = corpus_of(tmp_path, rows)
    assert asked(
        manifest, "select clip_id, seconds, channel, face_px, dnsmos_ovrl, sharpness, source_width from wide order by 1"
    ) == [
        (a.clip_id, 5.0, "news", 300.0, 3.5, 0.25, 1280),
        (b.clip_id, 6.5, "", 100.0, None, None, 1280),
    ]
    assert asked(manifest, "select media, emotion, hair, identity, action from wide order by clip_id") == [
        (rendered.media, "calm, happy", None, None, None),
        (None, None, "brown", "Ada", None),
    ]
    whole = rows_of(manifest, "select * from wide")
    assert set(whole.columns) == set(columns(manifest))
    assert len(whole.fetchall()) == 2
    assert asked(manifest, "select count(*) from wide") == [(2,)]
    assert {row[0] for row in asked(manifest, "describe wide")} == set(columns(manifest))
    assert len(rows_of(manifest, "from wide").columns) == len(columns(manifest))
    assert asked(manifest, "select count(*) from wide where clip_id in (select subject from annotations)") == [(1,)]
    assert ("clips",) in asked(manifest, "show tables")


def test_variants_and_protocols_of_a_metric_are_never_mixed(tmp_path: Path):
    a = clip("s1")
    rows = [source("s1"), a, score(a, "lse_c", 6.0, "syncnet v2"), score(a, "lse_c", 3.0, "proxy"),
            score(a, "fid", 1.0), score(a, "fid", 2.0, protocol="256px"),
            score(a, "frames", 0.5), score(a, "3d", 7.0)]  # fmt: skip
    manifest = corpus_of(tmp_path, [*rows, render(a, tmp_path, tmp_path / "scratch")])
    query = "select lse_c_syncnet_v2, lse_c_proxy, fid_, fid_256px, frames, score_frames, _3d from wide"
    assert asked(manifest, query.replace("fid_,", "fid,")) == [(6.0, 3.0, 1.0, 2.0, 125, 0.5, 7.0)]


def test_a_column_of_the_clip_keeps_its_name_when_renders_are_scored(tmp_path: Path):
    a = clip("s1")
    rows = [source("s1"), a, score(a, "av_offset_s", 0.3, "mouth_envelope")]
    query = "select av_offset_s from wide"
    assert asked(corpus_of(tmp_path / "before", rows), query) == [(0.3,)]
    scored = corpus_of(tmp_path / "after", [*rows, score(a, "av_offset_s", 0.0, "mesh", protocol="fps=25")])
    assert asked(scored, query) == [(0.3,)]
    assert asked(scored, "select av_offset_s_mesh from wide") == [(0.0,)]


def test_splits_and_duplicates_are_columns_once_they_are_made(tmp_path: Path):
    a = clip("s1")
    manifest = corpus_of(tmp_path, [source("s1"), source("s2"), a])
    assert not {"split", "duplicate_of"} & set(columns(manifest))
    manifest.write_whole(Split, "made", [Split("s1", "x", a.clip_id, "test", "source:s1")])
    manifest.write_whole(Duplicate, "made", [Duplicate("s1", "s1=s2", "s2", 5.0, 0.0, 1.0, 0.0)])
    assert asked(Manifest(str(tmp_path)), "select split, duplicate_of from wide") == [("test", "s2")]


def test_a_wrong_column_is_answered_with_the_right_one(tmp_path: Path):
    a = clip("s1")
    manifest = corpus_of(tmp_path, [source("s1"), a, score(a, "dnsmos_ovrl", 3.0)])
    with pytest.raises(
        UsageError, match=r"no column 'dnsmos_ovr'; did you mean dnsmos_ovrl\?\nColumns: source_id, clip_id"
    ):
        asked(manifest, "select clip_id from wide where dnsmos_ovr > 3")
    with pytest.raises(UsageError, match="Tables: wide, sources"):
        asked(manifest, "select * from clip")


def test_files_of_an_older_schema_are_read(tmp_path: Path):
    import pyarrow.parquet as pq

    a = clip("s1")
    manifest = corpus_of(tmp_path, [source("s1"), a, score(a, "dnsmos_ovrl", 3.0)])
    (path,) = tmp_path.glob("scores/*/*.parquet")
    pq.write_table(pq.read_table(path).drop_columns(["protocol", "model_sha256"]), path)
    assert asked(manifest, "select dnsmos_ovrl from wide") == [(3.0,)]
