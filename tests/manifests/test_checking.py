"""What is missing or damaged is named and made again, and nothing else; what nothing needs is told and removed."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from manifests.checking import faults, repair
from manifests.errors import StorageError
from manifests.ledger import Receipt, RunRecord, StepRecord
from manifests.manifest import Manifest
from manifests.room import garbage, remove, room
from manifests.tables import Clip, Render, Source
from pipeline.__main__ import main
from pipeline.query.clip_view import select_rows
from tests.pipeline.made_corpus import clip, corpus_of, render, score, source

CLIPS, RENDERS = "clips/PlanClips-made/00001.parquet", "renders/RenderClips-made/00001.parquet"


@pytest.fixture
def manifest(tmp_path: Path) -> Manifest:
    rows = [row for name in "ab" for row in (source(name), clip(name), score(clip(name), "m", 1.0))]
    return corpus_of(
        tmp_path / "corpus", [*rows, *(render(clip(name), tmp_path / "corpus", tmp_path) for name in "ab")]
    )


def cut_off(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-9])


def empty(path: Path) -> None:
    path.write_bytes(b"")


def other_bytes(path: Path) -> None:
    """The same number of rows, and not those that were committed."""
    Manifest(str(path.parents[2])).write(Clip, path.parent.name, 1, [clip("b", 1.0)])


def test_a_whole_corpus_has_no_faults(manifest: Manifest, capsys: pytest.CaptureFixture[str]) -> None:
    assert list(faults(manifest, deep=True)) == []
    assert main(["check", manifest.root]) == 0
    assert "Everything is as its receipt says" in capsys.readouterr().out


@pytest.mark.parametrize("harm", [empty, cut_off, Path.unlink, other_bytes])
def test_a_damaged_table_is_named_and_its_receipt_alone_taken_back(
    harm: Callable[[Path], None], manifest: Manifest, capsys: pytest.CaptureFixture[str]
) -> None:
    harm(Path(manifest.root, CLIPS))
    receipts = {path.relative_to(manifest.root) for path in Path(manifest.root).rglob("receipts/*/*.json")}
    assert main(["check", manifest.root]) == 1
    assert CLIPS in (told := " ".join(capsys.readouterr().out.split()))
    assert "1 faults" in told
    assert main(["check", manifest.root, "--repair"]) == 0
    assert f"headset run RECIPE --out {manifest.root}" in " ".join(capsys.readouterr().out.split())
    left = {path.relative_to(manifest.root) for path in Path(manifest.root).rglob("receipts/*/*.json")}
    assert receipts - left == {Path("receipts/PlanClips-made/00001.json")}


@pytest.mark.parametrize("harm", [empty, cut_off])
def test_who_reads_a_damaged_table_is_told_which(
    harm: Callable[[Path], None], manifest: Manifest, capsys: pytest.CaptureFixture[str]
) -> None:
    harm(Path(manifest.root, CLIPS))
    for read in (
        lambda: manifest.read(Clip, ["PlanClips-made"], 1),
        lambda: manifest.count_rows(Clip),
        lambda: manifest.table(Clip),
    ):
        with pytest.raises(StorageError, match=rf"{CLIPS} is damaged: .*`headset check .* --repair`"):
            read()
    with pytest.raises(StorageError, match=CLIPS):
        select_rows(manifest, "select * from clips")
    assert main(["status", manifest.root]) == 2
    assert CLIPS in capsys.readouterr().err.replace("\n", "")


def test_a_damaged_receipt_is_taken_back(manifest: Manifest) -> None:
    Path(manifest.root, "receipts/PlanClips-made/00000.json").write_bytes(b"{")
    (fault,) = faults(manifest)
    assert (fault.name, fault.step, fault.shard) == ("receipts/PlanClips-made/00000.json", "PlanClips-made", 0)
    assert repair(manifest, [fault]) == []
    assert manifest.committed("PlanClips-made") == {1}


def test_media_that_is_gone_or_changed_is_made_again_for_its_source_alone(manifest: Manifest) -> None:
    gone, changed = (manifest.read(Render, ["RenderClips-made"], shard)[0] for shard in (0, 1))
    Path(manifest.root, gone.media).unlink()
    kept = Path(manifest.root, changed.media)
    kept.write_bytes(kept.read_bytes()[:-1] + b"!")
    assert [fault.name for fault in faults(manifest)] == [gone.media], "the size is the same"
    found = list(faults(manifest, deep=True))
    assert {fault.name: fault.sources for fault in found} == {gone.media: ("a",), changed.media: ("b",)}
    assert repair(manifest, found) == []
    assert not kept.exists()
    assert {shard: note["sources"] for shard, note in manifest.retries("RenderClips-made").items()} == {
        0: ["a"],
        1: ["b"],
    }


def test_what_no_step_can_make_again_is_left_to_a_person(
    manifest: Manifest, capsys: pytest.CaptureFixture[str]
) -> None:
    Path(manifest.root, "sources/listed/00001.parquet").write_bytes(b"")
    manifest.put("takedowns.json", b"")
    assert main(["check", manifest.root, "--repair"]) == 1
    told = " ".join(capsys.readouterr().out.split())
    assert "NOT REPAIRED: sources/listed/00001.parquet" in told
    assert "NOT REPAIRED: takedowns.json" in told
    assert Path(manifest.root, "takedowns.json").exists()


def test_the_record_of_a_run_is_written_again_by_the_next(manifest: Manifest) -> None:
    Path(manifest.root, "recipes/last.json").write_bytes(b"")
    found = list(faults(manifest))
    assert [fault.name for fault in found] == ["recipes/last.json"]
    assert repair(manifest, found) == []
    assert Manifest(manifest.root).run is None


def test_counts_that_do_not_add_up_are_told(manifest: Manifest) -> None:
    path = Path(manifest.root, "receipts/ScoreClips-made/00000.json")
    told = json.loads(path.read_text())
    path.write_text(json.dumps({**told, "calls": {**told["calls"], "read": 2, "answered": 2}}))
    (fault,) = faults(manifest)
    assert (fault.name, fault.why) == (
        "receipts/ScoreClips-made/00000.json",
        "1 rows to read, but the receipt says 2; please report this")  # fmt: skip


def test_a_release_that_lacks_a_shard_is_told(
    manifest: Manifest, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from pipeline.release.release import release

    release(manifest, str(tmp_path / "out"), "webdataset", "r")
    (shard,) = (tmp_path / "out").glob("*.tar")
    content = shard.read_bytes()
    shard.write_bytes(content[:-1] + b"!")
    assert main(["check", manifest.root]) == 0
    assert main(["check", manifest.root, "--all"]) == 1
    shard.unlink()
    assert main(["check", manifest.root]) == 1
    told = " ".join(capsys.readouterr().out.split())
    assert f"headset release {manifest.root} --out {tmp_path}/out --format webdataset makes it again" in told


# Room.


def older(manifest: Manifest) -> None:
    """What an earlier setting of the recipe left, and what somebody who was killed left."""
    manifest.finish(
        "PlanClips-before", 0, {Clip: [clip("a")]}, [], Receipt("PlanClips", {"read": 1, "answered": 1}, {"clips": 1})
    )
    Path(manifest.root, "clips/PlanClips-made/00000.parquet.abc.part").write_bytes(b"x" * 100)
    Path(manifest.root, "media/00").mkdir(parents=True, exist_ok=True)
    Path(manifest.root, "media/00", "0" * 64 + ".mp4").write_bytes(b"x" * 1000)


def files(manifest: Manifest) -> set[Path]:
    return {path for path in Path(manifest.root).rglob("*") if path.is_file() and "leases" not in path.parts}


def test_what_nothing_needs_is_told_and_removed_when_asked(
    manifest: Manifest, capsys: pytest.CaptureFixture[str]
) -> None:
    rows, before = manifest.table(Clip), files(manifest)
    older(manifest)
    assert [
        (one.name, one.needed) for one in room(manifest) if one.name == "PlanClips-before" and one.table == "clips"
    ] == [("PlanClips-before", False)]
    assert sum(one.bytes for one in room(manifest)) == sum(
        path.stat().st_size for path in Path(manifest.root).rglob("*") if path.is_file()
    )
    assert main(["du", manifest.root]) == 0
    assert f"nothing needs: headset gc {manifest.root}" in " ".join(capsys.readouterr().out.split())
    assert main(["gc", manifest.root, "--dry-run"]) == 0
    assert main(["gc", manifest.root]) == 2, "nobody is there to ask"
    assert "--yes" in capsys.readouterr().err
    assert garbage(manifest).media == {f"media/00/{'0' * 64}.mp4": 1000}
    assert main(["gc", manifest.root, "--yes"]) == 0
    assert files(manifest) == before
    assert Manifest(manifest.root).table(Clip) == rows
    assert not Path(manifest.root, "clips/PlanClips-before").exists()
    assert list(faults(manifest, deep=True)) == []
    assert main(["gc", manifest.root, "--yes"]) == 0
    assert "Nothing to remove." in capsys.readouterr().out


def test_the_steps_of_every_recipe_and_of_scoring_are_needed(manifest: Manifest) -> None:
    run = manifest.run
    assert run
    other = StepRecord("Other", "Other-1", 0, "sources", ["sources"], ["sources"], {}, {}, [])
    manifest.remember(RunRecord("other", [other]))
    manifest.attach("m@recording", StepRecord("Score", "Score-1", -1, "renders", ["scores"], [], {}, {}, []))
    for step in ("Other-1", "Score-1", "Gone-1"):
        manifest.finish(step, 0, {Source: [source("a")]}, [], Receipt("X", {"read": 1, "answered": 1}, {"sources": 1}))
    found = garbage(manifest)
    assert set(found.steps) == {"Gone-1"}
    assert found.media == {}
    remove(manifest, found)
    assert manifest.committed("Other-1") == {0}


def test_a_note_of_a_release_that_is_damaged_is_told_and_the_rest_is_looked_at(
    manifest: Manifest, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from pipeline.release.release import release

    for name in ("first", "second"):
        release(manifest, str(tmp_path / name), "webdataset", name)
    note = Path(manifest.root, "releases/first.json")
    note.write_text(json.dumps({**json.loads(note.read_text()), "format": 3}))
    next((tmp_path / "second").glob("*.tar")).unlink()
    assert main(["check", manifest.root]) == 1
    told = " ".join(capsys.readouterr().out.split())
    assert "releases/first.json" in told
    assert "'format' is not as headset writes it" in told
    assert "2 faults" in told
