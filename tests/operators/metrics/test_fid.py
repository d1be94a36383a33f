import tempfile
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from operators.base import Drop
from operators.metrics.base import Video
from operators.metrics.fid import Fid, clean, inception, legacy, pooled
from operators.picture import Picture
from tests.operators.metrics.calibration import toy


@cache
def seeded() -> torch.nn.Module:
    """torch-fidelity's architecture with weights of a seed."""
    from torch_fidelity.feature_extractor_inceptionv3 import FeatureExtractorInceptionV3

    class Empty(FeatureExtractorInceptionV3):
        """Takes a file without weights: the library knows no other way to a network than by a file."""

        def load_state_dict(self, *_: Any, **__: Any) -> None: ...

    with tempfile.NamedTemporaryFile() as nothing:
        torch.save({}, nothing.name)
        network = Empty("fid", ["2048"], feature_extractor_weights_path=nothing.name)
    torch.manual_seed(0)
    for layer in network.modules():
        if isinstance(layer, torch.nn.Conv2d):
            torch.nn.init.kaiming_normal_(layer.weight)
    return network


def test_the_features_are_torch_fidelity_s_where_no_resizing_is_needed(tmp_path: Path) -> None:
    torch.save(seeded().state_dict(), tmp_path / "weights.pth")
    network = inception(tmp_path / "weights.pth")
    picture = Picture(toy(side=304)[:299, :299])
    with torch.inference_mode():
        theirs = seeded()(torch.from_numpy(picture.rgb.copy()).permute(2, 0, 1)[None])[0].numpy()
    # TensorFlow's graph takes 128 from a value and divides it by 128; pytorch-fid, and this, bring 0..255 to -1..1.
    ours = pooled(network, (legacy([picture]) + 1) * 255 / 256 - 1)
    assert ours.shape == (1, 2048)
    assert ours == pytest.approx(theirs, abs=1e-3)


def test_weights_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    held = seeded().state_dict()
    held.pop("Mixed_7c.branch1x1.conv.weight")
    torch.save(held, tmp_path / "weights.pth")
    with pytest.raises(RuntimeError, match="Mixed_7c.branch1x1.conv.weight"):
        inception(tmp_path / "weights.pth")


def test_the_two_ways_to_299_pixels() -> None:
    stripes = np.zeros((598, 598, 3), np.uint8)
    stripes[:, ::2] = 255
    assert clean([Picture(stripes)])[..., 8:-8].abs().max() < 0.05  # antialiasing makes grey of it
    large = np.asarray(Image.fromarray(toy()).resize((1196, 1196)))
    aliased = legacy([Picture(large)])[0].permute(1, 2, 0).numpy()
    middle = (
        large[1::4, 1::4].astype(float),
        large[2::4, 2::4].astype(float),
        large[1::4, 2::4].astype(float),
        large[2::4, 1::4].astype(float),
    )
    # bilinear without it: the four in the middle, and no others
    assert (aliased + 1) * 127.5 == pytest.approx(sum(middle) / 4, abs=1e-3)


def test_a_render_without_frames_is_refused() -> None:
    with pytest.raises(Drop, match="no_frames"):
        Fid().features(Video.of([]))
