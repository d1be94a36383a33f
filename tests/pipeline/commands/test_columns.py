"""`headset columns` and `headset reasons`: every word that a corpus holds is explained, and the pages of the docs are
as the code is.
"""

import json
from pathlib import Path

import pytest

from manifests.tables import schema, tables
from pipeline.__main__ import main
from pipeline.views.dictionary import dictionary, measures, reasons
from tests.pipeline.made_corpus import clip, corpus_of, render, score, source

DOCS = Path(__file__).parents[3] / "docs" / "reference"


def test_every_column_of_every_table_has_a_meaning() -> None:
    found = dictionary()
    assert [(one.table, one.name) for one in found.columns if not one.meaning] == []
    assert {(one.table, one.name) for one in found.columns if one.table != "wide"} == {
        (name, column) for name, table in tables().items() for column in schema(table).names
    }
    assert [name for name, what in found.tables.items() if not what] == []


def test_a_score_has_the_unit_range_and_direction_of_its_operator() -> None:
    (told,) = (one for one in dictionary().columns if one.name == "face_width_px" and one.table == "wide")
    assert (told.unit, told.range, told.better) == ("px", "0 and up", "higher")
    assert len(measures()) > 70


def test_the_columns_of_a_corpus_are_those_of_its_clip_view(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    one = clip("s0")
    rows = [
        source("s0"),
        one,
        render(one, tmp_path / "c", tmp_path / "scratch"),
        score(one, "face_width_px", 9.0),
        score(one, "mine", 1.0),
    ]
    corpus = corpus_of(tmp_path / "c", rows)
    assert main(["columns", corpus.root, "--of", "wide", "--json"]) == 0
    told = {column["name"]: column for column in json.loads(capsys.readouterr().out)["columns"]}
    assert main(["sql", corpus.root, "describe wide", "--json"]) == 0
    assert list(told) == [row["column_name"] for row in json.loads(capsys.readouterr().out)]
    assert told["face_px"]["unit"] == "px"
    assert "no operator" in told["mine"]["meaning"]
    assert "dnsmos_ovrl" not in told


def test_a_name_that_is_not_there_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["columns", "--of", "nothing_like_it"]) == 2
    assert main(["reasons", "nothing_like_it"]) == 2
    assert main(["reasons", "dnsmos_ovrl_low"]) == 0
    assert "below its range" in capsys.readouterr().out


@pytest.mark.parametrize(("name", "made"), [("columns.md", dictionary), ("reasons.md", reasons)])
def test_the_page_of_the_docs_is_as_the_code_is(name: str, made) -> None:
    assert (DOCS / name).read_text() == made().markdown(), (
        f"make it anew: headset {name.removesuffix('.md')} --out docs/reference/{name}"
    )
