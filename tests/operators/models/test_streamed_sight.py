"""The encoder for a CPU beside the network it is made of."""

import pytest
import torch
from torch import nn

from operators.models.lr_asd import LrAsd, see_all
from operators.models.streamed_sight import AT_ONCE, StreamedSight


@pytest.fixture(scope="module")
def net() -> LrAsd:
    """With numbers of its own in each batch norm, so that folding them matters."""
    torch.manual_seed(0)
    made = LrAsd().eval().requires_grad_(False)
    for norm in made.modules():
        if isinstance(norm, nn.BatchNorm3d):
            for tensor, low, high in (
                (norm.weight, 0.5, 1.5),
                (norm.bias, -0.5, 0.5),
                (norm.running_mean, -0.2, 0.2),
                (norm.running_var, 0.5, 2.0),
            ):
                assert tensor is not None
                nn.init.uniform_(tensor, low, high)
    return made


# shorter than the filters, shorter than their reach, one chunk, and a chunk with one tick more or a few
@pytest.mark.parametrize("ticks", [1, 2, 7, AT_ONCE, AT_ONCE + 1, 2 * AT_ONCE + 9])
def test_a_stream_sees_what_the_network_sees(net: LrAsd, ticks: int):
    faces = torch.randint(0, 256, (ticks, 112, 112), generator=torch.Generator().manual_seed(ticks)).to(torch.uint8)
    with torch.inference_mode():
        whole = net.see(faces[None].float())
        assert whole.abs().max() > 0.1
        assert (StreamedSight(net.sight)(faces) - whole).abs().max() < 1e-5


def test_streams_hold_nothing_of_one_another(net: LrAsd):
    generator = torch.Generator().manual_seed(0)
    one, other = (torch.randint(0, 256, (30, 112, 112), generator=generator).to(torch.uint8) for _ in range(2))
    with torch.inference_mode():
        first = see_all(net, one)
        see_all(net, other)
        assert torch.equal(see_all(net, one), first)
