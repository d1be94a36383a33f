"""What `run` and `plan` make of what was named: nothing is passed over, and nothing is done twice."""

import shutil
from pathlib import Path

import pytest

from manifests.manifest import LISTED, Manifest
from manifests.tables import Published, Source
from pipeline.__main__ import main
from tests.made_videos import write_video

TOY = str(Path(__file__).parents[1] / "toy_recipe.py")


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEADSET_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def videos(tmp_path: Path) -> Path:
    folder = tmp_path / "videos"
    folder.mkdir()
    write_video(folder / "good.mp4", [("red", 1.0)], size=(64, 64))
    return folder


@pytest.mark.parametrize("command", ["plan", "run"])
def test_a_name_that_is_not_there_ends_the_command_with_the_nearest(
    command: str, videos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "corpus"
    assert main([command, TOY, str(tmp_path / "vidoes"), "--out", str(out)]) == 2
    assert f"did you mean {videos}?" in capsys.readouterr().err.replace("\n", "")
    assert not out.exists()


def test_plan_takes_no_part_of_what_was_named_for_all_of_it(videos: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["plan", TOY, str(videos), str(videos / "godo.mp4")]) == 2
    assert f"did you mean {videos / 'good.mp4'}?" in capsys.readouterr().err.replace("\n", "")


def test_a_line_of_a_list_is_text(videos: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (videos / "list.txt").write_text("[/nothing] here.mp4\ngood.mp4\n")
    assert main(["plan", TOY, str(videos / "list.txt")]) == 0
    told = " ".join(capsys.readouterr().out.split())
    assert "missing_file: [/nothing] here.mp4; in list.txt line 1" in told
    assert "list.txt: 2 lines, 1 source, 1 refused (missing_file 1)" in told


def test_a_folder_that_was_renamed_is_taken_and_nothing_is_done_again(
    videos: Path, tmp_path: Path, ray_here: None, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "corpus"
    (videos / "list.csv").write_text("path,start,end\ngood.mp4,0,0.5\ngood.mp4,0.5,0.9\n")
    assert main(["run", TOY, str(videos / "list.csv"), "--out", str(out)]) == 0
    assert "the 2 clips of the lists are cut as they are by headset run rebuild" in " ".join(
        capsys.readouterr().out.split()
    )
    before = {path: path.stat().st_mtime_ns for path in (out / "receipts").rglob("*.json")}
    moved = videos.rename(tmp_path / "renamed")
    assert main(["run", TOY, str(moved / "list.csv"), "--out", str(out)]) == 0
    assert "1 sources lie elsewhere now; nothing is done again for that." in capsys.readouterr().out
    assert {path: path.stat().st_mtime_ns for path in (out / "receipts").rglob("*.json")} == before
    manifest = Manifest(str(out))
    (shard,) = manifest.shards()
    assert [source.uri for source in manifest.read(Source, [LISTED], shard)] == [str(moved / "good.mp4")]
    assert [(clip.start_s, clip.end_s) for clip in manifest.read(Published, [LISTED], shard)] == [
        (0.0, 0.5),
        (0.5, 0.9),
    ]


def test_clips_that_come_too_late_are_refused(videos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "corpus"
    (videos / "list.csv").write_text("path,start,end\ngood.mp4,0,0.5\n")
    shutil.copy(videos / "list.csv", videos / "late.csv")
    from pipeline.listing import list_sources

    listing = list_sources([str(videos / "good.mp4")])
    Manifest(str(out)).add(listing.sources)
    assert main(["run", "rebuild", str(videos / "late.csv"), "--out", str(out)]) == 2
    assert "lists the sources of 1 of these clips already, without them" in " ".join(capsys.readouterr().err.split())
