"""AVSpeech: rows without a header, a face's place and no box."""

from pathlib import Path

import pytest

from manifests.errors import UsageError
from pipeline.importers.avspeech import read
from tests.pipeline.importers.rows import Sorted, box, write

TRAIN = """\
aaaaaaaaaaa,90.000000,93.566667,0.586719,0.294444
aaaaaaaaaaa,100.5,104,0.5,1.25
-bbbbbbbbb_,0.0,4.96,0.2,0.3
aaaaaaaaaaa,90.000000,93.566667,0.586719,0.294444
aaaaaaaaaaa,9,5,0.5,0.5
short,1,5,0.5,0.5
YouTube ID,start segment,end segment,X coordinate,Y coordinate
aaaaaaaaaaa,1,nan,0.5,0.5
"""


def test_clips_and_drops(tmp_path: Path) -> None:
    files = {"lists/avspeech_train.csv": TRAIN, "lists/avspeech_test.csv": "ccccccccccc,1.5,5,0.1,0.2"}
    found = Sorted(read, write(tmp_path, files))
    first, second, third, last = found.clips
    assert (first.name, first.start_s, first.end_s) == ("aaaaaaaaaaa_90.000000-93.566667", 90.0, 93.566667)
    assert (box(first), first.frame_width, first.split) == ((0, 0, 1, 1), 1, "train")
    assert found.said(first.name, "face_at") == ["0.586719 0.294444"]
    assert found.said(second.name) == ["face_beyond_frame 0.5 1.25"]
    assert third.source_id == "yt--bbbbbbbbb_"
    assert (last.source_id, last.split, found.said(last.name)) == (
        "yt-ccccccccccc",
        "test",
        ["no_last_newline avspeech_test.csv"],
    )
    assert found.reasons == {"repeated_row": 1, "bad_interval": 1, "bad_id": 1, "malformed_row": 2}
    assert len(found.clips) + len(found.drops) == len(TRAIN.splitlines()) + 1
    assert len(found.sources) == 3


def test_a_folder_without_it(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"avspeech_train\.csv"):
        list(read(tmp_path))
