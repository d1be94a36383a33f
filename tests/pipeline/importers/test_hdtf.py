"""HDTF: every oddity of its lists is reported, and the published ones count what is documented of them."""

from pathlib import Path

import pytest

from manifests.errors import UsageError
from pipeline.importers.hdtf import read
from tests.conftest import lists
from tests.pipeline.importers.rows import Sorted, box, hours, write

AT = "https://www.youtube.com/watch?v="
MADE = {
    "XD_video_url.txt": f"\ufeffAda {AT}aaaaaaaaaaa\nBob {AT}bbbbbbbbbbb&t=6s\n"
    f"BobAgain {AT}bbbbbbbbbbb\nCal {AT}ccccccccccc\n"
    f"Dee {AT}ddddddddddd\nEve https://example.org/eve\nFay {AT}fffffffffff",
    "XD_resolution.txt": "Ada.mp4 720\nBob.mp4 0\nBobAgain.mp4 714\nCal.mp4 1080\n"
    "Dee.mp4 720\nEve.mp4 720\nFay.mp4 1080\n",
    "XD_annotion_time.txt": "Ada.mp4 00:30-01:00 01:30-1:02:30 \nBob.mp4 00:05-00:06\n"
    "BobAgain.mp4 00:05-00:06\nCal.mp4 08:10-08:30 00:33-08:53\n"
    "Eve.mp4 00:00-00:10\nFay.mp4 01:00-00:50 00:10-00:20\nGil.mp4 00:01-00:02\n",
    "XD_crop_wh.txt": "Ada_0.mp4 100 600 0 600\nAda_1.mp4 700 600 0 600\nBob_0.mp4 1 500 2 500\n"
    "BobAgain_0.mp4 0 512 300 512\nCal_0.mp4 5 600 6 600\n"
    "Eve_0.mp4 5 6 7 8\nFay_1.mp4 1 x 3 4\nHal_0.mp4 1 2 3 4\n",
    "XD_crop_ratio.txt": "Ada_0.mp4 1.2\nAda_0.mp4 1.0\n",
}  # fmt: skip


@pytest.fixture
def made(tmp_path: Path) -> Sorted:
    return Sorted(read, write(tmp_path, MADE))


def test_stamps_and_windows(made: Sorted) -> None:
    assert [clip.name for clip in made.clips] == ["Ada_0", "Ada_1", "Bob_0", "BobAgain_0", "Cal_0"]
    ada = made.clip("Ada_1")
    assert (ada.source_id, ada.published_id, ada.start_s, ada.end_s) == ("yt-aaaaaaaaaaa", "hdtf/Ada_1", 90, 3750)
    assert (box(ada), ada.frame_width, ada.frame_height, ada.crop) == ((700, 0, 1300, 600), 0, 720, "")
    assert made.said("Ada_0", "crop_ratio") == ["1.2"]
    assert made.said("Ada_0", "group") == ["XD"]
    assert [source.uri for source in made.sources] == [AT + name * 11 for name in "abc"]


def test_every_oddity_is_told(made: Sorted) -> None:
    told = "byte_order_mark XD_video_url.txt", "space_around XD_annotion_time.txt"
    assert made.said("Ada_0") == list(told)
    assert made.said("Ada_1") == [*told, "box_beyond_frame 1300 > 1280 across"]
    names = "one_video_two_names bbbbbbbbbbb is Bob and BobAgain"
    assert made.said("Bob_0") == ["time_in_address t=6s", names, "height_unknown the list says 0", "box_below_512 500"]
    assert made.said("BobAgain_0") == [names, "unusual_height 714", "box_beyond_frame 812 > 714 down"]
    assert made.said("Cal_0") == ["overlapping_stamps 08:10-08:30 and 00:33-08:53"]


