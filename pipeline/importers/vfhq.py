"""VFHQ: 16,000 clips of interviews (Xie et al., CVPRW 2022).

The folder holds, in it or below, one text a clip, `Clip+<YouTube id>+P<person>+C<clip>+F<start>-<end>.txt`, with lines
that begin with H, W, FPS and CROP (x0 y0 x1 y1 at its end). Used are the frames after start and before end.
"""

import re
from collections.abc import Iterator
from pathlib import Path

from manifests.errors import UsageError
from pipeline.importing import Imported, Rows, Trap, existing, lines, youtube

TERMS = "VFHQ: non-commercial research only; the videos belong to their makers."
NAME = re.compile(r"Clip\+([A-Za-z0-9_-]{11})\+P(\d+)\+C(\d+)\+F(\d+)-(\d+)")
FIELDS = {"H": 1, "W": 1, "FPS": 1, "CROP": 4}  # numbers at the end of the line


def read(folder: Path) -> Iterator[Imported]:
    """The clips, sorted by name. A person is one of a video: VFHQ does not know persons across videos.

    Drops: `malformed_name`, `missing_field`, `bad_frames`, `bad_box`.
    Traps: those of `lines`, and `box_beyond_frame`, `box_not_square`.

    Raises:
        UsageError: where there is no such text.
    """
    paths = sorted(existing(folder).rglob("Clip+*.txt"), key=lambda path: path.name)
    if not paths:
        raise UsageError(f"{folder} holds no Clip+*.txt; unpack meta_info of VFHQ and name its folder")
    rows = Rows("vfhq")
    for path in paths:
        yield from _clip(rows, path)


def _clip(rows: Rows, path: Path) -> Iterator[Imported]:
    name = path.stem
    found = NAME.fullmatch(name)
    if not found:
        yield rows.drop(name, "malformed_name", path.name)
        return
    video, person, _, start, end = found.groups()
    source = youtube(video)
    says: dict[str, list[float]] = {}
    traps: dict[str, str] = {}
    for text, odd in lines(path):
        traps |= dict(odd)
        key, *rest = text.replace(":", " ").split()
        values = rest[-FIELDS.get(key, 0) or len(rest) :]
        if (
            key in FIELDS
            and len(values) == FIELDS[key]
            and all(re.fullmatch(r"-?\d+(\.\d+)?", value) for value in values)
        ):
            says[key] = list(map(float, values))
    if missing := [key for key in FIELDS if key not in says]:
        yield rows.drop(name, "missing_field", ", ".join(missing), source_id=source.source_id)
        return
    (height,), (width,), (fps,), (left, top, right, bottom) = (says[key] for key in FIELDS)
    first, last = int(start) + 1, int(end)
    if first >= last or fps <= 0:
        yield rows.drop(name, "bad_frames", f"{start} to {end} at {fps:g}", source_id=source.source_id)
    elif not (left < right and top < bottom and height > 0 and width > 0):
        yield rows.drop(
            name,
            "bad_box",
            f"{left:g} {top:g} {right:g} {bottom:g} of {width:g} x {height:g}",
            source_id=source.source_id,
        )
    else:
        odd: list[Trap] = list(traps.items())
        if left < 0 or top < 0 or right > width or bottom > height:
            odd.append(("box_beyond_frame", f"{left:g} {top:g} {right:g} {bottom:g} of {width:g} x {height:g}"))
        if right - left != bottom - top:
            odd.append(("box_not_square", f"{right - left:g} x {bottom - top:g}"))
        yield from rows.clip(
            source, name, frames=(first, last), fps=fps, box=(left, top, right, bottom), frame=(width, height),
            crop="vfhq", identity=f"{video}/P{person}", traps=odd,
        )  # fmt: skip
