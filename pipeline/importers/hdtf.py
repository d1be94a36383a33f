"""HDTF: 436 stamps in 369 YouTube videos of speeches, with a square window each (Zhang et al., CVPR 2021).

The folder holds `{RD,WDA,WRA}_{video_url,resolution,annotion_time,crop_wh,crop_ratio}.txt` of MRzzm/HDTF, one group or
all. A clip is a stamp that has a window. Stamps are whole seconds. Windows are pixels of a frame as high as
`resolution` says. The published ratio is applied in the window already: it is kept as a note, for those who detect the
face anew.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from manifests.errors import UsageError
from operators.sources import addresses
from pipeline.importing import Imported, Rows, Trap, existing, lines, youtube

TERMS = "HDTF: annotations CC BY 4.0; the videos belong to their makers."
KINDS = ("video_url", "resolution", "annotion_time", "crop_wh", "crop_ratio")
USUAL_HEIGHTS = (720, 1080)
SIDE = 512  # of the published clips


@dataclass
class _Line:
    fields: list[str]
    traps: list[Trap]


@dataclass
class _Group:
    """The five lists of a group, by the name of the video or of the clip."""

    video_url: dict[str, _Line] = field(default_factory=dict)
    resolution: dict[str, _Line] = field(default_factory=dict)
    annotion_time: dict[str, _Line] = field(default_factory=dict)
    crop_wh: dict[str, _Line] = field(default_factory=dict)
    crop_ratio: dict[str, _Line] = field(default_factory=dict)
    repeated: list[tuple[str, str]] = field(default_factory=list)  # the names that a list has twice, and the list


def read(folder: Path) -> Iterator[Imported]:
    """The clips, in the order of the lists of addresses, group by group.

    Drops: `no_crop`, `no_interval`, `no_url`, `bad_url`, `bad_interval`, `bad_crop`, `repeated_row`.
    Traps: `byte_order_mark`, `space_around`, `no_last_newline`, `time_in_address`, `one_video_two_names`,
    `height_unknown`, `unusual_height`, `box_beyond_frame`, `box_below_512`, `overlapping_stamps`.

    Raises:
        UsageError: where a list of a group is missing.
    """
    groups = sorted(
        path.name.removesuffix("_annotion_time.txt") for path in existing(folder).glob("*_annotion_time.txt")
    )
    if not groups:
        raise UsageError(f"{folder} holds no *_annotion_time.txt; name the folder HDTF_dataset of MRzzm/HDTF")
    read_groups = {name: _group(folder, name) for name in groups}
    names: dict[str, list[str]] = {}
    for group in read_groups.values():
        for name, line in group.video_url.items():
            names.setdefault(_video(line), []).append(name)
    rows = Rows("hdtf")
    for name, group in read_groups.items():
        yield from _clips(rows, name, group, names)


def _group(folder: Path, group: str) -> _Group:
    made = _Group()
    for kind in KINDS:
        path = folder / f"{group}_{kind}.txt"
        if not path.is_file():
            raise UsageError(f"{path} is missing; a group has {', '.join(f'{group}_{kind}.txt' for kind in KINDS)}")
        table = getattr(made, kind)
        for text, traps in lines(path):
            name, *fields = text.split()
            name = name.removesuffix(".mp4")
            if name in table:
                made.repeated.append((name, path.name))
            else:
                table[name] = _Line(fields, traps)
    return made


def _video(line: _Line) -> str:
    """The YouTube id of a line; "" where it has none."""
    return (addresses.youtube_id(line.fields[0]) or "") if line.fields else ""


def _clips(rows: Rows, group_name: str, group: _Group, names: dict[str, list[str]]) -> Iterator[Imported]:
    unused = set(group.crop_wh) | set(group.crop_ratio)
    for name in [*group.video_url, *(name for name in group.annotion_time if name not in group.video_url)]:
        address, times, resolution = (
            group.video_url.get(name),
            group.annotion_time.get(name),
            group.resolution.get(name),
        )
        traps = [trap for line in (address, resolution, times) if line for trap in line.traps]
        video = _video(address) if address else ""
        source_id = f"yt-{video}" if video else ""
        if address and re.search(r"[?&]t=", " ".join(address.fields)):
            traps.append(("time_in_address", address.fields[0].partition("&")[2]))
        if video and len(names[video]) > 1:
            traps.append(("one_video_two_names", f"{video} is {' and '.join(names[video])}"))
        if not times or not times.fields:
            yield rows.drop(name, "no_interval", "an address and no stamp", source_id=source_id, traps=traps)
            continue
        height = int(resolution.fields[0]) if resolution and resolution.fields and resolution.fields[0].isdigit() else 0
        if height == 0:
            traps.append(("height_unknown", "the list says 0" if resolution else "not in the list"))
        elif height not in USUAL_HEIGHTS:
            traps.append(("unusual_height", str(height)))
        spans = [_span(stamp) for stamp in times.fields]
        for index, (stamp, span) in enumerate(zip(times.fields, spans, strict=True)):
            clip = f"{name}_{index}"
            unused.discard(clip)
            crop, ratio = group.crop_wh.get(clip), group.crop_ratio.get(clip)
            odd = (
                traps
                + [trap for line in (crop, ratio) if line for trap in line.traps]
                + _overlaps(index, times.fields, spans)
            )
            told = f"{stamp}, {span[1] - span[0]:g} s" if span else stamp
            if not address:
                yield rows.drop(clip, "no_url", told, traps=odd)
            elif not video:
                yield rows.drop(clip, "bad_url", " ".join(address.fields), traps=odd)
            elif not span:
                yield rows.drop(clip, "bad_interval", told, source_id=source_id, traps=odd)
            elif not crop:
                yield rows.drop(clip, "no_crop", told, source_id=source_id, traps=odd)
            elif (
                len(crop.fields) != 4
                or not all(re.fullmatch(r"\d+", text) for text in crop.fields)
                or "0" in crop.fields[1::2]
            ):
                yield rows.drop(clip, "bad_crop", " ".join(crop.fields), source_id=source_id, traps=odd)
            else:
                x, width, y, high = map(int, crop.fields)
                notes = [("group", group_name)] + ([("crop_ratio", ratio.fields[0])] if ratio and ratio.fields else [])
                yield from rows.clip(
                    youtube(video), clip, seconds=span, box=(x, y, x + width, y + high), frame=(0, height),
                    traps=odd + _of_box(x + width, y + high, width, height), notes=notes,
                )  # fmt: skip
    for clip in sorted(unused):
        yield rows.drop(clip, "no_interval", "a window and no stamp")
    for name, file in group.repeated:
        yield rows.drop(name, "repeated_row", file)


def _span(stamp: str) -> tuple[float, float] | None:
    """Start and end in seconds of `[HH:]MM:SS-[HH:]MM:SS`; None where it is none, or ends before it starts."""
    found = re.fullmatch(r"((?:\d+:)?\d+:\d+)-((?:\d+:)?\d+:\d+)", stamp)
    if not found:
        return None
    start_s, end_s = (
        float(sum(int(part) * 60**n for n, part in enumerate(reversed(text.split(":"))))) for text in found.groups()
    )
    return (start_s, end_s) if end_s > start_s else None


def _overlaps(index: int, stamps: list[str], spans: list[tuple[float, float] | None]) -> list[Trap]:
    here = spans[index]
    others = [
        n for n, span in enumerate(spans) if n != index and here and span and span[0] < here[1] and here[0] < span[1]
    ]
    return [("overlapping_stamps", f"{stamps[index]} and {', '.join(stamps[n] for n in others)}")] if others else []


def _of_box(right: int, bottom: int, side: int, height: int) -> list[Trap]:
    traps: list[Trap] = []
    wide = height * 16 // 9
    if height and (bottom > height or right > wide):
        traps.append(
            ("box_beyond_frame", f"{right} > {wide} across" if bottom <= height else f"{bottom} > {height} down")
        )
    if side < SIDE:
        traps.append(("box_below_512", str(side)))
    return traps
