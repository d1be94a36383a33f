"""Where a published clip is in the file that is at hand."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from math import ceil

import numpy as np
from numpy.typing import NDArray

from manifests.tables import Fingerprint, Published, Source
from operators.base import Drop, Operator
from operators.fingerprints import COEFFICIENTS


@dataclass(frozen=True)
class LocatePublished(Operator):
    """The published clip, moved to where the file at hand shows what the list's authors saw.

    A clip that carries no looks, or whose file is the one it was cut from, stays where the list says. Else each frame
    of the file is a moment at which the clip may begin, and the one is taken at which the looks of the file differ
    least from those of the list. The distance of two series of looks is `1 - cosine` of what is left of them after the
    mean of each is taken away, 0 to 2: what stands still counts for nothing, so that another take in the same chair is
    told apart. It says nothing of a clip in which nothing moves; of such the means are compared, in levels of luma.

    Drops: `source_gone` (its video is not at hand: what became of it says why), `moment_not_found` (no place in the
    file is near enough), `moment_cut` (the file begins or ends within the clip).
    """

    max_distance: float = 0.15
    min_change: float = 0.4  # levels of luma, 0 to 255, root mean square over the clip: with less a clip is still
    max_still_levels: float = 4.0  # by which the pictures of a still clip may differ, root mean square

    def __call__(
        self, published: Published, sources: list[Source], fingerprints: list[Fingerprint]
    ) -> Iterator[Published]:
        if not sources:
            raise Drop("source_gone")
        if not published.looks_s:
            yield published
        elif published.source_sha256 == sources[0].sha256:
            yield replace(published, moved_s=0.0, distance=0.0)
        elif not fingerprints:
            raise Drop("moment_not_found", detail="the file has no looks to compare with")
        else:
            yield self._placed(published, fingerprints[0])

    def _placed(self, published: Published, fingerprint: Fingerprint) -> Published:
        times_s = np.asarray(fingerprint.times_s)
        looks = np.frombuffer(fingerprint.looks, "<i2").reshape(-1, COEFFICIENTS)
        wanted_s = np.asarray(published.looks_s)
        wanted = np.frombuffer(published.looks, "<i2").reshape(-1, COEFFICIENTS).astype(np.float64)
        late_s = wanted_s - wanted_s[0]
        frame_s = float(np.median(np.diff(times_s))) if len(times_s) > 1 else 0.04
        # where the file lacks the clip's first part
        before = times_s[0] - np.arange(ceil(late_s[-1] / frame_s), 0, -1) * frame_s
        begins_s = np.concatenate([before, times_s])
        distance, levels, whole = _distances(wanted, begins_s, late_s, times_s, looks, frame_s)
        still = float(np.sqrt(((wanted - wanted.mean(axis=0)) ** 2).sum(axis=1).mean())) / 32 < self.min_change
        worth = np.where(whole, 1.0, 2.0) * (levels if still else distance)  # a part is more easily alike
        best = int(np.argmin(worth))
        moved_s = float(begins_s[best] - wanted_s[0])
        if not np.isfinite(worth[best]) or worth[best] > (self.max_still_levels if still else self.max_distance):
            what = f"{levels[best]:.1f} levels of a still picture" if still else f"distance {distance[best]:.2f}"
            raise Drop("moment_not_found", detail=f"nearest {what}, {moved_s:+.2f} s from where the list says")
        if not whole[best]:
            lost_s = max(times_s[0] - begins_s[best], begins_s[best] + late_s[-1] - times_s[-1])
            raise Drop(
                "moment_cut", detail=f"the file lacks {lost_s:.2f} s of it, {moved_s:+.2f} s from where the list says"
            )
        span = {
            name: value + moved_s for name in ("start_s", "end_s") if (value := getattr(published, name)) is not None
        }
        return replace(published, **span, moved_s=round(moved_s, 6), distance=round(float(distance[best]), 6))


def _distances(
    wanted: NDArray[np.float64],
    begins_s: NDArray[np.float64],
    late_s: NDArray[np.float64],
    times_s: NDArray[np.float64],
    looks: NDArray[np.int16],
    frame_s: float,
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.bool_]]:
    """For each moment to begin at, (begins,): `1 - cosine` of the changes, the difference of the means in levels of
    luma, and whether the file has all of the clip. Of what it has less than half of nothing is said: infinity.
    """
    shape = len(begins_s), COEFFICIENTS
    there = np.zeros(len(begins_s))
    total, expected = np.zeros(shape), np.zeros(shape)
    power, expected_power, product = np.zeros(len(begins_s)), np.zeros(len(begins_s)), np.zeros(len(begins_s))
    for late, look in zip(late_s, wanted, strict=True):
        at = begins_s + late
        after = np.clip(np.searchsorted(times_s, at), 1, max(len(times_s) - 1, 1)) % len(times_s)
        nearest = np.where(at - times_s[after - 1] <= times_s[after] - at, after - 1, after) % len(times_s)
        inside = np.abs(times_s[nearest] - at) <= frame_s
        seen = looks[nearest] * inside[:, None].astype(np.float64)
        there += inside
        total += seen
        expected += look * inside[:, None]
        power += (seen**2).sum(axis=1)
        expected_power += inside * (look**2).sum()
        product += seen @ look
    some = np.maximum(there, 1)
    covariance = product - (total * expected).sum(axis=1) / some
    length = np.sqrt(
        np.maximum(power - (total**2).sum(axis=1) / some, 0)
        * np.maximum(expected_power - (expected**2).sum(axis=1) / some, 0)
    )
    enough = there >= len(late_s) / 2
    distance = 1 - np.divide(covariance, length, out=np.zeros_like(length), where=length > 1e-3)
    levels = np.sqrt((((total - expected) / some[:, None]) ** 2).sum(axis=1)) / 32
    return np.where(enough, distance, np.inf), np.where(enough, levels, np.inf), there == len(late_s)
