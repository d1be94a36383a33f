"""Captions: the user's, the corpus's, or made of what was measured and marked so."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet
import pytest

from manifests.errors import UsageError
from operators.base import Drop
from pipeline.export.captions import Caption, caption_of, with_speech
from pipeline.export.clip import ExportClip
from pipeline.export.layout import Given

CLIP = ExportClip(
    "s/0-1/t0", "s", "who", "train", 0, 1, "", "", "", 25.0, 64, 64, 25, crop_px=(100.0, 0.0, 500.0, 400.0)
)
ROWS = [{"clip_id": "s/0-1/t0", "caption": "A  woman\nspeaks."}, {"clip_id": "other", "caption": "No."}]


def test_measured_facts_make_a_sentence_and_are_marked() -> None:
    assert caption_of(CLIP, Given()) == Caption("A person speaking.", "measured")
    scores = {"face_width_px:": 160.0, "yaw_deg:": -30.0, "yaw_range_deg:": 4.0, "faces_in_view:": 1.0}
    told = replace(CLIP, scores=scores, annotations={"language": "en", "emotion": "happy"}, transcript="We  will\ngo.")
    assert caption_of(told, Given()).text == (
        "A person speaking (language: en), with head and shoulders in view, turned to the left of the picture, "
        'the head nearly still, happy in expression. The person says: "We will go."'
    )
    near = replace(
        CLIP, scores={"face_width_px:": 220.0, "yaw_deg:": 3.0, "faces_in_view:": 2.4, "yaw_range_deg:": 30.0}
    )
    assert caption_of(near, Given()).text == (
        "A person among others speaking, in close-up, facing the camera, moving the head."
    )


def test_the_corpus_s_own_caption_comes_first() -> None:
    clip = replace(CLIP, annotations={"caption": "A man."}, transcript="We will go.")
    caption = caption_of(clip, Given())
    assert caption == Caption("A man.", "annotation")
    assert with_speech(caption, clip) == 'A man. The person says: "We will go."'
    assert with_speech(Caption('He says "We will go."', "given"), clip) == 'He says "We will go."'


def as_csv(path: Path) -> Path:
    path = path / "c.csv"
    path.write_text('name,text\ns-0-1-t0,"A  woman\nspeaks."\n')
    return path


def as_json(path: Path) -> Path:
    path = path / "c.json"
    path.write_text(json.dumps({row["clip_id"]: row["caption"] for row in ROWS}))
    return path


def as_jsonl(path: Path) -> Path:
    path = path / "c.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in ROWS))
    return path


def as_parquet(path: Path) -> Path:
    path = path / "c.parquet"
    pyarrow.parquet.write_table(pa.Table.from_pylist(ROWS), path)
    return path


def as_folder(path: Path) -> Path:
    (path / "s-0-1-t0.txt").write_text("A  woman\nspeaks.\n")
    return path


@pytest.mark.parametrize("form", [as_csv, as_json, as_jsonl, as_parquet, as_folder])
def test_the_user_s_captions_are_read(form: Callable[[Path], Path], tmp_path: Path) -> None:
    given = Given({"caption": form(tmp_path)})
    assert caption_of(CLIP, given) == Caption("A woman speaks.", "given")
    with pytest.raises(Drop, match="caption_missing"):
        caption_of(replace(CLIP, clip_id="s/5-6/t0"), given)


def test_a_file_without_captions_is_told(tmp_path: Path) -> None:
    (tmp_path / "c.csv").write_text("clip,words\na,b\n")
    with pytest.raises(UsageError, match="no row has one of clip_id, name and one of caption, text, prompt"):
        caption_of(CLIP, Given({"caption": tmp_path / "c.csv"}))
    (tmp_path / "d.json").write_text("{")
    with pytest.raises(UsageError, match=r"caption=.*d\.json: does not read"):
        caption_of(CLIP, Given({"caption": tmp_path / "d.json"}))
    (tmp_path / "e.txt").write_text("a woman")
    with pytest.raises(UsageError, match="a CSV, JSON, JSONL or Parquet file is read"):
        caption_of(CLIP, Given({"caption": tmp_path / "e.txt"}))
