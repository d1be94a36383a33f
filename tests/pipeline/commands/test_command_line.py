"""The command line as a whole: its help, its words, its environment, and what becomes of errors."""

import argparse
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import pipeline.commands.status
from manifests.manifest import Manifest
from manifests.tables import Source
from pipeline.__main__ import GROUPS, commands, main, parser_of_all
from pipeline.environment import ENVIRONMENT
from tests.pipeline.made_corpus import clip, corpus_of, source

ROOT = Path(__file__).parents[3]


def parsers() -> dict[str, argparse.ArgumentParser]:
    (found,) = (action for action in parser_of_all()._actions if isinstance(action, argparse._SubParsersAction))
    return dict(found.choices)


def test_every_command_is_under_a_heading_with_an_example(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        main(["--help"])
    assert stop.value.code == 0
    told = capsys.readouterr().out
    for name, module in commands().items():
        assert module.GROUP in GROUPS, name
        assert re.search(rf"^  {name} ", told, re.MULTILINE)
        assert f"headset {name}" in module.EXAMPLE
        assert (module.__doc__ or "").splitlines()[0].endswith("."), name
    for heading, _, examples in GROUPS.values():
        assert f"{heading}:" in told
        assert examples


def test_one_word_says_write_here() -> None:
    """--out, and nothing else; what tells facts has --json and no other word for it."""
    for name, parser in parsers().items():
        words = {word for action in parser._actions for word in action.option_strings}
        assert (
            not words & {"--picture", "--report", "--html", "--markdown", "--latex", "--output", "--format"}
            or name in ("release", "explore", "catalog")  # which ask for a form, too
        ), name
        assert "--to" not in words or name == "migrate", name
    for name in (
        "status",
        "plan",
        "explain",
        "yield",
        "compare",
        "weights",
        "diff",
        "duplicates",
        "identities",
        "sql",
        "columns",
        "reasons",
        "rebuild",
        "check",
        "du",
    ):
        assert any("--json" in action.option_strings for action in parsers()[name]._actions), name


def test_the_version_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        main(["--version"])
    assert stop.value.code == 0
    assert re.match(r"headset \S+", capsys.readouterr().out)


@pytest.mark.parametrize("shell", ["bash", "zsh", "tcsh"])
def test_a_shell_can_complete(shell: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["completion", shell]) == 0
    told = capsys.readouterr().out
    assert "explain" in told
    if shell == "bash":
        assert subprocess.run(["bash", "-n"], input=told, text=True, check=False).returncode == 0


def test_every_variable_that_is_read_is_in_the_table_and_the_reverse(capsys: pytest.CaptureFixture[str]) -> None:
    read = set()
    for package in ("manifests", "operators", "pipeline"):
        for path in (ROOT / package).rglob("*.py"):
            if path.name != "environment.py":
                read |= set(re.findall(r"environ(?:\.get|\.setdefault)?[\[(]\s*[\"'](HEADSET_\w+)", path.read_text()))
    told = {name for name in ENVIRONMENT.variables if name.startswith("HEADSET_")}
    assert read == told
    assert main(["help", "environment"]) == 0
    assert "HEADSET_CACHE_BYTES" in capsys.readouterr().out
    assert main(["help"]) == 0
    assert main(["help", "nothing"]) == 2


@pytest.fixture
def corpus(tmp_path: Path) -> Manifest:
    return corpus_of(tmp_path / "corpus", [source("s0"), clip("s0")])


def said(capsys: pytest.CaptureFixture[str], *arguments: str, status: int) -> str:
    assert main(list(arguments)) == status
    told = capsys.readouterr().err
    assert "Traceback" not in told
    assert told.count("\n") == 1, "one sentence"
    return told


def test_what_nobody_foresaw_is_one_line_and_its_traceback_is_kept(
    corpus: Manifest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HEADSET_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("HEADSET_DEBUG", raising=False)

    def broken(manifest: Manifest) -> None:
        raise ZeroDivisionError("of [/x]\nall things")

    monkeypatch.setattr(pipeline.commands.status, "status", broken)
    told = said(capsys, "status", corpus.root, status=1)
    assert "this is a bug of ours: ZeroDivisionError: of [/x] all things" in told
    (kept,) = (tmp_path / "cache" / "tracebacks").iterdir()
    assert str(kept) in told
    assert "in broken" in kept.read_text()
    monkeypatch.setenv("HEADSET_DEBUG", "1")
    with pytest.raises(ZeroDivisionError):
        main(["status", corpus.root])


def test_an_out_that_cannot_be_written_is_one_sentence(
    corpus: Manifest, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("")
    assert str(tmp_path / "file") in said(capsys, "columns", "--out", str(tmp_path / "file" / "x.md"), status=2)
    (tmp_path / "toy.py").write_text((ROOT / "tests" / "pipeline" / "toy_recipe.py").read_text())
    (tmp_path / "a.mp4").write_bytes(b"no video")
    said(capsys, "run", str(tmp_path / "toy.py"), str(tmp_path / "a.mp4"), "--out", str(tmp_path / "file"), status=2)


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no /dev/full here")
def test_a_full_disk_is_one_sentence() -> None:
    with open("/dev/full", "w") as full:
        made = subprocess.run(
            [sys.executable, "-m", "pipeline", "columns"],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
            cwd=ROOT,
        )
    assert made.returncode == 2
    assert "No space left on device" in made.stderr
    assert "Traceback" not in made.stderr


def test_a_recipe_file_that_is_wrong_is_one_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "mine.py").write_text("RECIPE = Recipe(\n")
    assert "line 1: '(' was never closed" in said(capsys, "plan", str(tmp_path / "mine.py"), status=2)


def test_a_damaged_table_is_one_sentence(corpus: Manifest, capsys: pytest.CaptureFixture[str]) -> None:
    (Path(corpus.root) / next(name for name in corpus.files(Source))).write_bytes(b"")
    assert main(["status", corpus.root]) in (1, 2)
    told = capsys.readouterr().err
    assert "Traceback" not in told
    assert told.count("\n") == 1
