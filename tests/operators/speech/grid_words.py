"""What is said in GRID's films, by their names and alignments, and how far what was heard is from it."""

import re
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from manifests.tables import Clip, Word
from operators.base import Drop
from operators.media.sound import SourceAudio
from operators.speech.transcribe_speech import TranscribeSpeech

GRID: tuple[dict[str, str], ...] = (
    {"b": "bin", "l": "lay", "p": "place", "s": "set"},
    {"b": "blue", "g": "green", "r": "red", "w": "white"},
    {"a": "at", "b": "by", "i": "in", "w": "with"},
    {},
    dict(
        zip("z123456789", ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"], strict=True)
    ),
    {"a": "again", "n": "now", "p": "please", "s": "soon"},
)
DIGITS: dict[str, str] = GRID[4] | {"0": "zero"}
ALIGNED = "swwp2s"


@dataclass(frozen=True)
class Heard:
    words: list[Word]
    cpu_s: float
    length_s: float


def sentence(code: str) -> list[str]:
    """The words of a GRID utterance, from the six characters that name it."""
    return [words.get(letter, letter) for letter, words in zip(code, GRID, strict=True)]


def plain(text: str) -> list[str]:
    """Words to compare: lower case, no punctuation, numerals spelled one by one."""
    words: list[str] = re.findall(r"[a-z']+|\d", text.lower())
    return [DIGITS.get(word, word) for word in words]


def errors(said: Sequence[str], heard: Sequence[str]) -> int:
    """Words put in, left out and mistaken: the edit distance."""
    row = list(range(len(heard) + 1))
    for n, word in enumerate(said, 1):
        last, row[0] = row[0], n
        for m, other in enumerate(heard, 1):
            last, row[m] = row[m], min(row[m] + 1, row[m - 1] + 1, last + (word != other))
    return row[-1]


def hear(path: Path, operator: TranscribeSpeech) -> Heard:
    audio = SourceAudio(path)
    clip = Clip(path.stem, f"{path.stem}/t0", "", "", "", audio.start_s, audio.end_s, 0, 0, 0, 0)
    began = time.process_time()
    try:
        words = [row for row in operator(clip, audio) if isinstance(row, Word)]
    except Drop as drop:
        if drop.reason != "no_words":
            raise
        words = []
    return Heard(words, time.process_time() - began, audio.end_s - audio.start_s)


def alignment(path: Path) -> list[tuple[str, float, float]]:
    """Words with start and end in seconds, of a GRID `.align`: 25 000 units a second."""
    rows = [line.split() for line in path.read_text().splitlines()]
    return [(word, int(start) / 25000, int(end) / 25000) for start, end, word in rows if word != "sil"]


def time_errors(truth: list[tuple[str, float, float]], words: list[Word]) -> tuple[list[float], list[float]]:
    """By how much the starts and the ends of the words are late, in seconds. A word written as one, such as P2, has the
    times of both.
    """
    starts, ends, at = [], [], 0
    for word in words:
        parts = plain(word.text)
        span = truth[at : at + len(parts)]
        if [one for one, _, _ in span] != parts:
            raise ValueError(f"{word.text!r} is not {span}")
        starts.append(word.start_s - span[0][1])
        ends.append(word.end_s - span[-1][2])
        at += len(parts)
    return starts, ends
