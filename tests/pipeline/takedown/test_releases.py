"""A takedown in releases: emptied ones, unfinished ones, and those that were made by somebody else."""

import json
import shutil
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from manifests.manifest import Manifest
from manifests.tables import Render
from pipeline.query.selection import select
from pipeline.release.place import Place
from pipeline.release.release import release
from pipeline.takedown.takedown import takedown_source
from tests.pipeline.takedown.made import holding


@pytest.mark.parametrize("form", ["webdataset", "parquet", "folder"])
def test_a_release_that_is_emptied_is_an_ordinary_one(corpus: Manifest, tmp_path: Path, form: str):
    """And what comes after it by name is taken down all the same."""
    chosen, _ = select(corpus, "source_id = 'gone'", "hers")
    release(corpus, str(tmp_path / "a"), form, "a", chosen)
    release(corpus, str(tmp_path / "b"), form, "b")
    found = takedown_source(corpus, "gone")
    assert found.errors == []
    assert holding(b"sound of gone", tmp_path) == holding(b"gone", tmp_path / "a", tmp_path / "b") == set()
    facts = json.loads((tmp_path / "a" / "release.json").read_text())
    assert (facts["clips"], facts["shards"], facts["seconds"], facts["splits"], facts["finished"]) == (
        0,
        0,
        0,
        {},
        True,
    )
    assert "It holds no clip" in (tmp_path / "a" / "README.md").read_text()
    assert not list((tmp_path / "a" / "plots").iterdir()), "the old ones show what is gone"
    assert (tmp_path / "a" / "index.jsonl").read_bytes() == b""
    assert json.loads((tmp_path / "b" / "release.json").read_text())["clips"] == 2
    told = json.loads(Path(corpus.root, "releases", "a.json").read_text())
    assert (told["clips"], told["shards"]) == (0, 0)
    again = release(Manifest(corpus.root), str(tmp_path / "a"), form, "a", replace(chosen, where="false"))
    assert again.clips == 0


