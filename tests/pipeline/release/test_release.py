"""Releases: read by the libraries that people train with, equal bytes for equal corpora, and whole whatever stops
them.
"""

import hashlib
import io
import json
import tarfile
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from manifests.errors import UsageError
from manifests.manifest import Manifest
from manifests.tables import Clip, Pair
from pipeline.corpus_steps.splits import split_clips
from pipeline.query.selection import select
from pipeline.release import formats
from pipeline.release.formats import key_of, sha256_of_files
from pipeline.release.place import Place
from pipeline.release.release import release
from pipeline.takedown.takedown import takedown_source
from tests.manifests.test_media import s3, server  # noqa: F401 - fixtures
from tests.pipeline.made_corpus import clip, corpus_of, render, score, source

SHARD = 9000  # bytes: a made file has about 5000, so most shards hold one clip or two


def made(root: Path | str, scratch: Path, count: int = 9, backwards: bool = False) -> Manifest:
    """Clips of sources of their own, rendered all but the last, with a score that the first ones have not."""
    rows = []
    for number in range(count):
        one = clip(f"s.{number:02d}")
        rows += [
            source(one.source_id, language="en" if number % 2 else "", uri=f"/home/ada/{number}.mp4"),
            one,
            score(one, "face_width_px", 100.0 + number),
            score(one, "skin_ita_deg", 10.0 * number),
        ]
        rows += [score(one, "dnsmos_ovrl", 2.0 + number / 10)] if number > 6 else []
        rows += [render(one, root, scratch)] if number < count - 1 else []
    manifest = corpus_of(root, rows[::-1] if backwards else rows)
    split_clips(manifest, (0.6, 0.2, 0.2))
    return Manifest(str(root))


def contents(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file()
    }


def members(folder: Path) -> dict[str, bytes]:
    found = {}
    for path in sorted(folder.glob("*.tar")):
        with tarfile.open(path) as tar:
            found |= {member.name: tar.extractfile(member).read() for member in tar}  # pyright: ignore[reportOptionalMemberAccess]
    return found


def test_a_webdataset_holds_each_rendered_clip_once_with_what_is_known_of_it(tmp_path: Path):
    manifest = made(tmp_path / "corpus", tmp_path)
    told = release(manifest, str(tmp_path / "out"), "webdataset", "r", shard_bytes=SHARD)
    found = members(tmp_path / "out")
    assert told.clips == 8
    assert sorted(name for name in found if name.endswith(".mp4")) == sorted(
        f"{key_of(one['clip_id'])}.mp4" for one in manifest.table(Clip).to_pylist()[:-1]
    )
    assert all("." not in name.rsplit(".", 1)[0] for name in found)
    for name, content in found.items():
        if name.endswith(".mp4"):
            row = json.loads(found[name.replace(".mp4", ".json")])
            assert content.startswith(f"the pixels and sound of {row['clip_id']}".encode())
            assert (hashlib.sha256(content).hexdigest(), len(content)) == (row["media_sha256"], row["bytes"])
            assert row["uri"] == f"{int(row['source_id'][2:])}.mp4"  # not whose machine it lies on
    index = [json.loads(line) for line in (tmp_path / "out" / "index.jsonl").read_text().splitlines()]
    assert [shard["sha256"] for shard in index] == [
        hashlib.sha256((tmp_path / "out" / shard["name"]).read_bytes()).hexdigest() for shard in index
    ]
    assert len({clip for shard in index for clip in shard["clips"]}) == sum(len(shard["clips"]) for shard in index) == 8
    assert not (tmp_path / "out" / ".state").exists()


@pytest.mark.parametrize("form", ["webdataset", "parquet", "folder"])
def test_equal_corpora_give_equal_bytes(tmp_path: Path, form: str):
    release(made(tmp_path / "a", tmp_path / "scratch"), str(tmp_path / "out-a"), form, "r", shard_bytes=SHARD)
    release(
        made(tmp_path / "b", tmp_path / "scratch", backwards=True),
        str(tmp_path / "out-b"),
        form,
        "r",
        shard_bytes=SHARD,
    )
    first, second = contents(tmp_path / "out-a"), contents(tmp_path / "out-b")
    assert first == second
    assert {"README.md", "index.jsonl", "release.json", "plots/clips.png", "plots/scores.png"} < set(first)


