"""Names out of files: nothing that a foreign folder names leads out of it, to be read, written or deleted."""

from dataclasses import dataclass, field
from pathlib import Path

import pytest

from manifests.errors import OutsideRoot, StorageError
from manifests.manifest import Manifest, Receipt, RunRecord, StepRecord
from manifests.media import MediaStore, sha256_of
from manifests.names import inside, plain, record, relative
from manifests.tables import Clip, Source
from pipeline.engine.row_media import RowMedia

HOSTILE = ["..", ".", "", "/etc/passwd", "../victim", "a/../../victim", "a//b", "a/./b", "a/", "a\\b", "a\x00b", "a\nb"]


@pytest.mark.parametrize("name", HOSTILE)
def test_a_name_that_leads_elsewhere_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(OutsideRoot):
        relative(name)
    with pytest.raises(OutsideRoot):
        inside(tmp_path, name)


def test_a_name_below_the_root_is_its_path_also_where_the_root_is_a_link(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    assert inside(tmp_path / "link", "a/b.mp4") == tmp_path / "link" / "a" / "b.mp4"
    (tmp_path / "real" / "within").symlink_to(tmp_path / "real" / "a")
    assert inside(tmp_path / "link", "within") == tmp_path / "link" / "within"


def test_a_root_is_not_taken_for_its_neighbour_of_a_longer_name(tmp_path: Path) -> None:
    (tmp_path / "corpus").mkdir()
    (tmp_path / "corpus-of-others").mkdir()
    (tmp_path / "corpus" / "link").symlink_to(tmp_path / "corpus-of-others")
    with pytest.raises(OutsideRoot, match="is a link out of"):
        inside(tmp_path / "corpus", "link")


@pytest.mark.parametrize("name", [*HOSTILE, "a.b", "-a", "a b", 7, None, ["a"]])
def test_a_plain_name_is_letters_digits_and_two_marks(name: object) -> None:
    with pytest.raises(OutsideRoot, match="is no name of ours"):
        plain(name, "a release")
    assert plain("hq_2-a", "a release") == "hq_2-a"


def victim(folder: Path) -> Path:
    """A folder outside, with a file in it."""
    (folder / "victim").mkdir()
    (folder / "victim" / "kept.json").write_text("{}")
    return folder / "victim"


def test_no_file_of_a_manifest_lies_outside_its_root(tmp_path: Path) -> None:
    kept = victim(tmp_path) / "kept.json"
    manifest = Manifest(str(tmp_path / "corpus"))
    manifest.add([Source("a", "a.mp4")])
    outside = "../victim/kept.json"
    for ask in (manifest.load, manifest.text, manifest.delete, manifest.names, manifest.parquet):
        with pytest.raises(OutsideRoot):
            ask(outside)
    with pytest.raises(OutsideRoot):
        manifest.save(outside, {"taken": True})
    with pytest.raises(OutsideRoot):
        manifest.put(outside, b"taken")
    with pytest.raises(OutsideRoot):
        manifest.read(Clip, ["../../victim"], 0)
    with pytest.raises(OutsideRoot):
        manifest.commit("../../victim", 0, Receipt("Evil"))
    manifest.save("recipes/last.json", {"recipe": "../../victim/kept"})
    with pytest.raises(OutsideRoot):
        assert Manifest(manifest.root).run
    assert kept.read_text() == "{}"


def test_the_steps_of_a_foreign_recipe_are_read_from_its_own_folder_alone(tmp_path: Path) -> None:
    manifest = Manifest(str(tmp_path / "corpus"))
    manifest.add([Source("a", "a.mp4")])
    manifest.remember(
        RunRecord(
            "r", [StepRecord("Evil", "../../victim", 0, "sources", ["clips"], [], {"sources": ["listed"]}, {}, [])]
        )
    )
    with pytest.raises(OutsideRoot):
        Manifest(manifest.root).table(Clip)


def test_links_out_of_a_manifest_are_not_followed(tmp_path: Path) -> None:
    outside = victim(tmp_path)
    manifest = Manifest(str(tmp_path / "corpus"))
    manifest.add([Source("a", "a.mp4")])
    (tmp_path / "corpus" / "receipts").symlink_to(outside)
    with pytest.raises(OutsideRoot, match="link the whole folder"):
        manifest.commit("Step-1", 0, Receipt("Step"))
    assert sorted(path.name for path in outside.iterdir()) == ["kept.json"]


def test_links_out_of_a_media_store_are_not_followed(tmp_path: Path) -> None:
    secret = tmp_path / "secret.mp4"
    secret.write_bytes(b"of somebody else")
    sha256 = sha256_of(secret)
    root = tmp_path / "corpus"
    store, place = MediaStore(str(root)), f"media/{sha256[:2]}/{sha256}.mp4"
    (root / place).parent.mkdir(parents=True)
    (root / place).symlink_to(secret)
    for ask in (store.has, store.delete, lambda name: store.fetch(name, sha256, tmp_path / "cache")):
        with pytest.raises(OutsideRoot):
            ask(place)
    (made := tmp_path / "made.mp4").write_bytes(b"of somebody else")
    with pytest.raises(OutsideRoot):
        store.put(made, ".mp4")
    assert (secret.read_bytes(), made.exists()) == (b"of somebody else", True)


def test_partial_downloads_of_a_source_lie_in_its_own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEADSET_CACHE", str(tmp_path))
    store = MediaStore(str(tmp_path / "corpus"))
    assert RowMedia(Source("site/a", ""), None, store).scratch.parts[-2:] == ("site", "a")
    with pytest.raises(OutsideRoot):
        assert RowMedia(Source("../../../victim", ""), None, store).scratch


@dataclass(frozen=True)
class Note:
    name: str
    clips: list[str]
    seconds: float
    taken: int = 0
    where: str | None = None
    more: list[float] = field(default_factory=list)


def test_a_record_is_read_as_it_was_written_or_refused_with_the_field(tmp_path: Path) -> None:
    whole = {"name": "a", "clips": ["x"], "seconds": 3, "where": None}
    assert record(Note, whole, "f") == Note("a", ["x"], 3)
    for wrong, field_ in [
        ({**whole, "name": 7}, "name"),
        ({**whole, "clips": ["x", 7]}, "clips"),
        ({**whole, "seconds": True}, "seconds"),
        ({**whole, "taken": 1.5}, "taken"),
        ({**whole, "other": 1}, "other"),
        ({key: value for key, value in whole.items() if key != "name"}, "name"),
    ]:
        with pytest.raises(StorageError, match=f"f is damaged: its '{field_}' is not as headset writes it"):
            record(Note, wrong, "f")
    with pytest.raises(StorageError, match="holds no record"):
        record(Note, [whole], "f")
