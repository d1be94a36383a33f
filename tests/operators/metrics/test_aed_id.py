import pytest

from operators.metrics.aed_id import ScoreAedId
from tests.operators.metrics.hand_made import looks
from tests.operators.metrics.test_csim import ALIGNED, at


def test_the_squared_distance_of_known_embeddings() -> None:
    """Of vectors of length 1: two less twice the cosine."""
    assert ScoreAedId().measure(looks(ALIGNED, [at(0), at(60), at(0)], [at(0), at(0), at(180)])) == pytest.approx((0 + 1 + 4) / 3)
