import pytest

from operators.metrics.aed_id import AedId
from tests.operators.metrics.hand_made import video
from tests.operators.metrics.test_csim import ALIGNED, at


def test_the_squared_distance_of_known_embeddings() -> None:
    """Of vectors of length 1: two less twice the cosine."""
    assert AedId().measure(video(ALIGNED, [at(0), at(60), at(0)], [at(0), at(0), at(180)])) == pytest.approx(
        (0 + 1 + 4) / 3
    )
