"""How well the sound of a clip goes with the mouth it shows."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from manifests.tables import ActiveSpeaker, Clip, FaceLandmarks, Score
from operators.base import Audio, Drop, Measure, Operator
from operators.models.face_geometry import MODEL, landmarks_of, lip_gap
from operators.models.sync_curves import correlations, peak, voice_level
from operators.speech.detect_active_speaker import first_tick
from operators.timeline import TICK_HZ

VARIANT = "mouth_envelope"


@dataclass(frozen=True)
class ScoreSync(Operator):
    """Audio-visual offset and its confidence from the opening of the mouth, and how much of the clip its face speaks.

    The gap between the lips, as `LandmarkFaces` saw it with straight lines between its looks, is correlated with the
    level of the voice at every shift up to `reach` ticks of 40 ms, and so are the speeds at which both change. No frame
    is decoded. This is an estimate of its own: it is neither LSE-D, LSE-C nor SyncNet's offset, and its numbers do not
    compare with theirs. It needs about 4 s of speech.

    Scores of a clip, higher is better unless said otherwise:
        `av_offset_s` (mouth_envelope): by how much the sound is late, negative where it is early; -0.6 to 0.6, best at
        0. `av_confidence` (mouth_envelope): height of the correlation's peak over its median, times the square root of
        the
            clip's seconds, since the peak that chance reaches falls as that grows; foreign sound has about 0.5.
        `speaking_share` (the active-speaker model): share of the clip's ticks where its face's score is above 0.

    Drops of the clip's sync scores, not of its share: `sync_too_short`, `looks_too_sparse`, `mouth_unseen`,
    `mouth_still`, `no_sound`.
    """

    measures: ClassVar[dict[str, Measure]] = {
        "av_offset_s": Measure("by how much the sound is late, negative where it is early; best at 0", "s", -0.6, 0.6),
        "av_confidence": Measure(
            "height of the correlation's peak; foreign sound has about 0.5", "", 0, None, better="higher"
        ),
        "speaking_share": Measure("share of the clip in which its face is seen to speak", "", 0, 1, better="higher"),
    }

    version: ClassVar[int] = 4  # on the looks of LandmarkFaces

    reach: int = 15  # ticks of 40 ms that the sound is shifted each way
    min_s: float = 2.0
    min_seen: float = 0.8  # share of looks at which the landmarker must find the face
    max_apart_s: float = 0.12  # from look to look, in the median: lips open and close in 0.1 s or more

    def __call__(
        self, clip: Clip, speaking: list[ActiveSpeaker], face_landmarks: list[FaceLandmarks], audio: Audio
    ) -> Iterator[Score | Drop]:
        first, last = first_tick(clip.start_s), first_tick(clip.end_s) - 1
        for row in speaking:
            if row.track_id == clip.track_id:
                yield _score(clip, "speaking_share", row.model, speaking_share(row, first, last))
        try:
            openings = self._openings(clip, face_landmarks, np.arange(first, last + 1))
            voice = voice_level(audio, first - self.reach, len(openings) + 2 * self.reach)
            for reason, signal, least in (("mouth_still", openings, 1e-4), ("no_sound", voice, 0.1)):
                if np.std(signal) < least:
                    raise Drop(reason, clip, detail=f"deviation {np.std(signal):.2g} < {least:g}")
        except Drop as drop:
            yield drop
            return
        offset, height = peak(correlations(openings, voice))
        yield _score(clip, "av_offset_s", VARIANT, offset / TICK_HZ)
        yield _score(clip, "av_confidence", VARIANT, height * np.sqrt(len(openings) / TICK_HZ))

    def _openings(self, clip: Clip, meshes: list[FaceLandmarks], ticks: NDArray[np.int64]) -> NDArray[np.float64]:
        """(ticks,): how far the lips are apart at each; see `lip_gap`.

        Raises:
            Drop: sync_too_short, mouth_unseen, looks_too_sparse.
        """
        if clip.end_s - clip.start_s < self.min_s:
            raise Drop("sync_too_short", clip, detail=f"{clip.end_s - clip.start_s:.2f} s < {self.min_s:g} s")
        mesh = next((mesh for mesh in meshes if mesh.model == MODEL), None)
        if mesh is None:
            raise Drop("mouth_unseen", clip, detail="no mesh")
        seen = np.asarray(mesh.seen, bool)
        if seen.mean() < self.min_seen:
            raise Drop("mouth_unseen", clip, detail=f"found at {seen.mean():.0%} of the looks")
        times_s = np.asarray(mesh.times_s)
        apart_s = float(np.median(np.diff(times_s))) if len(times_s) > 1 else np.inf
        if apart_s > self.max_apart_s:
            raise Drop("looks_too_sparse", clip, detail=f"{apart_s:.3f} s apart > {self.max_apart_s:g} s")
        return np.interp(ticks / TICK_HZ, times_s[seen], lip_gap(landmarks_of(mesh)[seen]))


def _score(clip: Clip, metric: str, variant: str, value: float) -> Score:
    return Score(clip.source_id, f"{clip.clip_id}#{metric}", clip.clip_id, metric, variant, round(float(value), 4))


def speaking_share(speaking: ActiveSpeaker, first: int, last: int) -> float:
    """Share of the ticks `first` to `last` where the face's score is above 0; a tick without a score counts as
    silent.
    """
    began = round(speaking.start_s * TICK_HZ)
    spoken = sum(score > 0 for score in speaking.score[max(0, first - began) : max(0, last + 1 - began)])
    return spoken / (last + 1 - first)
