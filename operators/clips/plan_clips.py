"""Which spans of a shot become clips."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from math import ceil, floor
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from manifests.tables import ActiveSpeaker, Clip, Shot, Source, Track, Turn, span_id
from operators.base import Drop, Operator
from operators.timeline import (
    STEP_S,
    Mask,
    has_word,
    may_show,
    own_voice,
    runs,
    smoothed_score,
    timeline,
    visible,
    voices_heard,
    width_px,
)  # fmt: skip


@dataclass(frozen=True)
class PlanClips(Operator):
    """Spans in which one visible face speaks, and only its voice is heard.

    Shots, tracks, active-speaker scores and turns meet on one timeline. A face has the word where its score, median
    smoothed, is above 0 and above that of every other face. A face has one voice in a shot: the diarized speaker it
    has the word with for longest. Where face and voice agree is a proposal, and every proposal ends as a clip or a
    drop. Silent faces may be in view, but not in the crop.

    Drops of a shot: `no_face`, `no_speech`, `shot_short`, `voice_off_screen`; and, where nobody is heard, `face_small`
    or `too_short` if no face is as wide as is wanted, or for as long. Drops of a proposal: `other_voice` (the face
    seems to speak, with a voice that is not its own), `two_voices` (the part cut out because someone else is heard),
    `face_small`, `too_short`, `face_leaves_crop` (no square of the frame holds it), `other_face_in_crop`.
    """

    min_s: float = 3.0
    max_s: float = 30.0  # a longer proposal is split at its longest pauses, evenly where it has none
    margin_s: float = 0.1  # kept away from the shot's cuts, to within a frame
    min_face_px: float = 96.0  # median width of the face over the clip
    smooth_s: float = 0.5  # window of the median over the active-speaker score
    join_gap_s: float = 0.5  # a pause up to this long is a breath: it ends neither speech nor a turn
    # scores and turns are off by about this at their edges: the clip starts and ends this much further out
    edge_s: float = 0.2
    max_hidden_s: float = 0.5  # a face hidden for longer ends a span
    max_other_voice: float = 0.08  # share of a clip in which someone else may be heard
    scale: float = 2.0  # the crop holds the face wherever it moves, and (scale - 1) / 2 of its size on each side
    up: float = 0.1  # the crop's centre is this share of the face's size above the face's: detectors box brow to chin

    version: ClassVar[int] = 2  # boxes are even

    def __post_init__(self) -> None:
        if self.max_s < 2 * self.min_s:
            raise ValueError(
                f"max_s is {self.max_s:g} and min_s {self.min_s:g}: parts of a split would be too short; make max_s"
                " twice min_s or more"
            )

    def __call__(
        self, shot: Shot, tracks: list[Track], speaking: list[ActiveSpeaker], turns: list[Turn], sources: list[Source]
    ) -> Iterator[Clip | Drop]:
        if not tracks:
            raise Drop("no_face")
        heard = [turn for turn in turns if turn.start_s < shot.end_s and turn.end_s > shot.start_s]
        start_s, end_s = shot.start_s + self.margin_s, shot.end_s - self.margin_s
        if end_s - start_s < self.min_s:  # before the voices: such a source may not have been listened to
            raise Drop("shot_short", detail=f"{max(end_s - start_s, 0):.1f} s < {self.min_s:g} s")
        if not heard:
            self._raise_if_no_face_fits(tracks)
            raise Drop("no_speech")

        times = timeline(start_s, end_s)
        voices = voices_heard(heard, shot.start_s, shot.end_s, times)
        words = has_word(np.stack([smoothed_score(track, speaking, times, self.smooth_s) for track in tracks]))

        proposed = 0
        for track, word in zip(tracks, words, strict=True):
            others = [other for other in tracks if other is not track]
            someone_else = (words & ~word).any(axis=0)
            for outcome in self._of_face(shot, track, others, word, someone_else, voices, times, sources[0]):
                proposed += 1
                yield outcome
        if not proposed:
            any_voice = np.logical_or.reduce(list(voices.values())).sum() * STEP_S
            raise Drop(
                "voice_off_screen", detail=f"{any_voice:.1f} s of speech, {len(tracks)} faces, none speaks in it"
            )

    def _raise_if_no_face_fits(self, tracks: list[Track]) -> None:
        """Where no face could become a clip, nobody may have listened: that nobody was heard would say too much."""
        if (widest := max(width_px(track) for track in tracks)) < self.min_face_px:
            raise Drop(
                "face_small", detail=f"{len(tracks)} faces, the widest {widest:.0f} px < {self.min_face_px:g} px"
            )
        if not any(may_show(track, self.min_face_px, self.min_s) for track in tracks):
            raise Drop("too_short", detail=f"no face as wide as {self.min_face_px:g} px is there for {self.min_s:g} s")

    def _of_face(
        self,
        shot: Shot,
        track: Track,
        others: list[Track],
        word: Mask,
        someone_else: Mask,
        voices: dict[str, Mask],
        times: NDArray[np.float64],
        source: Source,
    ) -> Iterator[Clip | Drop]:
        speaker = own_voice(word, voices)
        if speaker is None:
            return
        voice = voices[speaker]
        other_voice = np.logical_or.reduce(
            [np.zeros_like(voice), *(mask for name, mask in voices.items() if name != speaker)]
        )
        in_view = visible(track, times, self.max_hidden_s)
        face = self._widened(word, someone_else)

        def clip(first: int, last: int, said_by: str = speaker) -> Clip:
            start_s = before_frame(float(times[first]), track, source)
            end_s = before_frame(float(times[first]) + (last - first) * STEP_S, track, source)
            box = self._box(track, start_s, end_s, source)
            clip_id = f"{span_id(shot.source_id, start_s, end_s)}/{track.track_id.rsplit('/', 1)[-1]}"
            return Clip(shot.source_id, clip_id, shot.shot_id, track.track_id, said_by, start_s, end_s, *box)

        proposals = face & self._widened(voice, other_voice) & in_view
        for first, last in runs(proposals):
            if not (word & voice)[first:last].any():
                continue  # two widened edges that touch are no speech
            parts = [(first, last)]
            if other_voice[first:last].mean() > self.max_other_voice:
                inside = np.zeros_like(voice)
                inside[first:last] = True
                cut = _without_short(other_voice & inside, self.edge_s)
                parts = runs(_without_short(inside & ~cut, self.edge_s))  # what is shorter is the edge of a word
                for at in runs(cut):
                    yield Drop("two_voices", clip(*at), detail=f"{(at[1] - at[0]) * STEP_S:.1f} s")
            for part in parts:
                for at in self._split(*part, voice):
                    yield self._judged(clip(*at), track, others, source)
        for name, other in voices.items():
            if name != speaker:
                for at in runs(_without_short(word & other & ~proposals & in_view, self.edge_s)):
                    yield Drop(
                        "other_voice",
                        clip(*at, said_by=name),
                        detail=f"the voice is {name}, the face speaks as {speaker}",
                    )

    def _widened(self, mask: Mask, other: Mask) -> Mask:
        """Breaths closed, then both edges moved out by `edge_s`, but not into what is another's alone."""
        closed = mask.copy()
        for first, last in runs(~mask):
            if first > 0 and last < len(mask) and (last - first) * STEP_S <= self.join_gap_s:
                closed[first:last] = True
        wide = closed.copy()
        reach = round(self.edge_s / STEP_S)
        for first, last in runs(closed):
            wide[max(0, first - reach) : last + reach] = True
        return closed | (wide & ~other)

    def _split(self, first: int, last: int, voice: Mask) -> list[tuple[int, int]]:
        """Parts of `max_s` or less, none below `min_s`."""
        if (last - first) * STEP_S <= self.max_s:
            return [(first, last)]
        keep = ceil(self.min_s / STEP_S)
        pauses = [run for run in runs(~voice[first + keep : last - keep]) if run[1] > run[0]]
        if pauses:
            longest = max(pauses, key=lambda run: run[1] - run[0])
            cut = first + keep + sum(longest) // 2
        else:
            cut = first + (last - first) // ceil((last - first) * STEP_S / self.max_s)
        return self._split(first, cut, voice) + self._split(cut, last, voice)

    def _judged(self, clip: Clip, track: Track, others: list[Track], source: Source) -> Clip | Drop:
        left, top, right, bottom = _boxes(track, clip.start_s, clip.end_s)
        if len(left) and (width := float(np.median(right - left))) < self.min_face_px:
            return Drop("face_small", clip, detail=f"{width:.0f} px < {self.min_face_px:g} px")
        if (length := clip.end_s - clip.start_s) < self.min_s - 1e-6:
            return Drop("too_short", clip, detail=f"{length:.1f} s < {self.min_s:g} s")
        if (reach := max(right.max() - left.min(), bottom.max() - top.min())) > clip.right_px - clip.left_px + 1:
            return Drop(
                "face_leaves_crop",
                clip,
                detail=f"it moves over {reach:.0f} px, the frame is {source.width}x{source.height}",
            )
        for other in others:
            left, top, right, bottom = _boxes(other, clip.start_s, clip.end_s)
            x, y = (left + right) / 2, (top + bottom) / 2
            inside = (x > clip.left_px) & (x < clip.right_px) & (y > clip.top_px) & (y < clip.bottom_px)
            if inside.any():
                detail = f"{other.track_id.rsplit('/', 1)[-1]}, in {inside.mean():.0%} of its looks"
                return Drop("other_face_in_crop", clip, detail=detail)
        return clip

    def _box(self, track: Track, start_s: float, end_s: float, source: Source) -> tuple[float, float, float, float]:
        """A square of whole even pixels around the face wherever it is in the span, moved into the frame, no larger
        than it: planes whose chroma is subsampled are cut there without a loss.
        """
        left, top, right, bottom = _boxes(track, start_s, end_s)
        if not len(left):  # shorter than the time between two looks
            nearest = track.times_s[int(np.argmin(np.abs(np.asarray(track.times_s) - start_s)))]
            left, top, right, bottom = _boxes(
                replace(track, confidence=[1.0] * len(track.times_s)), nearest, nearest + 1e-6
            )
        face = float(np.median(np.maximum(right - left, bottom - top)))
        reach = max(right.max() - left.min(), bottom.max() - top.min())
        room = min(source.width or np.inf, source.height or np.inf)
        side = 2 * round(min(reach + (self.scale - 1) * face, room) / 2)
        side -= 2 * (side > room)
        x = 2 * round((left.min() + right.max() - side) / 4)
        y = 2 * round(((top.min() + bottom.max() - side) / 2 - self.up * face) / 2)
        if source.width and source.height:
            x = min(max(x, 0), (source.width - side) // 2 * 2)
            y = min(max(y, 0), (source.height - side) // 2 * 2)
        return float(x), float(y), float(x + side), float(y + side)


def before_frame(at_s: float, track: Track, source: Source) -> float:
    """The millisecond before the nearest frame, reckoned from the nearest look at the track; where the rate varies, the
    time itself.

    A clip that began between two frames would show its first for too long.
    """
    if not source.fps or source.variable_fps:
        return round(at_s, 3)
    look_s = min(track.times_s, key=lambda look_s: abs(look_s - at_s))
    frame_s = look_s + round((at_s - look_s) * source.fps) / source.fps
    return floor((frame_s - 2e-4) * 1000) / 1000  # the rate is a mean, and a frame a hair before the span is not in it


def _boxes(track: Track, start_s: float, end_s: float) -> tuple[NDArray[np.float64], ...]:
    """Left, top, right and bottom at each sight of the track in the span; interpolated boxes are left out."""
    times = np.asarray(track.times_s)
    seen = (times >= start_s) & (times < end_s) & (np.asarray(track.confidence) > 0)
    return tuple(np.asarray(side)[seen] for side in (track.left_px, track.top_px, track.right_px, track.bottom_px))


def _without_short(mask: Mask, least_s: float) -> Mask:
    kept = np.zeros_like(mask)
    for first, last in runs(mask):
        if (last - first) * STEP_S >= least_s - 1e-6:
            kept[first:last] = True
    return kept
