"""Signals of a source on one time axis: who is seen, whose voice is heard, whose mouth moves with it."""

from collections.abc import Mapping, Sequence
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from manifests.tables import ActiveSpeaker, Track, Turn

TICK_HZ = 25  # of the clock on which mouths are looked at
MFCC_TAIL_S = 0.015  # by which the last 25 ms window of a tick's four reaches over the tick's end
STEP_S = 0.02  # of the timeline that all signals are brought to: finer than any of them
Mask = NDArray[np.bool_]


def timeline(start_s: float, end_s: float) -> NDArray[np.float64]:
    """(steps,): times `STEP_S` apart from `start_s` on, one at least."""
    return np.arange(max(1, int((end_s - start_s) / STEP_S)), dtype=np.float64) * STEP_S + start_s


@runtime_checkable
class AsksForFaces(Protocol):
    """A step that makes clips of faces at least so wide, for so long."""

    @property
    def min_face_px(self) -> float: ...

    @property
    def min_s(self) -> float: ...


def width_px(track: Track) -> float:
    """The face at its widest, in pixels; guessed looks count too."""
    return float(np.max(np.subtract(track.right_px, track.left_px), initial=0.0))


def may_show(track: Track, face_px: float, for_s: float) -> bool:
    """Whether a span of `for_s` of a track could have a face of `face_px` as the median of its widths: what is true of
    such a span is that the track is as long, to within a second of margins, and as wide at some look.
    """
    return width_px(track) >= face_px and track.end_s - track.start_s >= for_s - 1.0


def voices_heard(turns: Sequence[Turn], start_s: float, end_s: float, times: NDArray[np.float64]) -> dict[str, Mask]:
    """Where each voice of the turns that meet the span is heard, (times,), the voices in order of their names."""
    heard = [turn for turn in turns if turn.start_s < end_s and turn.end_s > start_s]
    voices = {speaker: np.zeros(len(times), bool) for speaker in sorted({turn.speaker for turn in heard})}
    for turn in heard:
        voices[turn.speaker] |= (times >= turn.start_s) & (times < turn.end_s)
    return voices


def smoothed_score(
    track: Track, speaking: Sequence[ActiveSpeaker], times: NDArray[np.float64], smooth_s: float
) -> NDArray[np.float64]:
    """(times,): the active-speaker score of a track, the median over `smooth_s` around each; minus infinity where there
    is none.
    """
    at = np.full(len(times), -np.inf)
    for row in speaking:
        if row.track_id == track.track_id and row.score:
            half = round(smooth_s / row.step_s / 2)
            padded = np.pad(np.asarray(row.score), half, mode="edge")
            smooth = np.median(np.lib.stride_tricks.sliding_window_view(padded, 2 * half + 1), axis=1)
            index = np.floor((times - row.start_s) / row.step_s + 1e-6).astype(int)
            inside = (index >= 0) & (index < len(smooth))
            at[inside] = smooth[index[inside]]
    return at


def has_word(scores: NDArray[np.float64]) -> Mask:
    """(tracks, times), of scores (tracks, times): where a face's score is above 0 and no other's is higher."""
    return (scores > 0) & (scores == scores.max(axis=0))


def own_voice(word: Mask, voices: Mapping[str, Mask]) -> str | None:
    """The speaker that a face has the word with for longest; None where it never has."""
    together = {speaker: int((word & voice).sum()) for speaker, voice in voices.items()}
    speaker = max(together, key=lambda name: together[name], default=None)
    return speaker if speaker is not None and together[speaker] else None


def visible(track: Track, times: NDArray[np.float64], max_hidden_s: float) -> Mask:
    """(times,): where the face is seen, or hidden for no longer than `max_hidden_s`."""
    seen = [at for at, confidence in zip(track.times_s, track.confidence, strict=True) if confidence > 0]
    mask = np.zeros(len(times), bool)
    for at, then in zip(seen, [*seen[1:], track.end_s], strict=True):
        if then - at <= max_hidden_s:
            mask |= (times >= at - 1e-6) & (times < then)
    return mask


def runs(mask: Mask) -> list[tuple[int, int]]:
    """The half-open index spans in which the mask is true."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], mask, [False]]).astype(np.int8)))
    return [(int(first), int(last)) for first, last in zip(edges[::2], edges[1::2], strict=True)]
