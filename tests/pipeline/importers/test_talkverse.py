"""TalkVerse: scenes of a user's own copies, in the form that its loader reads."""

from pathlib import Path

import pytest

from manifests.errors import UsageError
from pipeline.importers.talkverse import read
from tests.made_videos import tone, write_video
from tests.pipeline.importers.rows import Sorted, write

LIST = """video_path,scenes,fps,caption
/data/openhumanvid/videos/a.mp4,"0,49;50,99",25,A woman.
/data/panda70m/videos/b.mp4,"0,59",30,
/data/openhumanvid/videos/a.mp4,"0,49;50,99",25,again
/data/openhumanvid/videos/gone.mp4,"0,9",25,
/data/openhumanvid/../../secret.mp4,"0,9",25,
/data/other/c.mp4,"0,9",25,
/data/openhumanvid/videos/text.mp4,"0,9",25,
/data/openhumanvid/videos/a.mp4,"0-9",25,
/data/openhumanvid/videos/a.mp4,"9,3",25,
/data/openhumanvid/videos/a.mp4,"0,9",,
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write(tmp_path, {"list.csv": LIST, "openhumanvid/videos/text.mp4": "only some words\n" * 100})
    for name, fps, sound in (("openhumanvid/videos/a", 25, True), ("panda70m/videos/b", 30, False)):
        path = tmp_path / f"{name}.mp4"
        path.parent.mkdir(parents=True, exist_ok=True)
        write_video(path, [("gray", 2.0)], fps=fps, audio=tone(2.0) if sound else None)
    return tmp_path


def test_scenes_are_clips_with_both_ends_in_them(folder: Path) -> None:
    found = Sorted(read, folder)
    first = found.clip("openhumanvid/videos/a.mp4_0-49")
    assert (first.first_frame, first.last_frame, first.fps) == (0, 50, 25.0)
    assert (first.start_s, first.frame_width) == (None, 1)
    assert found.said("openhumanvid/videos/a.mp4_0-49", "longest") == ["yes"]
    assert found.said("openhumanvid/videos/a.mp4_50-99", "longest") == []
    assert len(found.sources) == 2


def test_what_the_loader_would_refuse_is_a_trap_or_a_drop(folder: Path) -> None:
    found = Sorted(read, folder)
    assert found.said("panda70m/videos/b.mp4_0-59") == ["not_25_fps 30", "no_sound"]
    assert found.said("openhumanvid/videos/a.mp4_50-99") == ["beyond_end 4.00 s of 2.00 s"]
    assert found.reasons == {
        "repeated_row": 1, "missing_file": 1, "outside_folder": 1, "unknown_set": 1, "not_a_video": 1,
        "malformed_row": 2, "bad_frames": 1,
    }  # fmt: skip


@pytest.mark.parametrize("files", [{}, {"a.csv": "path,scenes\n"}])
def test_a_folder_without_it(files: dict[str, str], tmp_path: Path) -> None:
    with pytest.raises(UsageError):
        list(read(write(tmp_path, files)))
