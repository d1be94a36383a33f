from dataclasses import replace
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest

from manifests.errors import UsageError, WeightError
from manifests.ledger import Receipt
from manifests.manifest import Manifest, RunRecord, StepRecord
from manifests.tables import Annotation, Clip, Dropped, Pair, Render, Score
from operators.media.frames import VideoFrames
from operators.metrics.base import NOTHING, Variant, Video, WordMetric
from operators.metrics.psnr import Psnr
from operators.metrics.ssim import Ssim
from operators.protocol import Protocol
from pipeline.corpus_steps.common import all_rows
from pipeline.corpus_steps.pairs import make_pairs
from pipeline.scoring.compare import compare
from pipeline.scoring.comparison_text import told
from pipeline.scoring.score import chosen, metrics_there, plan, score
from tests.pipeline.scored_corpus import FPS, FRAMES, STEP, add_system, clips_of, look, made_corpus, rendered

METRICS = [Psnr(), Psnr("psnr_y"), Ssim()]


def noisy(number: int, strength: float):
    def shown(at_s: float):
        noise = np.random.default_rng(round(at_s * FPS)).normal(0, strength, (128, 128, 3))
        return np.clip(look(number)(at_s) + noise, 0, 255).astype(np.uint8)

    return shown


def test_scores_equal_the_metric_on_the_frames_and_are_not_made_twice(tmp_path: Path) -> None:
    manifest = made_corpus(tmp_path)
    clips = clips_of(manifest)
    renders = {shard: [rendered(manifest, clip, "system", noisy(shard, 20))] for shard, clip in enumerate(clips)}
    add_system(manifest, "system", renders)
    tally = score(manifest, METRICS)
    assert (tally.renders, tally.scores, tally.drops) == (3, 9, {})
    rows = {row.score_id: row for row in all_rows(manifest, Score)}
    made = renders[1][0]
    recorded = next(
        row for row in all_rows(manifest, type(made)) if row.made_by == "recording" and row.clip_id == made.clip_id
    )
    shown, wanted = ([frame.rgb() for frame in VideoFrames(tmp_path / one.media)] for one in (made, recorded))
    for metric in METRICS:
        row = rows[f"{made.render_id}#{metric.variant}"]
        assert row.value == metric.measure(Video.of(shown, wanted))
        assert (row.metric, row.variant) == (metric.metric, metric.variant)
        protocol = Protocol.read(row.protocol)
        assert (protocol.size, protocol.fps) == ("128x128", "25")
        assert replace(protocol, size="", fps="", pairing="") == metric.definition.protocol
    assert score(manifest, METRICS).renders == 0
    files = sorted((tmp_path / "scores").rglob("*.parquet"))
    before = [file.read_bytes() for file in files]
    for receipt in (tmp_path / "receipts").glob("Ssim*/*.json"):
        receipt.unlink()
    assert score(Manifest(manifest.root), METRICS).scores == 3  # what is missing, and nothing else
    assert [file.read_bytes() for file in files] == before


def test_a_new_system_leaves_the_scores_of_others(tmp_path: Path) -> None:
    manifest = made_corpus(tmp_path)
    clips = clips_of(manifest)
    add_system(manifest, "one", {0: [rendered(manifest, clips[0], "one", look(0))]})
    assert score(manifest, METRICS[:1]).scores == 1
    add_system(manifest, "two", {0: [rendered(manifest, clips[0], "two", look(1))]})
    assert score(manifest, METRICS[:1]).scores == 1
    values = {row.subject.partition("@")[2]: row.value for row in all_rows(manifest, Score)}
    assert values["one"] > 35 > 12 > values["two"]


