"""CelebV-Text: seconds whatever the list calls them, and boxes in a frame it does not size."""

import json
from pathlib import Path

import pytest

from manifests.errors import UsageError
from pipeline.importers.celebv_text import read
from tests.pipeline.importers.rows import Sorted, box, write

BOX = {"top": 10, "bottom": 500, "left": 20, "right": 600}


def test_clips_and_drops(tmp_path: Path) -> None:
    clips = {
        "aaaaaaaaaaa_0_0": {
            "ytb_id": "aaaaaaaaaaa",
            "duration": {"start_sec": 3.5, "end_sec": 52.72},
            "bbox": BOX,
            "version": "v0.1",
        },
        "aaaaaaaaaaa_1_0": {
            "ytb_id": "aaaaaaaaaaa",
            "duration": {"start_frame": 12.25, "end_frame": 20.5},
            "bbox": BOX,
        },
        "bad_0": {"ytb_id": "bad", "duration": {"start_sec": 3.5, "end_sec": 9}, "bbox": BOX},
        "aaaaaaaaaaa_2_0": {"ytb_id": "aaaaaaaaaaa", "duration": {"start_sec": 9, "end_sec": 3}, "bbox": BOX},
        "aaaaaaaaaaa_3_0": {
            "ytb_id": "aaaaaaaaaaa",
            "duration": {"start_sec": 3, "end_sec": 9},
            "bbox": {**BOX, "left": 600},
        },
        "aaaaaaaaaaa_4_0": {"ytb_id": "aaaaaaaaaaa", "duration": {}, "bbox": BOX},
    }
    found = Sorted(read, write(tmp_path, {"celebvtext_info.json": json.dumps({"clips": clips})}))
    first, second = found.clips
    assert (first.start_s, first.end_s, box(first), first.frame_height) == (3.5, 52.72, (20, 10, 600, 500), 0)
    assert (second.start_s, second.end_s, second.first_frame) == (12.25, 20.5, None)
    assert found.said(first.name)[1:] == ["centiseconds_truncated 52.72 -> 52.71"]
    assert found.said(second.name) == [
        "frame_size_unknown box up to 600 across and 500 down",
        "seconds_named_frames start_frame 12.25, end_frame 20.5",
    ]
    assert found.reasons == {"bad_id": 1, "bad_interval": 1, "bad_box": 1, "malformed_row": 1}
    assert len(found.clips) + len(found.drops) == len(clips)


def test_a_folder_without_it(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="celebvtext_info.json"):
        list(read(tmp_path))
