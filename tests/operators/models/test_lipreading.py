"""The lip reader against numbers that the published code gave (mpc001's
Lipreading_using_Temporal_Convolutional_Networks at 0cc99fab), with the same seeded weights.
"""

import numpy as np
import pytest
import torch

from operators.base import Drop
from operators.models.lipreading import MEAN_FACE, STABLE, LipReader, mouth_rois, normalised, word_scores


def published_state(seed: int = 7) -> dict[str, torch.Tensor]:
    """A state dict under the published names and in the published shapes, from NumPy's PCG64."""
    rng = np.random.default_rng(seed)
    state: dict[str, torch.Tensor] = {}

    def weight(name: str, *shape: int, bias: bool = False) -> None:
        state[f"{name}.weight"] = torch.from_numpy(
            rng.standard_normal(shape, np.float32) * np.float32(np.sqrt(2 / np.prod(shape[1:])))
        )
        if bias:
            state[f"{name}.bias"] = torch.from_numpy(0.1 * rng.standard_normal(shape[0], np.float32))

    def norm(name: str, size: int) -> None:
        state[f"{name}.weight"] = torch.from_numpy(rng.uniform(0.5, 1.5, size).astype(np.float32))
        state[f"{name}.bias"] = torch.from_numpy(0.1 * rng.standard_normal(size, np.float32))
        state[f"{name}.running_mean"] = torch.from_numpy(0.1 * rng.standard_normal(size, np.float32))
        state[f"{name}.running_var"] = torch.from_numpy(rng.uniform(0.5, 1.5, size).astype(np.float32))
        state[f"{name}.num_batches_tracked"] = torch.tensor(1)

    weight("frontend3D.0", 64, 1, 5, 7, 7)
    norm("frontend3D.1", 64)
    before = 64
    for n, size in enumerate((64, 128, 256, 512), start=1):
        for block in range(2):
            name = f"trunk.layer{n}.{block}"
            weight(f"{name}.conv1", size, before, 3, 3)
            norm(f"{name}.bn1", size)
            weight(f"{name}.conv2", size, size, 3, 3)
            norm(f"{name}.bn2", size)
            if before != size:
                weight(f"{name}.downsample.0", size, before, 1, 1)
                norm(f"{name}.downsample.1", size)
            before = size
    for n in range(4):
        name = f"tcn.mb_ms_tcn.network.{n}"
        for row, size in enumerate((512 if n == 0 else 768, 768)):
            for branch, kernel in enumerate((3, 5, 7)):
                weight(f"{name}.cbcr{row}_{branch}.conv", 256, size, kernel, bias=True)
                norm(f"{name}.cbcr{row}_{branch}.batchnorm", 256)
        weight(f"{name}.downsample", 768, 512 if n == 0 else 768, 1, bias=True)
    weight("tcn.tcn_output", 500, 768, bias=True)
    return state


def talking(count: int = 29) -> tuple[list[np.ndarray], list[np.ndarray | None]]:
    """(200, 240) grey pictures of waves, and points of a face that turns, grows, opens its mouth and is missed now and
    then.
    """
    rng = np.random.default_rng(5)
    y, x = np.mgrid[:200, :240]
    face = rng.uniform(40, 200, (68, 2))
    face[list(STABLE)] = MEAN_FACE
    face[48:68] = MEAN_FACE[6:8].mean(axis=0) + 15 * rng.standard_normal((20, 2))
    pictures, points = [], []
    for k in range(count):
        pictures.append((127 + 60 * np.sin(x / 9 + k / 3) + 60 * np.cos(y / 7 - k / 5)).astype(np.uint8))
        angle, size = 0.2 * np.sin(k / 4), 0.6 + 0.1 * np.cos(k / 6)
        turned = size * (face - 128) @ np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
        moved = turned + (115 + 3 * np.sin(k), 95 + k / 5) + 0.3 * rng.standard_normal((68, 2))
        points.append(None if k in (0, 9, 10, 28) else moved)
    return pictures, points


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    path = tmp_path_factory.mktemp("weights") / "lrw_resnet18_mstcn_video.pth"
    torch.save({"model_state_dict": published_state(), "epoch_idx": 80}, path)
    return path


@pytest.fixture(scope="module")
def net(file):
    return LipReader.load(file)


def test_loads_the_published_layout_strictly(net, tmp_path):
    state = published_state()
    assert sum(p.numel() for p in net.parameters()) == 36_361_396  # 145 MB, the size the authors give is 139 MiB
    less = {name: tensor for name, tensor in state.items() if name != "tcn.tcn_output.bias"}
    more = {**state, "trunk.layer1.0.relu1.weight": torch.zeros(64)}  # of a network with another activation
    for wrong, said in ((less, "tcn_output.bias"), (more, "relu1.weight")):
        torch.save({"model_state_dict": wrong}, tmp_path / "wrong.pth")
        with pytest.raises(RuntimeError, match=said):
            LipReader.load(tmp_path / "wrong.pth")


def test_mouths_are_the_published_ones():
    rois = mouth_rois(*talking())
    assert (rois.shape, rois.dtype) == ((29, 96, 96), np.uint8)
    for k, total, at in ((0, 1214968, [114, 114, 214]), (5, 1223685, [204, 127, 217]), (28, 1153095, [118, 114, 79])):
        assert int(rois[k].astype(int).sum()) == pytest.approx(total, rel=1e-5)
        assert rois[k][[20, 48, 80], [30, 48, 70]].astype(int) == pytest.approx(at, abs=1)


def test_word_scores_are_the_published_ones(net):
    scores = word_scores(net, mouth_rois(*talking()))
    assert scores.shape == (500,)
    assert scores[[0, 100, 499]] == pytest.approx([-298.6132, 208.6339, 277.0096], abs=0.05)
    assert (int(scores.argmax()), float(scores.max())) == (11, pytest.approx(482.7042, abs=0.05))


def test_the_middle_is_normalised():
    rois = np.zeros((2, 96, 96), np.uint8)
    rois[:, 4:92, 4:92] = 255
    assert normalised(rois).shape == (2, 88, 88)
    assert normalised(rois) == pytest.approx((1 - 0.421) / 0.165, abs=1e-6)


def test_the_mean_face_is_left_as_it_is():
    y, x = np.mgrid[:256, :256]
    picture = ((x * 3 + y * 5) % 256).astype(np.uint8)
    points = np.random.default_rng(1).uniform(40, 200, (68, 2))
    points[list(STABLE)] = MEAN_FACE
    points[48:68] = (130, 157)
    points[[48, 54]] = MEAN_FACE[6:]
    left, top = (round(float(at)) - 48 for at in points[48:68].mean(axis=0))
    rois = mouth_rois([picture] * 12, [points] * 12)
    assert np.abs(rois[3].astype(int) - picture[top : top + 96, left : left + 96]).mean() < 0.1


def test_a_mouth_at_the_edge_is_cut_within_the_picture():
    pictures, points = talking()
    low = [None if one is None else np.concatenate([one[:48], one[48:] + np.array([0, 400])]) for one in points]
    for one in low:
        if one is not None:
            one[[48, 54]] -= (0, 400)
    assert mouth_rois(pictures, low).shape == (29, 96, 96)


@pytest.mark.parametrize(("count", "seen", "reason"), [(11, True, "too_short"), (29, False, "no_face")])
def test_refuses(count, seen, reason):
    pictures, points = talking(count)
    with pytest.raises(Drop) as refused:
        mouth_rois(pictures, points if seen else [None] * count)
    assert refused.value.reason == reason
