"""A corpus read without headset: every reader sees the rows that `headset sql` sees, after another threshold too; a
glob does not.
"""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import headset
from manifests.ledger import Receipt, RunRecord, StepRecord
from manifests.manifest import LISTED, Manifest
from manifests.tables import Clip, Row, Source, tables
from pipeline.__main__ import main
from pipeline.release.catalog.croissant import FILE, HUB
from pipeline.release.catalog.views import FILE as VIEWS
from pipeline.release.release import release
from pipeline.takedown.takedown import takedown_source
from tests.pipeline.made_corpus import clip, corpus_of, render, score, source, track

NAMES = [f"s{number}" for number in range(3)]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    rows: list[Row] = []
    for name in NAMES:
        one = clip(name, 0.0, 8.0)
        rows += [
            source(name, title="'; drop table clips"),
            one,
            track(name),
            score(one, "face_width_px", 100.0),
            clip(name, 10.0, 12.0),
        ]
    return Path(corpus_of(tmp_path / "it's a corpus", rows).root)


def run_with(root: Path, min_s: float) -> None:
    """What a run with another threshold leaves: the old rows lie where they lay, and the record names new steps."""
    manifest = Manifest(str(root))
    assert manifest.run
    old = next(step for step in manifest.run.steps if step.writes == ["clips"])
    new = replace(old, version=f"PlanClips-{min_s:g}".replace(".", "_"))
    for shard in manifest.shards():
        kept = [row for row in manifest.read(Clip, ["PlanClips-made"], shard) if row.end_s - row.start_s >= min_s]
        read = manifest.count(Source, LISTED, shard)
        receipt = Receipt(
            new.operator, {"read": read, "answered": read}, {"clips": len(kept)}, reads="sources", inputs=new.inputs
        )
        manifest.finish(new.version, shard, {Clip: kept}, [], receipt)
    manifest.remember(RunRecord("made", [_following(step, old, new) for step in manifest.run.steps]))


def _following(step: StepRecord, old: StepRecord, new: StepRecord) -> StepRecord:
    if step.version == old.version:
        return new
    inputs = {
        table: [new.version if one == old.version else one for one in steps] for table, steps in step.inputs.items()
    }
    return replace(step, inputs=inputs)


def by_views(root: Path, table: str) -> pa.Table:
    import duckdb

    with duckdb.connect(str(root / VIEWS), read_only=True) as connection:
        return connection.sql(f'select * from "{table}"').to_arrow_table()


def by_pyiceberg(root: Path, table: str) -> pa.Table:
    pytest.importorskip("pyiceberg")
    from pyiceberg.table import StaticTable

    return StaticTable.from_metadata(str(root / "catalog" / "iceberg" / table)).scan().to_arrow()


def by_duckdb_iceberg(root: Path, table: str) -> pa.Table:
    import duckdb

    with duckdb.connect() as connection:
        try:
            connection.load_extension("iceberg")
        except duckdb.Error as error:
            pytest.skip(f"DuckDB's iceberg extension is not on this machine: {str(error).splitlines()[0]}")
        return connection.sql(
            f"select * from iceberg_scan('{str(root).replace(chr(39), chr(39) * 2)}/catalog/iceberg/{table}')"
        ).to_arrow_table()


def by_polars(root: Path, table: str) -> pa.Table:
    polars = pytest.importorskip("polars")
    described = json.loads((root / FILE).read_text())
    (files,) = [one["includes"] for one in described["distribution"] if one["@id"] == f"{table}-files"]
    return polars.read_parquet([root / name for name in files]).to_arrow()


def by_datasets(root: Path, table: str) -> pa.Table:
    datasets = pytest.importorskip("datasets")
    return datasets.load_dataset(str(root), table, split="train", cache_dir=str(root.parent / "hub")).data.table


def by_mlcroissant(root: Path, table: str) -> pa.Table:
    mlcroissant = pytest.importorskip("mlcroissant")
    told = mlcroissant.Dataset(jsonld=str(root / FILE))
    assert not told.metadata.ctx.issues.errors
    rows = [{name.partition("/")[2]: _text(value) for name, value in row.items()} for row in told.records(table)]
    return pa.Table.from_pylist(rows)


def _text(value: object) -> object:
    return value.decode() if isinstance(value, bytes) else value


READERS: dict[str, tuple[str, Callable[[Path, str], pa.Table]]] = {
    "DuckDB, views": ("duckdb", by_views),
    "pyiceberg": ("iceberg", by_pyiceberg),
    "DuckDB, Iceberg": ("iceberg", by_duckdb_iceberg),
    "polars": ("croissant", by_polars),
    "datasets": ("croissant", by_datasets),
    "mlcroissant": ("croissant", by_mlcroissant),
}


