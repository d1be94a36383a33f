"""The networks against scores that the published code (LR-ASD at 1b6dcd2d, Light-ASD at ed38c232) gave for the same
crops and sound.
"""

import numpy as np
import pytest
import torch

from operators.models.lr_asd import LightAsd, LrAsd, score_ticks, see_all
from operators.models.mfcc import mfcc
from tests.conftest import weights
from tests.operators.models.test_mfcc import rising_tone

PUBLISHED = [
    (LrAsd, "lr_asd_finetuning_TalkSet.model", [0.36296, -0.18699, -0.61180]),
    (LrAsd, "lr_asd_pretrain_AVA.model", [-3.09017, -3.02443, -2.84534]),
    (LightAsd, "light_asd_finetuning_TalkSet.model", [-0.99221, -0.35582, -0.03489]),
    (LightAsd, "light_asd_pretrain_AVA_CVPR.model", [-2.54056, -2.39605, -1.56577]),
]


def crops(ticks: int) -> np.ndarray:
    """(ticks, 112, 112): gradients that change from tick to tick."""
    y, x = np.mgrid[:112, :112]
    return np.stack([(x * (n % 7 + 1) + y * (n % 5 + 1)) % 256 for n in range(ticks)]).astype(np.uint8)


@pytest.fixture(scope="module")
def net():
    return LrAsd.load(weights("lr_asd_finetuning_TalkSet.model"))


@pytest.mark.parametrize(("network", "file", "scores"), PUBLISHED)
def test_scores_are_the_published_ones(network, file, scores):
    found = score_ticks(network.load(weights(file)), crops(25), mfcc(rising_tone()), windows_s=(1,), encode_once=False)
    assert found[[0, 12, 24]] == pytest.approx(scores, abs=1e-4)


def test_loads_strictly(tmp_path):
    state = torch.load(weights("lr_asd_finetuning_TalkSet.model"), map_location="cpu", weights_only=True)
    for name, changed in (
        ("less", {key: value for key, value in state.items() if key != "lossV.FC.bias"}),
        ("more", {**state, "model.extra": torch.zeros(1)}),
    ):
        torch.save(changed, tmp_path / name)
        with pytest.raises(RuntimeError, match=r"sight_head\.bias|model\.extra"):
            LrAsd.load(tmp_path / name)
    with pytest.raises(RuntimeError):
        LightAsd.load(weights("lr_asd_finetuning_TalkSet.model"))


def test_seeing_in_chunks_leaves_no_seams(net):
    faces = torch.from_numpy(crops(75))
    with torch.inference_mode():
        whole = net.see(faces[None].to(next(net.parameters()).device, torch.float32))
        assert torch.allclose(see_all(net, faces), whole, atol=1e-5)


def test_windows(net):
    faces, cepstra = crops(50), mfcc(rising_tone(2.015))
    one, two = (score_ticks(net, faces, cepstra, (window,), encode_once=False) for window in (1, 2))
    assert np.abs(one - two).max() > 0.01  # a window's edge changes what is near it
    assert score_ticks(net, faces, cepstra, (1, 2), encode_once=False) == pytest.approx((one + two) / 2)
    assert score_ticks(net, faces[25:], cepstra[100:], (1,), encode_once=False) == pytest.approx(one[25:], abs=1e-5)
    # no window is cut: encoding once changes nothing
    assert score_ticks(net, faces, cepstra, (2, 6)) == pytest.approx(two, abs=1e-4)


def test_refuses_sound_of_another_length(net):
    with pytest.raises(ValueError, match="four to a face"):
        score_ticks(net, crops(3), np.zeros((11, 13)))
