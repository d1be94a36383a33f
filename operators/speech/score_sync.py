"""How well the sound of a clip goes with the mouth it shows."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

import numpy as np

from manifests.tables import ActiveSpeaker, Clip, Score, Track
from operators.base import Audio, Drop, Frames, Measure, Operator
from operators.models.catalogue import FACE_LANDMARKER
from operators.models.sync_curves import correlations, peak, voice_level
from operators.speech.detect_active_speaker import MouthOpening, face_squares, first_tick, shown_at_ticks
from operators.timeline import TICK_HZ
from operators.weights import Weight

VARIANT = "mouth_envelope"


@dataclass(frozen=True)
class ScoreSync(Operator):
    """Audio-visual offset and its confidence from the opening of the mouth, and how much of the clip its face speaks.

    The gap between the lips, looked at at every `every`-th tick of 40 ms with straight lines between, is correlated
    with the level of the voice at every shift up to `reach` ticks, and so are the speeds at which both change. This is
    an estimate of its own: it is neither LSE-D, LSE-C nor SyncNet's offset, and its numbers do not compare with theirs.
    It needs about 4 s of speech.

    Scores of a clip, higher is better unless said otherwise:
        `av_offset_s` (mouth_envelope): by how much the sound is late, negative where it is early; -0.6 to 0.6, best at
        0. `av_confidence` (mouth_envelope): height of the correlation's peak over its median, times the square root of
        the
            clip's seconds, since the peak that chance reaches falls as that grows; foreign sound has about 0.5.
        `speaking_share` (the active-speaker model): share of the clip's ticks where its face's score is above 0.

    Drops of the clip's sync scores, not of its share: `sync_too_short`, `mouth_unseen`, `mouth_still`, `no_sound`.
    """

    measures: ClassVar[dict[str, Measure]] = {
        "av_offset_s": Measure("by how much the sound is late, negative where it is early; best at 0", "s", -0.6, 0.6),
        "av_confidence": Measure(
            "height of the correlation's peak; foreign sound has about 0.5", "", 0, None, better="higher"
        ),
        "speaking_share": Measure("share of the clip in which its face is seen to speak", "", 0, 1, better="higher"),
    }

    version: ClassVar[int] = 3  # every second tick

    reach: int = 15  # ticks of 40 ms that the sound is shifted each way
    min_s: float = 2.0
    min_seen: float = 0.8  # share of looks at which the landmarker must find the face
    every: int = 2  # ticks from look to look: lips open and close in 0.1 s or more

    def __post_init__(self) -> None:
        if self.every < 1:
            raise ValueError(f"ScoreSync.every is {self.every}; it must be 1 or more")

    @property
    def weights(self) -> tuple[Weight, ...]:
        return (FACE_LANDMARKER,)

    def __call__(
        self, clip: Clip, tracks: list[Track], speaking: list[ActiveSpeaker], frames: Frames, audio: Audio
    ) -> Iterator[Score | Drop]:
        track = next(track for track in tracks if track.track_id == clip.track_id)
        first, last = first_tick(clip.start_s), first_tick(clip.end_s) - 1
        for row in speaking:
            if row.track_id == clip.track_id:
                yield _score(clip, "speaking_share", row.model, speaking_share(row, first, last))
        if clip.end_s - clip.start_s < self.min_s:
            yield Drop("sync_too_short", clip, detail=f"{clip.end_s - clip.start_s:.2f} s < {self.min_s:g} s")
            return
        squares = face_squares(track, np.arange(first, last + 1))
        looks = [
            (tick, self._mouth(frame, squares[tick - first]))
            for tick, frame in shown_at_ticks(frames, first, last)
            if tick % self.every == 0 or tick in (first, last)
        ]
        ticks, gaps = np.array(looks).T
        seen = ~np.isnan(gaps)
        if seen.mean() < self.min_seen:
            yield Drop("mouth_unseen", clip, detail=f"found at {seen.mean():.0%} of the looks")
            return
        openings = np.interp(np.arange(first, last + 1), ticks[seen], gaps[seen])
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


def speaking_share(speaking: ActiveSpeaker, first: int, last: int) -> float:
    """Share of the ticks `first` to `last` where the face's score is above 0; a tick without a score counts as
    silent.
    """
    began = round(speaking.start_s * TICK_HZ)
    spoken = sum(score > 0 for score in speaking.score[max(0, first - began) : max(0, last + 1 - began)])
    return spoken / (last + 1 - first)
