import numpy as np
import pytest

from operators.metrics.csim import Csim
from operators.models.face_pictures import NETWORKS
from tests.operators.metrics.hand_made import video

ALIGNED, WHOLE = ("embedding", "faceplugin", False), ("embedding", "faceplugin", True)


def at(degrees: float) -> np.ndarray:
    return np.array([np.cos(np.radians(degrees)), np.sin(np.radians(degrees))])


def test_the_cosine_of_known_embeddings() -> None:
    given = video(ALIGNED, [at(0), at(60), at(10)], [at(0), at(0), at(100)])
    assert Csim("csim_aligned_faceplugin").measure(given) == pytest.approx((1 + 0.5 + 0) / 3)
    assert Csim("csim_whole_frame_faceplugin").measure(video(WHOLE, [at(0)], [at(180)])) == pytest.approx(-1)


def test_a_frame_without_a_face_is_left_out_not_counted_as_zero() -> None:
    given = video(ALIGNED, [at(0), None, at(0)], [at(60), at(0), at(60)])
    assert Csim("csim_aligned_faceplugin").measure(given) == pytest.approx(0.5)


def test_each_variant_names_its_own_network() -> None:
    sums = {variant: Csim(variant).model_sha256 for variant in Csim.known}
    assert len(set(sums.values())) == 4
    assert sums["csim_whole_frame"] == NETWORKS["arcface"].weight.sha256
