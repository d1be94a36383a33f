"""Which of several sound tracks is heard."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from av.container import InputContainer
from numpy.typing import NDArray

from operators.base import Drop
from operators.media.containers import audio_of
from operators.media.sound import SourceAudio
from operators.models import silero_vad

PLAYER, SPEECH = "player", "speech"
SILENT = 10 ** (-70 / 20)  # root mean square of a track without a sound in it; a quiet room has -60 dBFS
STRETCHES, STRETCH_S = 10, 60.0  # of a track that are listened to, spread evenly
CLEARLY = 2.0  # how much more speech another track must have than the player's
# ISO 639-1, and the codes of ISO 639-2 that mean the same.
LANGUAGES = {
    "ar": ("ara",), "bg": ("bul",), "bn": ("ben",), "cs": ("ces", "cze"), "da": ("dan",), "de": ("deu", "ger"),
    "el": ("ell", "gre"), "en": ("eng",), "es": ("spa",), "et": ("est",), "fa": ("fas", "per"), "fi": ("fin",),
    "fr": ("fra", "fre"), "he": ("heb",), "hi": ("hin",), "hr": ("hrv",), "hu": ("hun",), "id": ("ind",),
    "it": ("ita",), "ja": ("jpn",), "ko": ("kor",), "lt": ("lit",), "lv": ("lav",), "ms": ("msa", "may"),
    "nl": ("nld", "dut"), "no": ("nor", "nob", "nno"), "pl": ("pol",), "pt": ("por",), "ro": ("ron", "rum"),
    "ru": ("rus",), "sk": ("slk", "slo"), "sl": ("slv",), "sr": ("srp",), "sv": ("swe",), "ta": ("tam",),
    "te": ("tel",), "th": ("tha",), "tr": ("tur",), "uk": ("ukr",), "ur": ("urd",),
    "vi": ("vie",), "zh": ("zho", "chi", "cmn"),
}  # fmt: skip


def chosen_track(path: Path, container: InputContainer, wish: str) -> int | None:
    """The number of the track to hear among the sound tracks of a file that is open; None where it has none.

    Args:
        wish: "player": what a player plays, unless it is silent and another one is not; "speech": that one too, unless
            another one has twice as much speech; else a language.

    Raises:
        Drop: `sound_track_missing`, where tracks name their languages, and none the one asked for.
    """
    playing = audio_of(container)
    if playing is None:
        return None
    tracks = [n for n, stream in enumerate(container.streams.audio) if stream.codec_context is not None]
    player = container.streams.audio.index(playing)
    if wish not in (PLAYER, SPEECH):
        return _of_language(container, wish, player)
    measure = _level if wish == PLAYER else _speech_s
    held = {track: measure(SourceAudio(path, track)) for track in tracks}
    best = max(tracks, key=lambda track: (held[track], track == player))
    worse = held[player] < SILENT <= held[best] if wish == PLAYER else held[best] >= max(CLEARLY * held[player], 1.0)
    return best if worse else player


def told(container: InputContainer) -> str:
    """The sound tracks of a file in words, "" where there is one: "0 eng aac 2 channels; 1 deu aac 6 channels"."""
    if len(container.streams.audio) < 2:
        return ""
    return "; ".join(
        (
            f"{n} {stream.language or 'und'} {stream.codec_context.name} {stream.channels} channels"
            if stream.codec_context is not None
            else f"{n} unknown"
        )
        for n, stream in enumerate(container.streams.audio)
    )


def _of_language(container: InputContainer, wish: str, player: int) -> int:
    same = {wish.lower(), *LANGUAGES.get(wish.lower(), ())}
    same |= {short for short, long in LANGUAGES.items() if wish.lower() in long}
    same |= {long for short in list(same) for long in LANGUAGES.get(short, ())}
    languages = [(stream.language or "und").lower().split("-")[0] for stream in container.streams.audio]
    fitting = [n for n, language in enumerate(languages) if language in same]
    if fitting:
        return player if player in fitting else fitting[0]
    if any(language == "und" for language in languages):
        return player
    raise Drop("sound_track_missing", detail=f"none of {wish}; there are {told(container)}")


def _stretches(sound: SourceAudio) -> Iterator[NDArray[np.float32]]:
    """What is listened to of a track; nothing where it does not decode."""
    try:
        start_s, end_s = sound.start_s, sound.end_s
    except Drop:
        return
    length_s = min(STRETCH_S, (end_s - start_s) / STRETCHES)
    for at_s in np.linspace(start_s, end_s, STRETCHES, endpoint=False):
        yield sound.samples(float(at_s), float(at_s) + length_s)


def _level(sound: SourceAudio) -> float:
    """Root mean square of the loudest stretch, 0 to 1."""
    return max((float(np.sqrt(np.mean(part**2))) for part in _stretches(sound) if len(part)), default=0.0)


def _speech_s(sound: SourceAudio) -> float:
    """Seconds of speech in what is listened to."""
    parts = list(_stretches(sound))
    spans = silero_vad.spans(silero_vad.SileroVad().probabilities(parts), sum(map(len, parts)))
    return sum(end - begin for begin, end in spans) / silero_vad.SAMPLE_HZ
