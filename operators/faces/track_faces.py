"""Faces through a shot."""

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from manifests.tables import Face, Shot, Track
from operators.base import Drop, Operator
from operators.faces.detect_faces import Box


@dataclass(frozen=True)
class TrackFaces(Operator):
    """Boxes linked through a shot by motion: each track is one face.

    Every face has a Kalman filter over its centre, at constant velocity, disturbed by accelerations of `agility` face widths
    a second squared. At each looked-at frame boxes and tracks are assigned to one another so that all pairs together are
    the likeliest (Hungarian algorithm over minus the log-likelihood): a box lies about where the filter expects its face,
    and is about as wide as at the last sight. A pair is possible within `max_sigmas` and `max_jump` of the expected
    centre and `max_growth` of the width. So two people keep their tracks when one passes in front of the other, as
    long as each goes on about as before; no look at the faces' identity is taken.

    A box of `start_confidence` or more is a sure one. Only a sure box starts a track, any box continues it, and a track of
    fewer than `min_sure` is given up: so a face that turns away keeps its track, and what is hardly ever surely a face
    gets none. A track hidden for longer than `max_gap_s` has ended.

    Drops of a shot: `no_face`. Drops of a track: `track_too_short`, `face_unsure`.
    """

    start_confidence: float = 0.8
    max_gap_s: float = 1.5
    min_sure: int = 3
    min_s: float = 0.5  # from the first to the last sight
    agility: float = 6.0  # face widths a second squared, standard deviation
    noise: float = 0.05  # of a box's centre, in face widths, standard deviation
    growth: float = 0.15  # of the log of its width from sight to sight, standard deviation
    max_sigmas: float = 4.0
    max_jump: float = 1.5  # face widths from where it is expected
    max_growth: float = 1.6  # ratio of a box's width to that of the sight before

    def __call__(self, shot: Shot, faces: list[Face]) -> Iterator[Track | Drop]:
        looks = sorted((face for face in faces if shot.start_s <= face.pts_s < shot.end_s), key=lambda face: face.pts_s)
        best = max((max(face.confidence, default=0.0) for face in looks), default=0.0)
        if best < self.start_confidence:
            raise Drop("no_face", detail=f"{len(looks)} frames looked at, best confidence {best:.2f}")

        ended: list[_Path] = []
        live: list[_Path] = []
        for look, face in enumerate(looks):
            boxes = [
                Box(*values)
                for values in zip(face.left_px, face.top_px, face.right_px, face.bottom_px, face.confidence, face.yaw_deg, strict=True)
            ]
            ended += [path for path in live if face.pts_s - path.last_s > self.max_gap_s]
            live = [path for path in live if face.pts_s - path.last_s <= self.max_gap_s]
            for path in live:
                path.move_to(face.pts_s, self.agility)
            taken = set()
            for path, box in self._pairs(live, boxes):
                path.see(look, face.pts_s, boxes[box], self.noise)
                taken.add(box)
            for number, box in enumerate(boxes):
                if number not in taken and box.confidence >= self.start_confidence:
                    live.append(_Path.start(look, face.pts_s, box, self.noise))

        times_s = [face.pts_s for face in looks]
        step_s = float(np.median(np.diff(times_s))) if len(times_s) > 1 else shot.end_s - shot.start_s
        paths = sorted(ended + live, key=lambda path: (path.looks[0], path.boxes[0]))
        for number, path in enumerate(paths):
            track = path.track(shot, f"{shot.shot_id}/t{number}", times_s, step_s)
            seen_s = track.times_s[-1] - track.times_s[0]
            sure = sum(box.confidence >= self.start_confidence for box in path.boxes)
            if seen_s < self.min_s:
                yield Drop("track_too_short", track, detail=f"{len(path.looks)} sightings in {seen_s:.2f} s")
            elif sure < self.min_sure:
                yield Drop("face_unsure", track, detail=f"{sure} of {len(path.looks)} sightings sure")
            else:
                yield track

    def _pairs(self, paths: list["_Path"], boxes: list[Box]) -> list[tuple["_Path", int]]:
        if not paths or not boxes:
            return []
        from scipy.optimize import linear_sum_assignment

        impossible = 1e6
        costs = np.full((len(paths), len(boxes)), impossible)
        for row, path in enumerate(paths):
            for column, box in enumerate(boxes):
                off, spread, grown = path.compared(box, self.noise)
                sigmas = math.sqrt(off @ np.linalg.solve(spread, off))
                if sigmas <= self.max_sigmas and np.hypot(*off) <= self.max_jump and abs(grown) <= math.log(self.max_growth):
                    # The determinant keeps a face long out of sight, which might be anywhere, from taking another's box.
                    costs[row, column] = sigmas**2 + math.log(np.linalg.det(spread)) + (grown / self.growth) ** 2
        rows, columns = linear_sum_assignment(costs)
        return [(paths[row], int(column)) for row, column in zip(rows, columns, strict=True) if costs[row, column] < impossible]


