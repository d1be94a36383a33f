"""The VoxCeleb layout as mp4, read back, and broken in the ways the loader would choke on."""

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from operators.media.frames import VideoFrames
from pipeline.export.checks import video_facts
from pipeline.export.clip import ExportClip
from pipeline.export.files import write_mp4
from tests.made_videos import write_video
from tests.pipeline.export.layouts.conftest import all_exported, exported, made_corpus, problem


@pytest.fixture
def made(clips: list[ExportClip], tmp_path: Path) -> Path:
    return all_exported("fomm", clips, tmp_path)


def test_videos_are_named_by_person_and_show_the_clip(made: Path, clips: list[ExportClip]) -> None:
    names = {path.name for split in ("train", "test") for path in (made / split).iterdir()}
    assert names == {f"{clip.person}#{clip.source_id}#000000#000040.mp4" for clip in clips}
    clip = clips[0]
    video = made / clip.split / f"{clip.vox_name()}.mp4"
    assert video_facts(video) == (40, 256, 256, 25.0)
    shown = [frame.rgb().astype(float) for frame in VideoFrames(video)]
    assert np.mean([np.abs(ours - theirs).mean() for ours, theirs in zip(shown, clip.pictures(256), strict=True)]) < 3


def test_a_person_is_in_one_split_and_found_by_the_start_of_the_name(made: Path, clips: list[ExportClip]) -> None:
    for split in ("train", "test"):
        for person in {path.name.split("#")[0] for path in (made / split).iterdir()}:
            found = {path.name for path in (made / split).glob(f"{person}*.mp4")}
            assert found == {f"{clip.vox_name()}.mp4" for clip in clips if clip.person == person}


@pytest.mark.slow
def test_a_long_clip_is_cut_into_parts_the_reader_can_hold(tmp_path: Path) -> None:
    from pipeline.export.corpus_clips import clips_of

    manifest = made_corpus(tmp_path, {"a": [("red", 30.0), ("blue", 14.0)], "b": [("green", 0.4)]})
    written, _ = exported("fomm", clips_of(manifest), tmp_path / "to")
    long = next(one.note["names"] for one in written if one.clip_id.startswith("a/"))
    assert [name.split("#", 2)[2] for name in long] == ["000000#000550.mp4", "000550#001100.mp4"]
    assert [video_facts(tmp_path / "to" / name) for name in long] == [(550, 256, 256, 25.0)] * 2
    colours = [next(iter(VideoFrames(tmp_path / "to" / name, 10.0))).rgb()[128, 128].argmax() for name in long]
    assert colours == [0, 2], "the first part is red at 10 s, the second, which is at 32 s of the clip, blue"


def test_a_single_frame_is_refused(clips: list[ExportClip], tmp_path: Path) -> None:
    _, refused = exported("fomm", [*clips[:2], replace(clips[2], frames=1)], tmp_path)
    assert [one.reason for one in refused] == ["too_short"]


def test_a_split_without_a_video_is_told(made: Path) -> None:
    shutil.rmtree(made / "test")
    assert problem("fomm", made) == "test: holds no video, and the loader asserts both"


def test_videos_the_loader_cannot_use_are_told(made: Path) -> None:
    video = next((made / "train").iterdir())
    write_video(video, [("red", 0.4)], size=(320, 256))
    assert f"train/{video.name}: is 320x256, not 256x256" in problem("fomm", made)
    write_mp4(video, [np.zeros((256, 256, 3), np.uint8)], 25)
    assert "has 1 frames, the loader takes 2 to 1302" in problem("fomm", made)
    write_mp4(video, [np.zeros((256, 256, 3), np.uint8)] * 1303, 25)
    assert "has 1303 frames" in problem("fomm", made)
    video.write_bytes(b"no video")
    assert "does not decode" in problem("fomm", made)
    video.rename(video.with_name("someone.mp4"))
    assert "train/someone.mp4: is not named person#video#start#end.mp4" in problem("fomm", made)
