"""A packed corpus reads as one that never was, whoever was killed while it was packed, and unpacks into the same
files.
"""

import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest

from manifests.bucket import s3_client
from manifests.checking import faults, repair
from manifests.errors import StorageError, UsageError
from manifests.manifest import LISTED, Manifest, Receipt, RunRecord, StepRecord
from manifests.migration import migrate
from manifests.packing import Tally, leftovers, pack, sweep, unpack
from manifests.room import garbage, remove
from manifests.storage import Storage
from manifests.tables import Annotation, Clip, Score, Source, tables
from pipeline.query.clip_view import select_rows
from pipeline.views.funnel import funnel
from tests.object_store import aws_points_at, serve_s3
from tests.pipeline.made_corpus import clip, corpus_of, score, source, track

SHARDS = 5  # of a source each: two blocks of two, and one that is not full
WIDE = "select * from wide order by clip_id"


def rows() -> Iterator[Any]:
    for number in range(SHARDS):
        name = f"s{number}"
        yield from (source(name), track(name), clip(name), score(clip(name), "m", float(number)))
        if number != 1:  # a shard with a table without rows is another case than one with some
            yield clip(name, 6.0, 9.0)
            yield Annotation(name, f"{name}#word", clip(name).clip_id, "word", name, "list")


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("loose")
    corpus_of(folder / "corpus", rows())
    return folder / "corpus"


