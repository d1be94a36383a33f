"""Deep3DFaceRecon's crop and network; the numbers are what its own code gives on this picture, with these points and
weights.
"""

from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from scipy.io import savemat

from operators.models import deep3d
from operators.models.catalogue import DEEP3D, DEEP3D_POINTS
from operators.models.deep3d import Deep3D, coefficients, crop, five, orthographic
from operators.picture import Picture
from operators.weights import Weight
from tests.operators.metrics.calibration import toy
from tests.operators.metrics.faces_seen import blank, same
from tests.operators.metrics.seeded import seeded_state

EXAMPLES = [0, 80, 143, 224, 226, 256]
REFERENCE = [-903.3326, 818.3306, -1850.3014, 1178.231, -2654.334, 999.8813]


def made_points() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """68 points of a made picture of 160 pixels, and those of a made standard face."""
    numbers = np.random.default_rng(3)
    standard = numbers.uniform(-1, 1, (68, 3))
    return 80 + 30 * standard[:, :2] * (1, -1) + numbers.normal(0, 2, (68, 2)), standard


def test_the_crop_is_the_published_one() -> None:
    points, standard = made_points()
    made = crop(toy(side=160), five(points), five(standard))
    assert made.shape == (224, 224, 3)
    assert made.mean() == pytest.approx(118.96750770620748)
    assert made[::56, 112].tolist() == [[60, 79, 92], [137, 177, 117], [189, 140, 157], [155, 201, 161]]


def test_a_view_from_afar_is_found_again() -> None:
    standard = np.random.default_rng(0).normal(size=(5, 3))
    middle, size = orthographic(standard[:, :2] * 40 + (7, 9), standard)
    assert middle == pytest.approx((7, 9))
    assert size == pytest.approx(40)


@pytest.fixture(scope="module")
def state() -> dict[str, torch.Tensor]:
    with torch.device("meta"):
        return seeded_state(Deep3D())


def test_the_numbers_are_those_of_the_published_network(tmp_path: Path, state: dict[str, torch.Tensor]) -> None:
    torch.save({"net_recon": state, "opt_00": {"state": {}}}, tmp_path / DEEP3D.file)
    network = Deep3D.load(tmp_path / DEEP3D.file)
    points, standard = made_points()
    given = torch.from_numpy(crop(toy(side=160), five(points), five(standard)) / 255.0).float().permute(2, 0, 1)[None]
    with torch.inference_mode():
        found = network(given)[0].numpy()
    assert found.shape == (257,)
    assert found[EXAMPLES] == pytest.approx(REFERENCE, abs=0.05)


def test_a_checkpoint_is_read_strictly_and_a_face_has_coefficients(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, state: dict[str, torch.Tensor]
) -> None:
    torch.save({"net_recon": state}, tmp_path / DEEP3D.file)
    savemat(tmp_path / DEEP3D_POINTS.file, {"lm": made_points()[1]})
    places = Weight._places
    monkeypatch.setattr(Weight, "_places", lambda weight: [tmp_path / weight.file, *places(weight)])
    monkeypatch.setattr(Weight, "found", lambda weight: next(path for path in weight._places() if path.is_file()))
    for kept in (deep3d._network, deep3d._standard):
        kept.cache_clear()
    found = coefficients(Picture(same()[0]))
    assert found is not None
    assert (found.expression.shape, found.angles.shape) == ((64,), (3,))
    assert coefficients(Picture(blank())) is None
    for kept in (deep3d._network, deep3d._standard):
        kept.cache_clear()
    torch.save(
        {"net_recon": {name: value for name, value in state.items() if name != "final_layers.1.weight"}},
        tmp_path / DEEP3D.file,
    )
    with pytest.raises(RuntimeError, match=r"final_layers.1.weight"):
        Deep3D.load(tmp_path / DEEP3D.file)
