import re
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from manifests.errors import UsageError
from manifests.ledger import Receipt
from manifests.manifest import Manifest, StepRecord
from manifests.tables import Dropped, Features, Render, Score
from operators.metrics.csim import Csim
from operators.metrics.frechet import Moments, frechet_distance
from operators.metrics.frechet_identity import FrechetIdentity
from operators.metrics.psnr import Psnr
from pipeline.corpus_steps.pairs import make_pairs
from pipeline.scoring.compare import compare, interval
from pipeline.scoring.comparison_text import latex, markdown, page, rows_of
from pipeline.scoring.score import score
from tests.pipeline.scored_corpus import add_system, clips_of, look, made_corpus, rendered


def scored(root: Path, clips: int = 3, refused: bool = False) -> Manifest:
    manifest = made_corpus(root, clips)
    for name, strength in (("good", 3), ("bad", 40)):
        renders = {
            shard: [
                rendered(manifest, clip, name, lambda at_s, shard=shard, by=strength: look(shard)(at_s) // 2 + 64 + by)
            ]
            for shard, clip in enumerate(clips_of(manifest))
        }
        if refused and name == "bad":
            renders[0] = [rendered(manifest, clips_of(manifest)[0], name, look(0), frames=30)]
        add_system(manifest, name, renders)
    score(manifest, [Psnr(), Psnr("psnr_y")])
    return manifest


def write(manifest: Manifest, table: type, rows: Iterable, place: str) -> None:
    step = StepRecord(place, f"{place}-000000000000", -1, "renders", [table.table], [], {}, {}, [])
    held = list(rows)
    for shard in manifest.shards():
        manifest.write(table, step.version, shard, [row for row in held if row.source_id == f"s{shard}"])
        manifest.write(Dropped, step.version, shard, [])
        manifest.commit(step.version, shard, Receipt("X"))
    manifest.attach(place, step)


def test_means_are_over_clips_with_interval_and_refusals(tmp_path: Path) -> None:
    manifest = scored(tmp_path, refused=True)
    found = compare(manifest, resamples=200)
    assert found.makers == ["bad", "good"]
    values = [
        row["value"]
        for row in manifest.table(Score).to_pylist()
        if row["subject"].endswith("@good") and row["variant"] == "psnr_rgb"
    ]
    good, bad = found.cells["psnr_rgb", "good"], found.cells["psnr_rgb", "bad"]
    assert good.value == pytest.approx(np.mean(values))
    assert good.low <= np.mean(values) <= good.high
    assert (good.clips, bad.clips, dict(bad.refused)) == (3, 2, {"length_mismatch": 1})
    text = markdown(found)
    assert "1 length_mismatch" in text
    assert re.search(r"psnr_rgb ↑ \| [\d.]+ \[[\d.]+, [\d.]+\] \(n=2, 1 length_mismatch\)", text)
    assert compare(manifest, resamples=200).cells == found.cells


def test_what_differs_in_protocol_is_withheld_and_told(tmp_path: Path) -> None:
    manifest = scored(tmp_path)
    score(manifest, [Psnr()], made_by="bad", size=64)
    found = compare(manifest)
    assert {found.cells["psnr_rgb", maker].withheld for maker in ("good", "bad")} == {"protocols differ"}
    assert all(found.cells["psnr_rgb", maker].value is None for maker in ("good", "bad"))
    assert found.cells["psnr_y", "bad"].value is not None
    (note,) = found.notes
    assert "they differ in size (128x128 or 64x64 scaled)" in note
    assert "3 of" in note
    chosen = compare(manifest, protocol="64x64")
    assert (chosen.makers, chosen.notes) == (["bad"], [])
    assert chosen.cells["psnr_rgb", "bad"].value is not None


def test_what_differs_in_model_is_withheld(tmp_path: Path) -> None:
    manifest = scored(tmp_path)
    rows = [
        Score(f"s{n}", f"r{n}#lpips_alex", row["render_id"], "lpips", "lpips_alex", 0.1 * n, model, "same")
        for n, (row, model) in enumerate(zip(sorted_renders(manifest, "good"), ("aa", "aa", "bb"), strict=True))
    ]
    write(manifest, Score, rows, "lpips")
    found = compare(manifest)
    assert found.cells["lpips_alex", "good"].withheld
    assert "by model bb" in found.notes[0]


@pytest.mark.slow
def test_identity_across_persons_stands_apart_and_is_not_withheld(tmp_path: Path) -> None:
    metric = Csim("csim_whole_frame_faceplugin")
    for weight in metric.weights:
        weight.path()
    manifest = made_corpus(tmp_path)
    pairs = make_pairs(manifest)
    renders: dict[int, list[Render]] = {shard: [] for shard in manifest.shards()}
    for pair in pairs:
        shard = int(pair.source_id[1:])
        if pair.protocol in ("same_identity", "cross_identity"):
            renders[shard].append(
                rendered(manifest, clips_of(manifest)[shard], "system", look(shard), pair_id=pair.pair_id)
            )
    add_system(manifest, "system", renders)
    score(manifest, [metric])
    found = compare(manifest)
    same, across = (found.cells["csim_whole_frame_faceplugin", f"system, {one}_identity"] for one in ("same", "cross"))
    assert (same.clips, across.clips, found.notes) == (3, 3, [])
    assert same.value is not None
    assert across.value is not None
    assert same.value > 0.9 > across.value
    assert len(found.protocols["csim_whole_frame_faceplugin"]) == 2


def sorted_renders(manifest: Manifest, made_by: str) -> list[dict]:
    return sorted(
        (row for row in manifest.table(Render).to_pylist() if row["made_by"] == made_by),
        key=lambda row: row["source_id"],
    )


def test_a_metric_of_sets_is_that_of_all_features_whatever_the_shards(tmp_path: Path) -> None:
    numbers = np.random.default_rng(0)
    made: dict[str, list[NDArray[np.float32]]] = {
        maker: [numbers.normal(by, 1, (9 + n, 4)).astype(np.float32) for n in range(6)]
        for maker, by in (("recording", 0), ("good", 0.1), ("bad", 2))
    }
    manifest = scored(tmp_path, clips=6)
    rows = [
        Features(row["source_id"], f"{row['render_id']}#f", row["render_id"], "frechet_identity", "frechet_identity",
                 len(made[maker][n]), 4, made[maker][n].tobytes(), "aa", "same")
        for maker in made for n, row in enumerate(sorted_renders(manifest, maker))
    ]  # fmt: skip
    write(manifest, Features, rows, "features")
    found = compare(manifest, set_resamples=20)
    for maker in ("good", "bad"):
        whole = frechet_distance(*(Moments.of(np.concatenate(made[one])) for one in (maker, "recording")))
        cell = found.cells["frechet_identity", maker]
        assert cell.value == pytest.approx(whole, abs=1e-6)
        assert cell.clips == 6
        assert cell.low < cell.high
    assert found.cells["frechet_identity", "good"].value < found.cells["frechet_identity", "bad"].value  # type: ignore[operator]


def test_the_interval_is_the_bootstrap_s() -> None:
    values = np.random.default_rng(1).normal(5, 2, 40)
    low, high = interval(lambda weights: weights @ values / 40, 40, 4000, 0)
    wanted = 1.96 * values.std() / np.sqrt(40)
    assert (low, high) == pytest.approx((values.mean() - wanted, values.mean() + wanted), abs=0.05)
    assert all(np.isnan(bound) for bound in interval(lambda weights: 0.0, 1, 100, 0))


def test_latex_and_page_hold_the_table(tmp_path: Path) -> None:
    found = compare(scored(tmp_path))
    text = latex(found)
    assert text.count(r"\\") == len(rows_of(found))
    assert r"psnr\_rgb $\uparrow$" in text
    whole = page(found)
    assert whole.startswith("<!doctype html>")
    assert not re.search(r"(src|href)=\"(?!data:)", whole)  # nothing from elsewhere
    for cell in (cell for row in rows_of(found) for cell in row):
        assert cell in whole
    assert page(compare(Manifest(found.corpus))) == whole


def test_nothing_scored_says_so(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="headset score"):
        compare(made_corpus(tmp_path))


def test_a_set_metric_leaves_features_of_recordings_too(tmp_path: Path) -> None:
    manifest = scored(tmp_path)
    tally = score(manifest, [FrechetIdentity()])
    assert (tally.renders, tally.scores) == (9, 0)
    assert set(tally.drops) == {("frechet_identity", "no_face")}