def test_a_datasheet_that_a_kill_left_old_is_written_anew(
    released: Manifest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    from pipeline.takedown.releases import Withdrawal

    def killed(_: Withdrawal) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(Withdrawal, "describe", killed)
        with pytest.raises(KeyboardInterrupt):
            takedown_source(released, "gone")
    assert json.loads((tmp_path / "parquet" / "release.json").read_text())["clips"] == 3
    takedown_source(Manifest(released.root), "gone")
    assert json.loads((tmp_path / "parquet" / "release.json").read_text())["clips"] == 2


def test_a_datasheet_no_longer_names_what_its_condition_left_out(corpus: Manifest, tmp_path: Path):
    chosen, _ = select(corpus, "source_id != 'gone'", "others")
    release(corpus, str(tmp_path / "out"), "folder", "r", chosen)
    assert holding(b"gone", tmp_path / "out")
    takedown_source(corpus, "gone")
    assert holding(b"gone", tmp_path / "out") == set()


def test_an_unfinished_release_is_reached(corpus: Manifest, tmp_path: Path):
    """A shard is noted, then written, then moved: each may be as far as a kill has let it come."""
    out = tmp_path / "out"

    def stop(done: int, of: int) -> None:
        if done == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        release(corpus, str(out), "webdataset", "r", shard_bytes=1, watch=stop)
    place = Place(str(out))
    assert [shard.clips[0].split("/")[0] for shard in place.begun()] == ["a", "gone"]
    noted = replace(place.begun()[1], name="train-00002.tar", clips=[*place.begun()[1].clips, *place.begun()[0].clips])
    place.files.save(".state/train-00002.tar.json", asdict(noted))
    shutil.copy(out / "train-00001.tar", out / ".train-00002.tar.part")
    found = takedown_source(corpus, "gone")
    assert found.errors == []
    assert holding(b"gone", out) == set()
    assert sorted(path.name for path in out.iterdir()) == [".state", "release.json", "train-00000.tar"]
    assert [shard.clips[0].split("/")[0] for shard in place.begun()] == ["a", "a"]
    told = release(Manifest(corpus.root), str(out), "webdataset", "r", shard_bytes=1)
    assert (told.clips, place.begun()) == (2, [])


def test_a_shard_that_a_release_no_longer_needs_is_known_until_it_is_gone(
    corpus: Manifest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    out = tmp_path / "out"
    release(corpus, str(out), "webdataset", "r", shard_bytes=1)
    chosen, _ = select(corpus, "source_id = 'a'", "one")

    def killed(self: Place, name: str) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(Place, "delete", killed)
        with pytest.raises(KeyboardInterrupt):
            release(corpus, str(out), "webdataset", "r", chosen, shard_bytes=1)
    takedown_source(Manifest(corpus.root), "gone")
    assert holding(b"sound of gone", tmp_path) == set()


def test_a_folder_that_is_another_release_by_now_is_not_touched(released: Manifest, tmp_path: Path):
    (note := tmp_path / "parquet" / "release.json").write_text(
        json.dumps({**json.loads(note.read_text()), "name": "of-somebody-else"})
    )
    found = takedown_source(released, "gone")
    assert found.unreachable == {"parquet": str(tmp_path / "parquet")}
    assert holding(b"sound of gone", tmp_path / "parquet")


@pytest.mark.parametrize(
    "name", ["../../victim", "../victim", "/etc", "a/../../victim-00000", "victim", "train-00000.tar/../../victim"]
)
@pytest.mark.parametrize("where", ["index.jsonl", ".state/x.json"])
def test_a_foreign_release_deletes_nothing_outside_itself(corpus: Manifest, tmp_path: Path, name: str, where: str):
    chosen, _ = select(corpus, "source_id = 'gone'", "hers")
    release(corpus, str(tmp_path / "x" / "out"), "webdataset", "r", chosen)
    victims = [tmp_path / "victim", tmp_path / "x" / "victim", tmp_path / "x" / "victim-00000"]
    for victim in victims:
        victim.mkdir()
        (victim / "years").write_text("of work")
    place = Place(str(tmp_path / "x" / "out"))
    hostile = json.dumps({**asdict(place.shards()[0]), "name": name})
    (tmp_path / "x" / "out" / ".state").mkdir()
    (tmp_path / "x" / "out" / where).write_text(hostile)
    found = takedown_source(corpus, "gone")
    assert any("names a shard" in error for error in found.errors)
    with pytest.raises(Exception, match="names a shard"):
        release(Manifest(corpus.root), place.to, "webdataset", "r")
    assert all((victim / "years").exists() for victim in victims)


def test_a_shard_that_is_a_link_is_not_followed(corpus: Manifest, tmp_path: Path):
    out = tmp_path / "out"
    release(corpus, str(out), "folder", "r", shard_bytes=1)
    (victim := tmp_path / "victim").mkdir()
    (victim / "years").write_text("of work")
    shutil.rmtree(out / "train-00001")
    (out / "train-00001").symlink_to(victim)
    found = takedown_source(corpus, "gone")
    assert any("is a link out of" in error for error in found.errors)
    assert [path.name for path in victim.iterdir()] == ["years"]


@pytest.mark.parametrize("fields", [{"name": "../../victim"}, {"format": "exe"}, {"clips": "all"}])
def test_what_a_foreign_corpus_says_of_its_releases_is_held_to_its_form(
    released: Manifest, tmp_path: Path, fields: dict[str, object]
):
    note = Path(released.root, "releases", "folder.json")
    note.write_text(json.dumps({**json.loads(note.read_text()), **fields}))
    found = takedown_source(released, "gone")
    assert [error.partition(":")[0] for error in found.errors] == ["the release folder"]
    assert holding(b"sound of gone", tmp_path / "parquet", tmp_path / "webdataset") == set()
    assert not (tmp_path.parent / "victim.json").exists()


def test_a_corpus_with_hostile_splits_releases_nothing_outside(corpus: Manifest, tmp_path: Path):
    from manifests.errors import OutsideRoot
    from manifests.tables import Split

    rows = [
        Split(row["source_id"], f"{row['clip_id']}/x", row["clip_id"], "../../out", "g")
        for row in corpus.table(Render).to_pylist()
    ]
    corpus.write_whole(Split, "Evil-000000000000", rows)
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(OutsideRoot, match="a split is named"):
        release(Manifest(corpus.root), str(tmp_path / "x" / "y"), "webdataset", "r")
    assert [path for path in tmp_path.rglob("*") if path not in before] == []
