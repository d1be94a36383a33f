"""LRW: a user's own copy held against the published lists."""

import shutil
from collections import Counter
from pathlib import Path

import pytest

from manifests.errors import UsageError
from pipeline.importers.lrw import TERMS, read
from tests.conftest import lists
from tests.made_videos import tone, write_video
from tests.pipeline.importers.rows import Sorted, write

TEXT = "Channel: x\nProgramme: y\n\n\nDuration: 0.56 seconds\n"


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_video(
        tmp_path_factory.mktemp("clip") / "clip.mp4",
        [("red", 1.16)],
        size=(256, 256),
        audio=tone(1.16, 16000),
        audio_hz=16000,
    )


def test_a_copy_and_a_list(tmp_path: Path, video: Path) -> None:
    write(
        tmp_path,
        {
            "500WordsSortedList.txt": "ABOUT\nHOUSE\n",
            "lrw_test.txt": (
                "ABOUT/test/ABOUT_00001\nABOUT/test/ABOUT_00002\nABOUT/test/ABOUT_00002\nABOUT/test/HOUSE_00002\n"
            ),
            "ABOUT/test/ABOUT_00001.txt": TEXT,
            "HOUSE/val/HOUSE_00007.txt": TEXT.replace("0.56", "1.20"),
            "HOUSE/val/HOUSE_00008.txt": "no duration\n",
            "OTHER/val/OTHER_00001.txt": TEXT,
        },
    )
    for name in ("ABOUT/test/ABOUT_00001", "HOUSE/val/HOUSE_00007", "HOUSE/val/HOUSE_00008"):
        shutil.copy(video, tmp_path / f"{name}.mp4")
    write_video(tmp_path / "OTHER/val/OTHER_00001.mp4", [("blue", 1.0)], size=(128, 128))
    found = Sorted(read, tmp_path)
    assert [clip.name for clip in found.clips] == [
        "ABOUT/test/ABOUT_00001",
        "HOUSE/val/HOUSE_00007",
        "OTHER/val/OTHER_00001",
    ]
    (word,) = (note for note in found.notes if note.name == "word" and "ABOUT" in note.subject)
    assert (word.value, word.start_s, word.end_s) == (
        "ABOUT",
        pytest.approx(0.30),
        pytest.approx(0.86),
    ), "in the middle"
    assert [clip.split for clip in found.clips] == ["test", "val", "val"]
    assert found.clips[0].last_frame == 29
    assert found.said("ABOUT/test/ABOUT_00001") == []
    assert found.said("HOUSE/val/HOUSE_00007") == ["word_longer_than_clip 1.2 s of 1.16 s"]
    assert found.said("OTHER/val/OTHER_00001") == [
        "word_not_listed OTHER", "not_256 128 x 128", "not_16_khz_mono 0 Hz, 0 channels", "not_29_frames 25",
    ]  # fmt: skip
    assert {drop.subject.removeprefix("lrw/"): drop.reason for drop in found.drops} == {
        "ABOUT/test/ABOUT_00002": "not_at_hand",
        "ABOUT/test/ABOUT_00002~2": "repeated_row",
        "lrw_test.txt-line-4": "malformed_row",
        "HOUSE/val/HOUSE_00008": "malformed_text",
    }


def test_a_folder_without_either(tmp_path: Path) -> None:
    assert "licensed" in TERMS
    with pytest.raises(UsageError, match="neither.*BBC"):
        list(read(tmp_path))


def test_the_published_lists() -> None:
    """500 words, and 25,000 clips of the test part, 50 a word; none of them is at hand."""
    found = Sorted(read, lists("LRS2_LRW"))
    assert (found.clips, found.reasons) == ([], {"not_at_hand": 25000})
    assert {drop.retryable for drop in found.drops} == {True}
    words = Counter(drop.subject.split("/")[1] for drop in found.drops)
    assert (len(words), set(words.values())) == (500, {50})
    assert not any("word_not_listed" in drop.detail for drop in found.drops)
