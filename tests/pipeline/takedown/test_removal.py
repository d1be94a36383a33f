"""What a takedown reaches beside the rows of the last run: other runs, notes, caches, unfinished work; and what it
tells.
"""

import json
import shutil
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from manifests.cache import media_cache
from manifests.manifest import LISTED, Manifest, Receipt, RunRecord, StepRecord
from manifests.media import MediaStore
from manifests.storage import Storage
from manifests.tables import Clip, Dropped, Identity, Pair, Render, Row, Score, Source, tables
from pipeline.engine.row_media import RowMedia
from pipeline.query.predicates import TAKEN_DOWN, forget, normal
from pipeline.query.selection import select, selection
from pipeline.takedown.takedown import only_plan, takedown_identity, takedown_source
from tests.pipeline.made_corpus import clip, corpus_of, render, score
from tests.pipeline.takedown.made import all_bytes, holding, rows_of, whole
from tests.pipeline.takedown.traces import any_row, naming, shard_of


@pytest.mark.parametrize(
    "table", [table for table in tables().values() if table is not Source], ids=lambda table: table.table
)
def test_no_table_of_any_step_keeps_a_row_of_a_source(corpus: Manifest, table: type[Row]):
    mine, other = shard_of(corpus, "gone"), shard_of(corpus, "z")
    corpus.write(table, "Old-000000000000", mine, [any_row(table, "gone")])
    corpus.write(table, "Old-000000000000", other, [any_row(table, "z")])
    takedown_source(corpus, "gone")
    assert naming(Path(corpus.root)) == set()
    assert corpus.read(table, ["Old-000000000000"], other) == [any_row(table, "z")]


@pytest.mark.parametrize("shard_of_row", ["a", "gone", "z"])
@pytest.mark.parametrize(
    "row",
    [
        Identity("z", "z/t0=gone/t0", "gone/t0", "z/t0", 1.0, 3, "network"),
        Pair("z", f"p/{clip('gone').clip_id}/{clip('z').clip_id}", "p", clip("gone").clip_id, clip("z").clip_id),
        Pair("z", f"p/{clip('z').clip_id}/{clip('gone').clip_id}", "p", clip("z").clip_id, clip("gone").clip_id),
    ],
    ids=["identity", "source", "driving"],
)
def test_rows_that_join_two_sources_go_wherever_they_lie(corpus: Manifest, row: Row, shard_of_row: str):
    corpus.write(type(row), "Old-000000000000", shard_of(corpus, shard_of_row), [row])
    takedown_source(corpus, "gone")
    assert naming(Path(corpus.root)) == set()


@pytest.fixture
def driven(corpus: Manifest, tmp_path: Path) -> Render:
    """`z` as a system moved it by `gone`, scored; in the shard of `z`."""
    of, by = clip("z"), clip("gone")
    pair = Pair("gone", f"cross/{of.clip_id}/{by.clip_id}", "cross", of.clip_id, by.clip_id)
    corpus.write_whole(Pair, "Pairs-000000000000", [pair])
    shown = replace(
        render(of, corpus.root, tmp_path / "scratch", b"z speaks as gone" * 99), made_by="lia", pair_id=pair.pair_id
    )
    shown = replace(shown, render_id=f"{pair.pair_id}@lia")
    corpus.write(Render, "Lia-000000000000", shard_of(corpus, "z"), [shown])
    corpus.write(
        Score, "Psnr-000000000000", shard_of(corpus, "z"), [score(shown, "psnr", 30.0), score(of, "psnr", 30.0)]
    )
    return shown


def test_what_a_system_made_of_a_pair_goes_with_either_clip(corpus: Manifest, driven: Render):
    found = takedown_source(corpus, "gone")
    assert driven.media in found.media
    assert naming(Path(corpus.root)) == set()
    assert holding(b"speaks as gone", Path(corpus.root)) == set()
    (shard,) = (path.stem for path in Path(corpus.root, "scores", "Psnr-000000000000").iterdir())
    assert [row.subject for row in corpus.read(Score, ["Psnr-000000000000"], int(shard))] == [clip("z").clip_id]