def test_the_step_follows_the_recordings_where_they_are_compared_with(tmp_path: Path) -> None:
    """Recordings that were rendered anew: what is compared with them is scored anew, and nothing else is."""

    class Alone(Psnr):
        compares = NOTHING

    def steps(**how: int) -> list[str]:
        return [step.version for step in plan(manifest, [Psnr(), Alone()], "system", **how).values()]

    manifest = made_corpus(tmp_path, clips=1)
    clip = clips_of(manifest)[0]
    add_system(manifest, "system", {0: [rendered(manifest, clip, "system", look(0))]})
    compared, alone = steps()
    assert steps() == [compared, alone]
    sized = steps(size=64)
    assert compared != sized[0]
    assert alone != sized[1]
    again = StepRecord("Again", "Again-000000000000", 0, "clips", ["renders"], [], {}, {}, [])
    manifest.write(Render, again.version, 0, [rendered(manifest, clip, "recording", look(1))])
    manifest.write(Dropped, again.version, 0, [])
    manifest.commit(again.version, 0, Receipt("X", rows={"renders": 1}))
    manifest.attach("again", again)
    assert steps()[1] == alone
    assert steps()[0] != compared


def of_another_rate_and_length(manifest: Manifest) -> dict[int, list[Render]]:
    first, second, *_ = clips_of(manifest)
    return {
        0: [rendered(manifest, first, "system", look(0), fps=30, frames=14)],
        1: [rendered(manifest, second, "system", look(1), frames=FRAMES + 6)],
    }


def test_what_cannot_be_compared_is_refused_with_a_reason(tmp_path: Path) -> None:
    manifest = made_corpus(tmp_path, clips=5)
    clips = clips_of(manifest)
    add_system(
        manifest,
        "system",
        {
            **of_another_rate_and_length(manifest),
            2: [rendered(manifest, clips[2], "system", lambda at_s: look(2)(at_s)[:64, :64], side=64)],
            3: [rendered(manifest, clips[3], "system", look(3), frames=FRAMES - 3)],
            4: [rendered(manifest, clips[4], "system", look(4), pair_id="nowhere")],
        },
    )
    score(manifest, METRICS[:1])
    reasons = {row.source_id: (row.reason, row.operator, row.failed) for row in all_rows(manifest, Dropped)}
    assert reasons == {
        "s0": ("fps_mismatch", "Psnr-psnr_rgb", False),
        "s1": ("length_mismatch", "Psnr-psnr_rgb", False),
        "s2": ("size_mismatch", "Psnr-psnr_rgb", False),
        "s4": ("pair_unknown", "Psnr-psnr_rgb", False),
    }
    assert [row.source_id for row in all_rows(manifest, Score)] == ["s3"]  # up to 5 frames: of the shorter
    steps = plan(manifest, METRICS[:1]).values()
    calls = [receipt.calls for step in steps for receipt in manifest.receipts(step.version).values()]
    assert (
        sum(one["read"] for one in calls) == 5 == sum(one["answered"] + one["dropped"] + one["failed"] for one in calls)
    )


def test_every_metric_that_compares_refuses_other_rates_and_lengths(tmp_path: Path) -> None:
    """Before it looks at anything, so that those whose network is not here can be asked as well."""
    manifest = made_corpus(tmp_path, clips=2)
    add_system(manifest, "system", of_another_rate_and_length(manifest))
    comparing = [metric for metric in metrics_there().values() if metric.compares != NOTHING]
    assert len(comparing) > 15
    score(manifest, comparing)
    found = {(row.operator, row.source_id): (row.reason, row.failed) for row in all_rows(manifest, Dropped)}
    assert found == {
        (metric.name, source): (reason, False)
        for metric in comparing
        for source, reason in (("s0", "fps_mismatch"), ("s1", "length_mismatch"))
    }
    counted = compare(manifest)
    for metric in comparing:
        assert counted.cells[metric.variant, "system"].refused == {"fps_mismatch": 1, "length_mismatch": 1}
        assert "1 fps_mismatch, 1 length_mismatch" in told(counted.cells[metric.variant, "system"])


