import pytest

from operators.base import Drop
from operators.metrics.base import Video
from operators.metrics.frechet import Moments
from operators.metrics.frechet_identity import FrechetIdentity
from tests.operators.metrics.faces_seen import blank, other, same


@pytest.mark.slow
def test_itself_then_the_same_person_then_another() -> None:
    metric = FrechetIdentity(rate_hz=25)
    itself, later, far = (
        Moments.of(metric.features(Video.of(frames))) for frames in (same(), same(later=True), other())
    )
    values = [metric.statistic(itself, one) for one in (itself, later, far)]
    assert values[0] == pytest.approx(0, abs=1e-6)
    assert values[0] < values[1] < values[2] < 4


def test_five_frames_a_second_and_only_those_with_a_face() -> None:
    metric = FrechetIdentity()
    face = same()[0]
    assert metric.features(
        Video.of([face, blank(), blank(), blank(), blank(), blank(), face, face, face, face])
    ).shape == (1, 512)
    with pytest.raises(Drop, match="no_face"):
        metric.features(Video.of([blank()] * 3))