def test_a_release_holds_the_pairs_whose_clips_it_has(tmp_path: Path):
    manifest = made(tmp_path / "corpus", tmp_path)
    first, second, *_, unrendered = [one["clip_id"] for one in manifest.table(Clip).to_pylist()]
    pairs = [
        Pair("s.00", f"cross_identity/{a}/{b}", "cross_identity", a, b)
        for a, b in ((first, second), (first, unrendered))
    ]
    manifest.write_whole(Pair, "pairs", pairs)
    out = tmp_path / "out"
    release(Manifest(str(tmp_path / "corpus")), str(out), "webdataset", "r")
    assert [json.loads(line) for line in (out / "pairs.jsonl").read_text().splitlines()] == [asdict(pairs[0])]
    takedown_source(Manifest(str(tmp_path / "corpus")), second.split("/")[0])
    assert not (out / "pairs.jsonl").exists()


def test_parquet_holds_the_media_in_small_row_groups(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(formats, "GROUP_BYTES", 1)
    manifest = made(tmp_path / "corpus", tmp_path)
    release(manifest, str(tmp_path / "out"), "parquet", "r")
    rows = [row for path in sorted((tmp_path / "out").glob("*.parquet")) for row in pq.read_table(path).to_pylist()]
    assert len(rows) == 8
    assert all(hashlib.sha256(row["video"]).hexdigest() == row["media_sha256"] for row in rows)
    assert [row["dnsmos_ovrl"] for row in sorted(rows, key=lambda row: row["clip_id"])] == [None] * 7 + [2.7]
    files = [pq.ParquetFile(path) for path in sorted((tmp_path / "out").glob("*.parquet"))]
    assert [file.num_row_groups for file in files] == [file.metadata.num_rows for file in files]


def test_a_stopped_release_goes_on_and_keeps_what_is_whole(tmp_path: Path):
    manifest, out = made(tmp_path / "corpus", tmp_path), tmp_path / "out"

    def stop(done: int, of: int) -> None:
        if done > of / 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        release(manifest, str(out), "webdataset", "r", shard_bytes=SHARD, watch=stop)
    assert not (out / "index.jsonl").exists()
    first, damaged, *_ = sorted(out.glob("*.tar"))
    kept = first.stat()
    damaged.write_bytes(damaged.read_bytes()[:-1] + b"!")
    (out / f".{damaged.name}.part").write_bytes(b"half")
    release(manifest, str(out), "webdataset", "r", shard_bytes=SHARD)
    assert (first.stat().st_ino, first.stat().st_mtime_ns) == (kept.st_ino, kept.st_mtime_ns)
    release(manifest, str(tmp_path / "whole"), "webdataset", "whole", shard_bytes=SHARD)
    assert members(out) == members(tmp_path / "whole")
    shards = {name: sha256 for name, sha256 in contents(out).items() if name.endswith(".tar")}
    assert shards == {name: sha256 for name, sha256 in contents(tmp_path / "whole").items() if name.endswith(".tar")}


def test_a_release_made_again_drops_what_is_no_longer_chosen(tmp_path: Path):
    manifest, out = made(tmp_path / "corpus", tmp_path), tmp_path / "out"
    release(manifest, str(out), "webdataset", "r", shard_bytes=SHARD)
    chosen, _ = select(manifest, "face_px >= 106", "hq")
    told = release(manifest, str(out), "webdataset", "r", chosen, shard_bytes=SHARD)
    assert told.clips == 2
    assert sorted(members(out)) == sorted(
        f"{key_of(clip(f's.0{number}').clip_id)}.{suffix}" for number in (6, 7) for suffix in ("json", "mp4")
    )
    assert {json.loads(line)["name"] for line in (out / "index.jsonl").read_text().splitlines()} == {
        path.name for path in out.glob("*.tar")
    }


def test_what_is_not_ours_is_not_touched(tmp_path: Path):
    manifest = made(tmp_path / "corpus", tmp_path)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "train-00000.tar").write_bytes(b"years of work")
    with pytest.raises(UsageError, match="no release of ours"):
        release(manifest, str(tmp_path / "mine"), "webdataset", "r")
    assert (tmp_path / "mine" / "train-00000.tar").read_bytes() == b"years of work"
    release(manifest, str(tmp_path / "out"), "webdataset", "r")
    with pytest.raises(UsageError, match="has a release 'r' already, at"):
        release(manifest, str(tmp_path / "other"), "webdataset", "r")


