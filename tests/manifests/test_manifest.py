import random
import subprocess
import sys
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from manifests.errors import NotFound
from manifests.manifest import LISTED, SHARD_SOURCES, Manifest, Receipt, RunRecord, StepRecord, table_named
from manifests.tables import Annotation, Clip, Dropped, Shot, Source


@pytest.fixture
def manifest(tmp_path: Path) -> Manifest:
    return Manifest(str(tmp_path / "corpus"))


def shot(number: int, source_id: str = "s") -> Shot:
    return Shot(source_id, f"{source_id}/{number:06d}", float(number), number + 1.0)


def step(operator: str, writes: list[str], refines: list[str]) -> StepRecord:
    return StepRecord(operator, f"{operator}-1", 0, "shots", writes, refines, {}, {}, [])


def test_rows_come_back_as_they_went_in(manifest: Manifest) -> None:
    rows = [shot(2), shot(1)]
    manifest.write(Shot, "x", 0, rows)
    assert manifest.read(Shot, ["x"], 0) == [shot(1), shot(2)]
    assert manifest.count(Shot, "x", 0) == 2


READS = """
import os, sys
from manifests.manifest import Manifest
from manifests.tables import Shot

manifest = Manifest(sys.argv[1])
threads = len(os.listdir("/proc/self/task"))
assert len(manifest.read(Shot, ["x"], 0)) == 1
print(len(os.listdir("/proc/self/task")) - threads)
"""


def test_a_table_is_read_without_a_thread(manifest: Manifest) -> None:
    """A thread of Arrow's that lets go of Python's bytes while the process ends takes it down with SIGABRT: one in some
    hundred commands ended with -6.
    """
    manifest.write(Shot, "x", 0, [shot(1)])
    done = subprocess.run([sys.executable, "-c", READS, manifest.root], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout.strip()) == (0, "0"), done.stderr


def test_equal_rows_are_equal_bytes_in_whatever_order(manifest: Manifest) -> None:
    rows = [shot(number) for number in range(100)]
    manifest.write(Shot, "x", 0, rows)
    random.Random(1).shuffle(rows)
    manifest.write(Shot, "x", 1, rows)
    first, second = (Path(manifest.root, "shots", "x", f"0000{n}.parquet").read_bytes() for n in (0, 1))
    assert first == second


def test_a_table_without_rows_is_a_file_with_columns(manifest: Manifest) -> None:
    manifest.write(Clip, "x", 0, [])
    found = pq.read_table(Path(manifest.root, "clips", "x", "00000.parquet"))
    assert found.num_rows == 0
    assert "clip_id" in found.column_names


def test_what_is_half_written_is_not_there(manifest: Manifest) -> None:
    manifest.add([Source("a", "a.mp4")])
    Path(manifest.root, "sources", LISTED, "00001.parquet.part").write_bytes(b"half")
    Path(manifest.root, "receipts", "x").mkdir(parents=True)
    Path(manifest.root, "receipts", "x", "00000.json.part").write_bytes(b"{")
    assert manifest.shards() == [0]
    assert manifest.committed("x") == set()


def test_a_shard_once_listed_never_changes(manifest: Manifest) -> None:
    assert len(manifest.add([Source("b", "b.mp4"), Source("a", "a.mp4")])) == 2
    assert [source.source_id for shard in manifest.shards() for source in manifest.read(Source, [LISTED], shard)] == [
        "a",
        "b",
    ]
    assert manifest.add([Source("a", "elsewhere.mp4"), Source("0", "0.mp4")]) == [Source("0", "0.mp4")]
    assert [[s.source_id for s in manifest.read(Source, [LISTED], shard)] for shard in manifest.shards()] == [
        ["a"],
        ["b"],
        ["0"],
    ]


def test_what_cannot_be_listed_is_kept_once(manifest: Manifest) -> None:
    drop = Dropped("x", "x@list_sources", "x", "sources", "list_sources", "missing_file", "no.mp4", False, False)
    manifest.add([], [drop])
    manifest.add([], [drop])
    manifest.add([Source("a", "a.mp4")], [drop])
    assert manifest.table(Dropped).to_pylist() == [drop.__dict__]
    assert manifest.count_rows(Source) == 1


def test_many_sources_share_shards(manifest: Manifest) -> None:
    manifest.add([Source(f"s{number:05d}", "") for number in range(2000)])
    sizes = [manifest.count(Source, LISTED, shard) for shard in manifest.shards()]
    assert sum(sizes) == 2000
    assert max(sizes) == SHARD_SOURCES


def test_a_list_that_is_named_again_replaces_what_was_known_of_it(manifest: Manifest) -> None:
    manifest.add([Source("a", "")], lists={"/l/x.txt": {"a": None}, "/l/y.txt": {"a": 2.0}})
    manifest.add([Source("b", "")], lists={"/l/x.txt": {"a": 1.0, "b": None}})
    assert manifest.lists() == {"/l/x.txt": {"a": 1.0, "b": None}, "/l/y.txt": {"a": 2.0}}


