"""AVSpeech: 2.8 million segments of one visible speaker without other sounds (Ephrat et al., SIGGRAPH 2018).

The folder holds `avspeech_train.csv` or `avspeech_test.csv`, or both: without a header, `<YouTube
id>,<start>,<end>,<x>,<y>`. Start and end are seconds; x and y say where the speaker's face is at the start, as shares
of the frame from its upper left corner. There is no box, so that a clip is the whole frame. (The lists' page,
looking-to-listen.github.io/avspeech; fields as changil/avspeech-downloader `download.sh:63` @ 1c1017c2 reads them.)
"""

import re
from collections.abc import Iterator
from pathlib import Path

from manifests.errors import UsageError
from operators.sources import addresses
from pipeline.importing import Imported, Rows, Trap, lines, one_of, youtube

TERMS = "AVSpeech: the lists are CC BY 4.0; the videos belong to their makers."
SPLITS = ("train", "test")
_NUMBER = re.compile(r"-?\d{1,9}(\.\d{1,12})?")


def read(folder: Path) -> Iterator[Imported]:
    """The segments, train before test, in the order of the files; where the face is at the start, as the annotation
    `face_at`.

    A clip is named `<YouTube id>_<start>-<end>`, as the list writes the times.

    Drops: `malformed_row`, `bad_id`, `bad_interval`, `repeated_row`.
    Traps: those of `lines`, and `face_beyond_frame`.

    Raises:
        UsageError: where there is neither file.
    """
    found = {split: one_of(folder, f"avspeech_{split}.csv") for split in SPLITS}
    if not any(found.values()):
        raise UsageError(f"{folder} holds neither avspeech_train.csv nor avspeech_test.csv")
    rows = Rows("avspeech")
    for split, path in found.items():
        for number, (line, traps) in enumerate(lines(path) if path else (), 1):
            yield from _segment(rows, line, f"{split}_{number:07d}", split, traps)


def _segment(rows: Rows, line: str, place: str, split: str, traps: list[Trap]) -> Iterator[Imported]:
    cells = [cell.strip() for cell in line.split(",")]
    if len(cells) != 5 or not all(_NUMBER.fullmatch(cell) for cell in cells[1:]):
        yield rows.drop(place, "malformed_row", line[:80], traps=traps)
        return
    video, start, end = cells[:3]
    name, (start_s, end_s, x, y) = f"{video}_{start}-{end}", map(float, cells[1:])
    if not addresses.is_youtube_id(video):
        yield rows.drop(place, "bad_id", video[:80], traps=traps)
    elif not 0 <= start_s < end_s:
        yield rows.drop(name, "bad_interval", f"{start} to {end} s", source_id=f"yt-{video}", traps=traps)
    elif rows.seen(name):
        yield rows.drop(name, "repeated_row", f"{place}: the list has it before", source_id=f"yt-{video}", traps=traps)
    else:
        if not (0 <= x <= 1 and 0 <= y <= 1):
            traps = [*traps, ("face_beyond_frame", f"{cells[3]} {cells[4]}")]
        face = [("face_at", f"{cells[3]} {cells[4]}")]
        yield from rows.clip(youtube(video), name, seconds=(start_s, end_s), split=split, traps=traps, notes=face)
