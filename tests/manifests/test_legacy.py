"""A corpus as headset left it before schema 3: tables of the whole corpus in shard 0, `corpus.json`, `attached.json`,
plain receipts.
"""

import json
import shutil
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path

import pytest

from manifests.checking import faults
from manifests.manifest import Manifest, StepRecord
from manifests.migration import migrate
from manifests.schema import VERSION
from manifests.tables import Dropped, Duplicate, Score, Split
from pipeline.__main__ import main
from pipeline.corpus_steps.splits import split_clips
from pipeline.query.clip_view import select_rows
from pipeline.takedown.takedown import takedown_source
from tests.pipeline.made_corpus import clip, corpus_of, score, source

SPLITS = [Split(name, f"{clip(name).clip_id}/train", clip(name).clip_id, "train", f"source:{name}") for name in "abc"]
DUPLICATES = [Duplicate("c", "c=a", "a", 5.0, 0.0, 1.0, 0.0)]
PLAIN = ("operator", "calls", "rows", "drops", "given_up", "reasons", "inputs", "seconds", "cpu_s", "decode_cpu_s")


def older(manifest: Manifest) -> None:
    """Lays down what the code of before wrote, byte for byte in its own layout."""
    for name, rows in (("splits", SPLITS), ("duplicates", DUPLICATES)):
        manifest.write(type(rows[0]), "Made-1", 0, rows)
        known = manifest.load("corpus.json") or {}
        manifest.save("corpus.json", {**known, name: "Made-1"})
    record = StepRecord("Psnr", "Psnr-1", -1, "renders", ["scores"], [], {}, {}, [])
    manifest.save("attached.json", {"psnr@recording": asdict(record)})
    for shard in manifest.shards():
        manifest.write(Score, "Psnr-1", shard, [score(clip("abc"[shard]), "psnr", 30.0 + shard)])
        manifest.write(Dropped, "Psnr-1", shard, [])
        calls = {"read": 1, "answered": 1, "dropped": 0, "failed": 0}
        manifest.save(f"receipts/Psnr-1/{shard:05d}.json", {
            "operator": "Psnr", "calls": calls, "rows": {"scores": 1}, "drops": 0, "given_up": {}, "reasons": {},
            "inputs": {},
            "seconds": 1.0, "cpu_s": 1.0, "decode_cpu_s": 0.0})  # fmt: skip
    for path in Path(manifest.root, "receipts").rglob("*.json"):
        path.write_text(
            json.dumps({name: value for name, value in json.loads(path.read_text()).items() if name in PLAIN})
        )
    shutil.rmtree(Path(manifest.root, "leases"))


@pytest.fixture
def manifest(tmp_path: Path) -> Manifest:
    root = tmp_path / "corpus"
    older(corpus_of(root, [row for name in "abc" for row in (source(name), clip(name), score(clip(name), "m", 1.0))]))
    return Manifest(str(root))


def told(root: str) -> list[tuple[object, ...]]:
    query = "select clip_id, split, duplicate_of, psnr, m from wide order by clip_id"
    return select_rows(Manifest(root), query).fetchall()


EXPECTED = [
    (clip("a").clip_id, "train", None, 30.0, 1.0), (clip("b").clip_id, "train", None, 31.0, 1.0),
    (clip("c").clip_id, "train", "a", 32.0, 1.0),
]  # fmt: skip


def test_it_is_read_where_it_lies(manifest: Manifest) -> None:
    assert told(manifest.root) == EXPECTED
    assert manifest.whole(Split) == "Made-1"
    assert list(faults(manifest, deep=True)) == []


def test_it_gives_equal_rows_after_it_was_migrated(manifest: Manifest) -> None:
    assert main(["migrate", manifest.root]) == 0
    assert told(manifest.root) == EXPECTED
    there = Manifest(manifest.root)
    step = there.whole(Split) or ""
    assert there.read_whole(Split, step) == SPLITS
    assert there.read(Split, [step], 1) == [SPLITS[1]]
    assert not Path(manifest.root, "splits/Made-1/00000.parquet").exists()
    assert not Path(manifest.root, "corpus.json").exists()
    assert not Path(manifest.root, "attached.json").exists()
    assert set(there.attached) == {"splits", "duplicates", "psnr@recording"}
    assert list(faults(there, deep=True)) == []
    assert migrate(there, VERSION) == 0


@pytest.mark.parametrize("kill", range(1, 30, 3))
def test_a_migration_that_is_killed_is_brought_to_its_end(
    kill: int, manifest: Manifest, monkeypatch: pytest.MonkeyPatch
) -> None:
    from manifests.storage import Storage

    left = kill

    def until(name: str) -> Callable[..., object]:
        real = getattr(Storage, name)

        def call(self: Storage, *arguments: object, **named: object) -> object:
            nonlocal left
            left -= 1
            if left == 0:
                raise KeyboardInterrupt
            return real(self, *arguments, **named)

        return call

    with monkeypatch.context() as patched:
        for name in ("write", "delete"):
            patched.setattr(Storage, name, until(name))
        with suppress(KeyboardInterrupt):
            migrate(manifest, VERSION)
    assert told(manifest.root) == EXPECTED, "what a reader sees in between"
    migrate(Manifest(manifest.root), VERSION)
    assert told(manifest.root) == EXPECTED
    assert list(faults(Manifest(manifest.root), deep=True)) == []


@pytest.mark.parametrize("migrated", [False, True])
def test_a_takedown_reaches_its_rows_before_and_after(migrated: bool, manifest: Manifest) -> None:
    if migrated:
        migrate(manifest, VERSION)
    takedown_source(Manifest(manifest.root), "a")
    there = Manifest(manifest.root)
    assert there.table(Split)["clip_id"].to_pylist() == [clip("b").clip_id, clip("c").clip_id]
    assert there.table(Duplicate).num_rows == 0, "it names what is gone"
    assert [row["value"] for row in there.table(Score).to_pylist() if row["metric"] == "psnr"] == [31.0, 32.0]
    assert list(faults(there, deep=True)) == []


def test_a_table_made_anew_leaves_shard_0(manifest: Manifest) -> None:
    split_clips(manifest, (1.0, 0.0, 0.0))
    there = Manifest(manifest.root)
    assert there.in_shard_0 == {"duplicates": "Made-1"}
    assert [row.split for row in there.read_whole(Split, there.whole(Split) or "")] == ["train"] * 3
