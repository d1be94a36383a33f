"""Downloads out of S3, as moto plays it."""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from manifests.bucket import s3_client
from manifests.tables import Source
from tests.object_store import ObjectStore, aws_points_at, serve_s3
from tests.operators.sources.downloading import QUICK, download, outcome, source_of
from tests.site import WebSite


@pytest.fixture(scope="module")
def server() -> Iterator[ObjectStore]:
    with serve_s3() as store:
        yield store


@pytest.fixture
def bucket(server: ObjectStore, site: WebSite, monkeypatch: pytest.MonkeyPatch) -> ObjectStore:
    aws_points_at(server, monkeypatch)
    s3_client().create_bucket(Bucket="videos")
    s3_client().put_object(Bucket="videos", Key="a folder/odd #name?.mp4", Body=site.files["good0"])
    return server


def test_an_object_comes_out_of_s3(bucket: ObjectStore, site: WebSite, tmp_path: Path):
    bucket.slow_downs = 2
    end, fetches = download(
        source_of("s3://videos/a folder/odd #name?.mp4"), tmp_path, replace(QUICK, allow_private=False, gap_s=100)
    )
    assert isinstance(end, Source)
    assert (tmp_path / end.media).read_bytes() == site.files["good0"]
    assert (fetches[-1].tool[:6], fetches[-1].bytes) == ("boto3 ", len(site.files["good0"]))


def test_half_an_object_is_gone_on_with_only_where_it_is_the_same(bucket: ObjectStore, site: WebSite, tmp_path: Path):
    whole = site.files["good0"]
    source = source_of("s3://videos/a folder/odd #name?.mp4")
    etag = s3_client().head_object(Bucket="videos", Key="a folder/odd #name?.mp4")["ETag"]
    for validator, received in ((etag, len(whole) - 1000), ('"another"', len(whole))):
        scratch = tmp_path / "scratch" / source.source_id
        scratch.mkdir(parents=True)
        (scratch / "file.part").write_bytes(whole[:1000])
        (scratch / "file.json").write_text(json.dumps({"address": source.uri, "validator": validator}))
        end, fetches = download(source, tmp_path)
        assert isinstance(end, Source)
        assert (end.sha256, fetches[-1].bytes) == (hashlib.sha256(whole).hexdigest(), received)


def test_what_is_wrong_with_an_object_is_told(bucket: ObjectStore, tmp_path: Path):
    end, fetches = download(source_of("s3://videos/missing.mp4"), tmp_path)
    assert (outcome(end), fetches[-1].said) == ("http_404", "s3://videos/missing.mp4: there is no such object")
    end, fetches = download(source_of("s3://no-such-bucket/a.mp4"), tmp_path)
    assert outcome(end) == "http_404"
    assert "there is no bucket no-such-bucket" in fetches[-1].said
    bucket.check_credentials(True)
    try:
        made = download(source_of("s3://videos/a folder/odd #name?.mp4"), tmp_path)
    finally:
        bucket.check_credentials(False)
    assert outcome(made[0]) == "http_403"
    assert "hunter2" not in repr(made)
    assert len(made[1]) == 1
