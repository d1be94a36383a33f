from pathlib import Path

import numpy as np
import pytest
import torch

from operators.base import Drop
from operators.metrics.metric import Looks
from operators.metrics.score_fvd import ScoreFvd
from tests.operators.metrics.calibration import toy


class Seeded(torch.nn.Module):
    """Takes and gives what I3D's TorchScript does, with weights of a seed."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.layer = torch.nn.Conv3d(3, 400, 4, stride=4)

    def forward(self, video: torch.Tensor, rescale: bool = False, resize: bool = False, return_features: bool = False) -> torch.Tensor:
        assert return_features
        if resize:
            video = torch.nn.functional.interpolate(video, size=(16, 64, 64))
        if rescale:
            video = 2 * video / 255 - 1
        return self.layer(video).mean((2, 3, 4))


@pytest.fixture
def metric(tmp_path: Path) -> ScoreFvd:
    torch.jit.script(Seeded()).save(str(tmp_path / "i3d.pt"))
    made = ScoreFvd()
    made.__dict__["_network"] = torch.jit.load(str(tmp_path / "i3d.pt")).eval()
    return made


def test_one_vector_for_every_16_frames(metric: ScoreFvd) -> None:
    frames = [np.roll(toy(), 3 * n, axis=1) for n in range(40)]
    found = metric.features(Looks.of(frames))
    assert found.shape == (2, 400)
    video = torch.from_numpy(np.stack(frames[16:32])).permute(3, 0, 1, 2)[None].float()
    with torch.inference_mode():
        assert found[1] == pytest.approx(Seeded()(video, True, True, True)[0].numpy(), abs=1e-6)


def test_motion_counts_where_pictures_do_not(metric: ScoreFvd) -> None:
    """The same 16 pictures in another order are another video."""
    frames = [np.roll(toy(), 5 * n, axis=1) for n in range(16)]
    assert np.abs(metric.features(Looks.of(frames)) - metric.features(Looks.of(frames[::-1]))).max() > 1e-4


def test_fewer_than_16_frames_are_refused(metric: ScoreFvd) -> None:
    with pytest.raises(Drop, match="too_short"):
        metric.features(Looks.of([toy()] * 15))
