"""Voices of pyannote.audio's own sample, whose turns are known."""

from functools import cache

import numpy as np
import pytest
from numpy.typing import NDArray

from manifests.tables import Clip, Turn
from operators.base import Drop
from operators.speech.embed_voice import EmbedVoice, own_parts, voice_of
from tests.made_sounds import WavAudio
from tests.operators.speech.test_diarize_speakers import sample


def clip(start_s: float, end_s: float, speaker: str) -> Clip:
    return Clip("talk", f"talk/{start_s}-{end_s}/t0", "talk/s", "talk/s/t0", speaker, start_s, end_s, 0, 0, 9, 9)


def turns() -> list[Turn]:
    """The reference's: speaker90 and speaker91 talk on the telephone."""
    lines = [line.split() for line in sample()[1].read_text().splitlines()]
    spans = [(float(line[3]), float(line[3]) + float(line[4]), line[7]) for line in lines]
    return [Turn("talk", f"talk/{n}", speaker, start_s, end_s) for n, (start_s, end_s, speaker) in enumerate(spans)]


@cache
def operator() -> EmbedVoice:
    return EmbedVoice()


def voice(start_s: float, end_s: float, speaker: str, wave: NDArray[np.float32] | None = None) -> NDArray[np.float64]:
    audio = WavAudio(sample()[0] if wave is None else wave)
    (row,) = operator()(clip(start_s, end_s, speaker), audio, turns())
    return voice_of(row)


def test_a_voice_is_nearest_to_itself() -> None:
    first, second = voice(10, 14.4, "speaker90"), voice(17.9, 21.6, "speaker90")
    other, again = voice(14.4, 18, "speaker91"), voice(21.6, 28, "speaker91")
    assert np.linalg.norm(first) == pytest.approx(1, abs=1e-3)
    same, others = (first @ second, other @ again), (first @ other, first @ again, second @ other, second @ again)
    assert min(same) > 0.6
    assert max(others) < 0.55  # both are heard over one telephone line
    # The same seconds, asked for either voice.
    assert voice(8, 18, "speaker90") @ first > 0.8
    assert voice(8, 18, "speaker91") @ first < 0.55


def test_what_others_say_meanwhile_changes_little() -> None:
    """Noise as loud as speech, wherever the voice is not heard alone, is cut out."""
    wave, span = sample()[0].copy(), clip(8, 18, "speaker91")
    heard = np.repeat(own_parts(span, turns(), 1.0), 320)
    noise = np.random.default_rng(0).normal(0, 0.1, len(heard)).astype(np.float32)
    wave[8 * 16000 : 8 * 16000 + len(heard)][~heard] = noise[~heard]
    assert voice(8, 18, "speaker91", wave) @ voice(8, 18, "speaker91") > 0.97


def test_a_voice_that_is_hardly_heard_alone_is_taken_with_the_others() -> None:
    said = [Turn("talk", "a", "me", 0, 4), Turn("talk", "b", "you", 0.5, 9)]
    assert own_parts(clip(0, 10, "me"), said, 0.4).nonzero()[0].tolist() == list(range(25))
    assert own_parts(clip(0, 10, "me"), said, 1.0).nonzero()[0].tolist() == list(range(200))
    assert own_parts(clip(0, 10, "nobody"), said, 1.0).all()  # a list's clip without turns


def test_too_little_and_nothing_are_told() -> None:
    with pytest.raises(Drop) as short:
        list(operator()(clip(0, 0.8, "x"), WavAudio(sample()[0])))
    assert (short.value.reason, short.value.detail) == ("audio_too_short", "0.80 s of the voice, 1.0 s are needed")
    with pytest.raises(Drop) as silent:
        list(operator()(clip(0, 5, "x"), WavAudio(np.zeros(16000 * 5, np.float32))))
    assert silent.value.reason == "silent_audio"


def test_the_row_says_how_much_was_heard() -> None:
    (row,) = operator()(clip(0, 5, "x"), WavAudio(sample()[0]))
    assert (row.voice_embedding_id, row.clip_id, row.heard_s) == ("talk/0-5/t0@campplus", "talk/0-5/t0", 5.0)
    assert (row.model, len(row.embedding)) == ("campplus", 384)