def test_the_words_of_the_clip_reach_the_metric_that_hears_them(tmp_path: Path) -> None:
    class Heard(WordMetric):
        metric = "heard"
        known: ClassVar[dict[str, Variant]] = {"": Variant("", "how many frames, and when words are said")}

        def measure(self, looks: Video) -> float:
            return looks.frames + sum(100 + (note.start_s or 0.0) for note in looks.notes if note.name == "word")

    manifest = made_corpus(tmp_path, clips=2)
    clip = replace(clips_of(manifest)[0], sound_late_s=0.125)
    manifest.write(Clip, STEP.version, 0, [clip])
    said = [
        Annotation("s0", f"{clip.clip_id}#word@{n}", clip.clip_id, "word", "ABOUT", "list", n * 0.25, 1.0)
        for n in (1, 2)
    ]
    said.append(Annotation("s0", f"{clip.clip_id}#word", clip.clip_id, "word", "ABOUT", "list"))
    (before,) = plan(manifest, [Heard()]).values()
    step = StepRecord("Say", "Say-000000000000", 0, "clips", ["annotations"], [], {}, {}, [])
    for shard in manifest.shards():
        manifest.write(Annotation, step.version, shard, [row for row in said if not shard])
        manifest.write(Dropped, step.version, shard, [])
        manifest.commit(step.version, shard, Receipt("X"))
    manifest.attach("say", step)
    score(manifest, [Heard()])
    # as heard in the render: 0.125 and 0.375 s
    assert [row.value for row in all_rows(manifest, Score)] == [300.5 + FRAMES, FRAMES]
    (after,) = plan(manifest, [Heard()]).values()
    assert after.version != before.version  # other words, another step


def test_a_size_brings_both_sides_together(tmp_path: Path) -> None:
    manifest = made_corpus(tmp_path, clips=1)
    add_system(
        manifest,
        "system",
        {0: [rendered(manifest, clips_of(manifest)[0], "system", lambda at_s: look(0)(at_s)[::2, ::2], side=64)]},
    )
    score(manifest, METRICS[:1], size=64)
    (row,) = all_rows(manifest, Score)
    assert Protocol.read(row.protocol).size == "64x64 scaled"
    assert row.value > 20


def test_across_identities_nothing_is_asked_of_pixels(tmp_path: Path) -> None:
    manifest = made_corpus(tmp_path, clips=2)
    pair = next(pair for pair in make_pairs(manifest) if pair.protocol == "cross_identity")
    (shard,) = (number for number, clip in enumerate(clips_of(manifest)) if clip.clip_id == pair.driving_clip_id)
    render = rendered(manifest, clips_of(manifest)[shard], "system", look(0), pair_id=pair.pair_id)
    add_system(manifest, "system", {shard: [render]})
    score(manifest, METRICS[:1])
    (drop,) = all_rows(manifest, Dropped)
    assert drop.reason == "no_target"
    assert manifest.whole(Pair) is not None


def test_an_error_of_one_metric_is_a_row_and_spares_the_others(tmp_path: Path) -> None:
    class Broken(Psnr):
        def measure(self, looks: Video) -> float:
            next(iter(looks))
            raise RuntimeError("broken on purpose")

    manifest = made_corpus(tmp_path, clips=1)
    add_system(manifest, "system", {0: [rendered(manifest, clips_of(manifest)[0], "system", look(0))]})
    score(manifest, [Broken(), *METRICS[1:]])
    (drop,) = all_rows(manifest, Dropped)
    assert (drop.reason, drop.failed, "broken on purpose" in drop.detail) == ("RuntimeError", True, True)
    assert len(list(all_rows(manifest, Score))) == 2


