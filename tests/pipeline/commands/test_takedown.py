"""`headset takedown`: it asks before it deletes, and says what it would delete."""

import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from manifests.manifest import Manifest
from manifests.tables import Source
from pipeline.__main__ import main
from tests.pipeline.takedown.conftest import corpus, template  # noqa: F401 - fixtures
from tests.pipeline.takedown.made import all_bytes


def test_without_a_terminal_it_says_what_is_missing(corpus: Manifest, capsys: pytest.CaptureFixture[str]):  # noqa: F811
    before = all_bytes(Path(corpus.root))
    assert main(["takedown", corpus.root, "--source", "gone"]) == 2
    assert "give --yes to go on, or --dry-run to see what would go" in " ".join(capsys.readouterr().err.split())
    assert all_bytes(Path(corpus.root)) == before


def test_a_dry_run_tells_what_would_go(corpus: Manifest, capsys: pytest.CaptureFixture[str]):  # noqa: F811
    before = all_bytes(Path(corpus.root))
    assert main(["takedown", corpus.root, "--source", "gone", "--dry-run"]) == 0
    told = capsys.readouterr().out
    assert "1 rows of clips" in told
    assert "media would be deleted: media/" in told
    assert "1 clips out of the selection hq" in told
    assert all_bytes(Path(corpus.root)) == before


def test_yes_takes_out_without_a_question_and_tells_it_for_programs(
    corpus: Manifest,  # noqa: F811
    capsys: pytest.CaptureFixture[str],
):
    assert main(["takedown", corpus.root, "--source", "gone", "--yes", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["rows"]["clips"], told["planned"], told["errors"]) == (1, False, [])
    assert [row["source_id"] for row in Manifest(corpus.root).table(Source).to_pylist()] == ["a", "z"]


@pytest.mark.parametrize(
    ("answer", "left"), [("yes", ["a", "z"]), ("no", ["a", "gone", "z"]), ("", ["a", "gone", "z"])]
)
def test_in_a_terminal_it_asks(corpus: Manifest, answer: str, left: list[str]):  # noqa: F811
    driver, terminal = pty.openpty()
    command = [sys.executable, "-m", "pipeline", "takedown", corpus.root, "--source", "gone"]
    child = subprocess.Popen(command, stdin=terminal, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    os.write(driver, f"{answer}\n".encode())
    out, err = child.communicate(timeout=120)
    os.close(terminal)
    os.close(driver)
    assert "1 rows of clips" in err, "it shows what it asks about"
    assert "Type yes to go on" in out + err
    assert [row["source_id"] for row in Manifest(corpus.root).table(Source).to_pylist()] == left
    assert child.returncode == (0 if answer == "yes" else 1)
    assert ("Nothing was changed" in err) == (answer != "yes")
