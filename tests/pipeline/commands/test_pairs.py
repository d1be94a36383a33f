from pathlib import Path

import pytest

from manifests.manifest import Manifest
from manifests.tables import Pair
from pipeline.__main__ import main
from tests.pipeline.scored_corpus import made_corpus


def test_only_what_is_asked_for(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    made_corpus(tmp_path, clips=4)
    assert main(["pairs", str(tmp_path), "--protocol", "cross_identity", "--per-clip", "2"]) == 0
    assert "8 pairs: cross_identity 8" in capsys.readouterr().out
    assert Manifest(str(tmp_path)).table(Pair).num_rows == 8


def test_an_unknown_protocol_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    made_corpus(tmp_path, clips=1)
    assert main(["pairs", str(tmp_path), "--protocol", "self"]) == 2
    assert "no protocol 'self'" in capsys.readouterr().err
