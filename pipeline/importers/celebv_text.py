"""CelebV-Text: 70,000 clips of faces with texts (Yu et al., CVPR 2023).

The folder holds `celebvtext_info.json`, or another .json of that form: `clips.<name>` = ytb_id, duration, bbox,
version. Boxes are pixels of a frame whose size the list does not give, so they fit a video of the size its authors had.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from manifests.errors import UsageError
from operators.sources import addresses
from pipeline.importers.celebv_hq import box_of, early, interval, loaded
from pipeline.importing import Imported, Rows, one_of, youtube

TERMS = "CelebV-Text: non-commercial research only; the videos belong to their makers."


def read(folder: Path) -> Iterator[Imported]:
    """The clips in the order of the file.

    Drops: `malformed_row`, `bad_id`, `bad_interval`, `bad_box`.
    Traps: `frame_size_unknown` (every clip), `seconds_named_frames`, `centiseconds_truncated` (the published script
    cuts 10 ms early).

    Raises:
        UsageError: where there is no such file.
    """
    path = one_of(folder, "celebvtext_info.json", "*.json")
    if path is None:
        raise UsageError(f"{folder} holds no celebvtext_info.json")
    rows = Rows("celebv_text")
    for name, clip in loaded(path)["clips"].items():
        yield from _clip(rows, name, clip)


def _clip(rows: Rows, name: str, clip: Any) -> Iterator[Imported]:
    video = clip.get("ytb_id") if isinstance(clip, dict) else None
    span = interval(clip.get("duration")) if video else None
    named_frames = interval(clip.get("duration"), "start_frame", "end_frame") if video and span is None else None
    box = box_of(clip.get("bbox")) if video else None
    seconds = span or named_frames
    if not video or seconds is None or box is None:
        yield rows.drop(name, "malformed_row", "no ytb_id, duration or bbox")
    elif not addresses.is_youtube_id(video):
        yield rows.drop(name, "bad_id", video)
    elif not 0 <= seconds[0] < seconds[1]:
        yield rows.drop(name, "bad_interval", f"{seconds[0]} to {seconds[1]} s", source_id=f"yt-{video}")
    elif not (box[0] < box[2] and box[1] < box[3]):
        yield rows.drop(name, "bad_box", f"{box[0]} {box[1]} {box[2]} {box[3]}", source_id=f"yt-{video}")
    else:
        traps = [("frame_size_unknown", f"box up to {box[2]:g} across and {box[3]:g} down"), *early(seconds)]
        if named_frames:
            traps.append(("seconds_named_frames", f"start_frame {seconds[0]:g}, end_frame {seconds[1]:g}"))
        notes = [("version", str(clip["version"]))] if "version" in clip else []
        yield from rows.clip(youtube(video), name, seconds=seconds, box=box, frame=(0, 0), traps=traps, notes=notes)
