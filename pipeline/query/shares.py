"""Shares of seconds, and how far chance may move them: rows of one source are no independent trials, sources are."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

LEAST_SOURCES = 5  # of either side of a comparison


class Share(NamedTuple):
    """A share, and its interval. The limits are NaN where one source alone has any of it."""

    share: float  # 0 to 1
    low: float
    high: float
    sources: int


def share(part: NDArray[np.float64], whole: NDArray[np.float64], chance: float = 0.05) -> Share:
    """The share of a part in the whole, with Wilson's interval over sources.

    The score interval of Wilson (1927) for as many trials as would vary as the sources do: the variance is the
    jackknife's, of leaving out one source at a time, and Student's quantile stands in for the normal one, as in Korn
    and Graubard (1998). Where no source varies, the trials are the effective number of sources, after Kish. Of drawn
    sources of uneven length it holds the share in 91 of 100 where 6 were drawn, 92 where 10, 93 where 20, 94 where 60.

    Args:
        part, whole: (sources,) seconds; sources without any of the whole are left out.
        chance: that the interval misses the share.
    """
    from scipy.special import ndtri, stdtrit

    held = whole > 0
    part, whole = part[held], whole[held]
    count, total = len(whole), float(whole.sum())
    if not count:
        return Share(np.nan, np.nan, np.nan, 0)
    found = float(part.sum()) / total
    if count == 1:
        return Share(found, np.nan, np.nan, 1)
    variance = (count - 1) / count * float(np.sum(((part - found * whole) / (total - whole)) ** 2))
    trials = found * (1 - found) / variance if variance > 1e-12 else total**2 / float(np.sum(whole**2))
    normal, student = -float(ndtri(chance / 2)), -float(stdtrit(count - 1, chance / 2))
    trials *= (normal / student) ** 2
    middle = (found + normal**2 / (2 * trials)) / (1 + normal**2 / trials)
    reach = normal * np.sqrt(found * (1 - found) / trials + normal**2 / (4 * trials**2)) / (1 + normal**2 / trials)
    low, high = float(middle - reach) if found > 0 else 0.0, float(middle + reach) if found < 1 else 1.0
    return Share(found, max(low, 0.0), min(high, 1.0), count)


def times(one: Share, other: Share) -> tuple[float, float, float]:
    """How many times the one share is the other, and the limits of that, from the limits of both (MOVER; Donner and
    Zou, Statistical Methods in Medical Research, 2012). Infinite where the other may be 0; NaN where both are 0.
    """
    p, q = one.share, other.share
    if np.isnan([p, q, one.low, other.low]).any() or p == q == 0:
        return np.nan, np.nan, np.nan
    both = p * q
    rise, fall = one.low * (2 * p - one.low), other.high * (2 * q - other.high)
    low = rise / (both + np.sqrt(max(both**2 - rise * fall, 0.0))) if rise else 0.0
    rise, fall = one.high * (2 * p - one.high), other.low * (2 * q - other.low)
    high = (both + np.sqrt(max(both**2 - rise * fall, 0.0))) / fall if fall else np.inf
    return (p / q if q else np.inf), float(low), float(high)
