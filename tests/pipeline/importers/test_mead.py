"""MEAD: a user's own copy, and the published lists of frames."""

import re
import shutil
from pathlib import Path

import pytest

from manifests.errors import UsageError
from pipeline.importers.mead import VIEWS, read
from tests.conftest import lists
from tests.made_videos import write_video
from tests.pipeline.importers.rows import Sorted, write


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_video(tmp_path_factory.mktemp("clip") / "clip.mp4", [("red", 0.2)], size=(1920, 1080), fps=30)


def test_a_copy(tmp_path: Path, video: Path) -> None:
    there = [f"M003/video/{view}/happy/level_2/{n:03d}" for view in VIEWS for n in (1, 2)]
    there += [
        f"W017/video/down/{emotion}/level_2/{n:03d}"
        for emotion, n in (("neutral", 1), ("angry", 4), ("joy", 1), ("sad", 1))
    ]
    there += ["M003/video/back/happy/level_1/001", *(f"W017/video/down/sad/level_1/{n:03d}" for n in range(8))]
    for name in there:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(video, tmp_path / f"{name}.mp4")
    write(tmp_path, {f"M003/audio/happy/level_2/{n:03d}.m4a": b"" for n in (1, 2)})
    write(tmp_path, {"W017/video/down/sad/level_2/001.mp4": b"no video"})
    found = Sorted(read, tmp_path)
    assert len(found.clips) + len(found.drops) == len(there)
    assert found.reasons == {"unknown_view": 1, "unknown_emotion": 1, "not_a_video": 1}
    front = found.clip("M003/front/happy/level_2/001")
    assert (front.identity, front.first_frame, front.last_frame) == ("M003", 0, 6)
    assert found.said(front.name) == []
    said = {note.name: note.value for note in found.notes if note.subject == front.published_id}
    assert said == {"emotion": "happy", "level": "2", "view": "front", "sentence": "001"}
    assert found.said("W017/down/neutral/level_2/001") == [
        "views_missing W017 has no front, top, left_30, left_60, right_30, right_60",
        "audio_missing W017/audio/neutral/level_2/001.m4a",
        "neutral_with_level level_2",
    ]
    last = [clip.split for clip in found.clips if "sad/level_1" in clip.name]
    assert last == ["train"] * 2 + ["test"] * 6, "the last six sentences of an emotion are for tests"


def test_lists_of_frames(tmp_path: Path) -> None:
    to = "M003/M003_73_1_output_01/150.jpg 7 0"
    rows = [
        f"M003/M003_01_1_output_01/000.jpg 0 0 {to}",
        f"M003/M003_01_1_output_01/001.jpg 0 0 {to}",
        f"M003/M003_09_2_output_01/000.jpg 1 1 {to}",  # disgusted: 1 in the README's order, 2 in the alphabet
        f"M003/M003_10_2_output_01/000.jpg 2 2 {to}",
        f"M003/M003_11_2_output_01/000.jpg 9 1 {to}",
        "M003/M003_01_1_output_01/000.jpg 0 0",
    ]
    found = Sorted(read, write(tmp_path, {"video_list.txt": "\n".join(rows) + "\n"}))
    told = {drop.subject: drop.detail for drop in found.drops}
    assert told == {
        "mead/video_list.txt-line-6": rows[-1],
        "mead/M003_01_1_output_01": (
            "2 rows of video_list.txt, emotion 0 intensity 0; numbers_of_readme_or_evp angry is 0"
        ),
        "mead/M003_09_2_output_01": "1 rows of video_list.txt, emotion 1 intensity 1; numbers_of_readme disgusted is 1",
        "mead/M003_10_2_output_01": (
            "1 rows of video_list.txt, emotion 2 intensity 2; level_differs level 2 is intensity 2; numbers_of_evp"
            " disgusted is 2"
        ),
        "mead/M003_11_2_output_01": (
            "1 rows of video_list.txt, emotion 9 intensity 1; numbers_of_neither disgusted is 9"
        ),
    }


def test_a_folder_without_either(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="holds neither M003"):
        list(read(tmp_path))


def test_the_published_lists() -> None:
    """Known of the published lists: 52,505 rows, 521 and 18,882; no file of MEAD is at hand, so each cut is a drop with
    its rows.
    """
    found = Sorted(read, lists("MEAD"))
    assert (found.clips, set(found.reasons)) == ([], {"cut_not_given_out"})
    rows: dict[str, int] = {}
    for drop in found.drops:
        told = re.match(r"(\d+) rows of (\S+?)(,|;|$)", drop.detail)
        assert told
        rows[told[2]] = rows.get(told[2], 0) + int(told[1])
    assert rows == {"video_list.txt": 52505, "video_list_test.txt": 521, "audio_demo.txt": 18882}
    labelled = [drop.detail for drop in found.drops if "audio_demo" not in drop.detail]
    assert len(labelled) == 548
    assert all("numbers_of_readme" in detail for detail in labelled)
    assert sum("numbers_of_readme_or" not in detail for detail in labelled) > 200, (
        "which the other order would not give"
    )
    assert not any("level_differs" in detail for detail in labelled)
