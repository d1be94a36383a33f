"""LRS3: a user's own copy of the clips of TED talks, checked file by file (Afouras et al., arXiv 1809.00496).

LRS3 is withdrawn: nothing can be had from here or by this. The folder holds `{pretrain,trainval,test}/<YouTube id>/<5
digits>.mp4` with a `.txt` each, as it was given out: 224 x 224 at 25 frames a second, 16 kHz mono. The clips of this
import are those files, whole.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from manifests.errors import UsageError
from operators.base import Drop
from pipeline.importing import Held, Imported, Rows, Trap, existing, lines, own_copy

TERMS = (
    "LRS3: withdrawn. Its owners no longer give it out, and its terms allow research without commerce to those who"
    " signed for it. Only your own copy is checked and listed; nothing is downloaded."
)
SPLITS = {"pretrain": "train", "trainval": "train", "test": "test"}
FPS, SIDE, AUDIO_HZ = 25, 224, 16000


@dataclass
class Text:
    """What the text of a clip says. Frames are those of the talk, at 25 a second; boxes are shares of its frame."""

    facts: dict[str, str] = field(default_factory=dict)  # Text, Conf, Ref
    # number, left, top, width, height
    frames: list[tuple[int, float, float, float, float]] = field(default_factory=list)
    # word, start, end, score of the speaker's activity
    words: list[tuple[str, float, float, str]] = field(default_factory=list)


def read(folder: Path) -> Iterator[Imported]:
    """The clips sorted by their path, with transcript, words and the frames of the talk that they were cut from.

    Drops: `no_text`, `no_video`, `malformed_text`, and those of a file that is no video.
    Traps: `not_224`, `fps_not_25`, `not_16_khz_mono`, `no_words`, `frames_with_gaps`, `frames_do_not_fit`,
    `another_ref`, `name_not_5_digits`.

    Raises:
        UsageError: where there is none of the three folders.
    """
    splits = [split for split in SPLITS if (existing(folder) / split).is_dir()]
    if not splits:
        raise UsageError(
            f"{folder} holds neither {', '.join(SPLITS)}; name the folder of your own copy of LRS3. {TERMS}"
        )
    rows = Rows("lrs3")
    for split in splits:
        stems = sorted(
            {path.with_suffix("") for path in (folder / split).glob("*/*") if path.suffix in (".mp4", ".txt")}
        )
        for stem in stems:
            yield from _clip(rows, split, stem)


def parse(path: Path) -> tuple[Text, list[str]]:
    """The text of a clip, and the lines of it that do not fit its form."""
    made, wrong, table = Text(), [], "facts"
    for line, _ in lines(path):
        cells = line.split()
        if cells == ["FRAME", "X", "Y", "W", "H"] or cells[0] == "WORD":
            table = cells[0]
        elif fact := re.fullmatch(r"(Text|Conf|Ref):\s*(.*)", line) if table == "facts" else None:
            made.facts[fact[1]] = fact[2]
        elif table == "FRAME" and re.fullmatch(r"\d+(\s+-?[\d.]+){4}", line):
            left, top, width, height = map(float, cells[1:])
            made.frames.append((int(cells[0]), left, top, width, height))
        elif table == "WORD" and re.fullmatch(r"\S+\s+[\d.]+\s+[\d.]+(\s+\S+)?", line):
            made.words.append((cells[0], float(cells[1]), float(cells[2]), " ".join(cells[3:])))
        else:
            wrong.append(line)
    return made, wrong


def _clip(rows: Rows, split: str, stem: Path) -> Iterator[Imported]:
    video, text_path = stem.with_suffix(".mp4"), stem.with_suffix(".txt")
    name = f"{split}/{stem.parent.name}/{stem.name}"
    if not video.is_file():
        yield rows.drop(name, "no_video", "a text without its .mp4")
        return
    if not text_path.is_file():
        yield rows.drop(name, "no_text", "a video without its .txt")
        return
    text, wrong = parse(text_path)
    if wrong or "Text" not in text.facts:
        yield rows.drop(name, "malformed_text", repr(wrong[0]) if wrong else "no line Text:")
        return
    try:
        held = Held.by(video)
    except Drop as drop:
        yield rows.drop(name, drop.reason, drop.detail)
        return
    traps = of_file(held, SIDE, AUDIO_HZ) + _of_text(text, held, stem)
    notes = [("transcript", text.facts["Text"]), ("subset", split)]
    notes += [
        (word, text.facts[fact]) for word, fact in (("confidence", "Conf"), ("talk", "Ref")) if fact in text.facts
    ]
    if text.frames:
        notes.append(("talk_frames", f"{text.frames[0][0]}-{text.frames[-1][0]}"))
    yield from rows.clip(
        own_copy(video), name, frames=(0, held.frames), identity=stem.parent.name, split=SPLITS[split], traps=traps,
        notes=notes,
        spans=[("word", word, start_s, end_s) for word, start_s, end_s, _ in text.words],
    )  # fmt: skip


def of_file(held: Held, side: int, audio_hz: int) -> list[Trap]:
    """Where a file is not as the dataset's were given out."""
    traps: list[Trap] = []
    if (held.width, held.height) != (side, side):
        traps.append((f"not_{side}", f"{held.width} x {held.height}"))
    if abs(held.fps - FPS) > 0.01:
        traps.append(("fps_not_25", f"{held.fps:.3f}"))
    if (held.audio_hz, held.audio_channels) != (audio_hz, 1):
        traps.append(("not_16_khz_mono", f"{held.audio_hz} Hz, {held.audio_channels} channels"))
    return traps


def _of_text(text: Text, held: Held, stem: Path) -> list[Trap]:
    traps: list[Trap] = []
    numbers = [frame[0] for frame in text.frames]
    if not text.words:
        traps.append(("no_words", ""))
    if numbers != list(range(numbers[0], numbers[0] + len(numbers)) if numbers else []):
        traps.append(("frames_with_gaps", f"{numbers[0]} to {numbers[-1]} in {len(numbers)} rows"))
    if len(numbers) != held.frames:
        traps.append(("frames_do_not_fit", f"{len(numbers)} rows for {held.frames} frames"))
    if text.facts.get("Ref", stem.parent.name) != stem.parent.name:
        traps.append(("another_ref", f"{text.facts['Ref']} in {stem.parent.name}"))
    if not re.fullmatch(r"\d{5}", stem.name):
        traps.append(("name_not_5_digits", stem.name))
    return traps
