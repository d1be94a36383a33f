"""LRW: a user's own copy of the 500 words from the BBC, checked file by file (Chung and Zisserman, ACCV 2016).

LRW is given out by the BBC to those who signed for it. The folder holds `<WORD>/{train,val,test}/<WORD>_<5 digits>.mp4`
with a `.txt` each, or lists of such names (`<WORD>/test/<WORD>_00001` a line), or both: what is listed and not there is
a drop. A list of the 500 words (`*500Words*.txt`) is held against both.
"""

import re
from collections.abc import Iterator
from pathlib import Path

from manifests.errors import UsageError
from operators.base import Drop
from pipeline.importers.lrs3 import AUDIO_HZ, of_file
from pipeline.importing import Held, Imported, Rows, Trap, existing, lines, one_of, own_copy

TERMS = (
    "LRW: licensed by the BBC for academic research to those who signed for it. "
    "Only your own copy is checked and listed; nothing is downloaded."
)
SPLITS = ("train", "val", "test")
FRAMES, SIDE, LENGTH_S = 29, 256, 1.16
NAME = re.compile(r"([A-Z']+)/(train|val|test)/\1_(\d{5})")


def read(folder: Path) -> Iterator[Imported]:
    """What is listed, in the order of the lists, then what else is there, sorted; each with its word and when it is
    spoken.

    Drops: `not_at_hand` (listed, and no file), `no_text`, `malformed_text`, `malformed_row`, `repeated_row`, and those
    of a file that is no video. Traps: `not_29_frames`, `not_256`, `fps_not_25`, `not_16_khz_mono`, `word_not_listed`,
    `word_longer_than_clip`.

    Raises:
        UsageError: where there is neither a clip nor a list.
    """
    there = {
        name: path
        for path in sorted(_files(existing(folder)))
        if NAME.fullmatch(name := "/".join(path.with_suffix("").parts[-3:]))
    }
    words_path = one_of(folder, "*500Words*.txt")
    words = {word for word, _ in lines(words_path)} if words_path else set()
    lists = [path for path in sorted(folder.glob("*.txt")) if path != words_path and _is_list(path)]
    if not there and not lists:
        raise UsageError(
            f"{folder} holds neither <WORD>/<split>/<WORD>_<5 digits>.mp4 nor a list of such names. {TERMS}"
        )
    rows = Rows("lrw")
    for path in lists:
        for number, (name, traps) in enumerate(lines(path), 1):
            if not NAME.fullmatch(name):
                yield rows.drop(f"{path.name}-line-{number}", "malformed_row", name, traps=traps)
            elif rows.seen(name):
                yield rows.drop(name, "repeated_row", f"{path.name} line {number}", traps=traps)
            else:
                yield from _clip(rows, name, there.get(name), words, traps)
    for name, video in there.items():
        if not rows.seen(name):
            yield from _clip(rows, name, video, words, [])


def _files(folder: Path) -> Iterator[Path]:
    """The clips in the folder, or in the one below it that the archive makes."""
    for split in SPLITS:
        yield from folder.glob(f"*/{split}/*.mp4")
        yield from folder.glob(f"lipread_mp4/*/{split}/*.mp4")


def _is_list(path: Path) -> bool:
    first = next(lines(path), None)
    return first is not None and NAME.fullmatch(first[0]) is not None


def _clip(rows: Rows, name: str, video: Path | None, words: set[str], traps: list[Trap]) -> Iterator[Imported]:
    word, split, _ = name.split("/")[0], *name.split("/")[1:]
    if words and word not in words:
        traps = [*traps, ("word_not_listed", word)]
    if video is None:
        yield rows.drop(name, "not_at_hand", "listed; your copy has no such file", traps=traps, retryable=True)
        return
    text = video.with_suffix(".txt")
    if not text.is_file():
        yield rows.drop(name, "no_text", "a video without its .txt", traps=traps)
        return
    stated = [found for line, _ in lines(text) if (found := re.fullmatch(r"Duration:\s*([\d.]+)\s*seconds?", line))]
    if len(stated) != 1:
        yield rows.drop(name, "malformed_text", f"{len(stated)} lines Duration:", traps=traps)
        return
    try:
        held = Held.by(video)
    except Drop as drop:
        yield rows.drop(name, drop.reason, drop.detail, traps=traps)
        return
    length_s = float(stated[0][1])
    traps = [*traps, *of_file(held, SIDE, AUDIO_HZ)]
    if held.frames != FRAMES:
        traps.append(("not_29_frames", str(held.frames)))
    if length_s > LENGTH_S:
        traps.append(("word_longer_than_clip", f"{length_s:g} s of {LENGTH_S} s"))
    # The word stands in the middle of the clip.
    spoken = max(0.0, (LENGTH_S - length_s) / 2), min(LENGTH_S, (LENGTH_S + length_s) / 2)
    yield from rows.clip(
        own_copy(video),
        name,
        frames=(0, held.frames),
        split=split,
        traps=traps,
        notes=[("label", word)],
        spans=[("word", word, *spoken)],
    )
