"""Where a file lies is no part of what it is."""

from pathlib import Path

from manifests.manifest import LISTED, Manifest
from manifests.tables import Source
from pipeline.takedown.takedown import takedown_source


def test_a_file_that_was_moved_is_read_where_it_lies_now(tmp_path: Path) -> None:
    before, after = tmp_path / "before.mp4", tmp_path / "after.mp4"
    before.touch()
    manifest = Manifest(str(tmp_path / "corpus"))
    web = Source("web-1", "https://h.org/a.mp4")
    manifest.add([Source("file-1", str(before)), web])
    moved, listed = Source("file-1", str(after)), tmp_path / "corpus" / "sources" / "listed"
    content = {path: path.read_bytes() for path in listed.iterdir()}

    after.touch()
    assert manifest.relocate([moved, web]) == [], "a copy beside it moves nothing"
    before.unlink()
    assert manifest.relocate([moved, web, Source("file-2", "elsewhere")]) == ["file-1"]
    for one in (manifest, Manifest(str(tmp_path / "corpus"))):
        found = {row.source_id: row.uri for shard in one.shards() for row in one.read(Source, [LISTED], shard)}
        assert found == {"file-1": str(after), "web-1": web.uri}
    assert {path: path.read_bytes() for path in listed.iterdir()} == content, "a shard, once listed, never changes"
    assert Manifest(str(tmp_path / "corpus")).relocate([moved]) == []


def test_a_takedown_takes_the_new_path_too(tmp_path: Path) -> None:
    manifest = Manifest(str(tmp_path / "corpus"))
    manifest.add([Source(f"file-{n}", str(tmp_path / f"before{n}.mp4")) for n in (1, 2)])
    manifest.relocate([Source(f"file-{n}", str(tmp_path / f"after{n}.mp4")) for n in (1, 2)])
    takedown_source(manifest, "file-1")
    for path in (tmp_path / "corpus").rglob("*.json"):
        assert "after1.mp4" not in path.read_text(), path
    assert "after2.mp4" in (tmp_path / "corpus" / "moved.json").read_text()
