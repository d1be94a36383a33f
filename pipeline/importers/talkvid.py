"""TalkVid: 1,244 hours of 7,729 speakers in 15 languages (Chen et al., 2025).

The folder holds one .json or .jsonl, in it or below: an array of records, or a record a line, of the form in the
README of FreedomIntelligence/TalkVid @ 01f25aaf: id, height, width, fps, start-time and end-time in seconds,
start-frame, end-frame, durations, info (Person ID, Ethnicity, Age Group, Gender, Video Link, Language, Video
Category), description, and the scores its filters were set on. There is no box, so that a clip is the whole frame.
"""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from manifests.errors import UsageError
from operators.sources import addresses
from pipeline.importers.celebv_hq import interval
from pipeline.importing import Imported, Rows, Trap, one_of, youtube

TERMS = "TalkVid: CC BY-NC 4.0, non-commercial research only; the videos belong to their makers."
NOTES = {  # the list's name: ours
    "Ethnicity": "ethnicity",
    "Age Group": "age_group",
    "Gender": "gender",
    "Language": "language",
    "Video Category": "category",
}
SCORES = ("dover_scores", "cotracker_ratio")
FRAME_S = 1.5  # frames by which the times of a clip may differ from its frame numbers


def read(folder: Path) -> Iterator[Imported]:
    """The clips in the order of the file, with what the list says of the person, the language and the picture.

    Drops: `malformed_row`, `bad_address` (not a video of YouTube), `bad_interval`, `repeated_row`. Traps:
    `start_at_zero` (the published `download_clips.py` takes a start of 0 for a missing one and leaves the clip out),
    `frames_not_times` (its frame numbers, from 0 at the clip's start, make another length than its times).

    Raises:
        UsageError: where there is no such file, or several.
    """
    path = one_of(folder, "*.json", "*.jsonl")
    if path is None:
        raise UsageError(f"{folder} holds no .json or .jsonl of TalkVid")
    rows = Rows("talkvid")
    for number, record in enumerate(_records(path), 1):
        yield from _clip(rows, record, f"record_{number:07d}")


def _records(path: Path) -> Iterator[Any]:
    """
    Raises:
        UsageError: for what is neither an array nor a record a line.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
        whole = (
            json.loads(text)
            if text.lstrip().startswith("[")
            else [json.loads(line) for line in text.split("\n") if line.strip()]
        )
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} is neither a JSON array nor a record a line: {error}") from None
    yield from whole


def _clip(rows: Rows, record: Any, place: str) -> Iterator[Imported]:
    info = record.get("info") if isinstance(record, dict) else None
    name = record.get("id") if isinstance(info, dict) else None
    span = interval(record, "start-time", "end-time") if isinstance(name, str) and name else None
    if not isinstance(info, dict) or not isinstance(name, str) or span is None:
        yield rows.drop(place, "malformed_row", "no id, info, start-time or end-time")
        return
    video = _video(str(info.get("Video Link") or ""))
    if video is None:
        yield rows.drop(name, "bad_address", addresses.scrubbed(str(info.get("Video Link")))[:80])
    elif not 0 <= span[0] < span[1]:
        yield rows.drop(name, "bad_interval", f"{span[0]} to {span[1]} s", source_id=f"yt-{video}")
    elif rows.seen(name):
        yield rows.drop(name, "repeated_row", f"{place}: the list has it before", source_id=f"yt-{video}")
    else:
        yield from rows.clip(
            youtube(video),
            name,
            seconds=span,
            identity=str(info.get("Person ID") or ""),
            traps=_traps(record, span),
            notes=list(_notes(record, info)),
        )


def _video(address: str) -> str | None:
    try:
        return addresses.youtube_id(address)
    except ValueError:
        return None


def _traps(record: Mapping[str, Any], span: tuple[float, float]) -> Iterator[Trap]:
    if span[0] == 0:
        yield "start_at_zero", f"{span[0]} to {span[1]} s"
    frames, fps = interval(record, "start-frame", "end-frame"), record.get("fps")
    if frames and isinstance(fps, int | float) and fps > 0:
        counted_s = (frames[1] - frames[0]) / fps
        if abs(counted_s - (span[1] - span[0])) > FRAME_S / fps:
            yield "frames_not_times", f"{counted_s:.3f} s of frames, {span[1] - span[0]:.3f} s"


def _notes(record: Mapping[str, Any], info: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for theirs, ours in NOTES.items():
        if info.get(theirs):
            yield ours, str(info[theirs])
    if record.get("description"):
        yield "description", str(record["description"])
    detail = record.get("head_detail")
    scores = detail.get("scores") if isinstance(detail, dict) else None
    told = {name: record.get(name) for name in SCORES} | (
        {f"head_{k}": v for k, v in scores.items()} if isinstance(scores, dict) else {}
    )
    for name, value in told.items():
        if isinstance(value, int | float):
            yield name, repr(value)