def test_what_was_noted_of_a_pair_goes_with_either_clip_and_no_other_note(corpus: Manifest):
    of, by = clip("z").clip_id, clip("gone").clip_id
    corpus.save("generation/Lia-0/one.json", {"pair_id": f"cross/{of}/{by}", "renders": [], "drops": []})
    corpus.save("generation/Lia-0/two.json", {"pair_id": f"cross/{of}/{of}", "renders": [], "drops": []})
    assert takedown_source(corpus, "gone", only_plan).notes == 1
    assert corpus.names("generation/Lia-0") == ["one.json", "two.json"]
    assert takedown_source(corpus, "gone").notes == 1
    assert corpus.names("generation/Lia-0") == ["two.json"]


@pytest.mark.parametrize("table", ["pairs", "renders", "clips", "sources"])
def test_what_names_others_goes_before_what_is_named(
    corpus: Manifest, driven: Render, monkeypatch: pytest.MonkeyPatch, table: str
):
    """Or nobody could tell, after a kill, whose the rest was."""
    real = Manifest.put

    def killed(self: Manifest, name: str, content: Any) -> None:
        real(self, name, content)
        if name.startswith(f"{table}/"):
            raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(Manifest, "put", killed)
        with pytest.raises(KeyboardInterrupt):
            takedown_source(corpus, "gone")
    takedown_source(Manifest(corpus.root), "gone")
    assert naming(Path(corpus.root)) == set()
    assert holding(b"speaks as gone", Path(corpus.root)) == set()
    assert not MediaStore(corpus.root).has(driven.media)


def test_what_another_run_rendered_is_deleted_and_its_receipt_with_it(corpus: Manifest, tmp_path: Path):
    shard = shard_of(corpus, "gone")
    old = replace(render(clip("gone"), corpus.root, tmp_path / "scratch", b"gone at another size" * 99), width=256)
    corpus.write(Render, "Old-000000000000", shard, [old])
    corpus.commit("Old-000000000000", shard, Receipt("Old", rows={"renders": 1}))
    found = takedown_source(corpus, "gone")
    assert old.media in found.media
    assert holding(b"another size", Path(corpus.root)) == set()
    assert corpus.receipt("Old-000000000000", shard) is None, "nobody knows what it read, so it is done again"


def test_the_receipts_of_another_recipe_are_counted_anew(corpus: Manifest):
    shard, last = shard_of(corpus, "gone"), corpus.run
    assert last
    step = replace(last.steps[1], version="PlanClips-000000000000")
    corpus.write(Clip, step.version, shard, [clip("gone", 1.0, 6.0)])
    corpus.write(Dropped, step.version, shard, [])
    receipt = corpus.receipt(last.steps[1].version, shard)
    assert receipt
    corpus.commit(step.version, shard, replace(receipt, rows={"clips": 1}, drops=0, reasons={}))
    corpus.remember(RunRecord("other", [step]))
    corpus.remember(last)
    takedown_source(corpus, "gone")
    found = corpus.receipt(step.version, shard)
    assert found
    assert (found.rows, found.calls["read"]) == ({"clips": 0}, 0)


@pytest.mark.parametrize("inputs", [{}, {"renders": ["RenderClips-made", "GenerateVideo-gone"]}])
def test_scores_of_the_other_sources_of_a_shard_stay_current(tmp_path: Path, inputs: dict[str, list[str]]):
    """Scoring is attached to a corpus, by no recipe: its receipts are those of renders of one maker, some of which may
    be gone.
    """
    manifest = corpus_of(tmp_path / "corpus", rows_of(tmp_path / "corpus", tmp_path / "scratch"))
    sources = [row for shard in manifest.shards() for row in manifest.read(Source, [LISTED], shard)]
    rows: dict[type[Row], list[Row]] = {table: [] for table in tables().values()}
    steps = {
        table: f"{name}-made"
        for name, table in (("TrackFaces", "tracks"), ("PlanClips", "clips"), ("RenderClips", "renders"))
    }
    for table in (t for t in tables().values() if t.table in steps):
        rows[table] = [row for shard in manifest.shards() for row in manifest.read(table, [steps[table.table]], shard)]
    for shard in manifest.shards()[1:]:
        shutil.rmtree(tmp_path / "corpus" / "media", ignore_errors=True)
        for path in (tmp_path / "corpus").rglob(f"{shard:05d}.*"):
            path.unlink()
    manifest.write(Source, LISTED, 0, sources)
    for table, version in ((t, steps[t.table]) for t in tables().values() if t.table in steps):
        manifest.write(table, version, 0, rows[table])
    renders = [row for row in rows[Render] if isinstance(row, Render)]
    scored = StepRecord("Psnr", "Psnr-000000000000", -1, "renders", ["scores"], [], inputs, {}, [])
    manifest.write(Score, scored.version, 0, [score(one, "psnr", 30.0) for one in renders])
    manifest.write(Dropped, scored.version, 0, [])
    calls = {"read": 3, "answered": 3, "dropped": 0, "failed": 0}
    manifest.commit(scored.version, 0, Receipt("Psnr", calls, {"scores": 3}, reads="renders", inputs=inputs))
    manifest.attach("Psnr@recording", scored)
    manifest = Manifest(manifest.root)
    takedown_source(manifest, "gone")
    receipt = Manifest(manifest.root).receipt(scored.version, 0)
    assert receipt
    assert (receipt.calls["read"], receipt.rows) == (2, {"scores": 2})
    assert [
        row["source_id"] for row in Manifest(manifest.root).table(Score).to_pylist() if row["metric"] == "psnr"
    ] == ["a", "z"]


