"""What is said in a clip, word by word."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from manifests.tables import Annotation, Clip, Word, span_id
from operators.base import Audio, Drop, Operator
from operators.models import catalogue_sound as catalogue
from operators.speech.score_speech import dbfs
from operators.weights import Weight

if TYPE_CHECKING:
    from faster_whisper import WhisperModel

SAMPLE_HZ = 16000
_LOOK = SAMPLE_HZ // 100  # samples of which one level is taken
_LEAST_S = 0.02  # Whisper's times are multiples of it

# By model, the files of a CTranslate2 folder; a file in parts is put together.
PACKAGED: dict[str, dict[str, tuple[Weight, ...]]] = {
    "tiny.en": {
        "model.bin": (catalogue.WHISPER_TINY_EN,),
        "config.json": (catalogue.WHISPER_TINY_EN_CONFIG,),
        "tokenizer.json": (catalogue.WHISPER_TINY_EN_TOKENIZER,),
        "vocabulary.txt": (catalogue.WHISPER_TINY_EN_VOCABULARY,),
    },
    "base": {
        "model.bin": (catalogue.WHISPER_BASE_1, catalogue.WHISPER_BASE_2),
        "config.json": (catalogue.WHISPER_BASE_CONFIG,),
        "tokenizer.json": (catalogue.WHISPER_BASE_TOKENIZER,),
        "vocabulary.json": (catalogue.WHISPER_BASE_VOCABULARY,),
    },
}
_NEEDED = ("model.bin", "config.json", "tokenizer.json", "vocabulary.json")
_OTHERS = ("vocabulary.txt", "preprocessor_config.json")


@dataclass(frozen=True)
class TranscribeSpeech(Operator):
    """The words of a clip with their times, by Whisper (faster-whisper, CTranslate2, 8-bit weights), and the language
    where it is asked.

    Clips are read, not sources: a clip has one voice, and up to 30 s of it take one pass of the network, so only what
    may be kept is paid for. Beam search at temperature 0 on one thread, nothing carried over from clip to clip: the
    same clip gives the same words.

    Whisper's times come from its attention, 0.02 s apart, and give a pause to the word after it. Each word is therefore
    made to begin and end where it is no more than `quiet_db` below the loud parts of the clip; `docs/measured/words.md`
    has what that is worth. Times are kept inside the clip.

    Drops of a clip: `silent_audio`, `audio_too_short`, `no_words`, and `no_audio_stream` and the decoder's others.
    """

    # English; base: 99 languages; else a folder of HEADSET_WEIGHTS that holds a CTranslate2 Whisper
    model: str = "tiny.en"
    language: str = ""  # such as en; "" lets a model of many languages tell, clip by clip
    beam: int = 5
    quiet_db: float = 25.0  # below the 95th percentile of the clip's levels; 0 leaves Whisper's times as they are
    silent_dbfs: float = -80.0  # a level below this is silence: coders make some noise of their own

    def __post_init__(self) -> None:
        """
        Raises:
            ValueError: for a model that is no plain name, or a language that the model does not know.
        """
        if not re.fullmatch(r"\w[\w.-]*", self.model):
            raise ValueError(
                f"TranscribeSpeech.model is {self.model!r}; it is {', '.join(PACKAGED)}, or a folder in HEADSET_WEIGHTS"
            )
        if self.model.endswith(".en") and self.language not in ("", "en"):
            raise ValueError(
                f"TranscribeSpeech.language is {self.language!r}, and {self.model} knows English only; base knows 99"
                " languages"
            )

    @property
    def weights(self) -> tuple[Weight, ...]:
        return tuple(part for parts in self._files().values() for part in parts)

    def _files(self) -> dict[str, tuple[Weight, ...]]:
        if self.model in PACKAGED:
            return PACKAGED[self.model]
        own = {
            name: Weight(f"{self.model}/{name}", "", 0, "a Whisper of your own", "that of its owner").as_supplied()
            for name in (*_NEEDED, *_OTHERS)
        }
        if own["vocabulary.txt"].sha256 and not own["vocabulary.json"].sha256:
            del own["vocabulary.json"]
        return {name: (weight,) for name, weight in own.items() if weight.sha256 or name in _NEEDED}

    def __call__(self, clip: Clip, audio: Audio) -> Iterator[Word | Annotation]:
        """The words in order, and an annotation `language` where the model can tell languages."""
        samples = audio.samples(clip.start_s, clip.end_s, SAMPLE_HZ)
        if len(samples) < SAMPLE_HZ // 10:
            raise Drop("audio_too_short", detail=f"{len(samples) / SAMPLE_HZ:.3f} s")
        if (level_dbfs := float(dbfs(samples))) < self.silent_dbfs:
            raise Drop("silent_audio", detail=f"{level_dbfs:.1f} dBFS")
        segments, info = self._whisper.transcribe(
            samples,
            language=self.language or (None if self._whisper.model.is_multilingual else "en"),
            beam_size=self.beam,
            temperature=0.0,
            condition_on_previous_text=False,
            word_timestamps=True,
        )
        said = [word for segment in segments for word in segment.words or () if re.search(r"\w", word.word)]
        spans = ordered(
            sounding([(float(word.start), float(word.end)) for word in said], samples, self.quiet_db),
            clip.end_s - clip.start_s,
        )
        words = []
        for word, (start_s, end_s) in zip(said, spans, strict=True):
            if end_s > start_s:
                at = round(clip.start_s + start_s, 3), round(clip.start_s + end_s, 3)
                sure = round(min(max(float(word.probability), 0.0), 1.0), 3)
                words.append(
                    Word(clip.source_id, span_id(clip.clip_id, *at), clip.clip_id, word.word.strip(), *at, sure)
                )
        if not words:
            raise Drop("no_words", detail=f"{len(samples) / SAMPLE_HZ:.1f} s at {level_dbfs:.0f} dBFS")
        yield from words
        if self._whisper.model.is_multilingual:
            yield Annotation(
                clip.source_id,
                f"{clip.clip_id}#language",
                clip.clip_id,
                "language",
                info.language,
                f"whisper {self.model}",
            )

    @cached_property
    def _whisper(self) -> "WhisperModel":
        from faster_whisper import WhisperModel

        files = {name: b"".join(part.path().read_bytes() for part in parts) for name, parts in self._files().items()}
        # One thread: the order of sums, and so the last digits, would follow the number of threads.
        return WhisperModel(self.model, device="cpu", compute_type="int8", cpu_threads=1, num_workers=1, files=files)


Span = tuple[float, float]


def sounding(spans: list[Span], samples: NDArray[np.float32], quiet_db: float) -> list[Span]:
    """Each span without what is quiet at its edges: more than `quiet_db` below the 95th percentile of all levels.

    A span that is quiet all through stays as it is.

    Args:
        spans: seconds from the first sample.
        samples: mono at 16 kHz.
        quiet_db: 0 leaves the spans as they are.
    """
    if not quiet_db:
        return spans
    levels = dbfs(samples[: len(samples) // _LOOK * _LOOK].reshape(-1, _LOOK))
    loud = levels > np.percentile(levels, 95) - quiet_db
    step_s = _LOOK / SAMPLE_HZ
    made = []
    for start_s, end_s in spans:
        heard = np.flatnonzero(loud[round(start_s / step_s) : round(end_s / step_s)])
        first, last = (int(heard[0]), int(heard[-1]) + 1) if len(heard) else (0, round((end_s - start_s) / step_s))
        made.append((start_s + first * step_s, start_s + last * step_s))
    return made


def ordered(spans: list[Span], length_s: float) -> list[Span]:
    """The spans one after the other, each 0.02 s long or more, within 0 and `length_s`. What lies beyond comes out
    empty.
    """
    made, before_s = [], 0.0
    for start_s, end_s in spans:
        start_s = min(max(start_s, before_s), length_s)
        before_s = min(max(end_s, start_s + _LEAST_S), length_s)
        made.append((start_s, before_s))
    return made
