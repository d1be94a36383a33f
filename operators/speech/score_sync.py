"""How well the sound of a clip goes with the mouth it shows."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from manifests.tables import Clip, Score, Speaking, Track
from operators.base import Audio, Drop, Frames, Measure, Operator
from operators.models.catalogue import FACE_LANDMARKER
from operators.models.mfcc import mel_energies
from operators.speech.match_speakers import MFCC_TAIL_S, TICK_HZ, MouthOpening, face_squares, first_tick, shown_at_ticks
from operators.weights import Weight

VARIANT = "mouth_envelope"
_STEADY = 9  # ticks: standard deviation of the Gaussian whose mean is taken off, so that slow changes do not count


@dataclass(frozen=True)
class ScoreSync(Operator):
    """Audio-visual offset and its confidence from the opening of the mouth, and how much of the clip its face speaks.

    The gap between the lips, 25 times a second, is correlated with the level of the voice at every shift up to `reach`
    ticks, and so are the speeds at which both change. This is an estimate of its own: it is neither LSE-D, LSE-C nor SyncNet's offset, and its numbers do not compare
    with theirs. It needs about 4 s of speech.

    Scores of a clip, higher is better unless said otherwise:
        `av_offset_s` (mouth_envelope): by how much the sound is late, negative where it is early; -0.6 to 0.6, best at 0.
        `av_confidence` (mouth_envelope): height of the correlation's peak over its median, times the square root of the
            clip's seconds, since the peak that chance reaches falls as that grows; foreign sound has about 0.5.
        `speaking_share` (the active-speaker model): share of the clip's ticks where its face's score is above 0.

    Drops of the clip's sync scores, not of its share: `sync_too_short`, `mouth_unseen`, `mouth_still`, `no_sound`.
    """

    measures: ClassVar[dict[str, Measure]] = {
        "av_offset_s": Measure("by how much the sound is late, negative where it is early; best at 0", "s", -0.6, 0.6),
        "av_confidence": Measure("height of the correlation's peak; foreign sound has about 0.5", "", 0, None, better="higher"),
        "speaking_share": Measure("share of the clip in which its face is seen to speak", "", 0, 1, better="higher"),
    }

    version: ClassVar[int] = 2  # speeds count as well

    reach: int = 15  # ticks of 40 ms that the sound is shifted each way
    min_s: float = 2.0
    min_seen: float = 0.8  # share of ticks at which the landmarker must find the face

    @property
    def weights(self) -> tuple[Weight, ...]:
        return (FACE_LANDMARKER,)

    def __call__(self, clip: Clip, tracks: list[Track], speaking: list[Speaking], frames: Frames, audio: Audio) -> Iterator[Score | Drop]:
        track = next(track for track in tracks if track.track_id == clip.track_id)
        first, last = first_tick(clip.start_s), first_tick(clip.end_s) - 1
        for row in speaking:
            if row.track_id == clip.track_id:
                yield _score(clip, "speaking_share", row.model, speaking_share(row, first, last))
        if clip.end_s - clip.start_s < self.min_s:
            yield Drop("sync_too_short", clip, detail=f"{clip.end_s - clip.start_s:.2f} s < {self.min_s:g} s")
            return
        squares = face_squares(track, np.arange(first, last + 1))
        openings = np.array([self._mouth(frame, squares[tick - first]) for tick, frame in shown_at_ticks(frames, first, last)])
        seen = ~np.isnan(openings)
        if seen.mean() < self.min_seen:
            yield Drop("mouth_unseen", clip, detail=f"found at {seen.mean():.0%} of the ticks")
            return
        openings = np.interp(np.arange(len(openings)), np.flatnonzero(seen), openings[seen])
        voice = voice_level(audio, first - self.reach, len(openings) + 2 * self.reach)
        for reason, signal, least in (("mouth_still", openings, 1e-4), ("no_sound", voice, 0.1)):
            if np.std(signal) < least:
                yield Drop(reason, clip, detail=f"deviation {np.std(signal):.2g} < {least:g}")
                return
        offset, height = peak(correlations(openings, voice))
        yield _score(clip, "av_offset_s", VARIANT, offset / TICK_HZ)
        yield _score(clip, "av_confidence", VARIANT, height * np.sqrt(len(openings) / TICK_HZ))

    @cached_property
    def _mouth(self) -> MouthOpening:
        return MouthOpening()


def _score(clip: Clip, metric: str, variant: str, value: float) -> Score:
    return Score(clip.source_id, f"{clip.clip_id}#{metric}", clip.clip_id, metric, variant, round(float(value), 4))


def speaking_share(speaking: Speaking, first: int, last: int) -> float:
    """Share of the ticks `first` to `last` where the face's score is above 0; a tick without a score counts as silent."""
    began = round(speaking.start_s * TICK_HZ)
    spoken = sum(score > 0 for score in speaking.score[max(0, first - began) : max(0, last + 1 - began)])
    return spoken / (last + 1 - first)


def voice_level(audio: Audio, first: int, count: int) -> NDArray[np.float64]:
    """(count,): how open the mouth sounds in the 40 ms from each tick on.

    The mean log energy of the bands from 0.8 to 4 kHz, where open vowels are strong, minus half of that below 0.4 kHz,
    which hums and nasals fill with the lips closed. Without unit; about 10 apart between a vowel and a pause.
    """
    start_s = first / TICK_HZ
    energies = np.log(
        mel_energies(audio.samples(start_s, start_s + count / TICK_HZ + MFCC_TAIL_S)) + 100
    )  # 100: far below speech, above dither
    level = energies[:, 8:20].mean(axis=1) - 0.5 * energies[:, :5].mean(axis=1)
    return level.reshape(count, 4).mean(axis=1)


def correlations(openings: NDArray[np.float64], voice: NDArray[np.float64]) -> NDArray[np.float64]:
    """How well the mouth's opening goes with the voice at each shift, -1 to 1.

    The mean of two Pearson correlations: of both signals freed of slow changes, and of the speeds at which they change. The first has
    the higher peak, the second the narrower one.

    Args:
        openings: (n,)
        voice: (n + 2 * reach,), beginning `reach` ticks before the openings.

    Returns:
        (2 * reach + 1,), from the sound early by `reach` to late by `reach`.
    """
    from scipy.ndimage import gaussian_filter1d

    def correlated(mouth: NDArray[np.float64], sound: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.array([np.corrcoef(mouth, sound[shift : shift + len(mouth)])[0, 1] for shift in range(len(sound) - len(mouth) + 1)])

    mouth, sound = (signal - gaussian_filter1d(signal, _STEADY, mode="nearest") for signal in (openings, voice))
    return (correlated(mouth, sound) + correlated(np.gradient(openings), np.gradient(voice))) / 2


def peak(curve: NDArray[np.float64]) -> tuple[float, float]:
    """Where a curve over shifts -reach to reach is highest, to a part of a tick (parabola through three points), and by how much over its median."""
    top = int(np.argmax(curve))
    between = 0.0
    if 0 < top < len(curve) - 1:
        before, at, after = curve[top - 1 : top + 2]
        between = 0.5 * (before - after) / (before - 2 * at + after)
    return top + between - len(curve) // 2, float(curve[top] - np.median(curve))
