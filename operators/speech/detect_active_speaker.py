"""Which of the faces in view is the one that is heard."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import ClassVar, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from manifests.tables import ActiveSpeaker, Shot, Track, Turn
from operators.base import Audio, Frame, Frames, Operator, Resources
from operators.models.catalogue import FACE_LANDMARKER
from operators.models.catalogue_sound import LR_ASD
from operators.models.face_geometry import lip_gap
from operators.models.face_landmarker import Landmarker
from operators.timeline import MFCC_TAIL_S, TICK_HZ
from operators.weights import Weight

CROP_PX = 112
_EPSILON_S = 1e-6
_CHUNK = 60 * TICK_HZ  # a multiple of each window of 1 to 6 s, so that cutting a long track there changes no score
_LOOK = 2  # the landmarker looks at every second tick: lips open and close in 0.1 s or more


@dataclass(frozen=True)
class DetectActiveSpeaker(Operator):
    """How much each face looks like the one that is heard, 25 times a second.

    `lr_asd` looks and listens: scores of the LR-ASD network, above 0 where the face speaks the sound, about -3 to 5.
    `mouth_motion` only looks: (deviation of the mouth's opening within a second) / `motion` - 1, so that a still
    mouth has -1. It takes chewing for speech, and a face that speaks under another's voice for the one that is heard.

    Only what can matter is scored: from `margin_s` before the first turn that meets a track to as long after the last.
    A track that meets no turn, is shorter than `min_s` or smaller than `min_face_px` gets no row, and frames are not
    decoded where there is no other. The scores are raw: who reads them smooths them.
    """

    resources: ClassVar[Resources] = Resources(cpus=1, gpus=0.1)
    version: ClassVar[int] = 2  # the batch norms of LR-ASD are folded: 1e-6 of a score

    model: str = "auto"  # lr_asd, mouth_motion, or auto: lr_asd where its file is here or can be fetched
    min_face_px: float = 24.0  # median of the face box's longer side
    min_s: float = 0.4
    margin_s: float = 0.5
    encode_once: bool = True  # see lr_asd.score_ticks; False is the published protocol, and six times the work
    # deviation of the mouth's opening, in heights of the face, from which on a face is said to speak
    motion: float = 0.008

    def __post_init__(self) -> None:
        if self.model not in ("auto", "lr_asd", "mouth_motion"):
            raise ValueError(f"DetectActiveSpeaker.model is {self.model!r}; it is lr_asd, mouth_motion or auto")

    @property
    def weights(self) -> tuple[Weight, ...]:
        return (LR_ASD,) if self.resolved().model == "lr_asd" else (FACE_LANDMARKER,)

    def resolved(self) -> Self:
        return (
            self if self.model != "auto" else replace(self, model="lr_asd" if LR_ASD.obtainable() else "mouth_motion")
        )

    @property
    def stand_in(self) -> str:
        if self.resolved().model == "lr_asd":
            return ""
        return (
            "mouth_motion stands in for LR-ASD: it sees lips move and hears nothing, so that chewing and smiles under a"
            " foreign voice are speech to it (26 and 38 % of moments right in two such films, LR-ASD 100 and 93 %;"
            " where people talk both have 96 % or more: docs/measured/active_speaker.md). To have LR-ASD,"
            f" {LR_ASD.remedy()}, and run with --set {self.name}.model=lr_asd"
        )

    def __call__(
        self, shot: Shot, tracks: list[Track], turns: list[Turn], frames: Frames, audio: Audio
    ) -> Iterator[ActiveSpeaker]:
        chosen = self.resolved().model
        watched = [watch for track in tracks if (watch := self._watched(track, turns))]
        if not watched:
            return
        first, last = min(watch.first for watch in watched), max(watch.last for watch in watched)
        for tick, frame in shown_at_ticks(frames, first, last):
            for watch in watched:
                if watch.first <= tick <= watch.last:
                    square = watch.squares[tick - watch.first]
                    if chosen == "lr_asd":
                        watch.seen.append(mouth_crop(frame, square))
                    elif tick % _LOOK == 0 or tick in (watch.first, watch.last):
                        watch.seen.append((tick, self._mouth(frame, square)))
                    if chosen == "lr_asd" and (len(watch.seen) == _CHUNK or tick == watch.last):
                        watch.scores += self._heard(watch, audio)
        for watch in watched:
            track = watch.track
            scores = watch.scores if chosen == "lr_asd" else self._moved(watch)
            rounded = [round(float(score), 4) for score in scores]
            yield ActiveSpeaker(
                track.source_id,
                f"{track.track_id}/{chosen}",
                shot.shot_id,
                track.track_id,
                chosen,
                watch.first / TICK_HZ,
                1 / TICK_HZ,
                rounded,
            )

    def _watched(self, track: Track, turns: list[Turn]) -> "_Watched | None":
        near = [
            turn
            for turn in turns
            if turn.start_s < track.end_s + self.margin_s and turn.end_s > track.start_s - self.margin_s
        ]
        if not near:
            return None
        start_s = max(track.start_s, min(turn.start_s for turn in near) - self.margin_s)
        end_s = min(track.end_s, max(turn.end_s for turn in near) + self.margin_s)
        sides = np.maximum(np.subtract(track.right_px, track.left_px), np.subtract(track.bottom_px, track.top_px))
        if end_s - start_s < self.min_s or np.median(sides) < self.min_face_px:
            return None
        first, last = first_tick(start_s), int(np.floor((end_s + _EPSILON_S) * TICK_HZ))
        return _Watched(track, first, last, face_squares(track, np.arange(first, last + 1)))

    def _heard(self, watch: "_Watched", audio: Audio) -> list[float]:
        from operators.models.lr_asd import score_ticks
        from operators.models.mfcc import mfcc

        faces = np.stack(watch.seen)
        watch.seen.clear()
        start_s = (watch.first + len(watch.scores)) / TICK_HZ
        cepstra = mfcc(audio.samples(start_s, start_s + len(faces) / TICK_HZ + MFCC_TAIL_S))
        return score_ticks(self._network, faces, cepstra, encode_once=self.encode_once).tolist()

    def _moved(self, watch: "_Watched") -> NDArray[np.float64]:
        ticks, openings = np.array(watch.seen, dtype=np.float64).T
        return mouth_motion(ticks, openings, np.arange(watch.first, watch.last + 1)) / self.motion - 1

    @cached_property
    def _network(self):
        from operators.models.lr_asd import LrAsd

        return LrAsd.load(LR_ASD.path())

    @cached_property
    def _mouth(self) -> "MouthOpening":
        return MouthOpening()


@dataclass
class _Watched:
    """A track while its shot is looked at."""

    track: Track
    first: int  # tick
    last: int
    squares: NDArray[np.float64]
    seen: list = field(default_factory=list)  # mouth crops, or (tick, opening)
    scores: list[float] = field(default_factory=list)


class Tick(NamedTuple):
    """A moment of the 25 Hz clock, k at k/25 s of the source's clock, and the frame a player shows then."""

    number: int
    frame: Frame


def first_tick(start_s: float) -> int:
    """The first tick not before a time."""
    return int(np.ceil((start_s - _EPSILON_S) * TICK_HZ))


def shown_at_ticks(frames: Iterable[Frame], first: int, last: int) -> Iterator[Tick]:
    """The frame on show at each tick from `first` to `last`, both included: the last one whose pts is not after it.

    Ticks before the first frame get the first frame, and the last frame stays on show.
    """
    shown, tick = None, first
    for frame in frames:
        while shown is not None and tick <= last and tick / TICK_HZ < frame.pts_s - _EPSILON_S:
            yield Tick(tick, shown)
            tick += 1
        if tick > last:
            return
        shown = frame
    while shown is not None and tick <= last:
        yield Tick(tick, shown)
        tick += 1


def face_squares(track: Track, ticks: NDArray[np.int64]) -> NDArray[np.float64]:
    """(ticks, 3): centre x, centre y and half side of the square around the face, steadied by a median over 13
    ticks.
    """
    from scipy.ndimage import median_filter

    times_s = ticks / TICK_HZ
    left, top, right, bottom = (
        np.interp(times_s, track.times_s, side)
        for side in (track.left_px, track.top_px, track.right_px, track.bottom_px)
    )
    squares = np.stack([(left + right) / 2, (top + bottom) / 2, np.maximum(right - left, bottom - top) / 2], axis=1)
    return median_filter(squares, size=(13, 1), mode="nearest")


def mouth_crop(frame: Frame, square: Sequence[float]) -> NDArray[np.uint8]:
    """(112, 112) grey: the lower face, 0.7 of the face square's side, as the published inference of LR-ASD cuts it.

    That code pads the square to 2.8 half sides, from 1 above its centre to 1.8 below, and keeps the middle half.
    """
    x, y, half = square
    rgb = frame.crop(x - 0.7 * half, y - 0.3 * half, x + 0.7 * half, y + 1.1 * half, (CROP_PX, CROP_PX))
    return np.round(rgb @ np.array([0.299, 0.587, 0.114])).astype(np.uint8)


def mouth_motion(
    at: NDArray[np.float64], openings: NDArray[np.float64], ticks: NDArray[np.int64]
) -> NDArray[np.float64]:
    """(ticks,): the deviation of the mouth's opening within the second around each tick; 0 where it was hardly seen.

    Args:
        at: (looks,) ticks at which the mouth was looked at, rising.
        openings: (looks,) in heights of the face; NaN where no face was found.
    """
    seen = ~np.isnan(openings)
    at, openings = at[seen], openings[seen]
    motion = np.zeros(len(ticks))
    for n, tick in enumerate(ticks):
        second = openings[
            np.searchsorted(at, tick - TICK_HZ / 2) : np.searchsorted(at, tick + TICK_HZ / 2, side="right")
        ]
        if len(second) >= TICK_HZ / _LOOK / 3:
            motion[n] = second.std()
    return motion


class MouthOpening:
    """How far the lips are apart, from MediaPipe's face landmarker on a crop of the face."""

    def __init__(self):
        self._landmarker = Landmarker(blendshapes=False)

    def __call__(self, frame: Frame, square: Sequence[float]) -> float:
        """The gap between the inner lips in heights of the face, hairline to chin: 0 closed, 0.1 an open vowel; NaN
        where no face is found.
        """
        x, y, half = square
        crop = frame.crop(x - 1.5 * half, y - 1.5 * half, x + 1.5 * half, y + 1.5 * half, (256, 256))
        found = self._landmarker(crop)
        if not found:
            return float("nan")
        points = found[0].points
        if np.abs(points.mean(axis=0)[:2] - 0.5).max() > 0.25:
            return float("nan")  # a neighbour's face
        return float(lip_gap(points))
