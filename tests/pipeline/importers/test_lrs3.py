"""LRS3: a user's own copy, checked; a made one here, in the published form."""

import shutil
from pathlib import Path

import pytest

from manifests.errors import UsageError
from pipeline.importers.lrs3 import TERMS, parse, read
from tests.conftest import media
from tests.made_videos import tone, write_video
from tests.pipeline.importers.rows import Sorted, box, write

FRAMES = 5
TEXT = (
    "Text:  HELLO IT'S YOU\nConf:  4\nRef:   aaaaaaaaaaa\n\nFRAME \tX \tY \tW \tH \n"
    + "".join(f"{349 + n:06d} \t0.319 \t0.067 \t0.424 \t0.753 \n" for n in range(FRAMES))
    + "\nWORD START END ASDSCORE\nHELLO 0.00 0.08 5.1\nIT'S 0.08 0.12 4.2\nYOU 0.12 0.20 4.0\n"
)


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_video(
        tmp_path_factory.mktemp("clip") / "clip.mp4",
        [("red", FRAMES / 25)],
        size=(224, 224),
        audio=tone(0.2, 16000),
        audio_hz=16000,
    )


def copy(folder: Path, video: Path, texts: dict[str, str]) -> Path:
    """A copy with a video for each text."""
    write(folder, {f"{name}.txt": text for name, text in texts.items()})
    for name in texts:
        shutil.copy(video, folder / f"{name}.mp4")
    return folder


def test_a_clip_as_it_was_given_out(tmp_path: Path, video: Path) -> None:
    found = Sorted(read, copy(tmp_path, video, {"trainval/aaaaaaaaaaa/00001": TEXT}))
    (clip,), (source,) = found.clips, found.sources
    assert (clip.name, clip.identity, clip.split) == ("trainval/aaaaaaaaaaa/00001", "aaaaaaaaaaa", "train")
    assert (clip.first_frame, clip.last_frame, clip.fps, box(clip), clip.frame_width) == (0, FRAMES, 0, (0, 0, 1, 1), 1)
    assert source.uri == str(tmp_path / "trainval/aaaaaaaaaaa/00001.mp4")
    assert source.source_id == f"file-{source.sha256[:12]}"
    assert found.said(clip.name) == []
    assert found.said(clip.name, "transcript") == ["HELLO IT'S YOU"]
    assert found.said(clip.name, "talk_frames") == ["349-353"]
    words = [(note.value, note.start_s, note.end_s) for note in found.notes if note.name == "word"]
    assert words == [("HELLO", 0.0, 0.08), ("IT'S", 0.08, 0.12), ("YOU", 0.12, 0.20)]


def test_what_is_odd_and_what_is_missing(tmp_path: Path, video: Path) -> None:
    talk = "pretrain/aaaaaaaaaaa/"
    no_words = TEXT.partition("\nWORD")[0].replace("000350", "000351").replace("aaaaaaaaaaa", "bbbbbbbbbbb")
    copy(
        tmp_path,
        video,
        {f"{talk}00001": TEXT, f"{talk}two": no_words, f"{talk}00003": "Conf: 4\n", f"{talk}00004": TEXT + "?? ?\n"},
    )
    write_video(tmp_path / f"{talk}00005.mp4", [("red", 0.2), ("blue", 0.2)], size=(96, 64), fps=30)
    write(
        tmp_path,
        {f"{talk}00005.txt": TEXT, f"{talk}00006.txt": TEXT, f"{talk}00007.txt": TEXT, f"{talk}00007.mp4": b"no video"},
    )
    shutil.copy(video, tmp_path / f"{talk}00008.mp4")
    with (tmp_path / f"{talk}00001.mp4").open("ab") as file:
        file.write(bytes(8))  # another file, so that each has a source of its own
    found = Sorted(read, tmp_path)
    assert found.said(f"{talk}00001") == []
    assert found.said(f"{talk}two") == [
        "no_words", "frames_with_gaps 349 to 353 in 5 rows", "another_ref bbbbbbbbbbb in aaaaaaaaaaa",
        "name_not_5_digits two",
    ]  # fmt: skip
    assert found.said(f"{talk}00005") == [
        "not_224 96 x 64", "fps_not_25 30.000", "not_16_khz_mono 0 Hz, 0 channels",
        "frames_do_not_fit 5 rows for 12 frames",
    ]  # fmt: skip
    told = {drop.subject.rpartition("/")[2]: (drop.reason, drop.detail) for drop in found.drops}
    assert told.pop("00007")[0] == "not_a_video"
    assert told == {
        "00003": ("malformed_text", "no line Text:"),
        "00004": ("malformed_text", "'?? ?'"),
        "00006": ("no_video", "a text without its .mp4"),
        "00008": ("no_text", "a video without its .txt"),
    }


def test_one_file_under_two_names_is_one_source(tmp_path: Path, video: Path) -> None:
    found = Sorted(read, copy(tmp_path, video, {"test/aaaaaaaaaaa/00001": TEXT, "test/aaaaaaaaaaa/00002": TEXT}))
    assert (len(found.sources), len(found.clips)) == (1, 2)


def test_it_is_said_plainly_that_lrs3_is_withdrawn(tmp_path: Path) -> None:
    assert "withdrawn" in TERMS
    with pytest.raises(UsageError, match="own copy of LRS3.*withdrawn"):
        list(read(tmp_path))


def test_a_real_clip_of_lrs2(tmp_path: Path) -> None:
    """The same form, but 160 x 160, and MPEG-4 Part 2."""
    write(tmp_path, {"test/aaaaaaaaaaa/00001.txt": "Text:  IT'S THAT SIMPLE\nConf:  4\n"})
    shutil.copy(media("single", "lrs2_demo.mp4"), tmp_path / "test/aaaaaaaaaaa/00001.mp4")
    found = Sorted(read, tmp_path)
    assert found.said("test/aaaaaaaaaaa/00001")[0] == "not_224 160 x 160"
    assert not any("fps" in trap or "khz" in trap for trap in found.said("test/aaaaaaaaaaa/00001"))


def test_the_text(tmp_path: Path) -> None:
    text, wrong = parse(write(tmp_path, {"a.txt": TEXT}) / "a.txt")
    assert not wrong
    assert text.facts == {"Text": "HELLO IT'S YOU", "Conf": "4", "Ref": "aaaaaaaaaaa"}
    assert text.frames[0] == (349, 0.319, 0.067, 0.424, 0.753)
    assert text.words[-1] == ("YOU", 0.12, 0.20, "4.0")
