"""The command line as a person uses it, on the toy recipe and a real Ray."""

import csv
import io
import json
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from pipeline.__main__ import main
from tests.made_videos import write_video

ROOT = Path(__file__).parents[2]
TOY = str(Path(__file__).with_name("toy_recipe.py"))


@pytest.fixture(scope="module")
def videos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("videos")
    write_video(folder / "good.mp4", [("red", 1.0)], size=(64, 64))
    write_video(folder / "dropped.mp4", [("blue", 1.0)], size=(64, 64))
    write_video(folder / "fails.mp4", [("green", 1.0)], size=(64, 64))
    (folder / "empty.mp4").touch()
    return folder


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory, videos: Path, ray_here: None) -> str:
    out = str(tmp_path_factory.mktemp("main") / "corpus")
    assert main(["run", TOY, str(videos), str(videos / "no.mp4"), "--out", out]) == 0
    return out


def said(capsys: pytest.CaptureFixture[str], *arguments: str, status: int = 0) -> str:
    capsys.readouterr()
    assert main(list(arguments)) == status
    told = capsys.readouterr()
    return told.err if status else told.out


def test_status_tells_the_funnel_and_every_reason(corpus: str, capsys: pytest.CaptureFixture[str]) -> None:
    told = said(capsys, "status", corpus)
    assert "5 sources (4 usable) -> 2 shots -> 2 clips proposed -> 1 clips kept" in told
    for reason in ("missing_file 1", "no_sense 1", "ZeroDivisionError 1", "late 1", "never_was 1"):
        assert reason in told
    assert [line.split() for line in told.splitlines() if line.startswith("clips ")] == [["clips", "2", "1", "1", "0"]]


def test_status_draws_the_funnel(corpus: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    said(capsys, "status", corpus, "--out", str(tmp_path / "funnel.png"))
    assert Image.open(tmp_path / "funnel.png").width > 500


@pytest.mark.parametrize(
    ("name", "told"),
    [("good.mp4", "kept"), ("dropped.mp4", "no_sense"), ("fails.mp4", "as asked"), ("no.mp4", "missing_file")],
)
def test_explain_tells_the_story_of_every_input_by_its_file_name(
    corpus: str, name: str, told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert told in said(capsys, "explain", corpus, name)


def test_explain_tells_of_a_clip_why_it_was_not_kept(corpus: str, capsys: pytest.CaptureFixture[str]) -> None:
    (drop,) = json.loads(said(capsys, "sql", corpus, "select subject from drops where reason = 'late'", "--json"))
    told = said(capsys, "explain", corpus, drop["subject"])
    assert "not kept" in told
    assert "0.4 >= 0.3" in told


def test_explain_of_what_is_not_there_says_how_to_find_what_is(corpus: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert "select source_id, uri from sources" in said(capsys, "explain", corpus, "nobody", status=2)


def test_sql_gives_the_current_rows_in_three_forms(corpus: str, capsys: pytest.CaptureFixture[str]) -> None:
    query = "select clip_id, start_s, end_s from clips"
    (clip,) = json.loads(said(capsys, "sql", corpus, query, "--json"))
    assert (clip["start_s"], clip["end_s"]) == (0.0, 0.4)
    (row,) = csv.DictReader(io.StringIO(said(capsys, "sql", corpus, query, "--csv")))
    assert row["clip_id"] == clip["clip_id"]
    assert clip["clip_id"] in said(capsys, "sql", corpus, query)
    assert said(capsys, "sql", corpus, "select count(*) n from clips join shots using (shot_id)", "--csv").split() == [
        '"n"',
        "1",
    ]


def test_sql_says_what_is_wrong_and_which_tables_there_are(corpus: str, capsys: pytest.CaptureFixture[str]) -> None:
    told = said(capsys, "sql", corpus, "select * from clip", status=2)
    assert "clip" in told
    assert "Tables: wide, sources, " in told


def test_plan_tells_the_stages_before_any_work(
    corpus: str, videos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    told = said(capsys, "plan", TOY, str(videos), "--out", corpus, "--set", "KeepEarly.before_s=9")
    assert "2 operators over one decode" in told
    assert "before_s=9" in told
    assert "KeepEarly  clips + scores -> clips" in told
    assert told.count("done") == 4
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["run", "no_such", "x.mp4", "--out", "o"], "no recipe 'no_such'; there are avspeech, celebv_hq, diarize"),
        (["run", TOY, "x.mp4", "--out", "o", "--set", "KeepEarly.befor_s=1"], "it has before_s"),
        (["status", "nowhere"], "headset run RECIPE"),
    ],
)
def test_what_cannot_be_done_is_told_with_what_can(
    arguments: list[str], told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert told in " ".join(said(capsys, *arguments, status=2).split())


@pytest.mark.parametrize("command", ["run", "plan", "retry", "status", "explain", "sql", "sheet", "weights"])
def test_help_has_an_example(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        main([command, "--help"])
    assert stop.value.code == 0
    assert f"headset {command}" in capsys.readouterr().out.split("example:")[1]


def test_a_process_ends_before_the_destructors_of_libraries_run() -> None:
    code = """
import atexit, sys
import pipeline.__main__ as it

class Bomb:
    def __del__(self):
        print("boom")

sys.bomb = Bomb()
it.main = lambda: (atexit.register(lambda: print("tidied")), 3)[1]
it.program()
"""
    ended = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stdout.split()) == (3, ["tidied"]), ended.stderr
