"""A source as a file of the Rerun viewer."""

import subprocess
import sys
from pathlib import Path

import pytest

from manifests.errors import NotFound, UsageError
from manifests.manifest import Manifest
from manifests.tables import Row
from pipeline.__main__ import main
from pipeline.views.rerun_file import write_rerun
from tests.pipeline.made_corpus import clip, corpus_of, source, track


@pytest.fixture
def manifest(tmp_path: Path) -> Manifest:
    rows: list[Row] = [source("s0"), clip("s0", speaker="<b>/../x"), track("s0")]
    return corpus_of(tmp_path / "corpus", rows)


def test_what_was_seen_is_in_the_file(manifest: Manifest, tmp_path: Path) -> None:
    pytest.importorskip("rerun")
    out = tmp_path / "made" / "s0.rrd"
    assert not write_rerun(manifest, "s0", out)  # its video is an address
    told = subprocess.run(
        [sys.executable, "-m", "rerun", "rrd", "print", "-vvv", str(out)],
        capture_output=True,
        text=True,
        env={"HOME": str(tmp_path), "PATH": ""},
        check=True,
    )
    for entity in ("/video/faces/000000-060000-t0", "/clips"):
        assert entity in told.stdout
    assert "kept" in told.stdout
    with pytest.raises(NotFound, match="lists no source 's9'"):
        write_rerun(manifest, "s9", out)


def test_without_the_package_a_sentence_is_told(
    manifest: Manifest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "rerun", None)
    with pytest.raises(UsageError, match="--rrd needs rerun-sdk: pip install rerun-sdk"):
        write_rerun(manifest, "s0", tmp_path / "s0.rrd")
    assert main(["explain", manifest.root, "s0", "--rrd", str(tmp_path / "s0.rrd")]) == 2
    assert "pip install rerun-sdk" in capsys.readouterr().err
