"""CelebV-HQ: times kept to the centisecond, emotions as one word or as several with times."""

import json
from pathlib import Path

import pytest

from manifests.errors import UsageError
from pipeline.importers.celebv_hq import read
from tests.conftest import lists
from tests.pipeline.importers.rows import Sorted, box, write

META = {"appearance_mapping": ["blurry", "male", "young"], "action_mapping": ["blow", "talk"]}


def clip(video: str = "aaaaaaaaaaa", start: object = 10.25, end: object = 14.5, emotion: object = None, **more) -> dict:
    whole = {
        "ytb_id": video,
        "duration": {"start_sec": start, "end_sec": end},
        "bbox": {"top": 0.1, "bottom": 0.9, "left": 0.2, "right": 0.7},
        "attributes": {
            "appearance": [0, 1, 1],
            "action": [0, 1],
            "emotion": {"sep_flag": False, "labels": "happy"} if emotion is None else emotion,
        },
        "version": "v0.1",
    }
    return whole | more


def found_in(folder: Path, meta: str = "meta_info", **clips) -> Sorted:
    return Sorted(read, write(folder, {"celebvhq_info.json": json.dumps({meta: META, "clips": clips})}))


@pytest.mark.parametrize("meta", ["meta_info", "mete_info"])
def test_a_clip(tmp_path: Path, meta: str) -> None:
    found = found_in(tmp_path, meta, aaaaaaaaaaa_0=clip())
    (row,) = found.clips
    assert (row.published_id, row.start_s, row.end_s) == ("celebv_hq/aaaaaaaaaaa_0", 10.25, 14.5)
    assert (box(row), row.frame_width, row.frame_height, row.crop) == ((0.2, 0.1, 0.7, 0.9), 1, 1, "celebv_hq")
    assert found.said(row.name, "appearance") == ["male, young"]
    assert found.said(row.name, "action") == ["talk"]
    assert found.said(row.name, "emotion") == ["happy"]
    assert found.traps == {}


def test_centiseconds_that_the_script_cuts_down_are_kept(tmp_path: Path) -> None:
    found = found_in(tmp_path, aaaaaaaaaaa_0=clip(start=52.72, end=60.5))
    assert found.clips[0].start_s == 52.72
    assert found.said("aaaaaaaaaaa_0") == ["centiseconds_truncated 52.72 -> 52.71"]


def test_how_many_centiseconds_the_script_cuts_down() -> None:
    """Known of the published lists: 28,675 of the 60,000 times from 0 to 600 s."""
    from pipeline.importers.celebv_hq import _truncated

    assert sum(_truncated(n / 100) != n for n in range(60000)) == 28675


def test_emotions_with_times(tmp_path: Path) -> None:
    parts = [
        {"emotion": "neutral", "start_sec": 0, "end_sec": 1.5},
        {"emotion": "joy", "start_sec": 1.5, "end_sec": 9.0},
    ]
    found = found_in(tmp_path, aaaaaaaaaaa_0=clip(emotion={"sep_flag": True, "labels": parts}))
    notes = [
        (note.annotation_id, note.value, note.start_s, note.end_s) for note in found.notes if note.name == "emotion"
    ]
    assert notes == [
        ("celebv_hq/aaaaaaaaaaa_0#emotion@000000", "neutral", 0.0, 1.5),
        ("celebv_hq/aaaaaaaaaaa_0#emotion@001500", "joy", 1.5, 9.0),
    ]
    assert found.said("aaaaaaaaaaa_0") == ["emotion_beyond_clip 9 s of 4.25 s", "emotion_unknown joy"]


@pytest.mark.parametrize(
    ("emotion", "trap"),
    [
        (
            {"sep_flag": False, "labels": [{"emotion": "sad", "start_sec": 0, "end_sec": 1}]},
            "emotion_not_as_flagged list with sep_flag False",
        ),
        ({"sep_flag": True, "labels": "sad"}, "emotion_not_as_flagged str with sep_flag True"),
        ({"sep_flag": True, "labels": [{"emotion": "sad"}]}, 'emotion_not_as_flagged a part {"emotion": "sad"}'),
    ],
)
def test_emotions_that_are_not_as_flagged(tmp_path: Path, emotion, trap: str) -> None:
    assert found_in(tmp_path, aaaaaaaaaaa_0=clip(emotion=emotion)).said("aaaaaaaaaaa_0") == [trap]


def test_odd_clips(tmp_path: Path) -> None:
    found = found_in(
        tmp_path,
        aaaaaaaaaaa_0=clip(bbox={"top": -0.1, "bottom": 0.9, "left": 0.2, "right": 0.7}),
        aaaaaaaaaaa_1=clip(video="bbbbbbbbbbb"),
        aaaaaaaaaaa_2=clip(attributes={"appearance": [1], "emotion": {"sep_flag": False, "labels": "sad"}}),
        aaaaaaaaaaa_3=clip(start=5, end=5),
        aaaaaaaaaaa_4=clip(bbox={"top": 0.9, "bottom": 0.9, "left": 0.2, "right": 0.7}),
        aaaaaaaaaaa_5=clip(start="5"),
        aaaaaaaaaaa_6=clip(video="short"),
        aaaaaaaaaaa_7="none",
    )
    assert found.reasons == {"bad_interval": 1, "bad_box": 1, "malformed_row": 2, "bad_id": 1}
    assert found.said("aaaaaaaaaaa_0") == ["box_beyond_frame 0.2 -0.1 0.7 0.9"]
    assert found.said("aaaaaaaaaaa_1") == ["named_after_another_video bbbbbbbbbbb"]
    assert found.said("aaaaaaaaaaa_2") == ["attributes_do_not_fit appearance: 1 for 3 names, action: none for 2 names"]


def test_files_that_are_none_of_it(tmp_path: Path) -> None:
    for content, words in (("{", "not JSON"), ("[]", "no clips"), (json.dumps({"clips": {}}), "appearance_mapping")):
        with pytest.raises(UsageError, match=words):
            list(read(write(tmp_path, {"celebvhq_info.json": content})))
    with pytest.raises(UsageError, match="holds no"):
        list(read(write(tmp_path / "empty", {"note.txt": ""})))


def test_the_published_sample() -> None:
    found = Sorted(read, lists("CelebV-HQ"))
    assert (len(found.clips), found.reasons, found.traps) == (1, {}, {})
    (row,) = found.clips
    assert (row.end_s or 0) - (row.start_s or 0) == pytest.approx(4.55)
    assert found.said(row.name, "emotion") == ["neutral"]
    assert "talk" in found.said(row.name, "action")[0]
