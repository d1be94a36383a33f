"""`headset export`, as a person types it."""

import json
from pathlib import Path

import pytest

from manifests.manifest import Manifest
from pipeline.__main__ import main
from tests.pipeline.export.layouts.conftest import made_corpus


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Manifest:
    return made_corpus(
        tmp_path_factory.mktemp("command"), {"a": [("red", 0.4)], "b": [("blue", 0.4)], "c": [("green", 0.04)]}
    )


def test_it_writes_checks_and_tells(corpus: Manifest, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["export", corpus.root, "--layout", "fomm", "--out", str(tmp_path)]) == 0
    told = capsys.readouterr().out
    for line in ("3 clips: 2 written (20 frames), 1 refused", "  1 too_short", "checked: the loader's rules hold"):
        assert line in told
    assert json.loads((tmp_path / "export.json").read_text())["refused"] == {"too_short": 1}


def test_it_checks_alone_and_its_status_is_the_verdict(
    corpus: Manifest, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["export", corpus.root, "--layout", "fomm", "--out", str(tmp_path)])
    assert main(["export", "--layout", "fomm", "--out", str(tmp_path), "--validate-only"]) == 0
    next((tmp_path / "train").iterdir()).write_bytes(b"no video")
    assert main(["export", "--layout", "fomm", "--out", str(tmp_path), "--validate-only"]) == 1
    told = capsys.readouterr().out
    assert "does not decode" in told
    assert "checked: 1 problem" in told


def test_a_selection_is_exported_alone(corpus: Manifest, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["select", corpus.root, "--where", "source_id in ('a', 'b')", "--name", "two"]) == 0
    assert main(["export", corpus.root, "--layout", "fomm", "--out", str(tmp_path), "--selection", "two"]) == 0
    assert "2 clips: 2 written" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--layout", "pirender"], "pirender needs coeff_3dmm"),
        (["--layout", "nothing"], "no layout 'nothing'"),
        (["--layout", "fomm", "--with", "coeff"], "write NEED=PATH"),
        (["--layout", "fomm", "--selection", "none"], "none"),
    ],
)
def test_what_cannot_be_done_is_told(
    corpus: Manifest, tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], told: str
) -> None:
    assert main(["export", corpus.root, "--out", str(tmp_path / "to"), *arguments]) == 2
    assert told in capsys.readouterr().err
    assert not (tmp_path / "to").exists()


def test_help_lists_the_layouts(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["export", "--help"])
    told = capsys.readouterr().out
    for name in ("wav2lip", "fomm", "pirender"):
        assert f"\n  {name} " in told