@pytest.fixture(scope="module")
def packed_template(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("packed") / "corpus"
    shutil.copytree(template, folder)
    pack(Manifest(str(folder)), 2)
    return folder


@pytest.fixture
def loose(template: Path, tmp_path: Path) -> Manifest:
    return Manifest(str(shutil.copytree(template, tmp_path / "loose")))


@pytest.fixture
def packed(packed_template: Path, tmp_path: Path) -> Manifest:
    return Manifest(str(shutil.copytree(packed_template, tmp_path / "packed")))


def files(root: str | Path) -> dict[str, bytes]:
    return {str(path.relative_to(root)): path.read_bytes() for path in Path(root).rglob("*") if path.is_file()}


def facts(root: str | Path) -> dict[str, Any]:
    """All that a reader learns of a corpus."""
    manifest, found = Manifest(str(root)), dict[str, Any]()
    for name, table in tables().items():
        found[name] = manifest.table(table).to_pylist(), manifest.count_rows(table), manifest.files(table)
        for some in (None, [1], [0, 2, 4]):
            scanned = manifest.dataset(table, some)
            read = scanned.to_table() if hasattr(scanned, "to_table") else scanned
            found[f"{name} {some}"] = sorted(map(repr, read.to_pylist()))
    found["wide"] = select_rows(manifest, WIDE).fetchall()
    found["funnel"] = funnel(manifest).to_json()
    found["faults"] = list(faults(manifest, deep=True))
    return {**found, "brief": brief(root)}


def test_it_reads_as_before_and_unpacks_into_the_same_files(template: Path, packed: Manifest) -> None:
    before, after = files(template), files(packed.root)
    assert len(after) < 0.7 * len(before)
    assert facts(packed.root) == facts(template)
    assert facts(packed.root)["faults"] == []
    assert all(packed.storage.read(name) == content for name, content in before.items())
    assert pack(packed, 2) == Tally()
    done = unpack(packed)
    assert len(after) + done.written - done.removed == len(before)
    assert files(packed.root) == before


def test_equal_corpora_are_equal_packs_in_however_many_goes(
    template: Path, packed_template: Path, loose: Manifest
) -> None:
    pack(loose, 3)
    pack(loose, 2)
    assert files(loose.root) == files(packed_template)
    assert files(template) != files(packed_template)


def test_threads_that_write_shards_of_one_pack_lose_nothing(template: Path, tmp_path: Path) -> None:
    root = str(shutil.copytree(template, tmp_path / "corpus"))
    pack(Manifest(root), SHARDS)
    manifest = Manifest(root)
    assert manifest.run is not None
    step = next(step.version for step in manifest.run.steps if Clip.table in step.writes)
    one_another = Barrier(SHARDS)  # all find the pack before any has unpacked it

    def write(shard: int) -> None:
        assert manifest.storage.packs(step)
        one_another.wait()
        manifest.write(Clip, step, shard, [clip(f"s{shard}", 20.0, 25.0)])

    with ThreadPoolExecutor(SHARDS) as pool:
        list(pool.map(write, range(SHARDS)))
    assert {row.start_s for shard in range(SHARDS) for row in Manifest(root).read(Clip, [step], shard)} == {20.0}


class Killed(BaseException):
    pass


def kill_at(monkeypatch: pytest.MonkeyPatch, number: int) -> list[int]:
    """Ends this process's work before the n-th time that something is changed. Returns a list that counts."""
    count = [0]
    for name in ("write", "take", "delete", "create"):
        real = getattr(Storage, name)

        def counted(*given: Any, real: Any = real, **named: Any) -> Any:
            count[0] += 1
            if count[0] == number:
                raise Killed
            return real(*given, **named)

        monkeypatch.setattr(Storage, name, counted)
    return count


def tiny(root: Path) -> Manifest:
    """Two shards, and one step."""
    manifest = Manifest(str(root))
    manifest.add([Source("a", "a.mp4"), Source("b", "b.mp4")])
    calls, read = {"read": 1, "answered": 1}, {"sources": [LISTED]}
    for shard, name in enumerate("ab"):
        receipt = Receipt("Make", calls, {"clips": 1}, reads="sources", inputs=read)
        manifest.finish("Make-1", shard, {Clip: [clip(name)]}, [], receipt)
    manifest.remember(RunRecord("r", [StepRecord("Make", "Make-1", 0, "sources", ["clips"], [], read, {}, [])]))
    return manifest


@pytest.mark.parametrize("undo", [False, True], ids=["pack", "unpack"])
def test_nothing_is_lost_by_whoever_is_killed_at_any_write(undo: bool, tmp_path: Path) -> None:
    """And a reader meanwhile sees the same."""
    loose = tiny(tmp_path / "loose").root
    packed = shutil.copytree(loose, tmp_path / "packed")
    pack(Manifest(str(packed)))
    truth = {"facts": brief(loose), "loose": files(loose), "packed": files(packed)}
    at = 0
    while at := at + 1:
        root = shutil.copytree(packed if undo else loose, tmp_path / f"killed{at}")
        with pytest.MonkeyPatch.context() as patch:
            kill_at(patch, at)
            try:
                (unpack if undo else pack)(Manifest(str(root)))
                break
            except Killed:
                pass
        assert brief(root) == truth["facts"], at
        pack(Manifest(str(root)))
        assert files(root) == truth["packed"], at
        assert unpack(Manifest(str(root))).written
        assert files(root) == truth["loose"], at
    assert at > 14


def brief(root: str | Path) -> Any:
    manifest = Manifest(str(root))
    receipts = {step: manifest.receipts(step) for step in manifest.steps_done()}
    clips = manifest.dataset(Clip).to_table().sort_by("clip_id").to_pylist()
    return manifest.table(Clip).to_pylist(), clips, manifest.listed(Source, manifest.shards()), receipts


def take_back(manifest: Manifest) -> None:
    manifest.take_back("PlanClips-made", 2, ["s2"])


def write(manifest: Manifest) -> None:
    manifest.write(Clip, "PlanClips-made", 2, [clip("s2", 1.0)])


@pytest.mark.parametrize("change", [take_back, write])
def test_whoever_changes_a_shard_unpacks_its_block_alone(
    change: Callable[[Manifest], None], loose: Manifest, packed: Manifest
) -> None:
    before = set(files(packed.root))
    change(packed)
    change(loose)
    assert brief(packed.root) == brief(loose.root)
    gone = before - set(files(packed.root))
    assert gone, "the block's own files"
    assert {name.split("/")[1] for name in gone} == {"PlanClips-made"}
    assert {name.split("/")[2][:11] for name in gone} == {"00002-00003"}
    assert "receipts/PlanClips-made/00003.json" in files(packed.root)
    unpack(packed)
    assert files(packed.root) == files(loose.root)


def test_what_is_to_be_done_again_is_not_packed_before(loose: Manifest) -> None:
    loose.take_back("PlanClips-made", 0, ["s0"])
    # whoever was killed while a step was taken back left its receipt beside the note
    loose.save("retries/PlanClips-made/00002.json", {"sources": ["s2"], "receipt": None})
    pack(loose, 2)
    there = set(files(loose.root))
    assert {name for name in there if name.startswith("clips/") and "-" not in name.rpartition("/")[2]} == {
        f"clips/PlanClips-made/0000{shard}.parquet" for shard in range(4)
    }
    assert "scores/ScoreClips-made/00000.parquet" not in there


def test_sources_that_come_later_are_packed_with_the_block_that_was_not_full(packed: Manifest) -> None:
    packed.add([Source("later", "l.mp4")], given=[Annotation("later", "later#w", "later", "w", "v", "list")])
    assert len(Manifest(packed.root).shards()) == SHARDS + 1
    pack(packed, 2)
    there = files(packed.root)
    assert not [name for name in there if name.startswith("sources/listed/00004-00004")]
    assert [name for name in there if name.startswith("sources/listed/00004-00005")]
    assert "annotations/listed/00005.parquet" in there, "of shard 4 none were given"
    again = Manifest(packed.root)
    assert {"later", "s0"} <= again.listed(Source, again.shards())
    assert [row.subject for row in again.read(Annotation, [LISTED], 5)] == ["later"]
    assert pack(again, 2) == Tally()


def test_a_reader_finds_what_was_packed_or_unpacked_meanwhile(loose: Manifest) -> None:
    reader, truth = Manifest(loose.root), brief(loose.root)
    names = reader.files(Clip)
    for change in (lambda: pack(loose, 2), lambda: unpack(loose)):
        change()
        assert reader.receipt("PlanClips-made", 0) == truth[3]["PlanClips-made"][0]
        assert [row for name in names for row in reader.arrow(name).to_pylist()] == truth[0]
        assert reader.count(Clip, "PlanClips-made", 0) == 2
        assert reader.dataset(Clip).count_rows() == len(truth[0])


def damaged(packed: Manifest, kind: str) -> Path:
    """With the rows of another block, so that it is read without a complaint; a receipt is cut off."""
    path, other = (next(Path(packed.root, kind).rglob(f"{first}-*")) for first in ("00002", "00000"))
    path.write_bytes(other.read_bytes() if path.suffix == ".parquet" else path.read_bytes()[:-9])
    return path


@pytest.mark.parametrize("kind", ["clips", "receipts/PlanClips-made"])
def test_a_damaged_pack_is_named_and_made_again(kind: str, packed: Manifest) -> None:
    path = damaged(packed, kind)
    (fault,) = faults(packed)
    assert fault.name == str(path.relative_to(packed.root))
    with pytest.raises(StorageError, match=f"{path.name} is damaged: .*--repair"):
        unpack(Manifest(packed.root))
    assert repair(packed, [fault]) == []
    again = Manifest(packed.root)
    assert again.committed("PlanClips-made") == {0, 1, 4}
    assert again.committed("ScoreClips-made") == {*range(SHARDS)}


def test_a_damaged_pack_of_sources_cannot_be_made_again(packed: Manifest) -> None:
    damaged(packed, "sources/listed")
    (fault,) = faults(packed)
    assert repair(packed, [fault]) == [fault]
    assert "restore it from a copy" in fault.told()


def test_what_is_not_as_it_was_committed_is_not_packed(loose: Manifest) -> None:
    Manifest(loose.root).write(Score, "ScoreClips-made", 0, [score(clip("s0"), "m", 0.5)])
    with pytest.raises(StorageError, match=r"scores/ScoreClips-made/00000\.parquet is damaged: not the bytes"):
        pack(loose, 2)
    assert [fault.name for fault in faults(Manifest(loose.root))] == ["scores/ScoreClips-made/00000.parquet"]


def test_tables_of_another_version_are_not_packed_and_packed_ones_are_migrated(tmp_path: Path) -> None:
    manifest = tiny(tmp_path / "corpus")
    truth = brief(manifest.root)
    pack(manifest)
    migrate(manifest, 3)
    assert brief(manifest.root)[:3] == truth[:3]
    with pytest.raises(UsageError, match="is of version 3 .*headset migrate"):
        pack(Manifest(manifest.root))
    migrate(manifest, 4)
    assert brief(manifest.root) == truth
    assert pack(Manifest(manifest.root)).blocks == 2


def test_what_killed_ones_left_is_garbage(packed: Manifest) -> None:
    there = files(packed.root)
    Path(packed.root, "clips/PlanClips-made/00000.parquet").write_bytes(b"a copy")
    stray = Path(packed.root, "clips/PlanClips-made/00000-00001-0123456789ab.parquet")
    stray.write_bytes(b"no pack")
    assert leftovers(files(packed.root)) == {
        "clips/PlanClips-made/00000.parquet": "copy",
        "clips/PlanClips-made/00000-00001-0123456789ab.parquet": "uncommitted",
    }
    remove(packed, garbage(packed))
    assert files(packed.root) == there
    stray.write_bytes(b"no pack")
    assert sweep(packed.storage) == 1


def test_it_is_the_same_on_s3(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    loose = tiny(tmp_path / "loose").root
    packed = shutil.copytree(loose, tmp_path / "packed")
    pack(Manifest(str(packed)))
    with serve_s3() as server:
        aws_points_at(server, monkeypatch)
        s3_client().create_bucket(Bucket="corpus")
        store = Storage("s3://corpus/here")
        for name, content in files(loose).items():
            store.write(name, content)
        pack(Manifest(store.root))
        assert dict(store.walk()) == {name: len(content) for name, content in files(packed).items()}
        assert brief(store.root) == brief(loose)
        assert list(faults(Manifest(store.root))) == []
        Manifest(store.root).take_back("Make-1", 1, ["b"])
        assert Manifest(store.root).committed("Make-1") == {0}
        assert Manifest(store.root).read(Clip, ["Make-1"], 1) == [clip("b")]
