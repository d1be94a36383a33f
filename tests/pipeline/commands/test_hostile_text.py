"""Titles, file names and details may come from strangers: no command lets them steer a terminal, be markup, or stop
it.
"""

import ast
import json
import re
from dataclasses import replace
from pathlib import Path

import pytest

from manifests.manifest import Manifest
from manifests.tables import Annotation, Clip, Dropped, Duplicate, Identity
from pipeline.__main__ import main
from pipeline.views.console import inert
from tests.pipeline.made_corpus import clip, corpus_of, render, score, source, track

ROOT = Path(__file__).parents[3]
LONG = "x" * 4000
HOSTILE = ("<img src=x onerror=alert(1)> [/nothing] [bold]b[/bold] [link=file:///etc/passwd]here[/link]"
           " [@click=app.bell]c[/] :bomb: "
           "\x1b]0;title\x07\x1b]8;;http://bad.example\x1b\\there\x1b]8;;\x1b\\ \x1b[2J\x1b[31mred \x9b5m"
           " \u202egnp.exe\u202c \r over ") + LONG  # fmt: skip


@pytest.fixture
def corpus(tmp_path: Path) -> str:
    """Everything in it that is text, and no id, is hostile."""
    root, rows = tmp_path / "corpus", []
    for number in range(3):
        one = replace(clip(f"s{number}"), speaker=HOSTILE)
        shown = replace(
            source(one.source_id, title=HOSTILE, channel=HOSTILE, video_codec="h264", audio_codec="aac"),
            uri=f"{number} {HOSTILE}.mp4",
        )
        note = Annotation(one.source_id, f"{one.clip_id}#caption", one.clip_id, "caption", HOSTILE, "made")
        rows += [
            shown,
            one,
            track(one.source_id),
            note,
            render(one, root, tmp_path / "scratch"),
            score(one, "face_width_px", 100.0 * number),
        ]
    gone = Clip("s0", "s0/006000-009000/t0", "s0/x", "s0/x/t0", HOSTILE, 6.0, 9.0, 0.0, 0.0, 1.0, 1.0)
    rows += [
        Dropped(
            "s0", f"{gone.clip_id}@ScoreClips", gone.clip_id, "clips", "ScoreClips", "ValueError", HOSTILE, True, True
        )
    ]
    rows += [Dropped("s1", "s1@PlanClips", "s1", "sources", "PlanClips", "no_face", HOSTILE, False, False)]
    manifest = corpus_of(root, rows)
    manifest.write_whole(Duplicate, "FindDuplicates-made", [Duplicate("s1", "s1=s0", "s0", 5.0, 0.0, 1.0, 0.0)])
    return manifest.root


def inert_in(capsys: pytest.CaptureFixture[str], *arguments: str, status: int = 0) -> str:
    assert main(list(arguments)) == status
    told = capsys.readouterr()
    for text in (told.out, told.err):
        assert text == inert(text)
    return told.out + told.err


@pytest.mark.parametrize(
    "arguments",
    [
        ["status"], ["explain", "s0"], ["explain", "s0/000000-005000/t0"], ["explain", "s0/006000-009000/t0"],
        ["sql", "from sources"], ["sql", "from wide"], ["sql", "select detail from drops"],
        ["select", "--where", "title like '%img%'", "--name", "all"],
        ["yield", "--where", "face_px > 100 and title != ''"], ["split", "--shares", "0,0,1"], ["pairs"],
    ],
    ids=" ".join,
)  # fmt: skip
def test_what_a_corpus_holds(corpus: str, arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    command, *rest = arguments
    inert_in(capsys, command, corpus, *rest)


def test_the_text_itself_is_shown_as_it_is(corpus: str, capsys: pytest.CaptureFixture[str]) -> None:
    told = inert_in(capsys, "explain", corpus, "s0")
    assert "[/nothing] [bold]b[/bold] [link=file:///etc/passwd]here[/link]" in told
    assert ":bomb:" in told
    assert LONG in told, "nothing is cut or wrapped off a terminal"


def test_json_holds_it_and_is_plain_ascii(corpus: str, capsys: pytest.CaptureFixture[str]) -> None:
    told = inert_in(capsys, "explain", corpus, "s0", "--json")
    assert json.loads(told)["uri"] == f"0 {HOSTILE}.mp4"
    assert told.isascii()


def test_what_a_person_types(corpus: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for arguments in (
        ["explain", corpus, HOSTILE],
        ["status", str(tmp_path / "[/x]")],
        ["sql", corpus, f"select '{HOSTILE[:90]}"],
    ):
        assert "headset: " in inert_in(capsys, *arguments, status=2)
    (tmp_path / "list.txt").write_text("[/nothing] here.mp4\n")
    told = inert_in(capsys, "plan", "talking_head", str(tmp_path / "list.txt"), status=2)
    assert "[/nothing] here.mp4" in told


def test_an_imported_list(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["import", "hdtf", str(tmp_path / "[/x] \x1b[2J"), "--out", str(tmp_path / "o")]) == 2
    told = capsys.readouterr()
    assert told.err == inert(told.err)


def test_people_and_copies(corpus: str, capsys: pytest.CaptureFixture[str]) -> None:
    from pipeline.views.console import console
    from pipeline.views.copies import copies, people

    manifest = Manifest(corpus)
    console().print(copies(manifest, [Duplicate("s1", "s1=s0", "s0", 5.0, 0.0, 1.0, 0.0)]))
    console().print(people(manifest, [Identity("s0", "a", HOSTILE, "s0/x", 0.5, 1, "made")]))
    told = capsys.readouterr().out
    assert told == inert(told)
    assert "[/nothing]" in told


def test_no_command_makes_a_console_of_its_own() -> None:
    """Nor parses markup: a style is given beside the text."""
    for path in [*(ROOT / "pipeline").rglob("*.py")]:
        if path.name == "console.py" and path.parent.name == "views":
            continue
        text = path.read_text()
        assert not re.search(r"\bConsole\(|from_markup|\bprint\(f?[\"']\[\w+\]|(console|out)\.status\(", text), path
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.keyword) and node.arg in ("markup", "highlight", "emoji"):
                assert isinstance(node.value, ast.Constant), path
                assert node.value.value is False, path
