"""Dissolves and fades, told from how thumbnails of a film lie to one another.

In a dissolve every frame is a mixture of the shot before and the one after, so the frames between two of its frames lie
on the straight line from one to the other; after a cut, in a pan or when somebody passes they do not. In a fade one of
the two is a single colour.
"""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

WIDTH, HEIGHT = 32, 18  # of a thumbnail
RATE_HZ = 30  # thumbnails a second at most
LENGTHS = (4, 6, 8, 11, 15, 20, 27, 36, 48, 64)  # thumbnails from one end of a window to the other
LIT = 24  # level above which a pixel is no black bar
HOLD = 16  # pictures kept of a run of black or white, however long
BLOCK, BESIDE = 512, 192  # thumbnails looked at together, and those of them kept for the next look

Vectors = NDArray[np.float32]


class Span(NamedTuple):
    """A gradual transition: times of the first mixed frame and of the first one after, and how well a mixture explains
    it (0 to 1).
    """

    start_s: float
    end_s: float
    kind: str
    score: float


@dataclass(frozen=True)
class Limits:
    """What is taken for a gradual transition. Levels are of 0 to 255."""

    change: float = 8.0  # root mean square difference of the pictures at both ends
    # of the pictures between: mean squared distance from the line, over the squared length of the line
    bend: float = 0.055
    bend_coarse: float = 0.1  # the same for a first look, at half the size
    # of the way from one end to the other: how far a picture may lie before or behind where its time says
    unsteady: float = 0.2
    alike: float = 0.5  # correlation of both ends: above it is the same picture in another light, or a little further
    alike_coarse: float = 0.8  # the same for a first look, which may see a part of a dissolve
    extent: float = (
        # share of the picture, without black bars, that differs by more than `pixel`: below it somebody moves, or a
        # title comes
        0.5
    )
    pixel: float = 12.0
    flat: float = 4.0  # standard deviation within a picture of one colour
    floor: float = 12.0  # mean below which a picture is black, as scenedetect's threshold detector has it
    ceiling: float = 243.0  # mean from which on it is white


def graduals(times_s: NDArray[np.float64], thumbs: Vectors, limits: Limits, kinds: tuple[str, ...]) -> list[Span]:
    """The gradual transitions among thumbnails (n, 18 * 32 * 3), 0 to 255, at times (n,), in order and apart from one
    another.
    """
    found: list[tuple[int, int, str, float]] = []
    if len(times_s) >= 3:
        flat = one_colour(thumbs, limits)
        if "threshold" in kinds:
            found += _fades(thumbs, flat, limits)
        if "dissolve" in kinds:
            found += _dissolves(times_s, thumbs, limits, found)
    return [Span(float(times_s[first]), float(times_s[end]), kind, score) for first, end, kind, score in sorted(found)]


def one_colour(thumbs: NDArray[Any], limits: Limits) -> NDArray[np.int8]:
    """For each picture (n, size): -1 where it is all black, 1 where it is all white, else 0."""
    mean, deviation = thumbs.mean(axis=1), thumbs.std(axis=1)
    alone = deviation < limits.flat
    return np.where(alone & (mean < limits.floor), -1, np.where(alone & (mean >= limits.ceiling), 1, 0)).astype(np.int8)


def _fades(thumbs: Vectors, flat: NDArray[np.int8], limits: Limits) -> list[tuple[int, int, str, float]]:
    """From each run of black or white outwards, while the pictures go on moving away from it."""
    found = []
    last = len(flat) - 1
    edges = np.flatnonzero(np.diff(np.concatenate([[0], flat, [0]]))).tolist()
    for first, end in itertools.pairwise(edges):
        if flat[first] == 0:
            continue
        colour = thumbs[first:end].mean(axis=0)
        away = np.sqrt(np.square(thumbs - colour).mean(axis=1))
        before, after = _walk(away, first, -1, limits), _walk(away, end - 1, 1, limits)
        out, back = first - before > 1, after - (end - 1) > 1
        if out or back:
            kind = "fade" if out and back else "fade_out" if out else "fade_in"
            begin = before + 1 if out else first
            finish = after if back else end
            found.append((begin, min(finish, last), kind, 1.0))
    return found


def _walk(away: NDArray[np.floating], at: int, step: int, limits: Limits) -> int:
    """The first picture that is no more on its way to the colour; `at` itself where the way is a jump, or none."""
    start = at
    while 0 <= at + step < len(away) and away[at + step] > away[at] + 0.02 * max(away[at + step], limits.change):
        at += step
    gone = np.abs(np.diff(away[min(start, at) : max(start, at) + 1]))
    if len(gone) < 3 or away[at] < limits.change or gone.max() > 0.6 * gone.sum():
        return start
    return at