def test_metrics_are_found_by_name() -> None:
    there = metrics_there()
    assert {
        "psnr_rgb",
        "psnr_y",
        "ssim_y",
        "ssim_rgb",
        "lpips_alex",
        "lpips_vgg",
        "niqe_matlab",
        "niqe_basicsr",
        "dists",
    } <= there.keys()
    assert [metric.variant for metric in chosen("psnr,ssim_rgb")[0]] == ["psnr_rgb", "ssim_rgb"]
    for variant, metric in there.items():
        assert metric.variant == variant
        assert metric.definition.better in ("higher", "lower", "")
        assert variant.startswith(metric.metric.partition("_")[0])
    with pytest.raises(UsageError, match="is it psnr"):
        chosen("psnrr")


def test_a_default_without_its_model_names_what_can_be_had(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Nobody has ArcFace's file unless a person put it there: its licence forbids carrying it along."""
    monkeypatch.setenv("HEADSET_WEIGHTS", str(tmp_path))
    with pytest.raises(
        WeightError, match=r"csim_aligned: glintr100[\s\S]*Or score another definition.*csim_aligned_faceplugin"
    ):
        chosen("csim")


def test_a_corpus_without_renders_says_so(tmp_path: Path) -> None:
    manifest = Manifest(str(tmp_path))
    with pytest.raises(UsageError, match="holds no renders"):
        plan(manifest, METRICS)


@pytest.mark.slow
def test_workers_give_the_same_bytes(tmp_path: Path, ray_here: None) -> None:
    made = {}
    for workers in (1, 2):
        manifest = made_corpus(tmp_path / str(workers))
        clips = clips_of(manifest)
        add_system(
            manifest,
            "system",
            {shard: [rendered(manifest, clip, "system", noisy(shard, 9))] for shard, clip in enumerate(clips)},
        )
        score(manifest, METRICS, workers=workers)
        files = sorted((tmp_path / str(workers) / "scores").rglob("*.parquet"))
        made[workers] = [(file.relative_to(tmp_path / str(workers)), file.read_bytes()) for file in files]
    assert made[1] == made[2]


def test_an_attached_step_counts_while_what_it_read_does(tmp_path: Path) -> None:
    manifest = made_corpus(tmp_path, clips=1)
    (clip,) = clips_of(manifest)
    record = StepRecord("Late", "Late-000000000000", -1, "renders", ["scores"], [], {"renders": [STEP.version]}, {}, [])
    manifest.write(Score, record.version, 0, [Score(clip.source_id, "x#y", "x", "y", "y", 1.0)])
    manifest.write(Dropped, record.version, 0, [])
    manifest.attach("late", record)
    assert list(all_rows(manifest, Score)) == []  # not committed
    manifest.commit(record.version, 0, Receipt("X", inputs=record.inputs))
    assert [row.score_id for row in all_rows(Manifest(manifest.root), Score)] == ["x#y"]
    manifest.attach("late", replace(record, inputs={"renders": ["RenderClips-gone"]}))
    assert list(all_rows(manifest, Score)) == []


def test_scores_that_compare_are_made_anew_with_other_recordings(tmp_path: Path) -> None:
    """A system's renders are what they were; what they are compared with was rendered anew, at another look."""
    manifest = made_corpus(tmp_path, clips=1)
    (clip,) = clips_of(manifest)
    add_system(manifest, "one", {0: [rendered(manifest, clip, "one", look(0))]})
    score(manifest, METRICS[:1])
    (before,) = all_rows(manifest, Score)
    other = replace(STEP, version="MakeClips-111111111111")
    manifest.write(Clip, other.version, 0, [clip])
    manifest.write(Render, other.version, 0, [rendered(manifest, clip, "recording", look(7))])
    manifest.write(Dropped, other.version, 0, [])
    manifest.commit(other.version, 0, Receipt("MakeClips", rows={"clips": 1, "renders": 1}))
    manifest.remember(RunRecord("made", [other]))
    manifest = Manifest(str(tmp_path))
    assert score(manifest, METRICS[:1]).scores == 1
    values = [row.value for row in all_rows(Manifest(str(tmp_path)), Score) if row.subject.endswith("@one")]
    assert values[-1] < before.value - 10
