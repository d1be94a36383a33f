"""A corpus rebuilt from its manifest after its sources were removed, re-encoded, cut and swapped."""

import json
import os
import shutil
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from manifests.errors import UsageError
from manifests.ledger import RunRecord, StepRecord
from manifests.manifest import Manifest
from manifests.tables import Clip, Published, Render, Source, Split
from operators.clips.render_clips import RenderClips
from pipeline.__main__ import main
from pipeline.query.clip_view import select_rows as rows_of
from pipeline.rebuild import compared, drift, list_again, published_rows, rebuild_recipe
from tests.made_copies import FRAMES_FROM_ZERO, copy_of
from tests.made_videos import tone, write_video
from tests.pipeline.rebuilt_recipe import LATE_S

RECIPE = str(Path(__file__).with_name("rebuilt_recipe.py"))
WHOLE = f"{FRAMES_FROM_ZERO},scale=160:90"


def wandering(seed: int, time_s: float) -> np.ndarray:
    """Two soft spots on ways of their own."""
    rows, columns = np.mgrid[0:180, 0:320]
    luma = np.full((180, 320), 60.0)
    for n in range(2):
        x, y = (
            160 + 110 * np.sin((0.7 + 0.31 * seed + n) * time_s + seed),
            90 + 60 * np.cos((1.1 + 0.17 * seed - 0.4 * n) * time_s + n),
        )
        luma += 130 * np.exp(-((columns - x) ** 2 + (rows - y) ** 2) / (2 * (28 + 6 * n) ** 2))
    return np.repeat(np.clip(luma, 0, 255).astype(np.uint8)[..., None], 3, axis=2)


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory, ray_here: None) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("rebuild")
    videos = folder / "videos"
    videos.mkdir()
    for n, name in enumerate(("same", "smaller", "later", "swapped", "gone")):
        write_video(videos / f"{name}.mp4", [(partial(wandering, n), 10.0)], audio=tone(10.0), crf=12)
    assert main(["run", RECIPE, str(videos), "--out", str(folder / "corpus"), "--workers", "1"]) == 0
    return folder / "corpus", videos


def test_every_clip_ends_with_its_verdict(
    corpus: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first, videos = corpus
    left = tmp_path / "left"
    shutil.copytree(videos, left)
    copy_of(videos / "smaller.mp4", left / "smaller.mp4", WHOLE, 26)
    copy_of(videos / "later.mp4", left / "later.mp4", "trim=start=3.2,setpts=PTS-STARTPTS", 20)
    shutil.copy(videos / "gone.mp4", left / "swapped.mp4")
    (left / "gone.mp4").unlink()
    os.rename(videos, videos.with_name("away"))  # nothing but what --sources names is there
    try:
        capsys.readouterr()
        command = ["rebuild", str(first), "--out", str(tmp_path / "again"), "--sources", str(left)]
        assert main([*command, "--workers", "1", "--json"]) == 0
        told = json.loads(capsys.readouterr().out)
    finally:
        os.rename(videos.with_name("away"), videos)
    manifest = Manifest(str(tmp_path / "again"))
    names = {
        source_id: Path(uri).stem
        for source_id, uri in rows_of(Manifest(str(first)), "select source_id, uri from sources").fetchall()
    }
    ends = {(names[v.source_id], v.published_id.split("/")[2]): v for v in drift(manifest)}
    early, late = "001000-003000", "004500-007480"
    assert {key: v.verdict for key, v in ends.items()} == {
        ("same", early): "identical", ("same", late): "identical",
        ("smaller", early): "equivalent", ("smaller", late): "equivalent",
        ("later", early): "changed", ("later", late): "equivalent",
        ("swapped", early): "changed", ("swapped", late): "changed",
        ("gone", early): "gone", ("gone", late): "gone",
    }  # fmt: skip
    assert ends["later", late].moved_s == pytest.approx(-3.2, abs=1e-3)
    assert ends["smaller", late].moved_s == pytest.approx(0, abs=1e-3)
    assert ends["gone", late].why.startswith("missing_file")
    assert ends["swapped", late].why.startswith("moment_not_found")
    assert sum(told["counts"].values()) == len(told["clips"]) == 10
    # What is the same is the same to the bit, under the same ids and at the same size.
    old, new = (
        {row["clip_id"]: row for row in Manifest(str(root)).table(Render).to_pylist()}
        for root in (first, tmp_path / "again")
    )  # fmt: skip
    same = [clip_id for clip_id in old if names[clip_id.split("/")[0]] == "same"]
    assert len(same) == 2
    assert all(old[clip_id] == new[clip_id] for clip_id in same)
    # Its sound, which its source has late, was moved once more.
    for root in (first, tmp_path / "again"):
        late_s = dict(rows_of(Manifest(str(root)), "select clip_id, sound_late_s from clips").fetchall())
        assert {clip_id.split("/")[1]: late_s[clip_id] for clip_id in same} == {early: LATE_S, late: 0.0}
    (box,) = rows_of(
        manifest,
        "select left_px, top_px, right_px, bottom_px from clips where published_id ="
        f" '{ends['smaller', late].published_id}'",
    ).fetchall()
    assert box == (20.0, 5.0, 90.0, 75.0)


def test_a_part_can_be_rebuilt_and_gone_on_with(corpus: tuple[Path, Path], tmp_path: Path) -> None:
    first, videos = corpus
    wanted = Manifest(str(first)).table(Clip)["clip_id"].to_pylist()[3]
    command = [
        "rebuild",
        str(first),
        "--out",
        str(tmp_path / "part"),
        "--sources",
        str(videos),
        "--clip",
        wanted,
        "--workers",
        "1",
    ]
    assert main(command) == 0
    (verdict,) = drift(Manifest(str(tmp_path / "part")))
    assert (verdict.published_id, verdict.verdict) == (f"headset/{wanted}", "identical")
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "part" / "renders").rglob("*.parquet")}
    assert main(command) == 0
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "part" / "renders").rglob("*.parquet")} == before