def _dissolves(
    times_s: NDArray[np.float64], thumbs: Vectors, limits: Limits, taken: list[tuple[int, int, str, float]]
) -> list[tuple[int, int, str, float]]:
    count = len(times_s)
    fine = thumbs.reshape(count, HEIGHT, WIDTH, 3)
    coarse = (fine[:, ::2, ::2] + fine[:, 1::2, ::2] + fine[:, ::2, 1::2] + fine[:, 1::2, 1::2]).reshape(count, -1) / 4
    coarse = coarse[:, coarse.max(axis=0) > LIT]
    if not coarse.size:
        return []
    light = coarse.mean(axis=1)
    coarse -= light[:, None]
    within = coarse @ coarse.T
    products = within + coarse.shape[1] * np.outer(light, light)
    norms = np.sqrt(np.maximum(np.diagonal(within), 1e-6))
    windows: list[tuple[float, int, int]] = []
    for length in LENGTHS:
        if length < count:
            passed, apart = _on_a_line(times_s, products, length, limits.change**2 * coarse.shape[1], limits)
            passed &= np.diagonal(within, length) < limits.alike_coarse * norms[:-length] * norms[length:]
            windows += [(float(apart[first]), int(first), int(first) + length) for first in np.flatnonzero(passed)]
    free = np.ones(count, bool)
    for first, end, _, _ in taken:
        free[first : end + 1] = False
    found, tried = [], set()
    for _, first, last in sorted(windows, reverse=True):
        if not free[first : last + 1].all():
            continue
        first, last = _whole(products, first, last)
        if (first, last) in tried or not free[first : last + 1].all():
            continue
        tried.add((first, last))
        score = _score(thumbs[first : last + 1], limits)
        if score > 0 and last - first > 2:
            free[first : last + 1] = False
            found.append((first + 1, last, "dissolve", score))
    return found


def _on_a_line(
    times_s: NDArray[np.float64], products: NDArray[np.floating], length: int, least: float, limits: Limits
) -> tuple[NDArray[np.bool_], NDArray[np.floating]]:
    """For each window of a length: whether its pictures lie on a line and move along it evenly, and the squared length
    of that line.

    `products` (n, n) are the scalar products of the pictures, of which all distances are made.
    """
    squares = np.diagonal(products)
    count = len(times_s) - length
    first, last = np.arange(count), np.arange(count) + length
    apart = squares[:count] + squares[length:] - 2 * np.diagonal(products, length)
    apart = np.maximum(apart, 1e-6)
    passed = apart > least
    for share in (0.25, 0.5, 0.75):
        step = max(1, round(length * share))
        middle = first + step
        along = products[middle, last] - products[middle, first] - products[first, last] + squares[:count]
        off = squares[middle] + squares[:count] - 2 * products[middle, first]
        moved = along / apart
        bend = off / apart - moved**2
        expected = (times_s[middle] - times_s[first]) / (times_s[last] - times_s[first])
        passed &= (bend < limits.bend_coarse) & (np.abs(moved - expected) < limits.unsteady)
    return passed, apart


def _whole(products: NDArray[np.floating], first: int, last: int) -> tuple[int, int]:
    """The transition of which a window is a part: the last picture before it, and the first one after.

    A window is widened while the pictures go on along its line, and then narrowed where they hardly do: by less than
    0.35 of the pace they have half-way.
    """
    for _ in range(4):
        reach = last - first
        low, high = max(0, first - reach), min(len(products), last + reach + 1)
        moved = _moved(products, first, last, low, high)
        over = max(1, round(reach / 12))
        pace = 0.35 * over * _pace(moved[first - low : last - low + 1])
        begin, end = first - low, last - low
        while begin >= over and moved[begin] - moved[begin - over] > pace:
            begin -= 1
        while end < len(moved) - over and moved[end + over] - moved[end] > pace:
            end += 1
        if (begin + low, end + low) == (first, last):
            break
        first, last = begin + low, end + low
    moved = _moved(products, first, last, first, last + 1)
    slow = 0.35 * _pace(moved)
    begin, end = 0, len(moved) - 1
    # Over several pictures first, since noise hides a slow pace; then over single ones, since the first look leaves too
    # many.
    for over, most in ((max(1, round(end / 12)), end), (1, round(end / 12))):
        first_stop, last_stop = begin + most, end - most
        while end - begin > max(3, over) and begin < first_stop and moved[begin + over] - moved[begin] < over * slow:
            begin += 1
        while end - begin > max(3, over) and end > last_stop and moved[end] - moved[end - over] < over * slow:
            end -= 1
    return first + begin, first + end


