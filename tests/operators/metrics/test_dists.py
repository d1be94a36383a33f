import pytest

from operators.metrics.base import Video
from operators.metrics.dists import Dists
from tests.conftest import weights
from tests.operators.metrics.calibration import official, toy, values


@pytest.mark.slow
def test_official_values() -> None:
    weights("dists_weights.pt")
    assert values(Dists()) == pytest.approx(official("dists"), abs=5e-5)  # published with four digits


@pytest.mark.slow
def test_equal_is_zero_and_the_order_does_not_matter() -> None:
    weights("dists_weights.pt")
    metric = Dists()
    assert metric.measure(Video.of([toy(1)], [toy(1)])) == pytest.approx(0, abs=1e-5)
    there, back = metric.measure(Video.of([toy(1)], [toy(2)])), metric.measure(Video.of([toy(2)], [toy(1)]))
    assert there == pytest.approx(back, rel=1e-4)
    assert 0 < there < 1
