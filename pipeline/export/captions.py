"""What a clip shows, in words: as the user says, as the corpus says, or made from what was measured and marked so."""

import csv
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from manifests.errors import UsageError
from operators.base import Drop
from pipeline.export.clip import ExportClip
from pipeline.export.layout import Given

TAKES = (
    "a caption a clip: a CSV, JSON, JSONL or Parquet file with the columns clip_id (or name) and caption, or a folder "
    "of <clip>.txt; else the annotation `caption`, else one made of measured facts, which export.json counts"
)
_IDS, _TEXTS = ("clip_id", "name"), ("caption", "text", "prompt")
# Of the face over the picture's width: film's close-up shows the face alone, its medium close-up head and shoulders.
_CLOSE, _NEAR = 0.5, 0.25
_FRONTAL_DEG, _PROFILE_DEG = 12.0, 45.0
_DARK, _BRIGHT = 60.0, 190.0  # mean level, of 255
_STILL_DEG = 8.0  # of the head's turn, from the 5th to the 95th percentile


@dataclass(frozen=True)
class Caption:
    """A caption, one line, never empty; `made_by` is given, annotation or measured."""

    text: str
    made_by: str


def caption_of(clip: ExportClip, given: Given) -> Caption:
    """
    Raises:
        Drop: `caption_missing` where the user gives captions, and none of this clip.
        UsageError: for a file that holds none.
    """
    if path := given.folders.get("caption"):
        text = _line(_of_folder(path, clip) if path.is_dir() else _of_file(path, clip))
        if not text:
            raise Drop("caption_missing", detail=f"{path.name} has none of {clip.clip_id}")
        return Caption(text, "given")
    if text := _line(clip.annotations.get("caption", "")):
        return Caption(text, "annotation")
    return Caption(measured(clip), "measured")


def measured(clip: ExportClip) -> str:
    """A sentence or two of what scores and annotations say of the clip, and its transcript; of a clip without any, who
    talks.
    """
    parts = [text for text in (_shot(clip), _pose(clip), _motion(clip), _light(clip)) if text]
    language = clip.annotations.get("language", "")
    speaks = f"speaking (language: {language})" if language else "speaking"
    people = clip.score("faces_in_view")
    who = "A person" if people is None or people < 1.5 else "A person among others"
    said = f' The person says: "{_line(clip.transcript)}"' if clip.transcript else ""
    emotion = clip.annotations.get("emotion", "")
    return f"{who} {', '.join([speaks, *parts, *([f'{emotion} in expression'] if emotion else [])])}.{said}"


def with_speech(caption: Caption, clip: ExportClip) -> str:
    """The caption with what is said in the clip, where that is known and the caption does not hold it yet."""
    said = _line(clip.transcript)
    return caption.text if not said or said in caption.text else f'{caption.text} The person says: "{said}"'


def _shot(clip: ExportClip) -> str:
    wide_px = clip.score("face_width_px")
    if wide_px is None or not (across := clip.crop_px[2] - clip.crop_px[0]):
        return ""
    share = wide_px / across
    return (
        "in close-up" if share >= _CLOSE else "with head and shoulders in view" if share >= _NEAR else "from a distance"
    )


def _pose(clip: ExportClip) -> str:
    yaw = clip.score("yaw_deg")
    if yaw is None:
        return ""
    if abs(yaw) < _FRONTAL_DEG:
        return "facing the camera"
    side = "right" if yaw > 0 else "left"
    return (
        f"turned to the {side} of the picture"
        if abs(yaw) < _PROFILE_DEG
        else f"in profile to the {side} of the picture"
    )


def _motion(clip: ExportClip) -> str:
    turned = clip.score("yaw_range_deg")
    return "" if turned is None else "the head nearly still" if turned < _STILL_DEG else "moving the head"


def _light(clip: ExportClip) -> str:
    level = clip.score("picture_brightness")
    return "" if level is None else "in dim light" if level < _DARK else "in bright light" if level > _BRIGHT else ""


def _line(text: str) -> str:
    return " ".join(text.split())


def _of_folder(folder: Path, clip: ExportClip) -> str:
    path = folder / f"{clip.name}.txt"
    return path.read_text(encoding="utf-8") if path.is_file() else ""


def _of_file(path: Path, clip: ExportClip) -> str:
    table = _table(path)
    return table.get(clip.clip_id) or table.get(clip.name, "")


@cache
def _table(path: Path) -> Mapping[str, str]:
    """By clip's id or name, its caption."""
    try:
        rows = list(_rows(path))
    except (OSError, ValueError) as error:
        raise UsageError(f"--with caption={path}: does not read ({error})") from None
    found = {}
    for row in rows:
        key = next((str(row[name]) for name in _IDS if row.get(name)), "")
        text = next((str(row[name]) for name in _TEXTS if row.get(name)), "")
        if key and text:
            found[key] = text
    if not found:
        wanted = f"one of {', '.join(_IDS)} and one of {', '.join(_TEXTS)}"
        raise UsageError(f"--with caption={path}: no row has {wanted}")
    return found


def _rows(path: Path) -> Iterator[Mapping[str, Any]]:
    suffix = path.suffix.lower()
    if suffix == ".parquet":
        import pyarrow.parquet

        yield from pyarrow.parquet.read_table(path).to_pylist()
    elif suffix == ".csv":
        with path.open(newline="", encoding="utf-8-sig") as stream:
            yield from csv.DictReader(stream)
    elif suffix == ".jsonl":
        yield from (json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip())
    elif suffix == ".json":
        held = json.loads(path.read_text(encoding="utf-8"))
        yield from held if isinstance(held, list) else ({"clip_id": key, "caption": held[key]} for key in held)
    else:
        raise ValueError("a CSV, JSON, JSONL or Parquet file is read")
