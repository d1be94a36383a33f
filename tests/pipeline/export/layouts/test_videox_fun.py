"""VideoX-Fun's files, read back, and each trap of its loader made on purpose."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from pipeline.export.checks import sound_facts, video_facts, wav_facts
from pipeline.export.clip import ExportClip
from pipeline.export.files import write_mp4, write_wav
from pipeline.export.layout import Given
from pipeline.export.video import put_video
from tests.pipeline.export.layouts.conftest import all_exported, exported, problem

A = "a-000000-006880-t0"


@pytest.fixture(scope="module")
def posed(talks: list[ExportClip], tmp_path_factory: pytest.TempPathFactory) -> Path:
    return all_exported(
        "videox_fun", talks[:1], tmp_path_factory.mktemp("posed"), Given(substitutes=frozenset(["pose"]))
    )


@pytest.fixture(scope="module")
def made(talks: list[ExportClip], tmp_path_factory: pytest.TempPathFactory) -> Path:
    return all_exported("videox_fun", talks, tmp_path_factory.mktemp("videox_fun"))


def rows_of(folder: Path) -> list[dict]:
    return json.loads((folder / "metadata.json").read_text())


def test_the_list_names_what_is_there(made: Path, talks: list[ExportClip]) -> None:
    row = rows_of(made)[0]
    assert row == {
        "file_path": f"train/{A}.mp4", "audio_path": f"wav/{A}.wav", "wav_48k_path": f"wav_48k/{A}.wav",
        "text": "A person speaking.", "type": "video",
        "width": 256, "height": 256,
    }  # fmt: skip
    assert video_facts(made / row["file_path"]) == (172, 256, 256, 25.0)
    assert (made / row["file_path"]).read_bytes() == talks[0].path.read_bytes(), "the render itself: nothing is lost"
    assert wav_facts(made / row["audio_path"]) == (16000, 172 * 640)
    assert sound_facts(made / row["wav_48k_path"]) == (48000, 1, 172 * 1920)
    assert json.loads((made / "metadata_test.json").read_text()) == []
    report = json.loads((made / "export.json").read_text())
    assert (report["caption"], report["sound"]) == ({"measured": 2}, {"render: the source is mono": 2})


def test_beside_a_pose_video_every_second_frame_is_of_16_a_second(posed: Path) -> None:
    (row,) = rows_of(posed)
    assert video_facts(posed / row["file_path"]) == video_facts(posed / f"control/{A}.mp4") == (220, 256, 256, 32.0)
    assert wav_facts(posed / row["audio_path"]) == (16000, 172 * 640)
    assert json.loads((posed / "export.json").read_text())["substituted"] == {
        "pose": "the 68 points of MediaPipe's mesh, drawn in lines on black: no body, and no DWPose"
    }


def test_another_rate_is_brought_to_25(talks: list[ExportClip], tmp_path: Path) -> None:
    clip = replace(talks[0], fps=12.5)  # its file then takes twice as long
    sound = np.zeros(2 * 172 * 1920, np.float32)
    write_mp4(tmp_path / "slow.mp4", list(talks[0].pictures(64)), 12.5, sound, 48000)
    clip = replace(clip, width=64, height=64)
    clip.__dict__["path"] = tmp_path / "slow.mp4"
    put_video(clip, tmp_path / "out.mp4", 25)
    assert video_facts(tmp_path / "out.mp4") == (344, 64, 64, 25.0)


def test_a_given_pose_must_fit(talks: list[ExportClip], tmp_path: Path) -> None:
    (tmp_path / "pose").mkdir()
    black = np.zeros((64, 64, 3), np.uint8)
    write_mp4(tmp_path / f"pose/{A}.mp4", [black] * 220, 32)
    write_mp4(tmp_path / "pose/b-000000-006880-t0.mp4", [black] * 172, 25)
    written, refused = exported("videox_fun", talks, tmp_path / "to", Given({"pose": tmp_path / "pose"}))
    assert [one.clip_id[0] for one in written] == ["a"]
    assert [(one.reason, one.detail) for one in refused] == [
        ("pose_differs", "b-000000-006880-t0.mp4: 172 frames at 25 a second for 220 at 32")
    ]


def changed(folder: Path, **values: object) -> None:
    rows = rows_of(folder)
    rows[0] = {key: value for key, value in {**rows[0], **values}.items() if value is not None}
    (folder / "metadata.json").write_text(json.dumps(rows))


@pytest.mark.parametrize("key", ["file_path", "audio_path", "text"])
def test_a_missing_key_is_told(broken: Path, key: str) -> None:
    changed(broken, **{key: None})
    assert f"entry 0: has no {key}" in problem("videox_fun", broken)


def test_a_wav_that_is_shorter_than_the_pictures_is_told(broken: Path) -> None:
    write_wav(broken / f"wav/{A}.wav", np.zeros(172 * 640 - 320, np.float32))
    assert "takes 6.860 s, the pictures 6.880 s: the loader never uses the end" in problem("videox_fun", broken)
    (broken / f"wav/{A}.wav").unlink()
    assert f"wav/{A}.wav does not read" in problem("videox_fun", broken)


@pytest.mark.parametrize("fps", [29.97, 30])
def test_another_rate_than_25_is_told(broken: Path, fps: float) -> None:
    write_mp4(broken / f"train/{A}.mp4", [np.zeros((256, 256, 3), np.uint8)] * 30, fps)
    assert f"has {fps} frames a second; the loader tells the model the whole part" in problem("videox_fun", broken)


@pytest.mark.parametrize(("fps", "told"), [(25, True), (64, True), (24, False)])
def test_a_rate_of_which_a_half_is_no_whole_number_is_told_beside_a_pose_video(
    posed: Path, tmp_path: Path, fps: int, told: bool
) -> None:
    to = shutil.copytree(posed, tmp_path / "broken")
    for folder in ("train", "control"):
        write_mp4(to / f"{folder}/{A}.mp4", [np.zeros((256, 256, 3), np.uint8)] * 30, fps)
    assert (f"has {fps} frames a second beside a pose video" in problem("videox_fun", to)) is told


def test_a_file_that_is_listed_twice_and_an_empty_list_are_told(broken: Path) -> None:
    (broken / "metadata.json").write_text(json.dumps(rows_of(broken)[:1] * 2))
    assert f"train/{A}.mp4: is listed 2 times" in problem("videox_fun", broken)
    (broken / "metadata.json").write_text("[]")
    assert "metadata.json: names no clip" in problem("videox_fun", broken)


def test_a_pose_video_of_another_length_is_told(posed: Path, tmp_path: Path) -> None:
    to = shutil.copytree(posed, tmp_path / "broken")
    write_mp4(to / f"control/{A}.mp4", [np.zeros((256, 256, 3), np.uint8)] * 219, 32)
    assert f"control/{A}.mp4 has 219 frames at 32 a second, the video 220 at 32" in problem("videox_fun", to)


def test_a_wrong_size_and_a_file_that_is_no_video_are_told(broken: Path) -> None:
    changed(broken, width=512)
    assert "is 256x256, and the list says 512x256" in problem("videox_fun", broken)
    (broken / f"train/{A}.mp4").write_bytes(b"no video")
    assert f"train/{A}.mp4: does not decode" in problem("videox_fun", broken)
