"""The commands about selections, splits and releases, as a person types them."""

import json
from pathlib import Path

import pytest

from pipeline.__main__ import main
from tests.pipeline.made_corpus import clip, corpus_of, render, score, source


@pytest.fixture
def corpus(tmp_path: Path) -> str:
    root, rows = tmp_path / "corpus", []
    for number in range(4):
        one = clip(f"s{number}")
        rows += [
            source(one.source_id),
            one,
            score(one, "face_width_px", 100.0 * number),
            render(one, root, tmp_path / "scratch"),
        ]
    return str(corpus_of(root, rows).root)


def said(capsys: pytest.CaptureFixture[str], *arguments: str, status: int = 0) -> str:
    assert main(list(arguments)) == status
    told = capsys.readouterr()
    return told.out + told.err


def test_select_keeps_lists_and_says_what_is_wrong(corpus: str, capsys: pytest.CaptureFixture[str]):
    assert "has no selections yet" in said(capsys, "select", corpus)
    first = said(capsys, "select", corpus, "--where", "face_px >= 200", "--name", "hq")
    assert "2 clips" in first
    assert said(capsys, "select", corpus, "--where", "face_px>=200", "--name", "hq") == f"As before: {first}"
    assert "(face_px >= 200)" in said(capsys, "select", corpus)
    assert "did you mean face_px" in said(capsys, "select", corpus, "--where", "face_pix > 1", "--name", "hq", status=2)
    assert "--name is missing" in said(capsys, "select", corpus, "--where", "face_px > 1", status=2)
    assert "Nothing is left" in said(capsys, "select", corpus, "--where", "face_px > 999", "--name", "none")


def test_yield_prints_and_draws(corpus: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    told = said(capsys, "yield", corpus, "--where", "face_px >= 200 and seconds > 1", "--out", str(tmp_path / "y.png"))
    assert "4 clips, 20.0 s -> 2 clips, 10.0 s" in told
    assert "200 <-" in told
    assert (tmp_path / "y.png").stat().st_size > 1000
    found = json.loads(said(capsys, "yield", corpus, "--metric", "face_px", "--json"))
    assert [point["clips"] for point in found["cuts"][0]["curve"]] == [4, 3, 2, 1]
    assert "name a condition" in said(capsys, "yield", corpus, status=2)


def test_balance_tells_of_groups_and_refuses_what_is_none(corpus: str, capsys: pytest.CaptureFixture[str]):
    assert "20.0 s came in, 20.0 s are kept (100.0%)" in said(capsys, "balance", corpus)
    found = json.loads(said(capsys, "balance", corpus, "--by", "height, fps", "--json"))
    assert [[group["name"] for group in one["groups"]] for one in found["by"]] == [
        ["720 to 1080 lines"],
        ["not measured"],
    ]
    assert "no grouping 'size'; there are language, height" in said(capsys, "balance", corpus, "--by", "size", status=2)


def test_split_then_release_of_a_selection(corpus: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    assert "cannot be parted" in said(capsys, "split", corpus, "--shares", "1,0,0")
    assert "write three numbers" in said(capsys, "split", corpus, "--shares", "90,10", status=2)
    said(capsys, "select", corpus, "--where", "face_px >= 200", "--name", "hq")
    told = said(capsys, "release", corpus, "--out", str(tmp_path / "out"), "--format", "folder", "--selection", "hq")
    assert "2 clips, 10.0 s, in 1 shards" in told
    assert sorted(path.suffix for path in (tmp_path / "out" / "train-00000").iterdir()) == [
        ".json",
        ".json",
        ".mp4",
        ".mp4",
    ]


def test_sql_sees_the_wide_view(corpus: str, capsys: pytest.CaptureFixture[str]):
    rows = json.loads(said(capsys, "sql", corpus, "select clip_id, face_px from wide where face_px > 250", "--json"))
    assert rows == [{"clip_id": "s3/000000-005000/t0", "face_px": 300.0}]
