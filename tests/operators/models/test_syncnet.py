"""SyncNet against numbers that the published code gave (joonson/syncnet_python at 6efbb1c3, Wav2Lip's `scores_LSE`),
with the same seeded weights.
"""

import io
from collections import OrderedDict

import numpy as np
import pytest
import torch
from PIL import Image

from operators.base import Drop
from operators.models.syncnet import SyncNet, compare, distances, measured, mfcc_windows
from operators.models.syncnet_pictures import (
    face_crop,
    from_jpeg,
    jpeg_files,
    link_faces,
    lrs_pictures,
    steady_squares,
    tracked_pictures,
)
from tests.operators.models.test_mfcc import rising_tone

# The layers of the published state dict: convolutions and linear layers by shape, each with the batch norm behind it.
LAYERS = {
    "netcnnaud": {0: (64, 1, 3, 3), 4: (192, 64, 3, 3), 8: (384, 192, 3, 3), 11: (256, 384, 3, 3), 14: (256, 256, 3, 3),
                  18: (512, 256, 5, 4)},
    "netfcaud": {0: (512, 512), 3: (1024, 512)},
    "netfclip": {0: (512, 512), 3: (1024, 512)},
    "netcnnlip": {
        0: (96, 3, 5, 7, 7), 4: (256, 96, 1, 5, 5), 8: (256, 256, 1, 3, 3), 11: (256, 256, 1, 3, 3),
        14: (256, 256, 1, 3, 3), 18: (512, 256, 1, 6, 6),
    },
}  # fmt: skip


def published_state(seed: int = 7) -> "OrderedDict[str, torch.Tensor]":
    """A state dict under the published names, from NumPy's PCG64: deviations that keep the signal's size, small ones
    where it comes in.
    """
    rng = np.random.default_rng(seed)
    state: OrderedDict[str, torch.Tensor] = OrderedDict()

    def put(name: str, values: np.ndarray) -> None:
        state[name] = torch.from_numpy(values.astype(np.float32))

    for part, layers in LAYERS.items():
        for n, shape in layers.items():
            inlet = {"netcnnlip": 0.01, "netcnnaud": 0.1}.get(part, 1) if n == 0 else 1
            put(f"{part}.{n}.weight", inlet * np.sqrt(2 / np.prod(shape[1:])) * rng.standard_normal(shape, np.float32))
            put(f"{part}.{n}.bias", 0.1 * rng.standard_normal(shape[0]))
            if shape[0] != 1024:
                put(f"{part}.{n + 1}.weight", rng.uniform(0.5, 1.5, shape[0]))
                put(f"{part}.{n + 1}.bias", 0.1 * rng.standard_normal(shape[0]))
                put(f"{part}.{n + 1}.running_mean", 0.1 * rng.standard_normal(shape[0]))
                put(f"{part}.{n + 1}.running_var", rng.uniform(0.5, 1.5, shape[0]))
    return state


def moving(count: int, size: tuple[int, int] = (224, 224)) -> list[np.ndarray]:
    """(h, w, 3) BGR: gradients and a disc, different in every picture."""
    y, x = np.mgrid[: size[1], : size[0]]
    made = []
    for n in range(count):
        inside = (x - size[0] / 2 - 20 * np.sin(n)) ** 2 + (y - size[1] / 2) ** 2 < (size[1] / 4) ** 2
        made.append(np.stack([(x + 5 * n) % 256, (y + 3 * n) % 256, 200 * inside], axis=2).astype(np.uint8))
    return made


def boxes(count: int = 130) -> list[list[tuple[float, float, float, float]]]:
    """Of each frame: a face that drifts and is missed for ten frames, one too small, and one that is doubled and leaves
    early.
    """
    made = []
    for k in range(count):
        x, y, small = 200 + 0.7 * k + 3 * np.sin(k), 120 + 2 * np.cos(k / 3), 400 + 0.1 * k
        face = [(x, y, x + 130 + 4 * np.sin(k / 5), y + 150.0)] if not 40 <= k < 50 else []
        leaving = [(20.0, 30.0, 150.0, 180.0), (24.0, 30.0, 154.0, 180.0)] if k < 60 else []
        made.append([*face, (small, 300.0, small + 60, 370.0), *leaving])
    return made


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    path = tmp_path_factory.mktemp("weights") / "syncnet_v2.model"
    # as the published file is: without counts of batches
    torch.save(published_state(), path, _use_new_zipfile_serialization=False)
    return path


@pytest.fixture(scope="module")
def net(file):
    return SyncNet.load(file)


