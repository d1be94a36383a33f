"""Queries of users and strangers: over the tables alone, whatever they say."""

import json
import re
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from manifests.errors import UsageError
from manifests.manifest import Manifest
from pipeline.__main__ import main
from pipeline.query.clip_view import select_rows
from pipeline.query.database import connect, parquet, quoted, write_parquet
from pipeline.query.diff import Side, differ
from pipeline.query.predicates import predicates
from pipeline.query.selection import select, selection
from pipeline.query.yields import yields
from tests.pipeline.made_corpus import clip, corpus_of, score, source

ROOT = Path(__file__).parents[3]


@pytest.fixture
def corpus(tmp_path: Path) -> Manifest:
    rows = []
    for number in range(3):
        one = clip(f"s{number}")
        rows += [source(one.source_id), one, score(one, "face_width_px", 100.0 * number)]
    return corpus_of(tmp_path / "corpus", rows)


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    (path := tmp_path / "secret.csv").write_text("word\nhush\n")
    return path


def hostile(secret: Path, corpus: Path) -> list[str]:
    """What a query might try: to read a file, to write one, to load code, to undo the lock, to see this program's
    variables.
    """
    (table,) = (corpus / "clips").glob("*/00000.parquet")
    return [
        f"select * from read_csv('{secret}')",
        f"select * from read_text('{secret}')",
        f"select content from read_blob('{secret}')",
        f"from '{secret}'",
        f"from glob('{secret.parent}/*')",
        f"copy (select 1) to '{table}'",
        f"copy clips to '{secret.parent}/out.csv'",
        f"export database '{secret.parent}/out'",
        f"attach '{secret.parent}/out.db'",
        "install httpfs",
        "load httpfs",
        f"load '{secret}'",
        "from 'https://127.0.0.1:9/x.parquet'",
        "set enable_external_access = true",
        "set lock_configuration = false; set enable_external_access = true",
        "reset enable_external_access",
        "set python_enable_replacements = true",
        "create persistent secret mine (type s3)",
        "from corpus",
        "from hidden",
    ]


@pytest.mark.parametrize("number", range(20))
def test_a_query_sees_the_tables_alone(corpus: Manifest, secret: Path, number: int):
    hidden = pa.table({"word": ["hush"]})
    query = hostile(secret, Path(corpus.root))[number]
    before = {path: path.read_bytes() for path in secret.parent.rglob("*") if path.is_file()}
    with pytest.raises(UsageError) as refused:
        select_rows(corpus, query).fetchall()
    assert "hush" not in str(refused.value)
    assert {path: path.read_bytes() for path in secret.parent.rglob("*") if path.is_file()} == before
    assert hidden.num_rows == 1
    assert select_rows(corpus, "select count(*) from clips").fetchall() == [(3,)]


def test_every_hostile_query_is_tried(corpus: Manifest, secret: Path):
    assert len(hostile(secret, Path(corpus.root))) == 20


def test_files_are_for_who_asks_for_them(corpus: Manifest, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    query = f"copy (select clip_id from wide) to '{tmp_path}/out.csv'"
    assert main(["sql", corpus.root, query]) == 2
    assert "give --files to let it read and write files" in " ".join(capsys.readouterr().err.split())
    assert main(["sql", corpus.root, query, "--files"]) == 0
    assert (tmp_path / "out.csv").read_text().splitlines() == ["clip_id", *(f"s{n}/000000-005000/t0" for n in range(3))]
    with pytest.raises(UsageError, match="locked"):
        select_rows(corpus, "set lock_configuration = false", files=True)
    with pytest.raises(UsageError):
        select_rows(corpus, "from corpus", files=True)


@pytest.mark.parametrize(
    "where", ["seconds > (select count(*) from read_text('{}'))", "clip_id in (select content from read_text('{}'))"]
)
def test_conditions_of_strangers_read_no_file(corpus: Manifest, secret: Path, where: str):
    """A number that a column is compared with is computed when a condition is taken apart."""
    chosen, _ = select(corpus, "face_px >= 0", "hq")
    note = Path(corpus.root, "selections", "hq", f"{chosen.version}.json")
    evil = where.format(secret)
    note.write_text(json.dumps({**json.loads(note.read_text()), "where": evil}))
    assert [part.column for part in predicates(evil)] == [""]
    with pytest.raises(UsageError):
        select(corpus, evil, "mine")
    with pytest.raises(UsageError):
        yields(corpus, evil)
    select(corpus, "face_px > 100", "less")
    rows = pa.table({"source_id": ["s0"], "clip_id": ["s0/000000-005000/t0"], "seconds": [5.0]})
    pq.write_table(rows, Path(corpus.root, selection(corpus, "hq").file))
    with pytest.raises(UsageError) as refused:
        differ(Side.of(f"{corpus.root}/@hq"), Side.of(f"{corpus.root}/@less"), 5)
    assert "hush" not in str(refused.value)


def test_columns_of_a_strangers_selection_are_names_and_no_sql(corpus: Manifest, tmp_path: Path):
    for name in ("hq", "other"):
        chosen, _ = select(corpus, "face_px >= 0" if name == "hq" else "face_px >= 1", name)
        path = Path(corpus.root, chosen.file)
        evil = 'x", (select count(*) from clips) as "y'
        pq.write_table(pq.read_table(path).append_column(evil, pa.array([float(name == "hq")] * chosen.clips)), path)
    found = differ(Side.of(f"{corpus.root}/@hq"), Side.of(f"{corpus.root}/@other"), 5)
    assert (found.both, found.changed, list(found.columns)) == (2, 2, [evil])
    assert quoted('a"b') == '"a""b"'


@pytest.mark.slow
def test_what_does_not_fit_into_memory_goes_to_disk_all_the_same(tmp_path: Path):
    connection = connect()
    rows = connection.sql("select i, hash(i)::varchar || repeat('x', 200) as s from range(3000000) t(i) order by s")
    write_parquet(rows, tmp_path / "sorted.parquet")
    connection.register("sorted", parquet(tmp_path / "sorted.parquet"))
    assert connection.execute("select count(*) from sorted").fetchall() == [(3000000,)]


def test_there_is_one_place_that_connects():
    found = [
        path
        for package in ("manifests", "operators", "pipeline", "benchmarks")
        for path in (ROOT / package).rglob("*.py")
    ]
    assert [path.name for path in found if re.search(r"duckdb\.(connect|sql|execute|query)\b", path.read_text())] == [
        "database.py"
    ]
