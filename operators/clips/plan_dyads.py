"""Who listens while another speaks: two clips of one moment of a conversation."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise, permutations

import numpy as np

from manifests.tables import ActiveSpeaker, Annotation, Clip, Shot, Source, Track, Turn, span_id
from operators.base import Drop, Operator
from operators.clips.plan_clips import before_frame
from operators.timeline import STEP_S, Mask, has_word, own_voice, runs, smoothed_score, timeline, visible, voices_heard


@dataclass(frozen=True)
class PlanDyads(Operator):
    """Spans in which one face speaks and another one, in the same picture, listens: a clip of each, over the same span.

    A face has the word where its score, median smoothed, is above 0 and above that of every other face, as in
    `PlanClips`; its own voice is the diarized speaker it has the word with for longest. A span is a run of that voice,
    its breaths closed, while both faces are seen. The listener may nod and say "mm", but has the word for no more than
    `max_listener_word` of it. Boxes are the union of a face's boxes in the span: `CropClips` makes the crop of them.

    Both clips are annotated: `role` (speaker or listener), `partner` (the other's clip), `overlap_s` (how long the
    listener's voice is heard too), and `gap_s`, the floor transfer offset: from the end of the listener's last speech
    to the beginning of the speaker's, below 0 where it begins before that end (M. Heldner and J. Edlund, "Pauses, gaps
    and overlaps in conversations", Journal of Phonetics 38, 2010); left out where the listener has not spoken before in
    the shot.

    Drops of a shot: `not_two_faces`, `no_speech`. Drops of a pair's speaker: `too_short`, `face_small`,
    `other_face_in_crop`.
    """

    min_s: float = 2.0
    max_s: float = 30.0
    margin_s: float = 0.1  # kept away from the shot's cuts
    min_face_px: float = 96.0  # median width of either face
    smooth_s: float = 0.5
    join_gap_s: float = 0.5  # a pause up to this long is a breath
    max_hidden_s: float = 0.5
    min_speaker_word: float = 0.5  # share of a span in which the speaker's mouth has the word
    max_listener_word: float = 0.2  # share of a span in which the listener's has it
    # the other's centre lies outside a square so many times as wide as a face's boxes: that of `CropClips`
    apart: float = 1.6

    def __post_init__(self) -> None:
        """
        Raises:
            ValueError: where a long span could not be divided.
        """
        if self.max_s < 2 * self.min_s:
            raise ValueError(f"max_s is {self.max_s:g} and min_s {self.min_s:g}; make max_s twice min_s or more")

    def __call__(
        self, shot: Shot, tracks: list[Track], speaking: list[ActiveSpeaker], turns: list[Turn], sources: list[Source]
    ) -> Iterator[Clip | Annotation | Drop]:
        if len(tracks) < 2:
            raise Drop("not_two_faces", detail=f"{len(tracks)} in the shot")
        start_s, end_s = shot.start_s + self.margin_s, shot.end_s - self.margin_s
        times = timeline(start_s, end_s)
        voices = voices_heard(turns, start_s, end_s, times)
        if not voices:
            raise Drop("no_speech")
        words = has_word(np.stack([smoothed_score(track, speaking, times, self.smooth_s) for track in tracks]))
        seen = [visible(track, times, self.max_hidden_s) for track in tracks]
        own = _own_voices(words, voices)
        for one, other in permutations(range(len(tracks)), 2):
            if (name := own[one]) is None:
                continue
            voice, answer = voices[name], voices.get(own[other] or "", np.zeros(len(times), bool))
            floor = self._closed(voice)
            for first, last in self._spans(floor & seen[one] & seen[other]):
                within = slice(first, last)
                if (
                    words[one][within].mean() < self.min_speaker_word
                    or words[other][within].mean() > self.max_listener_word
                ):
                    continue
                begin = int(np.flatnonzero(~floor[: first + 1])[-1]) + 1 if (~floor[: first + 1]).any() else 0
                told = {"overlap_s": f"{(voice & answer)[within].sum() * STEP_S:.2f}"}
                if (gap_s := _gap_s(begin, answer)) is not None:
                    told["gap_s"] = f"{gap_s:.2f}"
                span = float(times[first]), float(times[first]) + (last - first) * STEP_S
                yield from self._pair(
                    shot, (tracks[one], tracks[other]), (name, own[other] or ""), span, sources[0], told
                )

    def _closed(self, voice: Mask) -> Mask:
        closed = voice.copy()
        for first, last in runs(~voice):
            if first > 0 and last < len(voice) and (last - first) * STEP_S <= self.join_gap_s:
                closed[first:last] = True
        return closed

    def _spans(self, mask: Mask) -> Iterator[tuple[int, int]]:
        for first, last in runs(mask):
            count = max(1, -(-(last - first) // round(self.max_s / STEP_S)))
            ends = [first + round((last - first) * n / count) for n in range(count + 1)]
            yield from pairwise(ends)

    def _pair(
        self,
        shot: Shot,
        faces: tuple[Track, Track],
        voices: tuple[str, str],
        span: tuple[float, float],
        source: Source,
        told: dict[str, str],
    ) -> Iterator[Clip | Annotation | Drop]:
        start_s, end_s = (before_frame(at_s, faces[0], source) for at_s in span)
        speaker, listener = (
            _clip(shot, face, voice, start_s, end_s) for face, voice in zip(faces, voices, strict=True)
        )  # fmt: skip
        if end_s - start_s < self.min_s - 1e-6:
            yield Drop("too_short", speaker, detail=f"{end_s - start_s:.1f} s < {self.min_s:g} s")
            return
        narrow = min(_width(face, start_s, end_s) for face in faces)
        if narrow < self.min_face_px:
            yield Drop("face_small", speaker, detail=f"{narrow:.0f} px < {self.min_face_px:g} px")
            return
        if self._meet(speaker, listener) or self._meet(listener, speaker):
            yield Drop("other_face_in_crop", speaker, detail=f"{listener.track_id.rsplit('/', 1)[-1]} is beside it")
            return
        for clip, role, partner in ((speaker, "speaker", listener), (listener, "listener", speaker)):
            yield clip
            for name, value in {"role": role, "partner": partner.clip_id, **told}.items():
                yield Annotation(clip.source_id, f"{clip.clip_id}#{name}", clip.clip_id, name, value, "PlanDyads")

    def _meet(self, clip: Clip, other: Clip) -> bool:
        """Whether the middle of the other's boxes lies in the square about this one's."""
        half = self.apart * max(clip.right_px - clip.left_px, clip.bottom_px - clip.top_px) / 2
        x = (other.left_px + other.right_px - clip.left_px - clip.right_px) / 2
        y = (other.top_px + other.bottom_px - clip.top_px - clip.bottom_px) / 2
        return abs(x) < half and abs(y) < half


def _own_voices(words: Mask, voices: Mapping[str, Mask]) -> list[str | None]:
    """Each face's own voice, no voice twice: who has the word for longest is asked first, so that an "mm" under a turn
    is not its.
    """
    own: list[str | None] = [None] * len(words)
    left = dict(voices)
    for face in sorted(range(len(words)), key=lambda face: -int(words[face].sum())):
        own[face] = own_voice(words[face], left)
        left.pop(own[face] or "", None)
    return own


def _gap_s(begin: int, answer: Mask) -> float | None:
    """From the end of the other's run that is heard at `begin`, or was the last before it; below 0 where it goes on
    after that.
    """
    before = [run for run in runs(answer) if run[0] < begin]
    return (begin - before[-1][1]) * STEP_S if before else None


def _clip(shot: Shot, face: Track, voice: str, start_s: float, end_s: float) -> Clip:
    boxes = _boxes(face, start_s, end_s)
    left, top = (min(box[side] for box in boxes) for side in (0, 1))
    right, bottom = (max(box[side] for box in boxes) for side in (2, 3))
    clip_id = f"{span_id(shot.source_id, start_s, end_s)}/{face.track_id.rsplit('/', 1)[-1]}"
    return Clip(shot.source_id, clip_id, shot.shot_id, face.track_id, voice, start_s, end_s, left, top, right, bottom)


def _boxes(face: Track, start_s: float, end_s: float) -> Sequence[tuple[float, float, float, float]]:
    """At each look in the span, and at the one nearest to it."""
    looks = list(
        zip(face.times_s, face.left_px, face.top_px, face.right_px, face.bottom_px, face.confidence, strict=True)
    )
    nearest = min(looks, key=lambda look: abs(look[0] - start_s))
    held = [look for look in looks if start_s <= look[0] < end_s and look[5] > 0] or [nearest]
    return [look[1:5] for look in held]


def _width(face: Track, start_s: float, end_s: float) -> float:
    return float(np.median([right - left for left, _, right, _ in _boxes(face, start_s, end_s)]))