def test_loads_the_published_layout_strictly(net, tmp_path):
    state = published_state()
    # of the 54,573,114 bytes of syncnet_v2.model
    assert sum(tensor.numel() for tensor in state.values()) * 4 == 54_561_024
    assert sum(p.numel() for p in net.parameters()) == sum(
        t.numel() for name, t in state.items() if "running" not in name
    )
    less = {name: tensor for name, tensor in state.items() if name != "netfclip.3.bias"}
    more = {**state, "netfclip.4.weight": torch.zeros(1)}
    shape = {**state, "netcnnlip.0.weight": torch.zeros(96, 3, 4, 7, 7)}
    unknown = {**state, "other.0.weight": torch.zeros(1)}
    for wrong, said in (
        (less, r"sight_head\.3\.bias"),
        (more, r"sight_head\.4"),
        (shape, r"sight\.0\.weight"),
        (unknown, r"other\.0"),
    ):
        torch.save(wrong, tmp_path / "wrong.model")
        with pytest.raises(RuntimeError, match=said):
            SyncNet.load(tmp_path / "wrong.model")


def test_what_is_seen_and_heard_are_the_published_numbers(net):
    device = next(net.parameters()).device
    pictures = torch.from_numpy(np.stack(moving(30))).permute(0, 3, 1, 2).float().to(device)
    with torch.inference_mode():
        seen, heard = net.see(pictures[[0, 1, 2, 3, 4]]), net.hear(mfcc_windows(rising_tone(1.4), 25).to(device))
    assert seen.shape == (1, 1024)
    assert seen[0, [0, 511, 1023]].tolist() == pytest.approx([16.181578, -10.789313, 0.161245], abs=1e-4)
    assert heard.shape == (25, 1024)
    assert heard[13, [0, 511, 1023]].tolist() == pytest.approx([-8.775339, -2.294491, 3.463548], abs=1e-4)
    assert heard[24, [0, 511, 1023]].tolist() == pytest.approx([-14.733372, -7.364145, 0.372601], abs=1e-4)


def test_distances_confidence_and_offset_are_the_published_numbers(net):
    found = compare(net, moving(30), rising_tone(1.4))
    assert found.distances.shape == (25, 31)  # 30 frames of sound and picture: five fewer windows
    assert found.distances[3, [0, 15, 30]] == pytest.approx([169.8874, 349.7740, 374.8558], abs=2e-3)
    assert found.distances.mean(axis=0)[[0, 7, 15, 22, 30]] == pytest.approx(
        [253.798, 301.9774, 365.2178, 320.8833, 270.8785], abs=2e-3
    )
    assert found[:3] == pytest.approx((253.7980, 55.9377, 15), abs=2e-3)


@pytest.mark.parametrize("early", [-9, 0, 3, 15])
def test_offset_is_above_zero_where_the_sound_is_early(early):
    seen = torch.from_numpy(np.random.default_rng(1).normal(size=(200, 1024)).astype(np.float32))
    found = measured(distances(seen, torch.roll(seen, -early, 0)).numpy())
    assert found.offset_frames == early
    assert found.confidence > 10
    assert found.distance < 5


def test_zeros_lie_beyond_both_ends():
    apart = distances(torch.full((4, 1024), 3.0), torch.full((4, 1024), 3.0))
    assert apart[0, :15] == pytest.approx(3 * 32, abs=1e-3)  # |3, 3, ...| against zeros, over 1024 numbers
    assert apart[0, 15:19] == pytest.approx(0, abs=1e-3)
    assert apart[3, 16:] == pytest.approx(96, abs=1e-3)


def test_looking_in_parts_leaves_no_seams(net):
    whole = compare(net, moving(30), rising_tone(1.4)).distances  # in parts of 20 windows
    later = compare(net, moving(30)[9:], rising_tone(1.4)[9 * 640 :]).distances  # where the parts fall elsewhere
    assert len(later) == 16
    assert whole[10:, 15] == pytest.approx(later[1:, 15], abs=2e-3)  # the first sample has none before it


@pytest.mark.parametrize(
    ("pictures", "samples", "reason"),
    [
        (5, rising_tone(1.0), "too_short"),
        (30, rising_tone(0.2), "too_short"),
        (0, rising_tone(1.0), "too_short"),
        (30, np.zeros(0, np.float32), "no_sound"),
        (30, np.full(16000, 1e-5, np.float32), "silent_audio"),
    ],
)
def test_refuses(net, pictures, samples, reason):
    with pytest.raises(Drop) as refused:
        compare(net, moving(pictures), samples)
    assert refused.value.reason == reason


def test_six_frames_are_one_window(net):
    assert compare(net, moving(6), rising_tone(1.0)).distances.shape == (1, 31)


