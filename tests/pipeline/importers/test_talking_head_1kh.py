"""TalkingHead-1KH: tubes, and the official counts of the lists at hand."""

from pathlib import Path

import pytest

from manifests.errors import UsageError
from pipeline.importers.talking_head_1kh import read
from tests.conftest import lists
from tests.pipeline.importers.rows import Sorted, box, write

MADE = {
    "val_video_ids.txt": "aaaaaaaaaaa\nbbbbbbbbbbb\nccccccccccc",
    "val_video_tubes.txt": "aaaaaaaaaaa_0075, 1080, 1920, 0, 728, 671, 47, 1471, 847\n"
    "aaaaaaaaaaa_0075, 1080, 1920, 728, 900, 671, 47, 1471, 847\n"
    "bbbbbbbbbbb_0000, 720, 1280, 3, 40, 100, 0, 400, 310 \nbbbbbbbbbbb_0000, 720, 1280, 3, 40, 100, 0, 400, 310\n"
    "ddddddddddd_0001, 720, 1280, 0, 10, 900, 0, 1500, 600\nbbbbbbbbbbb_0000, 720, 1280, 9, 8, 1, 2, 3, 4\n"
    "bbbbbbbbbbb_0000, 720, 1280, 1, 8, 5, 2, 3, 4\nbbbbbbbbbbb_0000, 720, 1280, 1, 8, 5\n"
    "short_0000, 720, 1280, 3, 40, 100, 0, 400, 310\n",
    "small_video_tubes.txt": "eeeeeeeeeee_0002, 720, 1280, 5, 30, 0, 0, 600, 600\n",
}  # fmt: skip


def test_tubes(tmp_path: Path) -> None:
    found = Sorted(read, write(tmp_path, MADE))
    first = found.clip("aaaaaaaaaaa_0075_S0_E728_L671_T47_R1471_B847")
    assert (first.first_frame, first.last_frame, first.fps, first.piece, first.split) == (
        0,
        729,
        0,
        75,
        "val",
    ), "E is in the tube"
    assert (box(first), first.frame_width, first.frame_height) == ((671, 47, 1471, 847), 1920, 1080)
    assert (first.start_s, first.crop, first.source_id) == (None, "talking_head_1kh", "yt-aaaaaaaaaaa")
    assert found.said(first.name) == ["minute_cut_at_key_frame minute 75"]
    assert found.said("aaaaaaaaaaa_0075_S728_E900_L671_T47_R1471_B847")[0] == "shared_frames 728 to 728"
    assert found.said("bbbbbbbbbbb_0000_S3_E40_L100_T0_R400_B310") == [
        "space_around val_video_tubes.txt", "box_not_square 300 x 310", "box_below_512 300 x 310",
    ]  # fmt: skip
    assert found.said("ddddddddddd_0001_S0_E10_L900_T0_R1500_B600")[:2] == [
        "id_not_listed val_video_ids.txt", "box_beyond_frame 900 0 1500 600 of 1280 x 720",
    ]  # fmt: skip
    small = found.clip("eeeeeeeeeee_0002_S5_E30_L0_T0_R600_B600")
    assert (small.split, found.said(small.name, "list")) == ("train", ["small"])
    assert {source.licence for source in found.sources} == {"CC-BY-3.0"}


def test_what_gives_no_clip_is_a_drop(tmp_path: Path) -> None:
    found = Sorted(read, write(tmp_path, MADE))
    assert found.reasons == {"repeated_row": 1, "bad_frames": 1, "bad_box": 1, "malformed_row": 2, "no_tube": 1}
    assert found.drop("val-line-8").detail == "bbbbbbbbbbb_0000, 720, 1280, 1, 8, 5"
    assert found.drop("val-ccccccccccc").reason == "no_tube"
    rows = sum(len(text.strip().splitlines()) for name, text in MADE.items() if "tubes" in name)
    assert len(found.clips) + len(found.drops) == rows + 1


def test_a_folder_without_tubes(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="data_list.zip"):
        list(read(tmp_path))


def test_the_published_lists_val_and_small() -> None:
    """Known of the published lists: val 38 rows, 26 of 28 ids, all 1080p and 464 px at least; small 4 rows of 2 ids."""
    found = Sorted(read, lists("TalkingHead-1KH"))
    val = [clip for clip in found.clips if clip.split == "val"]
    assert (len(val), len(found.clips) - len(val)) == (38, 4)
    assert (len({clip.source_id for clip in val}), found.reasons) == (26, {"no_tube": 2})
    assert {(clip.frame_width, clip.frame_height) for clip in val} == {(1920, 1080)}
    assert min(clip.right - clip.left for clip in val) == 464
    assert found.traps == {
        "minute_cut_at_key_frame": 37, "shared_frames": 10, "box_not_square": 7, "box_below_512": 4,
        "no_last_newline": 2,
    }  # fmt: skip
