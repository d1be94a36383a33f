"""TalkingHead-1KH: tubes in minutes of YouTube videos (Wang et al., CVPR 2021).

The folder holds `{train,val,small}_video_tubes.txt` and `{train,val,small}_video_ids.txt` of the official
data_list.zip, one pair or all. A tube is `VIDEO_NNNN, H, W, S, E, L, T, R, B`: frames S to E, both in it, of the minute
NNNN that a stream copy made of the video, and a box in a frame of W x H. What the minutes are is settled by
`PlacePublished`.
"""

import re
from collections.abc import Iterator
from pathlib import Path

from manifests.errors import UsageError
from pipeline.importing import Imported, Rows, Trap, existing, is_whole, lines, youtube

TERMS = "TalkingHead-1KH: lists MIT; the videos are CC BY 3.0 by what their makers said on YouTube."
SPLITS = {"train": "train", "val": "val", "small": "train"}  # the small list is a part of train, as counted in both
SIDE = 512  # that the paper asks for


def read(folder: Path) -> Iterator[Imported]:
    """The tubes, list by list, in their order. Videos of a list of ids that have no tube follow as drops.

    Drops: `malformed_row`, `bad_frames`, `bad_box`, `repeated_row`, `no_tube` (an id without a tube: no clip is lost by
    it). Traps: `space_around`, `no_last_newline`, `byte_order_mark`, `id_not_listed`, `box_not_square`,
    `box_below_512`, `box_beyond_frame`, `shared_frames` (with the tube before it in the list),
    `minute_cut_at_key_frame` (every minute but the first).

    Raises:
        UsageError: where there is no list of tubes.
    """
    found = [name for name in SPLITS if (existing(folder) / f"{name}_video_tubes.txt").is_file()]
    if not found:
        raise UsageError(
            f"{folder} holds no *_video_tubes.txt; unpack data_list.zip of TalkingHead-1KH and name its folder"
        )
    rows = Rows("talking_head_1kh")
    for name in found:
        yield from _tubes(rows, folder, name)


def _tubes(rows: Rows, folder: Path, listing: str) -> Iterator[Imported]:
    path = folder / f"{listing}_video_ids.txt"
    listed = dict(lines(path)) if path.is_file() else {}
    seen: set[str] = set()
    before: tuple[str, int, int] = ("", 0, 0)
    for number, (text, traps) in enumerate(lines(folder / f"{listing}_video_tubes.txt"), 1):
        fields = [part.strip() for part in text.split(",")]
        piece = re.fullmatch(r"([A-Za-z0-9_-]{11})_(\d{4,})", fields[0])
        if not piece or len(fields) != 9 or not all(map(is_whole, fields[1:])):
            yield rows.drop(f"{listing}-line-{number}", "malformed_row", text, traps=traps)
            continue
        height, width, first, last, left, top, right, bottom = map(int, fields[1:])
        name = f"{fields[0]}_S{first}_E{last}_L{left}_T{top}_R{right}_B{bottom}"
        video, minute = piece[1], int(piece[2])
        seen.add(video)
        source = youtube(video, "CC-BY-3.0")
        if path.is_file() and video not in listed:
            traps.append(("id_not_listed", path.name))
        if rows.seen(name):
            yield rows.drop(
                name, "repeated_row", f"line {number} of the {listing} list", source_id=source.source_id, traps=traps
            )
        elif not 0 <= first <= last:
            yield rows.drop(name, "bad_frames", f"{first} to {last}", source_id=source.source_id, traps=traps)
        elif not (left < right and top < bottom and height > 0 and width > 0):
            told = f"{left} {top} {right} {bottom} of {width} x {height}"
            yield rows.drop(name, "bad_box", told, source_id=source.source_id, traps=traps)
        else:
            if before[0] == fields[0] and first <= before[2] and before[1] <= last:
                traps.append(("shared_frames", f"{max(first, before[1])} to {min(last, before[2])}"))
            traps += _of_box(left, top, right, bottom, width, height)
            if minute:
                traps.append(("minute_cut_at_key_frame", f"minute {minute}"))
            yield from rows.clip(
                source, name, frames=(first, last + 1), piece=minute, box=(left, top, right, bottom),
                frame=(width, height), crop="talking_head_1kh", split=SPLITS[listing], traps=traps,
                notes=[("list", listing)],
            )  # fmt: skip
        before = fields[0], first, last
    for video, traps in listed.items():
        if video not in seen:
            yield rows.drop(
                f"{listing}-{video}", "no_tube", f"in {path.name} only", source_id=f"yt-{video}", traps=traps
            )


def _of_box(left: int, top: int, right: int, bottom: int, width: int, height: int) -> list[Trap]:
    traps: list[Trap] = []
    if right - left != bottom - top:
        traps.append(("box_not_square", f"{right - left} x {bottom - top}"))
    if min(right - left, bottom - top) < SIDE:
        traps.append(("box_below_512", f"{right - left} x {bottom - top}"))
    if left < 0 or top < 0 or right > width or bottom > height:
        traps.append(("box_beyond_frame", f"{left} {top} {right} {bottom} of {width} x {height}"))
    return traps
