"""Which seconds of a recording a line of a list asks for."""

import ast
import json
import math
import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from pipeline.listing.entries import Problem, Range

STARTS = {
    "start": 1,
    "start_s": 1,
    "start_sec": 1,
    "start_secs": 1,
    "start_seconds": 1,
    "start_time": 1,
    "begin": 1,
    "begin_s": 1,
}
ENDS = {"end": 1, "end_s": 1, "end_sec": 1, "end_secs": 1, "end_seconds": 1, "end_time": 1, "stop": 1}
STARTS |= {"start_time_s": 1, "clip_start": 1, "t_start": 1, "start_ms": 1000}  # names to units of a second
ENDS |= {"end_time_s": 1, "clip_end": 1, "t_end": 1, "end_ms": 1000}
LENGTHS = ("duration_s", "duration", "durations", "seconds")
LISTED = ("timestamp", "timestamps")  # Panda-70M: several ranges a row
NAMES = frozenset([*STARTS, *ENDS, *LENGTHS, *LISTED, "fps"])
# named here to say that they are not read
FRAMES = frozenset(["start_frame", "end_frame", "first_frame", "last_frame"])
MAX_S = 1e7  # four months

_CLOCK = re.compile(r"(?:(\d{1,4}):)?(\d{1,4}):(\d{1,2}(?:[.,]\d{1,9})?)")
_NUMBER = re.compile(r"(\d{1,9}(?:[.,]\d{0,18})?|[.,]\d{1,18})\s*(?:s|sec)?")
_LETTERS = re.compile(r"(?=\d)(?:(\d{1,4})h)?(?:(\d{1,6})m)?(?:(\d{1,9}(?:\.\d+)?)s?)?")
_SAYS_WHEN = re.compile(r"[?&#](?:t|start|end|time_continue)=")
_BETWEEN = re.compile(r"\s*(?:-->|–|-|\bto\b|,\s)\s*")


def seconds_of(value: Any) -> float | None:
    """A time as lists write it: 12.5, 12,5, 5.042s, 01:02.5, 1:02:03.25 or 1h2m3s. None for anything else.

    Summed as decimals, so that 1:02.72 is 62.72 to the last digit.
    """
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, int | float):
        return float(value) if math.isfinite(value) and 0 <= value <= MAX_S else None
    text = str(value).strip().lower()
    if found := _NUMBER.fullmatch(text):
        return float(found[1].replace(",", "."))
    if found := _CLOCK.fullmatch(text):
        parts = [Decimal((part or "0").replace(",", ".")) for part in found.groups()]
    elif found := _LETTERS.fullmatch(text):
        parts = [Decimal(part or "0") for part in found.groups()]
    else:
        return None
    return float(parts[0] * 3600 + parts[1] * 60 + parts[2])


def ranges_of(fields: Mapping[str, Any], address: str) -> tuple[Range, ...] | Problem:
    """The clips that a line asks for; () where it means the whole recording.

    Read are start and end (or a start and a length) by their usual names, `timestamp` as Panda-70M has it,
    `[['0:00:02.235', '0:00:08.241'], ...]`, and an address with a start and an end, `?start=90&end=120` or
    `#t=90,120`. A start alone, as in `&t=90`, is no clip.

    Args:
        fields: by name, in lower case with `_` between words.

    Problems: `bad_range`, `range_unit_unknown`.
    """
    for name in LISTED:
        if (found := _several(fields.get(name))) is not None:
            return found
    start_name = next((name for name in STARTS if not _blank(fields.get(name))), None)
    end_name = next((name for name in ENDS if not _blank(fields.get(name))), None)
    if start_name is None and end_name is None:
        return _in_address(address)
    if "fps" in fields and {start_name, end_name} <= {"start", "end", None}:
        said = (
            "start and end beside fps may be frames or seconds: name them start_s and end_s, or use headset import"
            " where there is one"
        )
        return Problem("range_unit_unknown", said)
    start_s = seconds_of(fields[start_name]) if start_name else None
    end_s = seconds_of(fields[end_name]) if end_name else None
    if start_name and end_name:
        return _checked(
            [(_unit(start_s, STARTS[start_name]), _unit(end_s, ENDS[end_name]))], _said(fields, start_name, end_name)
        )
    length = next((name for name in LENGTHS if not _blank(fields.get(name))), None)
    if start_name and length and start_s is not None and (length_s := seconds_of(fields[length])) is not None:
        start_s = start_s / STARTS[start_name]
        return _checked(
            [(start_s, float(Decimal(repr(start_s)) + Decimal(repr(length_s))))], _said(fields, start_name, length)
        )
    alone = start_name or end_name or ""
    return Problem("bad_range", f"{_said(fields, alone)} without {'an end' if start_name else 'a start'}")


