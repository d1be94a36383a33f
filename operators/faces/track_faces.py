"""Faces through a shot."""

import math
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from manifests.boxes import Box, iou
from manifests.tables import Face, FaceEmbedding, Shot, Track
from operators.base import Drop, Operator
from operators.faces.embed_faces import middle
from operators.identities import MIN_OVERLAP, embeddings_of
from operators.models.face_identity import cosine_of

MAX_OFF_S = 0.1  # between an embedded look and the one of a box that it may belong to


@dataclass(frozen=True)
class TrackFaces(Operator):
    """Boxes linked through a shot by motion, then by who is seen: each track is one face.

    Every face has a Kalman filter over its centre, at constant velocity, disturbed by accelerations of `agility` face
    widths a second squared. At each looked-at frame boxes and tracks are assigned to one another so that all pairs
    together are the likeliest (Hungarian algorithm over minus the log-likelihood): a box lies about where the filter
    expects its face, and is about as wide as at the last sight. A pair is possible within `max_sigmas` and `max_jump`
    of the expected centre and `max_growth` of the width. So two people keep their tracks when one passes in front of
    the other, as long as each goes on about as before.

    Where `EmbedFaces` looked, who is seen corrects that. A track that shows one person before a moment and another one
    after it is cut there: `min_views` looks or more at each, with a mean cosine of `alike` or more among themselves and
    below `different` between the two. It is cut only where motion can be wrong: where the face was hidden for a look,
    another one was nearer than `near` widths, or it moved by half of `max_jump`; a head that turns looks like someone
    else, too. Tracks that follow each other within `max_hidden_s` and show one person, by a cosine of `same` or more,
    are one track: people who turned back behind another, or were hidden. These cosines are likenesses (see
    `IdentityNetwork`). Without face embeddings tracks are those of motion alone.

    A box of `start_confidence` or more is a sure one. Only a sure box starts a track, any box continues it, and a track
    of fewer than `min_sure` is given up: so a face that turns away keeps its track, and what is hardly ever surely a
    face gets none. A track hidden for longer than `max_gap_s` has ended.

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
    same: float = 0.3  # cosine between the means of the looks at two tracks
    different: float = 0.25
    alike: float = 0.4
    min_views: int = 2
    near: float = 1.5  # face widths between middles
    max_hidden_s: float = 3.0

    def __call__(
        self,
        shot: Shot,
        faces: list[Face],
        face_embeddings: list[FaceEmbedding] = [],  # noqa: B006 - only read
    ) -> Iterator[Track | Drop]:
        looks = sorted((face for face in faces if shot.start_s <= face.pts_s < shot.end_s), key=lambda face: face.pts_s)
        best = max((max(face.confidence, default=0.0) for face in looks), default=0.0)
        if best < self.start_confidence:
            raise Drop("no_face", detail=f"{len(looks)} frames looked at, best confidence {best:.2f}")

        times_s = [face.pts_s for face in looks]
        step_s = float(np.median(np.diff(times_s))) if len(times_s) > 1 else shot.end_s - shot.start_s
        paths = self._linked(looks)
        recognise(paths, times_s, face_embeddings)
        judge = self._on_scale(face_embeddings)
        paths = judge._joined([part for path in paths for part in judge._parts(path, paths)], times_s)
        for number, path in enumerate(sorted(paths, key=lambda path: (path.looks[0], path.boxes[0]))):
            track = path.track(shot, f"{shot.shot_id}/t{number}", times_s, step_s)
            seen_s = track.times_s[-1] - track.times_s[0]
            sure = sum(box.confidence >= self.start_confidence for box in path.boxes)
            if seen_s < self.min_s:
                yield Drop("track_too_short", track, detail=f"{len(path.looks)} sightings in {seen_s:.2f} s")
            elif sure < self.min_sure:
                yield Drop("face_unsure", track, detail=f"{sure} of {len(path.looks)} sightings sure")
            else:
                yield track

    def _on_scale(self, rows: Sequence[FaceEmbedding]) -> Self:
        """With its likenesses as cosines of the network that embedded."""
        names = ("same", "different", "alike") if rows else ()
        return replace(self, **{name: cosine_of(getattr(self, name), rows[0].model) for name in names})

    def _linked(self, looks: list[Face]) -> list["_Path"]:
        """By motion."""
        ended: list[_Path] = []
        live: list[_Path] = []
        for look, face in enumerate(looks):
            boxes = [
                Box(*values)
                for values in zip(
                    face.left_px, face.top_px, face.right_px, face.bottom_px, face.confidence, face.yaw_deg, strict=True
                )
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
        return ended + live

    def _parts(self, path: "_Path", paths: list["_Path"]) -> list["_Path"]:
        """The path, cut wherever it goes over from one person to another."""
        views = sorted(path.views)
        best: tuple[float, int] | None = None
        for n, cosine in self._changes(np.array([path.views[look] for look in views])):
            if best is None or cosine < best[0]:
                between = [pair for pair in pairwise(path.looks) if views[n - 1] <= pair[0] < views[n]]
                if doubtful := [pair for pair in between if self._doubtful(path, *pair, paths)]:
                    best = cosine, max(doubtful, key=lambda pair: (pair[1] - pair[0], path.moved(*pair)))[1]
        if best is None:
            return [path]
        return [part for half in path.cut(best[1]) for part in self._parts(half, paths)]

    def _changes(self, views: NDArray[np.float64]) -> Iterator[tuple[int, float]]:
        """Of views (n, numbers) in order: how many lie before another person, and the cosine of both sides' means."""
        if len(views) < 2 * self.min_views:
            return
        counts = np.arange(1, len(views))
        before = np.cumsum(views, axis=0)[:-1]
        after = views.sum(axis=0) - before
        lengths = [np.linalg.norm(side, axis=1) for side in (before, after)]
        cosines = (before * after).sum(axis=1) / (lengths[0] * lengths[1])
        sizes = counts, counts[::-1]
        # The mean cosine of the pairs of m vectors of length 1 follows from the length of their sum.
        alike = [(length**2 - m) / np.maximum(m * (m - 1), 1) for length, m in zip(lengths, sizes, strict=True)]
        enough = (np.minimum(*sizes) >= self.min_views) & (np.minimum(*alike) >= self.alike)
        for n in np.flatnonzero(enough & (cosines < self.different)):
            yield int(counts[n]), float(cosines[n])

    def _doubtful(self, path: "_Path", look: int, to: int, paths: list["_Path"]) -> bool:
        """Whether motion may have taken another face for this one between two sights that follow each other."""
        if to - look > 1 or path.moved(look, to) > self.max_jump / 2:
            return True
        return any(
            math.dist(middle(there), middle(other.at(at))) < self.near * (there.right - there.left)
            for at in (look, to)
            for there in (path.at(at),)
            for other in paths
            if other.has(at) and other.at(at) is not there
        )

    def _joined(self, paths: list["_Path"], times_s: list[float]) -> list["_Path"]:
        """The paths, those of one person made one where the one begins when the other has ended."""
        means = {n: _mean(path) for n, path in enumerate(paths) if path.views}
        left = dict(enumerate(paths))
        pairs = {}

        def compare(a: int, b: int) -> None:
            gap_s = times_s[left[b].looks[0]] - times_s[left[a].looks[-1]]
            if 0 < gap_s <= self.max_hidden_s and (cosine := float(means[a] @ means[b])) >= self.same:
                pairs[a, b] = cosine

        for a in means:
            for b in means:
                compare(a, b)
        while pairs:
            a, b = max(pairs, key=lambda pair: (pairs[pair], pair))
            new = max(left) + 1
            left[new] = left.pop(a).joined(left.pop(b))
            means[new] = _mean(left[new])
            del means[a], means[b]
            pairs = {pair: cosine for pair, cosine in pairs.items() if not {a, b} & set(pair)}
            for other in means:
                compare(new, other)
                compare(other, new)
        return list(left.values())

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
                if (
                    sigmas <= self.max_sigmas
                    and np.hypot(*off) <= self.max_jump
                    and abs(grown) <= math.log(self.max_growth)
                ):
                    # The determinant keeps a face long out of sight, which might be anywhere, from taking another's
                    # box.
                    costs[row, column] = sigmas**2 + math.log(np.linalg.det(spread)) + (grown / self.growth) ** 2
        rows, columns = linear_sum_assignment(costs)
        return [
            (paths[row], int(column))
            for row, column in zip(rows, columns, strict=True)
            if costs[row, column] < impossible
        ]


