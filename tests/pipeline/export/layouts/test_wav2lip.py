"""Wav2Lip's files, read back, and broken in the ways its loader would choke on."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pipeline.export.checks import wav_facts
from pipeline.export.clip import ExportClip
from pipeline.export.corpus_clips import clips_of
from pipeline.export.files import write_wav
from tests.pipeline.export.layouts.conftest import all_exported, exported, made_corpus, problem

HOLED = "preprocessed/c/c-000000-001600-t0"


@pytest.fixture(scope="module")
def made(clips: list[ExportClip], tmp_path_factory: pytest.TempPathFactory) -> Path:
    return all_exported("wav2lip", clips, tmp_path_factory.mktemp("wav2lip"))


def test_numbers_are_times_and_frames_without_a_face_are_holes(made: Path) -> None:
    numbers = sorted(int(path.stem) for path in (made / HOLED).glob("*.jpg"))
    assert numbers == [*range(15), *range(25, 40)]
    assert wav_facts(made / HOLED / "audio.wav") == (16000, 1.6 * 16000)


def test_pictures_show_the_face_and_little_else(made: Path, clips: list[ExportClip]) -> None:
    with Image.open(made / "preprocessed/b/b-000000-001600-t0/0.jpg") as picture:
        shown = np.asarray(picture, float)
    points = clips[1].faces().points[0]
    assert np.abs(np.array(shown.shape[1::-1]) - np.ptp(points, axis=0)).max() <= 2
    left, top = np.floor(points.min(axis=0)).astype(int)
    whole = next(clips[1].pictures(256)).astype(float)
    assert np.abs(shown - whole[top : top + shown.shape[0], left : left + shown.shape[1]]).mean() < 4


def test_lists_name_the_folders_and_leave_no_batch_of_one(made: Path) -> None:
    train, val, test = ((made / f"filelists/{split}.txt").read_text().split() for split in ("train", "val", "test"))
    assert {*train, *test} == {f"{name}/{name}-000000-001600-t0" for name in "abc"}
    assert val == test, "without clips for validation those for the test stand in"
    assert all(len(lines) % 16 != 1 for lines in (train, val, test))


def test_a_clip_the_loader_would_skip_for_ever_is_refused(tmp_path: Path) -> None:
    manifest = made_corpus(
        tmp_path, {"a": [("hopper", 0.6), ("gray", 0.4)], "b": [("hopper", 0.64)], "c": [("collins", 0.64)]}
    )
    written, refused = exported("wav2lip", clips_of(manifest), tmp_path / "to")
    assert [(one.clip_id[0], one.reason, one.detail) for one in refused] == [
        ("a", "too_short", "15 frames with a face, 16 are needed")
    ]
    assert [(one.clip_id[0], one.note["frames"]) for one in written] == [("b", 16), ("c", 16)]


def test_too_few_pictures_are_told(broken: Path) -> None:
    for number in range(15):
        (broken / HOLED / f"{number}.jpg").unlink()
    assert "too_short, 15 frames with a face, 16 are needed" in problem("wav2lip", broken)


def test_pictures_that_never_make_a_window_are_told(broken: Path) -> None:
    for number in (*range(4, 15, 5), *range(29, 40, 5)):
        (broken / HOLED / f"{number}.jpg").unlink()
    assert "no_window, 0 windows of 5 frames in a row" in problem("wav2lip", broken)


def test_sound_that_does_not_reach_is_told(broken: Path) -> None:
    write_wav(broken / HOLED / "audio.wav", np.zeros(3000, np.float32))
    assert f"{HOLED}: no_window, 22 windows of 5 frames in a row, 0 with sound" in problem("wav2lip", broken)
    write_wav(broken / HOLED / "audio.wav", np.zeros(16000, np.float32), 8000)
    assert "is at 8000 Hz, not 16000" in problem("wav2lip", broken)
    (broken / HOLED / "audio.wav").unlink()
    assert "audio.wav: does not read" in problem("wav2lip", broken)


def test_renumbered_and_damaged_pictures_are_told(broken: Path) -> None:
    (broken / HOLED / "3.jpg").rename(broken / HOLED / "0003.jpg")
    (broken / HOLED / "4.jpg").write_bytes(b"no picture")
    told = problem("wav2lip", broken)
    assert "0003.jpg: the name is no frame number" in told
    assert "4.jpg: does not decode" in told


def test_lists_that_lead_nowhere_are_told(broken: Path) -> None:
    (broken / "filelists/train.txt").write_text("a/b c\n")
    (broken / "filelists/val.txt").write_text("")
    (broken / "filelists/test.txt").unlink()
    told = problem("wav2lip", broken)
    for line in (
        "holds a blank",
        "a/b c: there is no such folder",
        "leave a batch of one",
        "val.txt: names no clip",
        "test.txt: missing",
    ):
        assert line in told
