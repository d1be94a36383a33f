"""LRS3 as it was given out (arXiv 1809.00496): 224x224 at 25 frames a second, sound at 16 kHz, and the words.

    trainval/<video>/<number>.mp4 and .txt    sentences of up to 6 s and 100 characters
    test/<video>/<number>.mp4 and .txt
    pretrain/<video>/<number>.mp4 and .txt    what is longer, and not for the test

A text holds the sentence in capitals without punctuation, its confidence, the video, the box of the crop in each frame
of the source (numbers at 25 a second, shares of the frame), and the words with their times and active-speaker scores.
Those scores are LR-ASD's here and SyncNet's there, and the confidence is the mean of the words' times 10: compare
neither with the published ones. The box does not move with the face.

LRS3 itself is withdrawn. This is its form, for clips of one's own.
"""

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path

from operators.base import Drop
from pipeline.export.clip import ExportClip
from pipeline.export.files import whole_file, write_mp4, write_text
from pipeline.export.layout import Given, Layout, Note, Written
from pipeline.importers.lrs3 import AUDIO_HZ, FPS, SIDE, of_file, parse
from pipeline.importing import Held

MAX_S, MAX_CHARACTERS = 6.0, 100  # of a sentence that is not for pretraining
_SUBSETS = ("pretrain", "trainval", "test")


class LRS3(Layout):
    version = 1

    def write(self, clip: ExportClip, to: Path, given: Given) -> Note:
        """
        Raises:
            Drop: `no_transcript`, `no_words` (none with a time), `words_differ` (from the transcript), `too_long` for
                the test, `not_square`, and those of the decoder.
        """
        text = spelled(clip.annotations.get("transcript", ""))
        if not text:
            raise Drop("no_transcript")
        words = [(word, said) for said in clip.spoken if (word := spelled(said.text))]
        if not words:
            raise Drop("no_words")
        if " ".join(word for word, _ in words) != text:
            raise Drop("words_differ", detail=f"{len(words)} words with times, {len(text.split())} in the transcript")
        count = clip.count(FPS)
        subset = "test" if clip.split == "test" else "trainval"
        if too_long := _too_long(count / FPS, text):
            if subset == "test":
                raise Drop("too_long", detail=too_long)
            subset = "pretrain"
        name = f"{subset}/{clip.video}/{clip.number:05d}"
        with whole_file(to / f"{name}.mp4") as part:
            write_mp4(part, clip.pictures(SIDE, FPS), FPS, clip.samples(AUDIO_HZ), AUDIO_HZ)
        lines = [f"Text:  {text}", f"Conf:  {clip.annotations.get('confidence', '')}", f"Ref:  {clip.video}", ""]
        if clip.box:
            left, top, right, bottom = clip.box
            lines.append("FRAME \tX \tY \tW \tH ")
            first = round(clip.start_s * FPS)
            lines += [
                f"{first + n:06d} \t{left:.3f} \t{top:.3f} \t{right - left:.3f} \t{bottom - top:.3f}"
                for n in range(count)
            ]
            lines.append("")
        lines.append("WORD START END ASDSCORE")
        for word, said in words:
            for one in word.split():
                lines.append(f"{one} {said.start_s:.2f} {min(said.end_s, count / FPS):.2f} {said.asd_score}".rstrip())
        write_text(to / f"{name}.txt", "\n".join(lines) + "\n")
        return {"name": name, "frames": count, "words": len(words)}

    def finish(self, written: Sequence[Written], to: Path, given: Given) -> None:
        """Nothing to add: the folders are the lists."""

    def validate(self, folder: Path) -> Iterator[str]:
        subsets = defaultdict(set)
        for subset in _SUBSETS:
            for stem in sorted(
                {path.with_suffix("") for path in (folder / subset).glob("*/*") if path.suffix in (".mp4", ".txt")}
            ):
                subsets[stem.parent.name].add(subset)
                yield from (
                    f"{subset}/{stem.parent.name}/{stem.name}: {problem}" for problem in _problems(stem, subset)
                )
        if not subsets:
            yield f"holds no clip in {', '.join(_SUBSETS)}"
        for video, found in sorted(subsets.items()):
            if "test" in found and len(found) > 1:
                yield f"{video}: is in test and in {', '.join(sorted(found - {'test'}))}"


def spelled(text: str) -> str:
    """As LRS3 writes: capitals, numerals, apostrophes and blanks."""
    return " ".join(re.sub(r"[^\w' ]|_", " ", text.replace("’", "'")).upper().split())


def _too_long(length_s: float, text: str) -> str:
    told = f"{length_s:.2f} s, {len(text)} characters; {MAX_S:g} s and {MAX_CHARACTERS} are allowed"
    return told if length_s > MAX_S + 1e-6 or len(text) > MAX_CHARACTERS else ""


def _problems(stem: Path, subset: str) -> Iterator[str]:
    video, text_path = stem.with_suffix(".mp4"), stem.with_suffix(".txt")
    if not (video.is_file() and text_path.is_file()):
        yield "has not both an .mp4 and a .txt"
        return
    if not re.fullmatch(r"\d{5,}", stem.name):
        yield "the name is no number of five digits"
    text, wrong = parse(text_path)
    yield from (f"{line!r} is no line of the form" for line in wrong)
    said = text.facts.get("Text", "")
    if not said or said != spelled(said):
        yield f"the sentence {said!r} is empty, or not in capitals without punctuation"
    if text.facts.get("Ref") != stem.parent.name:
        yield f"Ref: {text.facts.get('Ref')} lies in {stem.parent.name}"
    if text.words and " ".join(word for word, *_ in text.words) != said:
        yield "the words with times are not those of the sentence"
    try:
        held = Held.by(video)
    except Drop as drop:
        yield f"{drop.reason} {drop.detail}".strip()
        return
    yield from (f"{word} {numbers}" for word, numbers in of_file(held, SIDE, AUDIO_HZ))
    length_s = held.frames / FPS
    if subset != "pretrain" and (too_long := _too_long(length_s, said)):
        yield too_long
    numbers = [row[0] for row in text.frames]
    if numbers and numbers != list(range(numbers[0], numbers[0] + held.frames)):
        yield f"{len(numbers)} rows of boxes from {numbers[0]} to {numbers[-1]} for {held.frames} frames"
    if text.words and not all(0 <= start_s <= end_s <= length_s + 0.005 for _, start_s, end_s, _ in text.words):
        yield f"a word lies beyond the {length_s:.2f} s of the clip"
