"""Clips of one word each, out of clips whose words are known."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from manifests.tables import ActiveSpeaker, Annotation, Clip, Source, Track, Word
from operators.base import Drop, Operator
from operators.clips.cut_sentences import said_in, says, shortened, spanning, spoken


@dataclass(frozen=True)
class CutWords(Operator):
    """A clip for each word of a clip that is long enough: a fixed number of frames with the word in the middle.

    The same face is seen and the same voice heard all through it, since it lies inside the clip. Each is annotated:
    `label`, the word in capitals, and `word` and `asd_score` with the word's span.

    Drops of a clip: `no_words`, `no_word_fits`. Drops of a word: `word_long` (longer than the clip), `word_short` (its
    times cannot be right), `word_at_edge` (the frames would reach beyond the clip), `unsure`.
    """

    frames: int = 29
    fps: int = 25
    min_letters: int = 5
    max_letters: int = 10
    vocabulary: tuple[str, ...] = ()  # in capitals; all words where empty
    min_word_s: float = 0.1  # Whisper's attention at times passes over a word, which is then given 0.02 s
    min_confidence: float = 0.5

    def __call__(
        self, clip: Clip, words: list[Word], speaking: list[ActiveSpeaker], tracks: list[Track], sources: list[Source]
    ) -> Iterator[Clip | Annotation | Drop]:
        said = said_in(clip, words)
        fitting = [(word, label) for word in said if (label := self._label(word))]
        if not fitting:
            raise Drop("no_word_fits", detail=f"{len(said)} words")
        length_s = self.frames / self.fps
        for word, label in fitting:
            middle_s = (word.start_s + word.end_s) / 2
            start_s = shortened(clip, middle_s - length_s / 2, middle_s, tracks, sources[0]).start_s
            cut = spanning(clip, start_s, round(start_s + length_s, 3))
            if word.end_s - word.start_s > length_s:
                yield Drop("word_long", cut, detail=f"{label} takes {word.end_s - word.start_s:.2f} s")
            elif word.end_s - word.start_s < self.min_word_s:
                yield Drop("word_short", cut, detail=f"{label} takes {word.end_s - word.start_s:.2f} s")
            elif cut.start_s < clip.start_s - 1e-6 or cut.end_s > clip.end_s + 1e-6:
                yield Drop("word_at_edge", cut, detail=f"{label} at {word.start_s:.2f} s")
            elif word.confidence < self.min_confidence:
                yield Drop("unsure", cut, detail=f"{word.confidence:.2f} < {self.min_confidence:g}: {label}")
            else:
                yield cut
                yield says(cut, "label", label)
                yield from spoken(cut, [word], speaking)

    def _label(self, word: Word) -> str:
        """The word in capitals; "" for one that is not asked for."""
        label = re.sub(r"^\W+|\W+$", "", word.text).upper()
        fits = re.fullmatch(r"[A-Z]+", label) and self.min_letters <= len(label) <= self.max_letters
        return label if fits and (not self.vocabulary or label in self.vocabulary) else ""
