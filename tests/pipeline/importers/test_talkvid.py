"""TalkVid: records of clips, in the form of its README."""

import json
from pathlib import Path
from typing import Any

import pytest

from manifests.errors import UsageError
from pipeline.importers.talkvid import read
from tests.pipeline.importers.rows import Sorted, box, write


def record(name: str, **changed: Any) -> dict[str, Any]:
    info = {
        "Person ID": "597",
        "Age Group": "60+",
        "Video Link": "https://www.youtube.com/watch?v=aaaaaaaaaaa",
        "Language": "English",
    }
    made = {
        "id": name, "height": 1080, "width": 1920, "fps": 24.0, "start-time": 0.1, "start-frame": 0,
        "end-time": 5.141666666666667, "end-frame": 121, "durations": "5.042s", "info": info,
        "description": "An older man in a suit.", "dover_scores": 8.9,
        "cotracker_ratio": 0.927, "head_detail": {"scores": {"avg_movement": 97.9}},
    }  # fmt: skip
    return {**made, **changed}


RECORDS = [
    record("a-scene1"),
    record("a-scene2", **{"start-time": 0.0, "end-time": 4.0, "end-frame": 121}),
    record("a-scene1"),
    record("a-scene3", info={"Video Link": "https://h.org/a.mp4?token=hunter2"}),
    record("a-scene4", **{"start-time": 9.0}),
    record("a-scene5", **{"end-time": "6"}),
    {"id": "a-scene6"},
    "a line of text",
]


@pytest.mark.parametrize("form", ["array", "lines"])
def test_clips_and_drops(form: str, tmp_path: Path) -> None:
    text = json.dumps(RECORDS, indent=1) if form == "array" else "".join(json.dumps(one) + "\n" for one in RECORDS)
    found = Sorted(read, write(tmp_path, {"data/filtered.json" if form == "array" else "data/filtered.jsonl": text}))
    first, second = found.clips
    assert (first.name, first.start_s, first.end_s, first.identity) == ("a-scene1", 0.1, 5.141666666666667, "597")
    assert (box(first), first.frame_width) == ((0, 0, 1, 1), 1)
    assert found.said("a-scene1") == []
    notes = ("age_group", "language", "description", "dover_scores", "head_avg_movement")
    assert {note: found.said("a-scene1", note) for note in notes} == {
        "age_group": ["60+"], "language": ["English"], "description": ["An older man in a suit."],
        "dover_scores": ["8.9"],
        "head_avg_movement": ["97.9"],
    }  # fmt: skip
    assert found.said(second.name) == ["start_at_zero 0.0 to 4.0 s", "frames_not_times 5.042 s of frames, 4.000 s"]
    assert found.reasons == {"repeated_row": 1, "bad_address": 1, "bad_interval": 1, "malformed_row": 3}
    assert "hunter2" not in repr(found.drops)
    assert len(found.clips) + len(found.drops) == len(RECORDS)


@pytest.mark.parametrize("files", [{}, {"a.json": "[{]"}, {"a.jsonl": "{}\n{"}])
def test_a_folder_without_it(files: dict[str, str], tmp_path: Path) -> None:
    with pytest.raises(UsageError):
        list(read(write(tmp_path, files)))
