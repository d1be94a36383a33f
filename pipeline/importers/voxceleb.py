"""VoxCeleb as the FOMM family uses it: 20,075 boxes in 3,442 YouTube videos.

The list is `vox-metadata.csv` of video-preprocessing.

The folder holds `vox-metadata.csv` and, in it or below, `vox1_meta.csv` and `vox2_meta.csv` where at hand: what they
say of a person goes to each of that person's clips. Frames are counted at 25 a second; the box is the crop, in a frame
of the size given.
"""

import csv
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path

from manifests.errors import UsageError
from operators.sources import addresses
from pipeline.importing import Imported, Rows, Trap, is_whole, one_of, youtube

TERMS = (
    "VoxCeleb: metadata CC BY 4.0; the list of video-preprocessing states no licence; the videos belong to their"
    " makers."
)
COLUMNS = ("video_id", "start", "end", "bbox", "fps", "width", "height", "partition", "person_id")
FACTS = {
    "Gender": "gender",
    "Nationality": "nationality",
    "Set": "voxceleb_set",
    "VGGFace1 ID": "name",
    "VGGFace2ID": "vggface2",
}


def read(folder: Path) -> Iterator[Imported]:
    """The clips in the order of the file. A row that is in it twice gives one clip.

    Drops: `malformed_row`, `bad_id`, `bad_frames`, `bad_box`, `repeated_row`.
    Traps: `box_beyond_frame`, `box_not_square` (the published script squeezes it), `person_in_two_partitions`,
    `same_name_other_box` (the published script writes one clip over the other), `person_not_listed` (where the lists of
    persons are at hand).

    Raises:
        UsageError: where there is no such file, or it has other columns.
    """
    path = one_of(folder, "vox-metadata.csv")
    if path is None:
        raise UsageError(f"{folder} holds no vox-metadata.csv; it is in AliaksandrSiarohin/video-preprocessing")
    persons = _persons(folder)
    partitions: dict[str, Counter[str]] = defaultdict(Counter)
    for _, row in _table(path):
        partitions[row["person_id"]][row["partition"]] += 1
    rows = Rows("voxceleb")
    known: set[tuple[str, ...]] = set()
    for number, row in _table(path):
        yield from _clip(rows, number, row, known, partitions[row["person_id"]], persons)


def _table(path: Path) -> Iterator[tuple[int, dict[str, str]]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.DictReader(file, restval="")
        if missing := [column for column in COLUMNS if column not in (reader.fieldnames or [])]:
            raise UsageError(f"{path} has no column {', '.join(missing)}")
        for row in reader:
            yield reader.line_num, {column: (row[column] or "").strip() for column in COLUMNS}


def _persons(folder: Path) -> dict[str, list[tuple[str, str]]]:
    """What the lists of VoxCeleb say of each person. One is separated by tabs in spite of its name, the other has a
    byte order mark.
    """
    found: dict[str, list[tuple[str, str]]] = {}
    for path in filter(None, [one_of(folder, "vox1_meta.csv"), one_of(folder, "vox2_meta.csv")]):
        text = path.read_text(encoding="utf-8-sig").splitlines()
        header, *table = csv.reader(text, delimiter="\t" if "\t" in text[0] else ",")
        for cells in table:
            row = {name.strip(): cell.strip() for name, cell in zip(header, cells, strict=False)}
            person = row.get("VoxCeleb1 ID") or row.get("VoxCeleb2ID") or row.get("VoxCeleb2 ID")
            if person:
                found[person] = [(note, row[name]) for name, note in FACTS.items() if row.get(name)]
    return found


def _clip(
    rows: Rows,
    number: int,
    row: dict[str, str],
    known: set[tuple[str, ...]],
    partitions: Counter[str],
    persons: dict[str, list[tuple[str, str]]],
) -> Iterator[Imported]:
    video, person = row["video_id"], row["person_id"]
    edges = row["bbox"].split("-")
    numeric = [row["start"], row["end"], row["width"], row["height"], *edges]
    if (
        len(edges) != 4
        or not all(map(is_whole, numeric))
        or not row["fps"].replace(".", "", 1).isdigit()
        or not float(row["fps"])
    ):
        yield rows.drop(f"line-{number}", "malformed_row", ",".join(row.values()))
        return
    start, end, width, height, left, top, right, bottom = map(int, numeric)
    name = f"{person}#{video}#{start:06d}#{end:06d}"
    source_id = f"yt-{video}"
    if not addresses.is_youtube_id(video):
        yield rows.drop(name, "bad_id", video)
        return
    traps: list[Trap] = []
    if left < 0 or top < 0 or right > width or bottom > height:
        traps.append(("box_beyond_frame", f"{row['bbox']} of {width} x {height}"))
    if right - left != bottom - top:
        traps.append(("box_not_square", f"{right - left} x {bottom - top}"))
    if len(partitions) > 1:
        traps.append(
            (
                "person_in_two_partitions",
                f"{person}: {', '.join(f'{n} {part}' for part, n in sorted(partitions.items()))}",
            )
        )
    if tuple(row.values()) in known:
        yield rows.drop(name, "repeated_row", f"line {number}", source_id=source_id, traps=traps)
        return
    known.add(tuple(row.values()))
    if not 0 <= start < end:
        yield rows.drop(name, "bad_frames", f"{start} to {end}", source_id=source_id, traps=traps)
        return
    if not (left < right and top < bottom and width > 0 and height > 0):
        yield rows.drop(name, "bad_box", f"{row['bbox']} of {width} x {height}", source_id=source_id, traps=traps)
        return
    if rows.seen(name):
        traps.append(("same_name_other_box", name))
    if persons and person not in persons:
        traps.append(("person_not_listed", person))
    yield from rows.clip(
        youtube(video), name, frames=(start, end), fps=float(row["fps"]), box=(left, top, right, bottom),
        frame=(width, height), crop="vox_metadata", identity=person, split=row["partition"], traps=traps,
        notes=persons.get(person, []),
    )  # fmt: skip
