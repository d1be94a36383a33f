"""How fast a clip's speaker talks."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from manifests.tables import Clip, Score, Word
from operators.base import Drop, Measure, Operator


@dataclass(frozen=True)
class ScoreSpeechRate(Operator):
    """How much is said in how much time, from the words of `TranscribeSpeech`.

    | metric | variant | range | what |
    |---|---|---|---|
    | characters_per_second | letters_and_digits | 0 to 40 | characters of the clip's words over its seconds; English
    speech has 10 to 20 |
    | spoken_share | words | 0 to 1 | share of the clip in which a word is heard |

    Only letters and digits count, so that punctuation, which no one hears, does not. A rate far above what a mouth can
    do is a transcript that repeats itself; one far below is a clip with long pauses, or words that were not understood.
    Rates of languages with other scripts do not compare.
    """

    measures: ClassVar[dict[str, Measure]] = {
        "characters_per_second": Measure(
            "letters and digits of the clip's words over its seconds; English has 10 to 20", "1/s", 0
        ),
        "spoken_share": Measure("share of the clip in which a word is heard", "", 0, 1),
    }

    def __call__(self, clip: Clip, words: list[Word]) -> Iterator[Score]:
        """Two rows.

        Raises:
            Drop: no_words, for a clip without any.
        """
        mine = [word for word in words if word.subject == clip.clip_id]
        if not mine:
            raise Drop("no_words")
        length_s = clip.end_s - clip.start_s
        characters = sum(character.isalnum() for word in mine for character in word.text)
        spoken_s = sum(word.end_s - word.start_s for word in mine)
        for metric, variant, value in (
            ("characters_per_second", "letters_and_digits", characters / length_s),
            ("spoken_share", "words", min(spoken_s / length_s, 1.0)),
        ):
            yield Score(clip.source_id, f"{clip.clip_id}#{metric}", clip.clip_id, metric, variant, round(value, 4))