@pytest.mark.parametrize("reader", READERS)
def test_readers_see_current_rows_and_no_others(root: Path, reader: str) -> None:
    form, read = READERS[reader]
    corpus, seen = headset.open(str(root)), []
    for min_s in (0.0, 5.0, 1.0):
        run_with(root, min_s)
        assert main(["catalog", str(root), "--format", form]) == 0
        for table in ("clips", "sources", "scores"):
            ours = corpus.sql(f"select * from {table}").to_pylist()
            key = tables()[table].key
            theirs = sorted(read(root, table).select(list(ours[0])).to_pylist(), key=lambda row: row[key])
            assert theirs == sorted(ours, key=lambda row: row[key])
        seen.append(len(corpus.sql("select * from clips")))
    assert seen == [6, 3, 6]


def test_a_glob_mixes_what_two_thresholds_left(root: Path) -> None:
    """What the docs say, and why `headset catalog` is there."""
    run_with(root, 5.0)
    globbed = sum(pq.read_table(path).num_rows for path in root.glob("clips/*/*.parquet"))
    assert (globbed, headset.open(str(root)).tables["clips"]) == (9, 3)


def test_the_view_of_clips_comes_along(root: Path) -> None:
    assert main(["catalog", str(root), "--format", "duckdb"]) == 0
    ours = headset.open(str(root)).sql("select * from wide order by clip_id").to_pylist()
    assert sorted(by_views(root, "wide").to_pylist(), key=lambda row: row["clip_id"]) == ours
    assert by_views(root, "words").num_rows == 0  # of a table that nobody wrote
    assert "text" in by_views(root, "words").column_names


def test_a_second_catalog_leaves_nothing_of_the_first(root: Path) -> None:
    pytest.importorskip("pyiceberg")
    for _ in range(3):
        assert main(["catalog", str(root), "--format", "iceberg"]) == 0
    names = sorted(path.suffix for path in (root / "catalog/iceberg/clips/metadata").iterdir())
    assert names == [".avro", ".avro", ".json", ".text"]
    assert by_pyiceberg(root, "clips").num_rows == 6


def test_a_takedown_takes_the_iceberg_tables_away(root: Path) -> None:
    pytest.importorskip("pyiceberg")
    for form in ("iceberg", "duckdb", "croissant"):
        assert main(["catalog", str(root), "--format", form]) == 0
    takedown_source(Manifest(str(root)), "s1")
    assert not list((root / "catalog/iceberg").rglob("*.avro"))
    assert {row["source_id"] for row in by_views(root, "clips").to_pylist()} == {"s0", "s2"}
    assert {row["source_id"] for row in by_mlcroissant(root, "clips").to_pylist()} == {"s0", "s2"}
    text = (root / FILE).read_text() + (root / HUB).read_text()
    assert "s1" not in text


def test_a_bucket_is_told(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, root: Path) -> None:
    remote = Manifest(str(root))
    monkeypatch.setattr(Manifest, "is_local", property(lambda _: False))
    monkeypatch.setattr("pipeline.commands.catalog.existing", lambda _: remote)
    assert main(["catalog", str(root), "--format", "iceberg"]) == 2
    assert "of a bucket, only croissant can be written" in capsys.readouterr().err


@pytest.mark.parametrize("form", ["webdataset", "parquet", "folder"])
def test_a_release_says_what_it_holds(tmp_path: Path, form: str) -> None:
    mlcroissant = pytest.importorskip("mlcroissant")
    scratch, corpus = tmp_path / "scratch", tmp_path / "corpus"
    rows: list[Row] = []
    for name in NAMES:
        rows += [source(name), one := clip(name), score(one, "dnsmos_ovrl", 3.5), render(one, corpus, scratch)]
    manifest = corpus_of(corpus, rows)
    release(manifest, str(tmp_path / "out"), form, "r", shard_bytes=9000)
    told = mlcroissant.Dataset(jsonld=str(tmp_path / "out" / "croissant.json"))
    assert not told.metadata.ctx.issues.errors
    (clips,) = told.metadata.record_sets
    assert {"clip_id", "dnsmos_ovrl", "media_sha256"} <= {field.name for field in clips.fields}
    if form != "webdataset":  # mlcroissant unpacks tar files into a cache in the home folder
        read = sorted(row["clips/clip_id"].decode() for row in told.records("clips"))
        assert read == [f"{name}/000000-005000/t0" for name in NAMES]