def test_tracks_are_the_published_ones():
    tracks = link_faces(boxes())
    assert [(track.sights, len(track.frames), track.judged) for track in tracks] == [
        (120, 130, True), (130, 130, False), (60, 60, False), (60, 60, False),
    ]  # fmt: skip
    face = tracks[0]
    assert face.boxes[0] == pytest.approx([200, 122, 330, 272])
    assert face.boxes[45] == pytest.approx([232.384926, 120.198135, 363.013504, 270.198135])  # between two sights
    assert face.boxes.sum() == pytest.approx(131389.26195, abs=1e-4)


def test_a_face_missed_for_26_frames_is_another_one():
    box = (0.0, 0.0, 150.0, 150.0)
    for missed, tracks in ((24, 1), (25, 2)):
        assert len(link_faces([[box]] * 110 + [[]] * missed + [[box]] * 110)) == tracks


def test_a_hundred_sights_and_a_hundred_pixels_are_not_enough():
    for sights, side, judged in ((101, 101, True), (100, 101, False), (101, 100, False)):
        assert link_faces([[(0, 0, side, 60)]] * sights)[0].judged is judged


def test_squares_are_the_published_ones():
    squares = steady_squares(link_faces(boxes())[0].boxes)
    assert squares[0] == pytest.approx([265.0, 194.167706, 75.0])  # beyond the end lie zeros
    assert squares[60] == pytest.approx([305.851250, 195.816164, 75.0])
    assert squares[129] == pytest.approx([348.159669, 193.025321, 75.0])


def test_crops_are_the_published_ones():
    squares, pictures = steady_squares(link_faces(boxes())[0].boxes), moving(130, (480, 400))
    for k, total, near in (
        (0, 19494407, [169, 128, 24]),
        (60, 17605544, [253, 53, 200]),
        (129, 15205736, [129, 2, 200]),
    ):
        crop = face_crop(pictures[k], squares[k])
        assert crop.shape == (224, 224, 3)
        assert int(crop.astype(np.int64).sum()) == pytest.approx(total, rel=1e-5)
        assert crop[10, 10] == pytest.approx(near, abs=1)


def test_beyond_the_picture_lies_grey():
    crop = face_crop(np.zeros((100, 100, 3), np.uint8), (0.0, 0.0, 40.0))
    assert (crop[:, :90] == 110).all()
    assert (crop[110:, 130:] == 0).all()


def test_jpeg_loses_as_much_as_the_ffmpeg_command():
    noise = np.random.default_rng(0).integers(0, 256, (30, 256, 256, 3), np.uint8)

    def coarseness(qscale: int | None) -> list[int]:
        return [Image.open(io.BytesIO(file)).quantization[0][1] for file in jpeg_files(noise, qscale)]  # pyright: ignore[reportAttributeAccessIssue]

    # Second entry of the luma table in files that ffmpeg 9.0.2 wrote with `-qscale:v 2`, `-qscale:v 10`, and without.
    assert set(coarseness(2)) == {4}
    assert set(coarseness(10)) == {20}
    assert coarseness(None)[:12] == pytest.approx([10, 6, 4, 6, 10, 16, 20, 26, 32, 38, 44, 50], abs=2)
    assert coarseness(None)[-1] == 50


def test_lrs_squeezes_the_whole_picture():
    made = list(lrs_pictures(moving(3, (480, 300))))
    assert [one.shape for one in made] == [(224, 224, 3)] * 3
    assert made[0].mean(axis=(0, 1)) == pytest.approx(moving(1, (480, 300))[0].mean(axis=(0, 1)), abs=3)


def test_tracked_pictures_are_the_face_alone(net):
    pictures = [np.full((300, 400, 3), 40, np.uint8) for _ in range(110)]
    for picture in pictures:
        picture[80:220, 100:220] = (30, 90, 200)
    track = link_faces([[(100.0, 80.0, 220.0, 220.0)]] * 110)[0]
    made = list(tracked_pictures(list(jpeg_files(pictures, 2)), track))
    assert len(made) == 110
    assert made[50][62, 112].astype(int) == pytest.approx([30, 90, 200], abs=20)  # the box is in the upper middle
    assert made[50][200, 112].astype(int) == pytest.approx([40, 40, 40], abs=20)
    assert compare(net, iter(made[:12]), rising_tone(4.4)).distances.shape == (7, 31)


def test_jpeg_comes_back_as_it_went():
    picture = np.full((64, 48, 3), (200, 30, 90), np.uint8)
    assert from_jpeg(next(jpeg_files([picture], 2))) == pytest.approx(
        np.broadcast_to([200, 30, 90], (64, 48, 3)), abs=3
    )
