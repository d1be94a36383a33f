"""dlib's network against dlib itself: what dlib 20.0.1 answered for these pictures."""

import numpy as np
import pytest

from manifests.errors import WeightError
from operators.models.catalogue import DLIB_RESNET
from operators.models.dlib_resnet import DlibFile, DlibNetwork, DlibResnet

# the first eight of 128 numbers, and their length, by dlib.face_recognition_model_v1.compute_face_descriptor
BY_DLIB = {
    "noise": (
        [-0.09218970, 0.08416894, 0.04315767, -0.01173920, -0.15688255, -0.06620562, -0.03828799, -0.11147451],
        1.28080690,
    ),
    "ramp": (
        [-0.07619563, 0.13011137, 0.03133953, -0.07446968, -0.06254889, -0.05795435, -0.05329705, -0.04321780],
        1.35562200,
    ),
}


def test_it_answers_what_dlib_answers():
    network = DlibNetwork.read(DLIB_RESNET.path())
    assert len([layer for layer in network.layers if layer.kind in ("con_4", "fc_2")]) == 30
    assert network.size_px == 150
    rng = np.random.default_rng(0)
    noise = rng.integers(0, 256, (150, 150, 3), dtype=np.uint8)
    rows, columns = np.mgrid[:150, :150]
    ramp = np.stack([rows, columns, (rows + columns) // 2], axis=-1).astype(np.uint8)
    answers = DlibResnet(network)(np.stack([noise, ramp]))
    assert answers.shape == (2, 128)
    for (first, length), answer in zip(BY_DLIB.values(), answers, strict=True):
        assert answer[:8] == pytest.approx(first, abs=2e-6)
        assert np.linalg.norm(answer) == pytest.approx(length, abs=2e-6)


def test_numbers_as_dlib_writes_them():
    file = DlibFile(bytes([0x01, 0x05, 0x81, 0x02, 0x02, 0x00, 0x01, 0x01, 0x03, 0x81, 0x01, 0x02, 0x68, 0x69]))
    assert file.integers(3) == [5, -2, 256]
    assert file.real() == 1.5, "3 * 2^-1"
    with pytest.raises(WeightError, match="more are expected"):
        DlibFile(bytes([0x01])).integer()
    with pytest.raises(WeightError, match="0x9"):
        DlibFile(bytes([0x09])).integer()


@pytest.mark.parametrize("damage", ["cut", "longer", "other"])
def test_a_damaged_file_is_refused(tmp_path, damage):
    data = DLIB_RESNET.path().read_bytes()
    path = tmp_path / "network.dat"
    path.write_bytes({"cut": data[:-40], "longer": data + b"\0", "other": data.replace(b"relu_", b"relv_", 1)}[damage])
    with pytest.raises(WeightError):
        DlibNetwork.read(path)