def test_the_datasheet_tells_what_is_in_it_and_what_was_left_out(tmp_path: Path):
    manifest, out = made(tmp_path / "corpus", tmp_path), tmp_path / "out"
    chosen, _ = select(manifest, "face_px >= 104", "hq")
    release(manifest, str(out), "folder", "faces", chosen)
    facts = json.loads((out / "release.json").read_text())
    assert (facts["clips"], facts["seconds"], facts["sources"], facts["not_rendered"]) == (4, 20.0, 4, 1)
    assert facts["languages"] == {"en": {"clips": 2, "seconds": 10.0}, "unknown": {"clips": 2, "seconds": 10.0}}
    assert facts["groups"]["language"] == {"en": {"in_corpus": 4, "released": 2, "share": 0.5}}
    assert facts["scores"]["face_px"] == {"p5": 104.0, "median": 105.0, "p95": 107.0, "clips": 4}
    text = (out / "README.md").read_text()
    assert "skin_ita_deg" not in [*facts["columns"], *facts["scores"]]
    assert "skin_ita_deg" not in (out / "croissant.json").read_text()
    assert facts["costs"] == []
    assert "guesses nobody's age, gender or descent" in text
    assert "No filter surely cost one group more" in text
    assert "# faces" in text
    assert f"the selection hq:{chosen.version} (`(face_px >= 104)`)" in text
    assert "1 clips are not rendered" in text
    assert len(list(out.glob("*-*/*.mp4"))) == 4


@pytest.mark.slow
def test_a_release_lies_on_s3_as_in_a_folder_and_goes_on_there(s3, tmp_path: Path):  # noqa: F811
    manifest = made("s3://corpus/released", tmp_path, count=3)

    def stop(done: int, of: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        release(manifest, "s3://corpus/out", "webdataset", "r", shard_bytes=SHARD, watch=stop)
    s3.asked.clear()
    release(manifest, "s3://corpus/out", "webdataset", "r", shard_bytes=SHARD)
    release(made(tmp_path / "corpus", tmp_path, count=3), str(tmp_path / "out"), "webdataset", "r", shard_bytes=SHARD)
    place = Place("s3://corpus/out")
    assert place.shards() == Place(str(tmp_path / "out")).shards()
    assert place.begun() == []
    for shard in place.shards():
        assert place.holds(shard)
        assert sha256_of_files(place.get(shard.name, tmp_path)) == shard.sha256
    first = place.shards()[0].name
    assert not [asked for asked in s3.asked if "PUT" in str(asked) and first in str(asked)]


def test_keys_have_no_dots_and_stay_apart():
    assert key_of("yt-a/000100-000200/t0") == "yt-a__000100-000200__t0"
    keys = {key_of(name) for name in ("a.b/1/t0", "a-b/1/t0", "a,b/1/t0")}
    assert len(keys) == 3
    assert not any("." in key or "/" in key for key in keys)


@pytest.mark.parametrize("form", ["webdataset", "parquet"])
def test_the_two_lines_of_the_datasheet_read_the_release(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, form: str):
    monkeypatch.setenv("HF_DATASETS_CACHE", str(tmp_path / "cache"))
    import datasets
    import datasets.config

    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", str(tmp_path / "cache"))
    import torch.utils.data

    assert torch
    manifest, out = made(tmp_path / "corpus", tmp_path), tmp_path / "out"
    release(manifest, str(out), form, "r", shard_bytes=SHARD)
    lines = (out / "README.md").read_text().split("```python\n")[1].split("```")[0]
    monkeypatch.chdir(out)
    names: dict[str, Any] = {"datasets": datasets, "torch": torch}
    exec(lines, names)
    read = [row for split in names["clips"].values() for row in split]
    assert len(read) == 8
    for row in read:
        facts, video = (row["json"], row["mp4"]["bytes"]) if form == "webdataset" else (row, row["video"])
        assert video.startswith(f"the pixels and sound of {facts['clip_id']}".encode())
        assert facts["face_px"] == 100.0 + int(facts["source_id"][2:])
    if form == "parquet":
        assert [row["video"][:3] for row in names["loader"]] == [b"the"] * len(
            names["clips"][next(iter(names["clips"]))]
        )


def test_a_torch_loop_reads_the_tars_through_webdataset(tmp_path: Path):

    from torch.utils.data import DataLoader
    from webdataset.compat import WebDataset

    release(made(tmp_path / "corpus", tmp_path), str(tmp_path / "out"), "webdataset", "r", shard_bytes=SHARD)
    files = [str(path) for path in sorted((tmp_path / "out").glob("*.tar"))]
    read = list(DataLoader(WebDataset(files, shardshuffle=False).decode(), batch_size=None))  # pyright: ignore[reportArgumentType]
    assert len(read) == 8
    assert all(
        io.BytesIO(row["mp4"]).read().startswith(f"the pixels and sound of {row['json']['clip_id']}".encode())
        for row in read
    )
