import os
from pathlib import Path

import pytest

from operators.metrics.base import Video
from operators.metrics.psnr import Psnr
from pipeline.__main__ import main
from pipeline.scoring.score import metrics_there
from tests.pipeline.scored_corpus import add_system, clips_of, look, made_corpus, rendered


def test_pairs_score_and_compare_one_after_the_other(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    corpus = str(tmp_path / "corpus")
    manifest = made_corpus(Path(corpus))
    assert main(["pairs", corpus]) == 0
    assert "9 pairs: audio_driven 3, cross_identity 3, same_identity 3" in capsys.readouterr().out
    clips = clips_of(manifest)
    renders = {
        shard: [rendered(manifest, clip, "system", look(shard), pair_id=f"same_identity/{clip.clip_id}/{clip.clip_id}")]
        for shard, clip in enumerate(clips)
    }
    add_system(manifest, "system", renders)
    assert main(["score", corpus, "--metrics", "psnr,ssim_rgb,cpbd"]) == 0
    assert "6 renders looked at, 12 values." in capsys.readouterr().out
    out = [str(tmp_path / f"table.{suffix}") for suffix in ("md", "tex", "html")]
    assert main(["compare", corpus, "--out", out[0], "--out", out[1], "--out", out[2]]) == 0
    shown = capsys.readouterr().out
    assert "psnr_rgb" in shown
    assert "system, same_identity" in Path(out[0]).read_text()
    assert all(Path(path).stat().st_size > 200 for path in out)


@pytest.mark.slow
def test_all_is_every_metric_whose_files_can_be_had_and_the_others_are_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    manifest = made_corpus(tmp_path, clips=1)
    add_system(manifest, "system", {0: [rendered(manifest, clips_of(manifest)[0], "system", look(0))]})
    assert main(["score", str(tmp_path), "--metrics", "all"]) == 0
    shown = capsys.readouterr().out
    told = [line.removeprefix("left out ").partition(":")[0] for line in shown.splitlines() if line.startswith("left")]
    left = {variant for names in told for variant in names.split(", ")}
    assert main(["compare", str(tmp_path), "--out", str(tmp_path / "table.md")]) == 0
    table = (tmp_path / "table.md").read_text()
    for variant, metric in metrics_there().items():
        if variant in left:
            assert any(weight.found() is None for weight in metric.weights)
            continue
        (row,) = (line for line in table.splitlines() if line.startswith(f"| {variant} "))
        assert "(n=1)" in row or "(1 " in row  # a value, or the reason why there is none
    assert "LinAlgError" not in table


def test_what_libraries_say_stays_off_the_terminal(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """They write to the descriptors and not to `sys.stderr`, into the middle of the bar."""
    measure = Psnr.measure

    def says(metric: Psnr, video: Video) -> float:
        os.write(2, b"W0000 Disabling support for feedback tensors.\n")
        return measure(metric, video)

    monkeypatch.setattr(Psnr, "measure", says)
    manifest = made_corpus(tmp_path, clips=1)
    add_system(manifest, "system", {0: [rendered(manifest, clips_of(manifest)[0], "system", look(0))]})
    assert main(["score", str(tmp_path), "--metrics", "psnr_rgb"]) == 0
    shown = capfd.readouterr()
    assert "1 renders looked at, 1 values." in shown.out
    assert "W0000" not in shown.out + shown.err


def test_variants_that_lack_one_file_have_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    sync = "without syncnet.model (SyncNet)"
    left = {"lse_d_lrs": sync, "dists": "without vgg.pt", "lse_c_lrs": sync}
    monkeypatch.setattr("pipeline.scoring.score.chosen", lambda text: ([Psnr()], left))
    made_corpus(tmp_path, clips=1)
    assert main(["score", str(tmp_path)]) == 0
    lines = [line for line in capsys.readouterr().out.splitlines() if line.startswith("left out")]
    assert lines == ["left out lse_d_lrs, lse_c_lrs: without syncnet.model (SyncNet)", "left out dists: without vgg.pt"]


def test_the_metrics_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["score", "--list"]) == 0
    shown = capsys.readouterr().out
    for variant in ("psnr_rgb", "lmd_atvg_mesh", "csim_aligned", "frechet_identity", "fid_clean"):
        assert variant in shown


def test_what_cannot_be_done_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    corpus = str(tmp_path)
    made_corpus(tmp_path)
    assert main(["score", corpus, "--metrics", "sharpness"]) == 2
    assert "no metric 'sharpness'" in capsys.readouterr().err
    assert main(["score", corpus, "--made-by", "nobody", "--metrics", "psnr"]) == 2
    assert "there are those of recording" in capsys.readouterr().err
    assert main(["compare", corpus]) == 2
    assert main(["score"]) == 2