@dataclass
class _Path:
    """A face on its way: the looks at which it was seen, and a filter over its centre x, y and their velocities."""

    filter: Any
    now_s: float
    last_s: float
    looks: list[int] = field(default_factory=list)
    boxes: list[Box] = field(default_factory=list)
    views: dict[int, NDArray[np.float64]] = field(default_factory=dict)  # by look: who was seen, of length 1

    @classmethod
    def start(cls, look: int, at_s: float, box: Box, noise: float) -> "_Path":
        from filterpy.kalman import KalmanFilter

        width = box.right - box.left
        kalman = KalmanFilter(dim_x=4, dim_z=2)
        kalman.x = np.array([*middle(box), 0.0, 0.0])
        kalman.H = np.eye(2, 4)
        # it may already move, at about a width a second
        kalman.P = np.diag([(noise * width) ** 2] * 2 + [width**2] * 2)
        return cls(kalman, at_s, at_s, [look], [box])

    @property
    def width(self) -> float:
        return self.boxes[-1].right - self.boxes[-1].left

    def move_to(self, at_s: float, agility: float) -> None:
        from filterpy.common import Q_discrete_white_noise

        step_s, self.now_s = at_s - self.now_s, at_s
        ahead = np.eye(4)
        ahead[0, 2] = ahead[1, 3] = step_s
        self.filter.predict(
            F=ahead, Q=Q_discrete_white_noise(2, step_s, (agility * self.width) ** 2, block_size=2, order_by_dim=False)
        )

    def compared(self, box: Box, noise: float) -> tuple[NDArray[np.float64], NDArray[np.float64], float]:
        """How far a box lies from where the face is expected (2,), the covariance of that (2, 2), both in face widths,
        and the log of its growth.
        """
        off = (np.array(middle(box)) - self.filter.x[:2]) / self.width
        spread = self.filter.P[:2, :2] / self.width**2 + np.eye(2) * noise**2
        return off, spread, math.log((box.right - box.left) / self.width)

    def see(self, look: int, at_s: float, box: Box, noise: float) -> None:
        self.filter.update(np.array(middle(box)), R=np.eye(2) * (noise * self.width) ** 2)
        self.last_s = at_s
        self.looks.append(look)
        self.boxes.append(box)

    def at(self, look: int) -> Box:
        """The box of one of its looks."""
        return self.boxes[bisect_left(self.looks, look)]

    def has(self, look: int) -> bool:
        """Whether it was seen then."""
        n = bisect_left(self.looks, look)
        return n < len(self.looks) and self.looks[n] == look

    def moved(self, look: int, to: int) -> float:
        """Widths by which its centre moved from one sight to a later one."""
        one, other = self.at(look), self.at(to)
        return math.dist(middle(one), middle(other)) / (one.right - one.left)

    def cut(self, at: int) -> "tuple[_Path, _Path]":
        """What was seen before a look, and from it on."""
        n = self.looks.index(at)
        early, late = (
            {look: view for look, view in self.views.items() if (look >= at) == after} for after in (False, True)
        )
        return (
            replace(self, looks=self.looks[:n], boxes=self.boxes[:n], views=early),
            replace(self, looks=self.looks[n:], boxes=self.boxes[n:], views=late),
        )

    def joined(self, later: "_Path") -> "_Path":
        return replace(
            later, looks=self.looks + later.looks, boxes=self.boxes + later.boxes, views=self.views | later.views
        )

    def track(self, shot: Shot, track_id: str, times_s: list[float], step_s: float) -> Track:
        """The row: boxes between two sights are interpolated in time, with confidence 0. It ends one look after the
        last sight.
        """
        times = times_s[self.looks[0] : self.looks[-1] + 1]
        seen = [times_s[look] for look in self.looks]
        edges = [np.interp(times, seen, [box[side] for box in self.boxes]).tolist() for side in range(4)]
        sure = dict(zip(seen, (box.confidence for box in self.boxes), strict=True))
        confidence = [sure.get(at_s, 0.0) for at_s in times]
        end_s = min(times[-1] + step_s, shot.end_s)
        return Track(
            shot.source_id,
            track_id,
            shot.shot_id,
            times[0],
            end_s,
            times,
            edges[0],
            edges[1],
            edges[2],
            edges[3],
            confidence,
        )


