"""TalkVerse: 2.3 million clips for minute-long talking people, out of OpenHumanVid and Panda-70M (Wang et al., 2025).

The folder holds one .csv of the form that snap-research/TalkVerse @ 3607ff25 reads
(`wan/src/dataset_resolution_bins_roi.py`): `video_path`, `scenes`, `fps`, one row a video. A scene is `start,end`,
first and last frame of the video at `fps`, both within it; several are parted by semicolons. Videos are a user's own
copies: a path is looked for in the folder, from its part `openhumanvid` or `panda70m` on, by which the loader tells
the two sets. There is no box, so that a clip is the whole frame. What else a row says, a caption for one, is not
asked for.
"""

import csv
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath

from manifests.errors import OutsideRoot, UsageError
from manifests.names import inside
from operators.base import Drop
from pipeline.importing import Held, Imported, Rows, Trap, is_whole, one_of, own_copy

TERMS = (
    "TalkVerse: code for non-commercial research (Snap); the videos belong to their makers. "
    "Only your own copies are listed."
)
SETS = ("openhumanvid", "panda70m")
COLUMNS = ("video_path", "scenes", "fps")
FPS = 25  # that the loader asserts


def read(folder: Path) -> Iterator[Imported]:
    """The scenes in the order of the file, the longest of a video noted as `longest`, which alone the loader trains on.

    Drops: `malformed_row`, `unknown_set` (the path names neither set, and the loader stops), `outside_folder`,
    `missing_file`, those of a file that is no video, `bad_frames`, `repeated_row`. Traps: `not_25_fps` and `no_sound`
    (the loader refuses the file), `beyond_end` (a scene ends after the video).

    Raises:
        UsageError: where there is no such file, or it has other columns.
    """
    path = one_of(folder, "*.csv")
    if path is None:
        raise UsageError(f"{folder} holds no .csv of TalkVerse")
    rows = Rows("talkverse")
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.DictReader(file, restval="")
        if missing := [column for column in COLUMNS if column not in (reader.fieldnames or [])]:
            raise UsageError(f"{path} has no column {', '.join(missing)}")
        for row in reader:
            cells = {column: (row[column] or "").strip() for column in COLUMNS}
            yield from _video(rows, folder, cells, reader.line_num)


def _video(rows: Rows, folder: Path, row: Mapping[str, str], line: int) -> Iterator[Imported]:
    place, fps, scenes = f"line_{line:07d}", _number(row["fps"]), _scenes(row["scenes"])
    parts = PurePosixPath(row["video_path"]).parts
    at = next((n for n, part in enumerate(parts) if part in SETS), None)
    if fps is None or fps <= 0 or scenes is None or not parts:
        yield rows.drop(place, "malformed_row", "no path, frames a second, or scenes of two whole numbers")
        return
    if at is None:
        yield rows.drop(place, "unknown_set", f"{parts[-1][:80]}: neither {' nor '.join(SETS)} is in the path")
        return
    name = "/".join(parts[at:])
    if rows.seen(f"{name}_{scenes[0][0]}-{scenes[0][1]}"):
        yield rows.drop(name, "repeated_row", f"{place}: the list has it before")
        return
    try:
        video = inside(folder, name)
        held = Held.by(video) if video.is_file() else None
    except OutsideRoot:
        yield rows.drop(place, "outside_folder", name[:80])
        return
    except Drop as drop:
        yield rows.drop(name, drop.reason, drop.detail)
        return
    if held is None:
        yield rows.drop(name, "missing_file", name)
        return
    source = own_copy(video, TERMS)
    longest = max(scenes, key=lambda scene: scene[1] - scene[0])
    for first, last in scenes:
        scene = f"{name}_{first}-{last}"
        if not 0 <= first <= last:
            yield rows.drop(scene, "bad_frames", f"{first} to {last}", source_id=source.source_id)
            continue
        notes = [("longest", "yes")] if (first, last) == longest else []
        traps = list(_traps(held, last, fps))
        yield from rows.clip(source, scene, frames=(first, last + 1), fps=fps, traps=traps, notes=notes)


def _traps(held: Held, last: int, fps: float) -> Iterator[Trap]:
    if held.fps != FPS:
        yield "not_25_fps", f"{held.fps:g}"
    if not held.audio_hz:
        yield "no_sound", ""
    if held.fps and (last + 1) / fps > held.frames / held.fps + 1 / fps:
        yield "beyond_end", f"{(last + 1) / fps:.2f} s of {held.frames / held.fps:.2f} s"


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _scenes(text: str) -> list[tuple[int, int]] | None:
    """First and last frame of each; None for what is none, since the loader would leave it out without a word."""
    cells = [scene.split(",") for scene in text.split(";") if scene.strip()]
    if not cells or any(len(pair) != 2 or not all(map(is_whole, pair)) for pair in cells):
        return None
    return [(int(first), int(last)) for first, last in cells]
