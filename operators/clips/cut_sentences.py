"""Clips of one sentence each, out of clips whose words are known."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from manifests.tables import ActiveSpeaker, Annotation, Clip, Source, Track, Word, span_id
from operators.base import Drop, Operator
from operators.clips.plan_clips import before_frame

_END = re.compile(r"[.?!][\"'”’)\]]*$")
_NO_END = re.compile(r"(Mr|Mrs|Ms|Dr|St|[A-Z])\.")  # an abbreviation, or an initial
_COMMA = re.compile(r"[,;:–—-][\"'”’)\]]*$")
_FRAME_S = 0.04  # by which a clip may grow when its edges are moved to frames


@dataclass(frozen=True)
class CutSentences(Operator):
    """A clip for each sentence said in a clip, cut in the pauses before and after it.

    A sentence ends at a word with a full stop, a question mark or an exclamation mark. One that is too long is divided
    where the pause is longest: behind a comma, where it has one. What a clip begins or ends with may be part of a
    sentence only: the words outside are not known.

    Each clip is annotated: `transcript`, `confidence` (mean of the words', 0 to 10), and for each word `word` and
    `asd_score`, the mean active-speaker score while it is said.

    Drops of a clip: `no_words`. Drops of a sentence: `too_long` (one word), `too_short`, `unsure`.
    """

    min_s: float = 0.6
    max_s: float = 6.0
    max_characters: int = 100  # with blanks
    margin_s: float = 0.1  # before the first word and behind the last, but no more than half of the pause
    min_confidence: float = 0.5  # mean of the words'

    def __call__(
        self, clip: Clip, words: list[Word], speaking: list[ActiveSpeaker], tracks: list[Track], sources: list[Source]
    ) -> Iterator[Clip | Annotation | Drop]:
        said = said_in(clip, words)
        done = 0
        for sentence in (part for whole in sentences(said) for part in self._parts(whole)):
            first, done = done, done + len(sentence)
            before_s = clip.start_s if not first else (said[first - 1].end_s + said[first].start_s) / 2
            after_s = clip.end_s if done == len(said) else (said[done - 1].end_s + said[done].start_s) / 2
            start_s, end_s = sentence[0].start_s - self.margin_s, sentence[-1].end_s + self.margin_s
            cut = shortened(clip, max(start_s, before_s), min(end_s, after_s), tracks, sources[0])
            sure = sum(word.confidence for word in sentence) / len(sentence)
            if not self._fits(sentence):
                yield Drop("too_long", cut, detail=f"{sentence[0].text} takes {cut.end_s - cut.start_s:.1f} s")
            elif cut.end_s - cut.start_s < self.min_s:
                yield Drop("too_short", cut, detail=f"{cut.end_s - cut.start_s:.2f} s < {self.min_s:g} s")
            elif sure < self.min_confidence:
                yield Drop("unsure", cut, detail=f"{sure:.2f} < {self.min_confidence:g}: {text(sentence)}")
            else:
                yield cut
                yield says(cut, "transcript", text(sentence))
                yield says(cut, "confidence", str(round(10 * sure)))
                yield from spoken(cut, sentence, speaking)

    def _parts(self, sentence: Sequence[Word]) -> list[Sequence[Word]]:
        if self._fits(sentence) or len(sentence) == 1:
            return [sentence]
        inner = range(1, len(sentence))
        breaks = [n for n in inner if _COMMA.search(sentence[n - 1].text)] or inner
        # Of equal pauses the one nearest to the middle.
        at = max(
            breaks, key=lambda n: (round(sentence[n].start_s - sentence[n - 1].end_s, 3), -abs(2 * n - len(sentence)))
        )
        return self._parts(sentence[:at]) + self._parts(sentence[at:])

    def _fits(self, sentence: Sequence[Word]) -> bool:
        length_s = sentence[-1].end_s - sentence[0].start_s + 2 * self.margin_s + _FRAME_S
        return length_s <= self.max_s and len(text(sentence)) <= self.max_characters


def said_in(clip: Clip, words: list[Word]) -> list[Word]:
    """The words of the clip in order.

    Raises:
        Drop: `no_words`.
    """
    said = sorted((word for word in words if word.subject == clip.clip_id), key=lambda word: word.start_s)
    if not said:
        raise Drop("no_words")
    return said


def sentences(said: Sequence[Word]) -> Iterator[Sequence[Word]]:
    """The words in runs, each up to the end of a sentence."""
    first = 0
    for n, word in enumerate(said, 1):
        if n == len(said) or (_END.search(word.text) and not _NO_END.fullmatch(word.text)):
            yield said[first:n]
            first = n


def text(words: Sequence[Word]) -> str:
    return " ".join(word.text for word in words)


def shortened(clip: Clip, start_s: float, end_s: float, tracks: list[Track], source: Source) -> Clip:
    """The clip between two times, each moved to the frame nearest to it."""
    track = next(track for track in tracks if track.track_id == clip.track_id)
    start_s, end_s = (before_frame(at_s, track, source) for at_s in (start_s, end_s))
    return spanning(clip, start_s, end_s)


def spanning(clip: Clip, start_s: float, end_s: float) -> Clip:
    """The clip with another span, and the id that goes with it."""
    clip_id = f"{span_id(clip.source_id, start_s, end_s)}/{clip.clip_id.rsplit('/', 1)[-1]}"
    return replace(clip, clip_id=clip_id, start_s=start_s, end_s=end_s)


def spoken(clip: Clip, words: Sequence[Word], speaking: list[ActiveSpeaker]) -> Iterator[Annotation]:
    """Each word of a clip with its span, from the clip's start, and the active-speaker score meanwhile where there is
    one.
    """
    scores = [row for row in speaking if row.track_id == clip.track_id]
    for word in words:
        span = round(word.start_s - clip.start_s, 3), round(word.end_s - clip.start_s, 3)
        yield says(clip, "word", word.text, span)
        for row in scores[:1]:
            first, last = (round((at_s - row.start_s) / row.step_s) for at_s in (word.start_s, word.end_s))
            if during := row.score[max(first, 0) : max(last, first + 1, 0)]:
                yield says(clip, "asd_score", f"{sum(during) / len(during):.1f}", span)


def says(clip: Clip, name: str, value: str, span: tuple[float, float] | None = None) -> Annotation:
    where = "" if span is None else f"@{round(span[0] * 1000):06d}"
    return Annotation(
        clip.source_id,
        f"{clip.clip_id}#{name}{where}",
        clip.clip_id,
        name,
        value,
        "TranscribeSpeech",
        *(span or (None, None)),
    )
