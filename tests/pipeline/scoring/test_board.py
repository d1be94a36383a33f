import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from manifests.errors import UsageError
from manifests.manifest import Manifest
from manifests.tables import Pair
from operators.metrics.cpbd import Cpbd
from operators.metrics.psnr import Psnr
from pipeline.__main__ import main
from pipeline.corpus_steps.pairs import build_pairs, make_pairs
from pipeline.scoring.board import board, by_person
from pipeline.scoring.score import score
from pipeline.views.board import write_board
from tests.pipeline.scored_corpus import add_system, clips_of, look, made_corpus, rendered


def generated(manifest: Manifest, made_by: str, pairs: list[Pair], protocol: str = "same_identity") -> None:
    """What a system made of pairs, by shard."""
    clips = {clip.clip_id: clip for clip in clips_of(manifest)}
    by_shard = {}
    for pair in pairs:
        clip = clips[pair.driving_clip_id]
        shard = int(clip.source_id.removeprefix("s"))
        by_shard.setdefault(shard, []).append(
            rendered(manifest, clip, made_by, look(shard + 7 * (made_by == "two")), pair_id=pair.pair_id)
        )
    add_system(manifest, made_by, by_shard)


@pytest.fixture
def corpus(tmp_path: Path) -> Manifest:
    manifest = made_corpus(tmp_path / "corpus", clips=3)
    pairs = make_pairs(manifest, protocols=["same_identity"])
    generated(manifest, "one", pairs)
    generated(manifest, "two", pairs[:2])
    generated(manifest, "copy", pairs)
    generated(manifest, "three+random", pairs)
    score(manifest, [Psnr(), Cpbd()])
    return Manifest(manifest.root)


def test_a_row_without_every_pair_stands_apart(corpus: Manifest) -> None:
    found = board(corpus, "same_identity")
    assert [(row.maker, row.kind) for row in found.complete] == [
        ("recording", "recording"),
        ("one", "system"),
        ("copy", "floor"),
    ]
    assert [(row.maker, row.renders) for row in found.partial] == [("two", 2)]
    assert len(found.pairs) == found.persons == 3
    recording, one = found.complete[0], found.complete[1]
    assert "psnr_rgb" not in recording.cells  # a recording is what others are compared with
    assert one.cells["psnr_rgb"].pairs == 3
    assert one.cells["psnr_rgb"].low <= one.cells["psnr_rgb"].value <= one.cells["psnr_rgb"].high


def test_random_weights_are_shown_only_when_asked(corpus: Manifest) -> None:
    assert "three+random" not in {row.maker for row in board(corpus, "same_identity").rows}
    found = board(corpus, "same_identity", random=True)
    assert "three+random" in {row.maker for row in found.rows}
    assert any("Random weights" in note for note in found.notes)


def test_a_floor_that_is_not_made_is_told_where_it_could_be(corpus: Manifest) -> None:
    (note,) = (note for note in board(corpus, "same_identity").notes if "floors" in note)
    assert "mesh_warp" in note
    assert "speak" not in note  # it takes pairs of text_driven alone


def test_whose_sound_a_render_has_is_told(tmp_path: Path) -> None:
    manifest = made_corpus(tmp_path / "corpus", clips=2)
    people = {clip.clip_id: clip.source_id for clip in clips_of(manifest)}
    pairs = build_pairs(clips_of(manifest), people, set(people), {}, protocols=["text_driven"])
    manifest.write_whole(Pair, "Pairs-000000000000", pairs)
    generated(manifest, "speak", pairs)
    score(manifest, [Cpbd()])
    assert any("those of speak have the sound that it speaks" in note for note in board(manifest, "text_driven").notes)


def test_an_interval_is_over_persons_and_not_over_clips() -> None:
    """Ten clips of one person and one of another: drawn by person the mean is anywhere between the two."""
    values = np.array([1.0] * 10 + [0.0])
    low, high = by_person(values, ["one"] * 10 + ["two"], 1000, 0)
    assert (low, high) == (0.0, 1.0)
    assert np.isnan(by_person(values, ["one"] * 11, 1000, 0)).all()


def test_values_of_other_protocols_are_withheld_and_told(corpus: Manifest) -> None:
    score(corpus, [Psnr()], made_by="one", size=64)
    found = board(Manifest(corpus.root), "same_identity")
    assert "psnr_rgb" not in {metric.variant for metric in found.metrics}
    assert "2 kinds" in found.withheld["psnr_rgb"]


def test_what_is_not_there_is_told_with_the_command_that_makes_it(corpus: Manifest, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="headset pairs .* --protocol cross_identity"):
        board(corpus, "cross_identity")
    bare = made_corpus(tmp_path / "bare")
    make_pairs(bare, protocols=["same_identity"])
    with pytest.raises(UsageError, match="headset generate .* --system copy"):
        board(bare, "same_identity")


def test_the_page_opens_from_disk_and_escapes_what_others_wrote(corpus: Manifest, tmp_path: Path) -> None:
    """Every file that the page names is in its folder, and nothing else is named."""
    found = board(corpus, "same_identity")
    hostile = "<script>alert('x')</script>"
    rows = tuple(replace(row, maker=hostile) if row.maker == "one" else row for row in found.rows)
    renders = {(pair, hostile if maker == "one" else maker): render for (pair, maker), render in found.renders.items()}
    page = write_board(replace(found, complete=rows, partial=(), renders=renders, notes=(hostile,)), tmp_path / "board")
    text = page.read_text()
    assert hostile not in text
    assert "&lt;script&gt;alert(&#x27;x&#x27;)" in text
    named = set(re.findall(r"(?:src|href|poster)=['\"]([^'\"]+)", text))
    assert named
    assert all((page.parent / name).is_file() for name in named)
    assert not re.search(r"https?://", text)


def test_the_command_prints_the_board_and_writes_it(
    corpus: Manifest, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert (
        main(["compare", corpus.root, "--protocol", "same_identity", "--out", str(tmp_path / "page"), "--players", "1"])
        == 0
    )
    shown = " ".join(capsys.readouterr().out.split())
    assert "two (2 of 3 pairs)" in shown
    text = (tmp_path / "page" / "index.html").read_text()
    assert text.count("<section") == 1
    assert "2 more pairs" in text
    assert main(["compare", corpus.root, "--protocol", "same_identity", "--out", str(tmp_path / "t.tex")]) == 2
