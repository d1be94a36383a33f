"""A corpus as a notebook holds it."""

from pathlib import Path

import pytest

import headset
from manifests.errors import NotFound, UsageError
from manifests.tables import Dropped, Row, tables
from tests.pipeline.made_corpus import clip, corpus_of, score, source, track


@pytest.fixture
def corpus(tmp_path: Path) -> headset.Corpus:
    rows: list[Row] = []
    for number in range(4):
        one = clip(f"s{number}")
        rows += [
            source(one.source_id, title=f"<b>{number}</b>"),
            one,
            track(one.source_id),
            score(one, "face_width_px", 100.0 * number),
        ]
    rows.append(Dropped("s0", "s0/x@PlanClips", "s0/x", "clips", "PlanClips", "too_short", "1.0 s", False, False))
    return headset.open(corpus_of(tmp_path / "corpus", rows).root)


def test_tables_are_arrow(corpus: headset.Corpus) -> None:
    assert corpus.tables["clips"] == 4
    assert corpus.table("clips").num_rows == corpus.table(headset.Clip).num_rows == 4
    assert corpus.sql("select count(*) as n from scores where value > 50").to_pylist() == [{"n": 3}]
    assert corpus.drops("too_short").table()["detail"].to_pylist() == ["1.0 s"]
    assert len(corpus.drops("none")) == 0
    with pytest.raises(NotFound, match="no table 'clip'; there are"):
        corpus.table("clip")
    with pytest.raises(UsageError, match="did you mean face_px"):
        corpus.clips.where("face_pix > 1").table()


def test_conditions_are_joined_and_rows_come_back_as_rows(corpus: headset.Corpus) -> None:
    large = corpus.clips.where("face_px > 50").where("face_px < 250 or face_px = 1000")
    assert (len(corpus.clips), len(large)) == (4, 2)
    assert [one.clip_id for one in large] == ["s1/000000-005000/t0", "s2/000000-005000/t0"]
    assert all(isinstance(one.row, headset.Clip) for one in large)
    assert large.table(["clip_id", "face_px"]).to_pydict()["face_px"] == [100.0, 200.0]


def test_facts_show_themselves(corpus: headset.Corpus) -> None:
    assert corpus.funnel().sum_of("clips").kept == 4
    assert corpus.status().clips == 4
    assert corpus.story("s0").to_json()["source_id"] == "s0"
    assert corpus.balance().to_json()["kept_seconds"] == 20
    for shown in (
        corpus,
        corpus.funnel(),
        corpus.balance("language"),
        corpus.status(),
        corpus.story("s0"),
        corpus.story("s0/000000-005000/t0"),
    ):
        page = shown._repr_html_()
        assert page.startswith("<div")
        assert "<b>" not in page
    with pytest.raises(NotFound, match="knows no source"):
        corpus.story("nobody")


def test_it_shows_what_a_run_adds_meanwhile(corpus: headset.Corpus) -> None:
    before = corpus.tables["sources"]
    corpus.manifest.add([source("later")])
    assert corpus.tables["sources"] == before + 1


def test_what_is_no_corpus_is_told(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="holds no corpus"):
        headset.open(str(tmp_path))


def test_the_public_names_are_those_promised() -> None:
    promised = {"open", "Corpus", "Recipe", "Stage", "Operator", "Drop", "Frames", "Audio"}
    assert promised <= set(headset.__all__)
    assert {table.__name__ for table in tables().values()} <= set(headset.__all__)
    assert all(hasattr(headset, name) for name in headset.__all__)
