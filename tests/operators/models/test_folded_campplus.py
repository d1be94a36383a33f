"""CAM++ for a CPU beside the network it is made of."""

import pytest
import torch
from torch import Tensor, nn

from operators.models.campplus import CamPlusPlus
from operators.models.folded_campplus import PIECE, FoldedCampplus


@pytest.fixture(scope="module")
def model() -> CamPlusPlus:
    """With numbers of its own in each batch norm, so that folding them matters."""
    torch.manual_seed(0)
    made = CamPlusPlus().eval().requires_grad_(False)
    for layer in made.modules():
        if isinstance(layer, nn.Conv1d | nn.Conv2d):
            nn.init.kaiming_normal_(layer.weight)  # so that what is heard reaches the end
        if isinstance(layer, nn.BatchNorm1d | nn.BatchNorm2d):
            for tensor, low, high in (
                (layer.weight, 0.5, 1.5),
                (layer.bias, -0.5, 0.5),
                (layer.running_mean, -0.2, 0.2),
                (layer.running_var, 0.5, 2.0),
            ):
                if tensor is not None:
                    nn.init.uniform_(tensor, low, high)
    return made


def as_published(model: CamPlusPlus, features: Tensor) -> Tensor:
    return model.xvector(model.head((features - features.mean(dim=1, keepdim=True)).transpose(1, 2)))


# the least that is embedded; time is halved, so 2 * PIECE is one piece, and one more step begins another
@pytest.mark.parametrize("frames", [10, 57, 2 * PIECE, 2 * PIECE + 2, 998])
def test_it_embeds_as_the_network_does(model: CamPlusPlus, frames: int):
    features = 3 * torch.randn(2, frames, 80, generator=torch.Generator().manual_seed(frames))
    with torch.inference_mode():
        wanted = as_published(model, features)
        assert (wanted[0] - wanted[1]).abs().max() > 0.01
        assert (model.embed(features) - wanted).abs().max() < 1e-5 * wanted.abs().max()


def test_the_model_is_not_changed(model: CamPlusPlus):
    features = torch.randn(1, 100, 80, generator=torch.Generator().manual_seed(1))
    with torch.inference_mode():
        before = as_published(model, features)
        FoldedCampplus(model.head, model.xvector)(features[0])
        assert torch.equal(as_published(model, features), before)
