import numpy as np
import pytest
import torch

from operators.base import Drop
from operators.metrics.base import Video
from operators.metrics.lpips import Lpips, lpips
from operators.models.backbones import SLICES, backbone
from tests.conftest import weights
from tests.operators.metrics.calibration import official, toy, values


def test_official_values() -> None:
    assert values(Lpips()) == pytest.approx(official("lpips"), rel=1e-4, abs=6e-5)


@pytest.mark.slow
@pytest.mark.parametrize("network", ["alex", "vgg"])
def test_the_library_with_the_same_backbone_agrees(network: str) -> None:
    """torchmetrics ships heads of its own; given the convolutions, its values are an independent check of heads and
    arithmetic.
    """
    from torchmetrics.functional.image.lpips import _LPIPS

    theirs = _LPIPS(pretrained=True, net=network, pnet_rand=True).eval()  # type: ignore[arg-type]
    ours, _ = backbone(network)
    layers = [layer for layer in ours if isinstance(layer, torch.nn.Conv2d)]
    other = [layer for layer in theirs.net.modules() if isinstance(layer, torch.nn.Conv2d)]
    assert len(layers) == len(other)
    for layer, into in zip(layers, other, strict=True):
        into.load_state_dict(layer.state_dict())
    one, two = (torch.rand(2, 3, 96, 96, generator=torch.Generator().manual_seed(n)) for n in (1, 2))
    with torch.inference_mode():
        assert lpips(network)(one, two).numpy() == pytest.approx(
            theirs(one, two, normalize=True).flatten().numpy(), rel=1e-5
        )


@pytest.mark.parametrize("network", ["alex", "vgg"])
def test_the_heads_are_the_authors(network: str) -> None:
    held = torch.load(weights(f"lpips_lin_{network}.pth"), map_location="cpu", weights_only=True)
    heads = backbone(network)[1]
    assert len(heads) == len(SLICES[network]) == len(held)
    for number, head in enumerate(heads):
        assert torch.equal(head, held[f"lin{number}.model.1.weight"])


def test_batches_do_not_matter() -> None:
    pictures = [toy(n) for n in range(6)]
    whole = Lpips().measure(Video.of(pictures, [toy(9)] * 6))
    assert whole == pytest.approx(np.mean([Lpips().measure(Video.of([one], [toy(9)])) for one in pictures]), rel=1e-5)
    assert Lpips().measure(Video.of([toy(1)], [toy(1)])) == 0


def test_a_frame_too_small_for_the_network_is_refused() -> None:
    with pytest.raises(Drop, match="too_small"):
        Lpips().measure(Video.of([toy(side=56)], [toy(side=56)]))