def test_what_was_rebuilt_can_be_published_again(corpus: tuple[Path, Path]) -> None:
    first, _ = corpus
    rows = [row for _, found in published_rows(Manifest(str(first))) for row in found if isinstance(row, Published)]
    assert len(rows) == 10
    assert all(row.frames_sha256 and row.source_sha256 and len(row.looks) == 70 * len(row.looks_s) for row in rows)


def test_a_split_goes_with_its_clip(corpus: tuple[Path, Path], tmp_path: Path) -> None:
    shutil.copytree(corpus[0], tmp_path / "corpus")
    manifest = Manifest(str(tmp_path / "corpus"))
    first, *others = manifest.table(Clip)["clip_id"].to_pylist()
    rows = [Split(clip.split("/")[0], f"{clip}/test", clip, "test", "g") for clip in [first]] + [
        Split(clip.split("/")[0], f"{clip}/train", clip, "train", "g") for clip in others
    ]
    manifest.write_whole(Split, "Split-made", rows)
    out = Manifest(str(tmp_path / "out"))
    assert list_again(Manifest(manifest.root), out, splits=["test"], sources=corpus[1]) == 1
    (row,) = out.table(Published).to_pylist()
    assert (row["published_id"], row["split"]) == (f"headset/{first}", "test")


def test_another_encoder_of_the_same_frames_is_said(corpus: tuple[Path, Path]) -> None:
    render = Manifest(str(corpus[0])).table(Render).to_pylist()[0]
    listed = Published(
        "s", "headset/x", "headset", "x", 0.0, 1.0, None, None, 0.0, None, 0, 0, 1, 1, 1, 1, "", "", "",
        frames_sha256=render["frames_sha256"], encoder="another build",
    )  # fmt: skip
    assert compared(listed, listed, Render(**render)) == (
        "identical",
        f"the file was encoded by another build, now by {render['encoder']}",
    )
    same = replace(listed, encoder=render["encoder"])
    assert compared(same, same, Render(**render)) == ("identical", "")


@pytest.mark.parametrize(("kept", "pixels"), [({"size": 64}, "rgb"), ({"size": 64, "pixels": "yuv"}, "yuv")])
def test_what_was_rendered_before_there_was_a_choice_of_pixels_is_rendered_as_it_was(
    tmp_path: Path, kept: dict[str, object], pixels: str
) -> None:
    manifest = Manifest(str(tmp_path))
    step = StepRecord(RenderClips.__name__, "RenderClips-0", 0, "clips", ["renders"], [], {}, kept, [])
    manifest.remember(RunRecord("made", [step]))
    (rendering,) = [
        step.operator for step in rebuild_recipe(manifest).plan().steps if isinstance(step.operator, RenderClips)
    ]
    assert (rendering.size, rendering.pixels) == (64, pixels)


def test_says_what_is_wrong(corpus: tuple[Path, Path], tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    first, _ = corpus
    assert main(["rebuild", str(first), "--out", str(tmp_path / "none"), "--split", "test"]) == 2
    assert "publishes no clip that fits" in capfd.readouterr().err


@pytest.mark.parametrize("uri", ["/etc/passwd", "../../secret.txt", "secret.txt", "~/secret.txt", ".", "/"])
def test_no_file_is_read_because_a_manifest_names_it(tmp_path: Path, uri: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A foreign manifest says where a source lies: that is looked for by its name, in the folder that is named here."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "secret.txt").write_text("of this machine")
    (tmp_path / "sources").mkdir()
    row = Published("s", "list/x", "list", "x", 0.0, 1.0, None, None, 0.0, None, 0, 0, 1, 1, 1, 1, "", "", "")
    foreign = Manifest(str(tmp_path / "foreign"))
    foreign.add([Source("s", uri)], given=[row])
    with pytest.raises(
        UsageError, match="1 of the sources of .* are files, which are looked for under --sources alone"
    ):
        list_again(foreign, Manifest(str(tmp_path / "out")))
    assert not (tmp_path / "out").exists()
    out = Manifest(str(tmp_path / "again"))
    assert list_again(foreign, out, sources=tmp_path / "sources") == 1
    (source,) = out.table(Source).to_pylist()
    assert Path(source["uri"]).is_relative_to(tmp_path / "sources")
    assert not Path(source["uri"]).is_file()
