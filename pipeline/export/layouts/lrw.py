"""LRW as mpc001/Lipreading_using_Temporal_Convolutional_Networks 0cc99fab reads it: 29 frames around a word.

    <WORD>/{train,val,test}/<WORD>_<number>.mp4    256x256 at 25 frames a second, 16 kHz
    <WORD>/{train,val,test}/<WORD>_<number>.txt    its fifth line says how long the word is, which is in the middle
    words.txt                                      the words, sorted: the numbers of the classes

The loader takes the class from the folder and the word's edges from the fifth line. The lines before it are of our own.
LRW itself is licensed to those who sign for it. This is its form, for clips of one's own.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

from operators.base import Drop
from pipeline.export.checks import listed
from pipeline.export.clip import ExportClip
from pipeline.export.files import whole_file, write_lines, write_mp4
from pipeline.export.layout import Given, Layout, Note, Written
from pipeline.importers.lrs3 import AUDIO_HZ, FPS, of_file
from pipeline.importers.lrw import FRAMES, LENGTH_S, NAME, SIDE, SPLITS
from pipeline.importing import Held

_OFF_S = 0.04  # by which the middle of the word may be off that of the clip: a frame


class LRW(Layout):
    version = 1

    def write(self, clip: ExportClip, to: Path, given: Given) -> Note:
        """
        Raises:
            Drop: `no_label`, `no_words` (the label has no time), `not_29_frames`, `word_off_centre`, `not_square`, and
                those of the decoder.
        """
        label = clip.annotations.get("label", "")
        name = f"{label}/{clip.split}/{label}_{clip.number:05d}"
        if not NAME.fullmatch(name):
            raise Drop("no_label", detail=f"{label!r} is no word in capitals" if label else "")
        said = next((word for word in clip.spoken if word.text.strip(".,;:?!\"'”’").upper() == label), None)
        if said is None:
            raise Drop("no_words", detail=label)
        if (count := clip.count(FPS)) != FRAMES:
            raise Drop("not_29_frames", detail=str(count))
        if abs(off_s := (said.start_s + said.end_s - LENGTH_S) / 2) > _OFF_S:
            raise Drop("word_off_centre", detail=f"{off_s:+.2f} s")
        with whole_file(to / f"{name}.mp4") as part:
            write_mp4(part, clip.pictures(SIDE, FPS), FPS, clip.samples(AUDIO_HZ), AUDIO_HZ)
        length_s = said.end_s - said.start_s
        lines = [f"Source: {clip.video}", f"Clip: {clip.name}", f"Clip start: {clip.start_s:.3f}", f"Word: {label}"]
        write_lines(to / f"{name}.txt", [*lines, f"Duration: {length_s:.2f} seconds"])
        return {"name": name, "frames": count}

    def finish(self, written: Sequence[Written], to: Path, given: Given) -> None:
        write_lines(to / "words.txt", sorted({clip.note["name"].split("/")[0] for clip in written}))

    def validate(self, folder: Path) -> Iterator[str]:
        words, problems = listed(folder, "words.txt")
        yield from problems
        found = sorted(path.with_suffix("") for split in SPLITS for path in folder.glob(f"*/{split}/*.mp4"))
        if {stem.parts[-3] for stem in found} != set(words):
            yield "words.txt: the words are not those of the folders"
        for stem in found:
            name = "/".join(stem.parts[-3:])
            yield from (f"{name}: {problem}" for problem in _problems(stem, name))


def _problems(stem: Path, name: str) -> Iterator[str]:
    if not NAME.fullmatch(name):
        yield "is not named <WORD>/<split>/<WORD>_<5 digits>"
    text = stem.with_suffix(".txt")
    lines = text.read_text().splitlines() if text.is_file() else []
    try:
        length_s = float(lines[4].split(" ")[1])
    except (IndexError, ValueError):
        yield "the fifth line of its .txt says no duration"
    else:
        if not 0 < length_s <= LENGTH_S:
            yield f"the word takes {length_s:g} s, the clip {LENGTH_S}"
    try:
        held = Held.by(stem.with_suffix(".mp4"))
    except Drop as drop:
        yield f"{drop.reason} {drop.detail}".strip()
        return
    yield from (f"{word} {numbers}" for word, numbers in of_file(held, SIDE, AUDIO_HZ))
    if held.frames != FRAMES:
        yield f"has {held.frames} frames, the loader takes {FRAMES}"