def _moved(products: NDArray[np.floating], first: int, last: int, low: int, high: int) -> NDArray[np.floating]:
    """How far along the line from one picture to another each of [low, high) lies: 0 at the first, 1 at the second."""
    along = products[low:high, last] - products[low:high, first] - products[first, last] + products[first, first]
    return along / max(products[last, last] + products[first, first] - 2 * products[first, last], 1e-6)


def _pace(moved: NDArray[np.floating]) -> float:
    """The median step in the middle half of the way."""
    steps = np.diff(moved)
    inner = (moved[:-1] > 0.2) & (moved[1:] < 0.8)
    return float(np.median(steps[inner])) if inner.any() else 1 / len(steps)


def _score(thumbs: Vectors, limits: Limits) -> float:
    """1 for mixtures of the first picture and the last, down to 0 for what is no dissolve."""
    line = thumbs[-1] - thumbs[0]
    length = float(line @ line)
    moved = (thumbs - thumbs[0]) @ line / max(length, 1e-6)
    bend = float(np.square(thumbs - thumbs[0] - moved[:, None] * line).sum(axis=1).mean()) / max(length, 1e-6)
    lit = np.maximum(thumbs[0], thumbs[-1]).reshape(-1, 3).max(axis=1) > LIT
    extent = float((np.abs(line).reshape(-1, 3).max(axis=1) > limits.pixel)[lit].mean()) if lit.any() else 0.0
    jumps = float(np.diff(moved).max()) > min(0.5, 0.1 + 3 / len(moved))
    if (
        length < limits.change**2 * len(line)
        or extent < limits.extent
        or jumps
        or alike(thumbs[0], thumbs[-1]) > limits.alike
    ):
        return 0.0
    return round(max(0.0, 1 - bend / limits.bend), 3)


def alike(one: Vectors, other: Vectors) -> float:
    """The correlation of two pictures where one of them is lit, -1 to 1; 0 where that is hardly anywhere, or one of
    them is of one colour.
    """
    lit = np.maximum(one, other) > LIT
    if lit.sum() < 100:
        return 0.0
    one, other = one[lit] - one[lit].mean(), other[lit] - other[lit].mean()
    size = float(np.linalg.norm(one) * np.linalg.norm(other))
    return float(one @ other) / size if size > len(one) else 0.0


@dataclass
class GradualDetector:
    """Finds gradual transitions while frames go by; holds some 700 thumbnails, however long the film."""

    limits: Limits
    kinds: tuple[str, ...]  # threshold, dissolve
    _times_s: list[float] = field(default_factory=list)
    _thumbs: list[Vectors] = field(default_factory=list)
    _told_until_s: float = -np.inf
    _colour: int = 0  # of the last picture: see `one_colour`
    _held: int = 0  # pictures of that colour before it, and it

    def see(self, pts_s: float, thumb: Vectors) -> Iterator[Span]:
        """Takes the next picture (18 * 32 * 3,); gives transitions that are over."""
        if self._times_s and pts_s - self._times_s[-1] < 0.85 / RATE_HZ:
            return
        self._times_s.append(pts_s)
        self._thumbs.append(thumb)
        extreme = not self.limits.floor <= float(thumb.mean()) < self.limits.ceiling
        colour = int(one_colour(thumb[None], self.limits)[0]) if extreme else 0
        self._held = self._held + 1 if colour and colour == self._colour else 1
        self._colour = colour
        if self._held > HOLD:
            del self._times_s[-HOLD // 2], self._thumbs[-HOLD // 2]
        if len(self._times_s) == BLOCK + BESIDE:
            yield from self._told(self._times_s[-BESIDE // 2])
            del self._times_s[:-BESIDE], self._thumbs[:-BESIDE]

    def finish(self) -> Iterator[Span]:
        """Gives those that reach to the last picture, or near."""
        if self._times_s:
            yield from self._told(np.inf)

    def _told(self, until_s: float) -> Iterator[Span]:
        for span in graduals(np.array(self._times_s), np.stack(self._thumbs), self.limits, self.kinds):
            if span.start_s >= self._told_until_s and span.end_s <= until_s:
                self._told_until_s = span.end_s
                yield span