def test_what_gives_no_clip_is_a_drop(made: Sorted) -> None:
    found = {drop.subject: (drop.reason, drop.detail) for drop in made.drops}
    assert found == {
        "hdtf/Cal_1": ("no_crop", "00:33-08:53, 500 s; overlapping_stamps 00:33-08:53 and 08:10-08:30"),
        "hdtf/Dee": ("no_interval", "an address and no stamp"),
        "hdtf/Eve_0": ("bad_url", "https://example.org/eve"),
        "hdtf/Fay_0": ("bad_interval", "01:00-00:50; no_last_newline XD_video_url.txt"),
        "hdtf/Fay_1": ("bad_crop", "1 x 3 4; no_last_newline XD_video_url.txt"),
        "hdtf/Gil_0": ("no_url", "00:01-00:02, 1 s; height_unknown not in the list"),
        "hdtf/Hal_0": ("no_interval", "a window and no stamp"),
        "hdtf/Ada_0~2": ("repeated_row", "XD_crop_ratio.txt"),
    }
    assert made.drop("Dee").source_id == "yt-ddddddddddd"
    stamps = 10
    assert len(made.clips) + sum(drop.reason not in ("no_interval", "repeated_row") for drop in made.drops) == stamps


def test_a_group_has_five_lists(tmp_path: Path) -> None:
    (write(tmp_path, MADE) / "XD_resolution.txt").unlink()
    with pytest.raises(UsageError, match=r"XD_resolution\.txt is missing"):
        list(read(tmp_path))
    with pytest.raises(UsageError, match="annotion_time"):
        list(read(tmp_path / ".."))
    with pytest.raises(UsageError, match="not a folder"):
        list(read(tmp_path / "nowhere"))


def test_the_published_groups_rd_and_wda() -> None:
    """Known of the published lists: RD 66 stamps, 64 with a window, 1.20 h; WDA 195 stamps, 189 with a window, 11.10
    h.
    """
    found = Sorted(read, lists("HDTF"))
    for group, stamps, windows, length_h, videos in (("RD", 66, 64, 1.20, 57), ("WDA", 195, 189, 11.10, 183)):
        names = {note.subject.partition("/")[2] for note in found.notes if (note.name, note.value) == ("group", group)}
        clips = [clip for clip in found.clips if clip.name in names]
        lost = [drop for drop in found.drops if ("Radio" in drop.subject) == (group == "RD")]
        no_crop = [drop for drop in lost if drop.reason == "no_crop"]
        seconds = [float(drop.detail.split(", ")[1].split(" s")[0]) for drop in no_crop]
        assert len(clips) == windows
        assert len(clips) + len(no_crop) == stamps
        assert hours(clips) + sum(seconds) / 3600 == pytest.approx(length_h, abs=0.005)
        without = sum(drop.reason == "no_interval" for drop in lost)
        assert (
            len({name.rpartition("_")[0] for name in names} | {drop.subject[5:-2] for drop in no_crop}) + without
            == videos
        )
    assert sorted(drop.subject.removeprefix("hdtf/") for drop in found.drops if drop.reason == "no_crop") == [
        "ByronDorgan0_0", "DeanPhillips_0", "JeffMerkley0_0", "JimMcGovern1_0", "JimMcGovern_0", "LindaSnchez_0",
        "Radio15_0", "Radio6_0",
    ]  # fmt: skip
    assert found.reasons == {"no_crop": 8, "no_interval": 1}
    assert found.drop("Radio24").reason == "no_interval"
    assert found.traps == {
        "box_below_512": 66, "time_in_address": 13, "unusual_height": 3, "one_video_two_names": 2, "no_last_newline": 2,
        "box_beyond_frame": 2, "byte_order_mark": 1,
    }  # fmt: skip
    assert found.said("CarolynMaloney2_0")[0] == "byte_order_mark WDA_video_url.txt"
    assert {clip.name for clip in found.clips for trap in found.said(clip.name) if trap.startswith("one_video")} == {
        "WhipJimClyburn_0",
        "JamesClyburn1_0",
    }
    assert "box_beyond_frame 776 > 720 down" in found.said("MaggieHassan_0")
    assert "box_beyond_frame 1134 > 720 down" in found.said("MazieHirono1_0")
    assert len(found.sources) == 230
