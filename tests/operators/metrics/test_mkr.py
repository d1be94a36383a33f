import numpy as np
import pytest

from operators.metrics.mkr import Mkr
from tests.operators.metrics.hand_made import video

FACE = np.zeros((478, 2))


def test_only_frames_count_in_which_the_recording_shows_a_face() -> None:
    assert Mkr().measure(video("mesh", [FACE, None, None, FACE], [FACE, FACE, None, FACE])) == pytest.approx(1 / 3)
