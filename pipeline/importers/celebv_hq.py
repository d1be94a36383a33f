"""CelebV-HQ: 35,666 clips of celebrities with 83 attributes (Zhu et al., ECCV 2022).

The folder holds `celebvhq_info.json`, or another .json of that form. Boxes are shares of the frame; the published
script expands and squares them (`operators/clips/crops.py: celebv_hq`). Times have centiseconds and are kept as they
are.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from manifests.errors import UsageError
from operators.sources import addresses
from pipeline.importing import Imported, Rows, Trap, one_of, youtube

TERMS = "CelebV-HQ: non-commercial research only; the videos belong to their makers."
EMOTIONS = ("neutral", "happy", "sad", "anger", "fear", "surprise", "contempt", "disgust")


def read(folder: Path) -> Iterator[Imported]:
    """The clips in the order of the file, with their appearances and actions (the names of those that hold) and
    emotions.

    Drops: `bad_interval`, `bad_box`, `bad_id`, `malformed_row`.
    Traps: `centiseconds_truncated` (the published script cuts 10 ms early), `box_beyond_frame`,
    `emotion_not_as_flagged`, `emotion_beyond_clip`, `emotion_unknown`, `attributes_do_not_fit`,
    `named_after_another_video`.

    Raises:
        UsageError: where there is no such file, or its attributes have no names.
    """
    path = one_of(folder, "celebvhq_info.json", "*.json")
    if path is None:
        raise UsageError(f"{folder} holds no celebvhq_info.json")
    whole = loaded(path)
    # An older README of the dataset spells the key otherwise.
    names = whole.get("meta_info", whole.get("mete_info", {}))
    mappings = {kind: names.get(f"{kind}_mapping") for kind in ("appearance", "action")}
    if not all(isinstance(mapping, list) for mapping in mappings.values()):
        raise UsageError(
            f"{path} has no meta_info with appearance_mapping and action_mapping; take the whole published file"
        )
    rows = Rows("celebv_hq")
    for name, clip in whole["clips"].items():
        yield from _clip(rows, name, clip, mappings)


def loaded(path: Path) -> dict[str, Any]:
    """A .json with `clips` by name.

    Raises:
        UsageError: for what is none.
    """
    try:
        whole = json.loads(path.read_text(encoding="utf-8-sig"))
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} is not JSON: {error}") from None
    if not isinstance(whole, dict) or not isinstance(whole.get("clips"), dict):
        raise UsageError(f"{path} has no clips")
    return whole


def interval(part: Any, start: str = "start_sec", end: str = "end_sec") -> tuple[float, float] | None:
    """The two times under these keys; None where one is missing or no number."""
    found = _numbers(part, start, end)
    return (found[0], found[1]) if found else None


def box_of(part: Any) -> tuple[float, float, float, float] | None:
    """left, top, right, bottom; None where one is missing or no number."""
    found = _numbers(part, "left", "top", "right", "bottom")
    return (found[0], found[1], found[2], found[3]) if found else None


def _numbers(part: Any, *keys: str) -> list[float] | None:
    found = [part.get(key) for key in keys] if isinstance(part, dict) else []
    whole = [float(number) for number in found if isinstance(number, int | float) and not isinstance(number, bool)]
    return whole if len(whole) == len(keys) else None


def _clip(rows: Rows, name: str, clip: Any, mappings: dict[str, Any]) -> Iterator[Imported]:
    video = clip.get("ytb_id") if isinstance(clip, dict) else None
    span = interval(clip.get("duration")) if video else None
    box = box_of(clip.get("bbox")) if video else None
    if not video or span is None or box is None:
        yield rows.drop(name, "malformed_row", "no ytb_id, duration or bbox")
        return
    if not addresses.is_youtube_id(video):
        yield rows.drop(name, "bad_id", video)
        return
    source = youtube(video)
    start_s, end_s = span
    left, top, right, bottom = box
    if not 0 <= start_s < end_s:
        yield rows.drop(name, "bad_interval", f"{start_s} to {end_s} s", source_id=source.source_id)
        return
    if not (left < right and top < bottom):
        yield rows.drop(name, "bad_box", f"{left} {top} {right} {bottom}", source_id=source.source_id)
        return
    traps = early(span)
    if not name.startswith(video):
        traps.append(("named_after_another_video", video))
    if min(box) < 0 or max(box) > 1:
        traps.append(("box_beyond_frame", f"{left} {top} {right} {bottom}"))
    attributes = clip.get("attributes") or {}
    notes = [("version", str(clip["version"]))] if "version" in clip else []
    for kind, mapping in mappings.items():
        values = attributes.get(kind)
        if not isinstance(values, list) or len(values) != len(mapping):
            traps.append(
                (
                    "attributes_do_not_fit",
                    f"{kind}: {len(values) if isinstance(values, list) else 'none'} for {len(mapping)} names",
                )
            )
        else:
            notes.append((kind, ", ".join(label for label, value in zip(mapping, values, strict=True) if value)))
    labels, spans, odd = _emotions(attributes.get("emotion"), end_s - start_s)
    yield from rows.clip(
        source,
        name,
        seconds=(start_s, end_s),
        box=box,
        crop="celebv_hq",
        traps=traps + odd,
        notes=notes + labels,
        spans=spans,
    )


def early(span: tuple[float, float]) -> list[Trap]:
    """The times of a clip that the published scripts of CelebV-HQ and CelebV-Text make 10 ms early."""
    found = [time for time in span if _truncated(time) != round(time * 100)]
    told = ", ".join(f"{time:.2f} -> {int(time)}.{_truncated(time) % 100:02d}" for time in found)
    return [("centiseconds_truncated", told)] if found else []


def _truncated(time_s: float) -> int:
    """The time in centiseconds as the published script makes it: `int((secs - int(secs)) * 100)` after whole
    seconds.
    """
    return int(time_s) * 100 + int((time_s - int(time_s)) * 100)


def _emotions(
    emotion: Any, length_s: float
) -> tuple[list[tuple[str, str]], list[tuple[str, str, float, float]], list[Trap]]:
    """A label for the whole clip, or labels for its parts, as `sep_flag` says; and what does not fit."""
    traps: dict[str, str] = {}
    labels = emotion.get("labels") if isinstance(emotion, dict) else None
    if isinstance(labels, list) != bool(isinstance(emotion, dict) and emotion.get("sep_flag")):
        traps["emotion_not_as_flagged"] = (
            f"{type(labels).__name__} with sep_flag {emotion.get('sep_flag')}" if emotion else "no emotion"
        )
    whole, parts = [], []
    if isinstance(labels, str):
        whole.append(("emotion", labels))
    for part in labels if isinstance(labels, list) else []:
        times = interval(part)
        if times is None or "emotion" not in part or times[0] >= times[1]:
            traps["emotion_not_as_flagged"] = f"a part {json.dumps(part)}"
            continue
        if times[0] < 0 or times[1] > length_s + 0.5:
            traps["emotion_beyond_clip"] = f"{times[1]:g} s of {length_s:.2f} s"
        parts.append(("emotion", str(part["emotion"]), *times))
    if unknown := sorted({label for _, label, *_ in [*whole, *parts]} - set(EMOTIONS)):
        traps["emotion_unknown"] = ", ".join(unknown)
    return whole, parts, list(traps.items())