def recognise(paths: Sequence[_Path], times_s: list[float], face_embeddings: Sequence[FaceEmbedding]) -> None:
    """Tells paths who was seen: each embedded face is that of the path whose box overlaps it most at that time, by half
    or more.
    """
    at_look: dict[int, list[tuple[_Path, Box]]] = defaultdict(list)
    for path in paths:
        for look, box in zip(path.looks, path.boxes, strict=True):
            at_look[look].append((path, box))
    clock = np.array(times_s)
    for row in face_embeddings:
        look = int(np.argmin(np.abs(clock - row.pts_s)))
        if not at_look[look] or abs(clock[look] - row.pts_s) > MAX_OFF_S:
            continue
        boxes = [
            Box(*edges, 1.0, 0.0) for edges in zip(row.left_px, row.top_px, row.right_px, row.bottom_px, strict=True)
        ]
        for box, view in zip(boxes, embeddings_of(row), strict=True):
            shared, n = max((iou(there, box), n) for n, (_, there) in enumerate(at_look[look]))
            if shared >= MIN_OVERLAP:
                at_look[look][n][0].views[look] = view / np.linalg.norm(view)


def _mean(path: _Path) -> NDArray[np.float64]:
    """(numbers,): the mean of its views, made of length 1."""
    whole = np.sum(list(path.views.values()), axis=0)
    return whole / np.linalg.norm(whole)
