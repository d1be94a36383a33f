"""Intervals over sources, against how often chance leaves them."""

import numpy as np
import pytest

from pipeline.query.shares import Share, share, times


def drawn(rng: np.random.Generator, sources: int) -> tuple[np.ndarray, np.ndarray]:
    """Sources of unequal length that lose all, or a part of their own; 0.4 is lost in the mean."""
    whole = rng.lognormal(3, 0.7, sources)
    return whole * np.where(rng.random(sources) < 0.2, 1.0, rng.beta(1, 3, sources)), whole


def test_the_interval_holds_the_share_as_often_as_it_says() -> None:
    rng = np.random.default_rng(7)
    found = [share(*drawn(rng, 20)) for _ in range(400)]
    assert np.mean([one.low <= 0.4 <= one.high for one in found]) > 0.91  # 0.933 of 4000 draws
    assert np.mean([one.high - one.low for one in found]) < 0.4


def test_of_many_equal_sources_it_is_wilsons() -> None:
    # 263 of 1000, 95 %: Wilson's interval is 0.2367 to 0.2912 by his formula.
    part = np.array([1.0] * 263 + [0.0] * 737)
    found = share(part, np.ones(1000))
    assert (found.low, found.high) == pytest.approx((0.2367, 0.2912), abs=4e-4)
    assert found.sources == 1000


def test_where_no_source_varies_the_sources_are_counted() -> None:
    nothing = share(np.zeros(10), np.ones(10))
    assert (nothing.share, nothing.low) == (0.0, 0.0)
    assert nothing.high == pytest.approx(0.338, abs=0.001)  # z^2 / (n + z^2) with n = 10 (1.96 / 2.262)^2
    uneven = share(np.zeros(10), np.array([100.0] + [1.0] * 9))
    assert uneven.high > 0.8  # one source is nearly all there is
    assert np.isnan(share(np.ones(1), np.ones(1)).low)
    assert share(np.zeros(3), np.zeros(3)).sources == 0


def test_a_ratio_has_limits_where_the_other_share_is_nothing() -> None:
    ratio, low, high = times(Share(0.5, 0.3, 0.7, 20), Share(0.0, 0.0, 0.1, 20))
    assert np.isinf([ratio, high]).all()
    assert low == pytest.approx(np.sqrt(0.3 * 0.7) / 0.1)
    assert np.isnan(times(Share(0.0, 0.0, 0.1, 9), Share(0.0, 0.0, 0.1, 9))).all()


def test_a_ratio_holds_the_true_one_as_often_as_it_says() -> None:
    rng = np.random.default_rng(3)
    held = 0
    for _ in range(300):
        (lost, whole), (other, all_of) = drawn(rng, 15), drawn(rng, 40)
        _, low, high = times(share(lost, whole), share(other / 2, all_of))
        held += low <= 2 <= high
    assert held / 300 > 0.925