def test_notes_of_retries_and_of_lists_name_the_source_no_more(corpus: Manifest):
    mine = shard_of(corpus, "gone")
    corpus.add([], lists={"a.txt": {"gone": 5.0, "z": None}, "b.txt": {"a": None}})
    corpus.take_back("PlanClips-made", mine, ["gone"])
    takedown_source(corpus, "gone")
    assert naming(Path(corpus.root)) == set()
    assert corpus.lists() == {"a.txt": {"z": None}, "b.txt": {"a": None}}
    note = corpus.retry("PlanClips-made", mine)
    assert note
    assert note["sources"] == []


def test_copies_and_partial_downloads_on_this_machine_are_deleted(
    corpus: Manifest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("HEADSET_CACHE", str(tmp_path / "cache"))
    media = {row["source_id"]: Path(row["media"]).name for row in corpus.table(Render).to_pylist()}
    media_cache().mkdir(parents=True)
    for name in media.values():
        (media_cache() / name).write_bytes(b"a copy of what lies on S3")
    scratch = {name: RowMedia(Source(name, ""), None, MediaStore(corpus.root)).scratch for name in media}
    for folder in scratch.values():
        folder.mkdir(parents=True)
        (folder / "file.part").write_bytes(b"half of it")
    takedown_source(corpus, "gone")
    assert sorted(path.name for path in media_cache().iterdir()) == sorted([media["a"], media["z"]])
    assert {name: folder.exists() for name, folder in scratch.items()} == {"a": True, "gone": False, "z": True}


def test_what_killed_writers_left_is_deleted(corpus: Manifest):
    root = Path(corpus.root)
    left = [root / "renders" / "RenderClips-made" / "00001.parquet.part", root / "media" / "aa" / ".0123.part"]
    for path in left:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"who knows of whom")
    takedown_source(corpus, "a")
    assert not any(path.exists() for path in left)


def test_conditions_no_longer_name_what_is_gone(corpus: Manifest):
    before, _ = select(corpus, "source_id != 'gone' and face_px > 100", "others")
    select(corpus, "source_id = 'gonetime' or uri like '%already-gone-by%'", "apart")
    found = takedown_source(corpus, "gone")
    after = selection(corpus, "others")
    assert found.conditions == [f"others:{before.version}"]
    assert after == replace(before, where=f"(source_id != '{TAKEN_DOWN}') AND (face_px > 100)")
    assert corpus.parquet(after.file).to_table()["source_id"].to_pylist() == ["a", "z"]
    assert "gonetime" in selection(corpus, "apart").where


@pytest.mark.parametrize(
    ("where", "kept"),
    [
        ("source_id = 'gone'", False),
        ("clip_id = 'gone/000000-005000/t0'", False),
        ("clip_id like 'gone/%'", False),
        ("uri in ('x', 'https://example.org/gone.mp4')", False),
        ("title = 'It''s hers'", False),
        ("source_id = 'gonetime' or source_id = 'be-gone' or source_id = 'gone_'", True),
        ("title = 'hers'", True),
        ('"gone" > 3', True),
        ("title != 'a ''gone'' b'", False),
    ],
)
def test_a_text_is_forgotten_where_it_names_what_is_gone(where: str, kept: bool):
    text = normal(where)
    found = forget(text, {"gone", "gone/000000-005000/t0"}, {"https://example.org/gone.mp4", "It's hers"})
    assert (found == text) == kept
    assert normal(found) == found
    assert ("'taken down'" in found) != kept