def points_into(address: str) -> bool:
    """Whether an address says where to begin and not where to end."""
    return bool(_times_in(address)) and _in_address(address) == ()


def _several(value: Any) -> tuple[Range, ...] | Problem | None:
    """What a `timestamp` says; None where it is no range, such as a date."""
    if isinstance(value, str):
        text = value.strip()
        if not text.startswith(("[", "(")):
            parts = _BETWEEN.split(text)
            times = [seconds_of(part) for part in parts]
            return _checked([(times[0], times[1])], text) if len(parts) == 2 and None not in times else None
        try:
            value = json.loads(text) if text.startswith("[") and "'" not in text else ast.literal_eval(text)
        except (ValueError, SyntaxError, MemoryError, RecursionError):
            return Problem("bad_range", f"timestamp {text[:60]!r} is no list of ranges")
    if not isinstance(value, Sequence):
        return None
    pairs = [value] if len(value) == 2 and all(seconds_of(one) is not None for one in value) else value
    times = [
        (seconds_of(p[0]), seconds_of(p[1])) if isinstance(p, Sequence) and len(p) == 2 else (None, None) for p in pairs
    ]
    return (
        _checked(times, f"timestamp {str(value)[:60]}") if times else Problem("bad_range", "timestamp names no range")
    )


def _in_address(address: str) -> tuple[Range, ...] | Problem:
    said = _times_in(address)
    start, end = said.get("start", said.get("t", said.get("time_continue"))), said.get("end")
    if start is not None and "," in start:
        start, _, end = start.partition(",")
    if end is None:
        return ()
    return _checked([(seconds_of(start or "0"), seconds_of(end))], f"{start or 0} to {end} in the address")


def _times_in(address: str) -> dict[str, str]:
    """The fields of a web address that say when: t, start, end.

    The fragment is read as the query is (W3C Media Fragments).
    """
    if not _SAYS_WHEN.search(address) or not re.match(r"(?i)(https?:)?//|www\.|youtu|m\.youtu", address):
        return {}
    try:
        parts = urlsplit(address)
    except ValueError:
        return {}
    fields = [*parse_qsl(parts.query), *parse_qsl(parts.fragment)]
    return {
        name: value.removeprefix("npt:") for name, value in fields if name in ("t", "start", "end", "time_continue")
    }


def _checked(times: Sequence[tuple[float | None, float | None]], said: str) -> tuple[Range, ...] | Problem:
    good = [
        (start_s, end_s) for start_s, end_s in times if start_s is not None and end_s is not None and start_s < end_s
    ]
    if len(good) < len(times):
        return Problem("bad_range", f"{said}: not a start and a later end, in seconds or as h:mm:ss")
    return tuple(good)


def _unit(value: float | None, units: int) -> float | None:
    return None if value is None else value / units


def _said(fields: Mapping[str, Any], *names: str) -> str:
    return ", ".join(f"{name} {str(fields[name]).strip()[:40]!r}" for name in names)


def _blank(value: Any) -> bool:
    return value is None or str(value).strip().lower() in ("", "nan", "none", "null")