@dataclass
class _Path:
    """A face on its way: the looks at which it was seen, and a filter over its centre x, y and their velocities."""

    filter: Any
    now_s: float
    last_s: float
    looks: list[int] = field(default_factory=list)
    boxes: list[Box] = field(default_factory=list)

    @classmethod
    def start(cls, look: int, at_s: float, box: Box, noise: float) -> "_Path":
        from filterpy.kalman import KalmanFilter

        width = box.right - box.left
        kalman = KalmanFilter(dim_x=4, dim_z=2)
        kalman.x = np.array([*_centre(box), 0.0, 0.0])
        kalman.H = np.eye(2, 4)
        kalman.P = np.diag([(noise * width) ** 2] * 2 + [width**2] * 2)  # it may already move, at about a width a second
        return cls(kalman, at_s, at_s, [look], [box])

    @property
    def width(self) -> float:
        return self.boxes[-1].right - self.boxes[-1].left

    def move_to(self, at_s: float, agility: float) -> None:
        from filterpy.common import Q_discrete_white_noise

        step_s, self.now_s = at_s - self.now_s, at_s
        ahead = np.eye(4)
        ahead[0, 2] = ahead[1, 3] = step_s
        self.filter.predict(F=ahead, Q=Q_discrete_white_noise(2, step_s, (agility * self.width) ** 2, block_size=2, order_by_dim=False))

    def compared(self, box: Box, noise: float) -> tuple[NDArray[np.float64], NDArray[np.float64], float]:
        """How far a box lies from where the face is expected (2,), the covariance of that (2, 2), both in face widths, and the log of its growth."""
        off = (np.array(_centre(box)) - self.filter.x[:2]) / self.width
        spread = self.filter.P[:2, :2] / self.width**2 + np.eye(2) * noise**2
        return off, spread, math.log((box.right - box.left) / self.width)

    def see(self, look: int, at_s: float, box: Box, noise: float) -> None:
        self.filter.update(np.array(_centre(box)), R=np.eye(2) * (noise * self.width) ** 2)
        self.last_s = at_s
        self.looks.append(look)
        self.boxes.append(box)

    def track(self, shot: Shot, track_id: str, times_s: list[float], step_s: float) -> Track:
        """The row: boxes between two sights are interpolated in time, with confidence 0. It ends one look after the last sight."""
        times = times_s[self.looks[0] : self.looks[-1] + 1]
        seen = [times_s[look] for look in self.looks]
        edges = [np.interp(times, seen, [box[side] for box in self.boxes]).tolist() for side in range(4)]
        sure = dict(zip(seen, (box.confidence for box in self.boxes), strict=True))
        confidence = [sure.get(at_s, 0.0) for at_s in times]
        end_s = min(times[-1] + step_s, shot.end_s)
        return Track(shot.source_id, track_id, shot.shot_id, times[0], end_s, times, edges[0], edges[1], edges[2], edges[3], confidence)


def _centre(box: Box) -> tuple[float, float]:
    return (box.left + box.right) / 2, (box.top + box.bottom) / 2


def box_at(track: Track, at_s: float) -> Box | None:
    """Where the face of a track is at a time: interpolated between looks, with the confidence of the nearest look. None before the first and after the last."""
    times = track.times_s
    if not times or not times[0] - 1e-6 <= at_s <= times[-1] + 1e-6:
        return None
    nearest = int(np.argmin(np.abs(np.array(times) - at_s)))
    left, top, right, bottom = (
        float(np.interp(at_s, times, side)) for side in (track.left_px, track.top_px, track.right_px, track.bottom_px)
    )
    return Box(left, top, right, bottom, track.confidence[nearest], math.nan)