def test_a_name_is_forgotten_with_the_person(corpus: Manifest):
    select(corpus, "coalesce(identity, '') != 'Ada'", "not-her")
    takedown_identity(corpus, "Ada")
    assert naming(Path(corpus.root), b"Ada") == set()


@pytest.mark.parametrize("who", ["source", "identity"])
def test_a_plan_tells_what_the_takedown_does_and_changes_nothing(
    released: Manifest, tmp_path: Path, who: str, driven_twice: None
):
    def take(manifest: Manifest, **how: Any) -> dict[str, Any]:
        found = (
            takedown_source(manifest, "gone", **how) if who == "source" else takedown_identity(manifest, "Ada", **how)
        )
        return {name: value for name, value in asdict(found).items() if name not in ("planned", "receipts")}

    select(released, "source_id != 'gone' and coalesce(identity, '') != 'Ada'", "others")
    before = {path: (content, path.stat().st_mtime_ns) for path, content in all_bytes(tmp_path).items()}
    plan = take(Manifest(released.root), agree=only_plan)
    assert {path: (content, path.stat().st_mtime_ns) for path, content in all_bytes(tmp_path).items()} == before
    assert plan["shards"]
    assert plan["conditions"]
    assert plan["media"]
    assert take(Manifest(released.root)) == plan


@pytest.fixture
def driven_twice(released: Manifest, tmp_path: Path) -> None:
    """In the corpus that has releases: a pair of `z` and `gone`, and what a system made of it."""
    driven.__wrapped__(released, tmp_path)  # type: ignore[attr-defined]


def test_what_cannot_be_done_is_told_and_stops_nothing_else(released: Manifest, tmp_path: Path):
    root, shard = Path(released.root), shard_of(released, "gone")
    (broken := root / "scores" / "Old-made" / f"{shard:05d}.parquet").parent.mkdir()
    broken.write_bytes(b"not Parquet")
    tar = tmp_path / "webdataset" / "train-00000.tar"
    packed = tar.read_bytes()
    tar.write_bytes(b"not a tar" * 99)
    found = takedown_source(released, "gone")
    assert not found.done
    assert [line.partition(": ")[0] for line in found.errors] == [
        f"scores/Old-made/{shard:05d}.parquet", "the release webdataset"]  # fmt: skip
    assert any("2 things are left to do" in line for line in found.lines())
    assert (
        holding(b"sound of gone", root / "media", root / "renders", tmp_path / "parquet", tmp_path / "folder") == set()
    )
    assert json.loads((tmp_path / "parquet" / "release.json").read_text())["clips"] == 2
    tar.write_bytes(packed)
    broken.unlink()
    assert takedown_source(Manifest(released.root), "gone").done
    assert holding(b"sound of gone", tmp_path / "webdataset") == set()
    assert json.loads((tmp_path / "webdataset" / "release.json").read_text())["clips"] == 2


@pytest.mark.parametrize("stop", range(1, 34, 8))
def test_a_takedown_that_is_killed_anywhere_is_brought_to_its_end(
    released: Manifest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stop: int
):
    """Of a person: what was found of them is gone from the tables early, and must still be known to selections and
    releases.
    """
    left = stop

    def count(kind: Any, method: str) -> None:
        real = getattr(kind, method)

        def once(*arguments: Any, **named: Any) -> Any:
            nonlocal left
            left -= 1
            if left <= 0:
                raise KeyboardInterrupt
            return real(*arguments, **named)

        patched.setattr(kind, method, once)

    with monkeypatch.context() as patched:
        for method in ("write", "delete"):
            count(Storage, method)
        with pytest.raises(KeyboardInterrupt):
            takedown_identity(released, "Ada")
    assert takedown_identity(Manifest(released.root), "Ada").done
    assert holding(b"sound of gone", tmp_path) == set()
    assert holding(b"Ada", tmp_path) == {"takedowns.json"}
    for form in ("webdataset", "parquet", "folder"):
        assert json.loads((tmp_path / form / "release.json").read_text())["clips"] == 2
    whole(Manifest(released.root))
    assert pq.read_table(Path(released.root, selection(released, "hq").file))["source_id"].to_pylist() == ["a", "z"]