def test_a_step_taken_back_is_not_committed_until_it_is_done_again(manifest: Manifest) -> None:
    manifest.add([Source("a", "")])
    manifest.commit("x", 0, Receipt("X", inputs={"sources": [LISTED]}, cpu_s=1.0))
    assert manifest.steps_done() == {"x": {"sources": [LISTED]}}
    manifest.take_back("x", 0, ["a"])
    manifest.take_back("x", 0, ["b"])
    assert manifest.steps_done() == {"x": {"sources": [LISTED]}}
    assert manifest.committed("x") == set()
    (note,) = manifest.retries("x").values()
    assert note["sources"] == ["a", "b"]
    assert Receipt.of(note["receipt"]) == Receipt("X", inputs={"sources": [LISTED]}, cpu_s=1.0)
    manifest.commit("x", 0, Receipt("X"))
    manifest.retried("x", 0)
    assert manifest.retries("x") == {}
    assert manifest.committed("x") == {0}


def test_current_rows_are_those_of_the_last_committed_step_of_each_shard(manifest: Manifest) -> None:
    manifest.add([Source("a", "a.mp4"), Source("b", "b.mp4")])
    manifest.remember(
        RunRecord("r", [step("Find", ["shots"], []), step("More", ["shots"], []), step("Refine", ["shots"], ["shots"])])
    )
    for shard, source_id in enumerate("ab"):
        manifest.write(Shot, "Find-1", shard, [shot(1, source_id)])
        manifest.write(Shot, "More-1", shard, [shot(2, source_id)])
        manifest.write(Shot, "Refine-1", shard, [shot(3, source_id)])
        for version in ("Find-1", "More-1"):
            manifest.write(Dropped, version, shard, [])
            manifest.commit(version, shard, Receipt("X"))
    manifest.write(Dropped, "Refine-1", 1, [])
    manifest.commit("Refine-1", 1, Receipt("X"))
    there = Manifest(manifest.root)
    assert there.table(Shot)["shot_id"].to_pylist() == ["a/000001", "a/000002", "b/000003"]
    assert there.count_rows(Shot) == 3


def test_a_table_that_is_not_there_is_named_with_those_that_are() -> None:
    assert table_named("clips") is Clip
    with pytest.raises(NotFound, match="no table 'clip'; there are sources, "):
        table_named("clip")


def given(source_id: str, number: int) -> Annotation:
    return Annotation(source_id, f"{source_id}/{number}#word", f"{source_id}/{number}", "word", "hello", "list")


def test_rows_given_with_sources_are_current_until_a_step_refines_them(manifest: Manifest) -> None:
    manifest.add([Source("plain", "p.mp4")])
    manifest.add([Source("b", "b.mp4"), Source("a", "a.mp4")], given=[given("b", 1), given("a", 1), given("a", 2)])
    assert manifest.given() == [Annotation]
    assert sorted(manifest.table(Annotation)["subject"].to_pylist()) == ["a/1", "a/2", "b/1"]
    assert manifest.read(Annotation, [LISTED], 0) == []  # the shard that none was given for
    assert manifest.count(Annotation, LISTED, 0) == 0
    refiner = StepRecord("Refine", "Refine-1", 0, "annotations", ["annotations"], ["annotations"], {}, {}, [])
    manifest.remember(RunRecord("r", [refiner]))
    shard = next(
        n
        for n in manifest.shards()
        if manifest.read(Annotation, [LISTED], n) and manifest.read(Source, [LISTED], n)[0].source_id == "a"
    )
    manifest.write(Annotation, "Refine-1", shard, [given("a", 2)])
    manifest.commit("Refine-1", shard, Receipt("X"))
    assert sorted(Manifest(manifest.root).table(Annotation)["subject"].to_pylist()) == ["a/2", "b/1"]


def test_rows_given_for_a_source_that_is_listed_already_are_left_out(manifest: Manifest) -> None:
    manifest.add([Source("a", "a.mp4")], given=[given("a", 1)])
    assert manifest.add([Source("a", "a.mp4")], given=[given("a", 2)]) == []
    assert manifest.table(Annotation)["subject"].to_pylist() == ["a/1"]


def test_what_a_killed_listing_left_is_written_over(manifest: Manifest) -> None:
    manifest.add([Source("a", "a.mp4")], given=[given("a", 1)])
    Path(manifest.root, "sources", LISTED, "00000.parquet").unlink()  # sources are written last
    again = Manifest(manifest.root)
    again.add([Source("b", "b.mp4")])
    assert again.given() == []
    assert Manifest(manifest.root).table(Annotation).num_rows == 0
