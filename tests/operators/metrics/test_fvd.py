from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
import torch

from operators.base import Drop
from operators.metrics.base import Video
from operators.metrics.frechet import Moments, frechet_distance, merged
from operators.metrics.fvd import Fvd
from operators.models.catalogue import I3D_400
from operators.models.i3d import I3D, prepared
from tests.operators.metrics.calibration import toy
from tests.operators.metrics.seeded import seeded_state


class Seeded(torch.nn.Module):
    """Takes and gives what I3D's TorchScript does, with weights of a seed."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.layer = torch.nn.Conv3d(3, 400, 4, stride=4)

    def forward(
        self, video: torch.Tensor, rescale: bool = False, resize: bool = False, return_features: bool = False
    ) -> torch.Tensor:
        assert return_features
        if resize:
            video = torch.nn.functional.interpolate(video, size=(16, 64, 64))
        if rescale:
            video = 2 * video / 255 - 1
        return self.layer(video).mean((2, 3, 4))


class Here(NamedTuple):
    """A weight that lies in a known place."""

    place: Path

    def path(self) -> Path:
        return self.place


@pytest.fixture
def metric(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Fvd:
    torch.jit.script(Seeded()).save(str(tmp_path / "i3d.pt"))
    made = Fvd()
    monkeypatch.setattr("operators.metrics.fvd.I3D", Here(tmp_path / "i3d.pt"))
    return made


def test_one_vector_for_every_16_frames(metric: Fvd) -> None:
    frames = [np.roll(toy(), 3 * n, axis=1) for n in range(40)]
    found = metric.features(Video.of(frames))
    assert found.shape == (2, 400)
    video = torch.from_numpy(np.stack(frames[16:32])).permute(3, 0, 1, 2)[None].float()
    with torch.inference_mode():
        assert found[1] == pytest.approx(Seeded()(video, True, True, True)[0].numpy(), abs=1e-6)


def test_motion_counts_where_pictures_do_not(metric: Fvd) -> None:
    """The same 16 pictures in another order are another video."""
    frames = [np.roll(toy(), 5 * n, axis=1) for n in range(16)]
    assert np.abs(metric.features(Video.of(frames)) - metric.features(Video.of(frames[::-1]))).max() > 1e-4


def test_fewer_than_16_frames_are_refused(metric: Fvd) -> None:
    with pytest.raises(Drop, match="too_short"):
        metric.features(Video.of([toy()] * 15))


@pytest.fixture
def videogpt(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Fvd:
    """With I3D's weights of a seed where a user has the published ones."""
    torch.save(seeded_state(I3D()), tmp_path / I3D_400.file)
    monkeypatch.setenv("HEADSET_WEIGHTS", str(tmp_path))
    return Fvd("fvd_videogpt")


def test_the_features_are_those_of_videogpt_s_code(videogpt: Fvd) -> None:
    """The numbers are what VideoGPT's own I3D and preprocessing give on these frames, 128 x 96 pixels, with these
    weights.
    """
    frames = [np.ascontiguousarray(np.roll(toy(side=128), 5 * n, axis=1)[:96]) for n in range(16)]
    found = videogpt.features(Video.of(frames))
    assert found.shape == (1, 400)
    assert found[0, :6] == pytest.approx([-3.7793, -1.989005, 3.670201, 5.271212, 3.596333, -0.874413], abs=2e-4)
    assert (found.sum(), np.abs(found).max()) == pytest.approx((9.507118, 16.497917), abs=5e-3)
    assert videogpt.model_sha256 == I3D_400.as_supplied().sha256 != ""


def test_the_middle_square_is_looked_at() -> None:
    wide = torch.zeros(2, 3, 112, 200)
    wide[:, :, :, 44:156] = 255
    seen = prepared(wide)
    assert seen.shape == (3, 2, 224, 224)
    assert seen[:, :, :, 2:-2].min() == 1
    assert prepared(wide.transpose(2, 3)).shape == (3, 2, 224, 224)


def test_weights_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    held = seeded_state(I3D())
    held.pop("Mixed_5c.b3b.conv3d.weight")
    torch.save(held, tmp_path / "i3d.pt")
    with pytest.raises(RuntimeError, match="Mixed_5c.b3b.conv3d.weight"):
        I3D.load(tmp_path / "i3d.pt")


@pytest.mark.parametrize("shards", [1, 3, 12, 500])
def test_any_number_of_shards_gives_one_value(shards: int) -> None:
    numbers = np.random.default_rng(0)
    made, recorded = (numbers.normal(by, 1 + by, (500, 400)).astype(np.float32) for by in (0.1, 0.0))
    whole = frechet_distance(Moments.of(made), Moments.of(recorded))
    parts = [merged(Moments.of(part) for part in np.array_split(one, shards)) for one in (made, recorded)]
    assert frechet_distance(*parts) == pytest.approx(whole, abs=1e-6)
