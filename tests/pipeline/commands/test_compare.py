from pathlib import Path

import pytest

from operators.metrics.psnr import Psnr
from pipeline.__main__ import main
from pipeline.scoring.score import score
from tests.pipeline.scored_corpus import add_system, clips_of, look, made_corpus, rendered


def test_what_is_withheld_is_told_and_a_protocol_chooses(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    manifest = made_corpus(tmp_path, clips=2)
    for name in ("one", "two"):
        add_system(
            manifest,
            name,
            {shard: [rendered(manifest, clip, name, look(shard))] for shard, clip in enumerate(clips_of(manifest))},
        )
    score(manifest, [Psnr()], made_by="one")
    score(manifest, [Psnr()], made_by="two", size=64)
    assert main(["compare", str(tmp_path)]) == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert "psnr_rgb is withheld" in shown
    assert main(["compare", str(tmp_path), "--protocol", "64x64"]) == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert "withheld" not in shown
    assert "(n=2)" in shown
