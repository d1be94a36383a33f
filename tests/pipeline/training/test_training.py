"""A training loop over clips whose frames tell their own numbers: one order for all workers and ranks, gone on from in
mid-epoch.
"""

from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import headset
from manifests.errors import NotFound, UsageError
from manifests.manifest import Manifest
from manifests.media import MediaStore
from manifests.tables import FaceLandmarks, Render, Row
from operators.media.encoding import Encoder
from operators.models.face_geometry import MODEL, POINTS, in_units, packed_landmarks
from pipeline.query.selection import select
from pipeline.release.release import release
from pipeline.training.clip_files import CorpusFiles
from tests.pipeline.made_corpus import clip, corpus_of, score, source, track

CLIPS, FRAMES = 7, 50
STEP = 4  # levels of grey from a frame to the next


def film(path: Path, clip_number: int) -> Path:
    """Frame k has the level 20 + `STEP` k, and the sound is as loud as the clip's number says; 64 x 64, 25 frames a
    second.
    """
    pictures = [np.full((64, 64, 3), 20 + STEP * k, np.uint8) for k in range(FRAMES)]
    tone = (0.1 * (clip_number + 1) * np.sin(2 * np.pi * 500 * np.arange(2 * 48000) / 48000)).astype(np.float32)
    Encoder(crf=4).write(path, pictures, tone, width=64, height=64, fps=Fraction(25))
    return path


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("training")
    rows: list[Row] = [source("late"), clip("late")]  # not rendered
    for number in range(CLIPS):
        one = clip(f"s{number}", 2.0, 4.0)
        path = film(folder / "made.mp4", number)
        size = path.stat().st_size
        place, sha256 = MediaStore(str(folder / "corpus")).put(path, ".mp4")
        rows += [
            source(one.source_id),
            one,
            track(one.source_id),
            score(one, "dnsmos_ovrl", float(number)),
            Render(
                one.source_id,
                f"{one.clip_id}@recording",
                one.clip_id,
                "recording",
                place,
                sha256,
                f"{number}",
                size,
                64,
                64,
                25.0,
                FRAMES,
                2.0,
                "made",
            ),
        ]
    return corpus_of(folder / "corpus", rows).root


def seen(loader: headset.ClipLoader, most: int | None = None) -> list[tuple[str, int]]:
    """Clips and first frames in the order given, of some batches or of all."""
    found = []
    for number, batch in enumerate(loader):
        found += [(row["clip_id"], first) for row, first in zip(batch["row"], batch["first_frame"], strict=True)]
        if most is not None and number + 1 == most:
            break
    return found


def test_an_item_is_what_its_row_says(root: str) -> None:
    data = headset.ClipDataset.of(root, wants=("video", "sound", "boxes"), frames=10, columns=["dnsmos_ovrl"], seed=3)
    assert len(data) == CLIPS
    for number in range(CLIPS):
        item = data[2, number]
        assert (item["video"].shape, item["video"].dtype) == ((10, 3, 64, 64), torch.uint8)
        levels = item["video"].float().mean((1, 2, 3))
        assert levels.tolist() == pytest.approx([20 + STEP * (item["first_frame"] + k) for k in range(10)], abs=2)
        loud = item["sound"].square().mean().sqrt().item() * 2**0.5
        assert (item["sound"].shape, loud) == ((6400,), pytest.approx(0.1 * (number + 1), rel=0.2))
        assert item["row"] == {"clip_id": f"s{number}/002000-004000/t0", "dnsmos_ovrl": float(number)}
        assert item["boxes"][0].tolist() == pytest.approx(
            [0, 8, 48, 56]
        )  # 0,50 to 300,350 of a crop of 400 pixels, at 64
    bare = headset.ClipDataset.of(root, wants=("landmarks", "words"), frames=2)[0]  # of tables that nobody wrote
    assert (bare["landmarks"].shape, bare["words"]) == ((2, POINTS, 3), [])
    assert bare["landmarks"].isnan().all()
    small = headset.ClipDataset.of(root, wants=("video", "boxes"), frames=1, size=(32, 16))[0]
    assert small["video"].shape == (1, 3, 32, 16)
    assert small["boxes"][0].tolist() == pytest.approx([0, 4, 12, 28])
    assert headset.ClipDataset.of(root)[0]["video"].shape[0] == FRAMES


def test_landmarks_are_where_the_video_shows_them(root: str) -> None:
    points = np.zeros((3, POINTS, 3))
    points[1, :, :2] = 0.25  # of the square, from its top left
    points[2, :, :2] = 0.75
    face = FaceLandmarks(
        "s0",
        "m",
        "s0/x",
        MODEL,
        25.0,
        [2.0, 2.4, 2.8],
        [False, True, True],
        [100.0] * 3,
        [100.0] * 3,
        [200.0] * 3,
        packed_landmarks(in_units(points)),
        b"",
        *[[0.0] * 3 for _ in range(6)],
    )
    row = {**headset.ClipDataset.of(root).files.rows[0], "width": 64, "height": 64}

    class Files(CorpusFiles):
        def _rows(self, table: type[Any], row: Any, column: str, wanted: str) -> list[Any]:
            return [face]

    found = Files(root, [row], {}).found(0, np.array([2.1, 2.4, 2.6]), ["landmarks"])["landmarks"]
    assert np.isnan(found[0]).all()
    assert found[1, 0, :2] == pytest.approx(150 * 64 / 400, abs=0.01)  # 100 + 0.25 * 200 pixels of the source
    assert found[2, 0, :2] == pytest.approx(200 * 64 / 400, abs=0.01)  # halfway between two looks


@pytest.mark.parametrize("workers", [0, 2, 4])
def test_the_order_is_that_of_the_seed(root: str, workers: int) -> None:
    data = headset.ClipDataset.of(root, wants=("video",), frames=4)
    loader = headset.ClipLoader(data, batch=2, workers=workers, seed=5)
    first, second = seen(loader), seen(loader)
    alone = headset.ClipLoader(data, batch=3, seed=5)
    assert first == seen(alone)
    assert sorted(clip for clip, _ in first) == [f"s{number}/002000-004000/t0" for number in range(CLIPS)]
    assert second == seen(alone)
    assert second != first
    assert seen(headset.ClipLoader(data, seed=6)) != first


@pytest.mark.parametrize(("before", "after"), [(0, 2), (2, 0), (2, 2)])
def test_it_goes_on_in_mid_epoch(root: str, before: int, after: int) -> None:
    data = headset.ClipDataset.of(root, wants=("video",), frames=4)
    whole = headset.ClipLoader(data, batch=2, seed=5)
    wanted = seen(whole) + seen(whole)
    stopped = headset.ClipLoader(data, batch=2, workers=before, seed=5)
    given = seen(stopped, most=2)
    again = headset.ClipLoader(data, batch=2, workers=after)
    # What the loop had was two batches, though workers ran ahead; the state is taken before the third.
    again.load_state_dict(stopped.state_dict())
    assert len(again) == 2
    assert given + seen(again) + seen(again) == wanted


def test_ranks_share_an_epoch_and_stay_in_step(root: str) -> None:
    data = headset.ClipDataset.of(root, wants=("video",), frames=4)
    alone = seen(headset.ClipLoader(data, seed=1))
    ranks = [headset.ClipLoader(data, seed=1, rank=rank, ranks=3) for rank in range(3)]
    parts = [seen(one) for one in ranks]
    assert [len(part) for part in parts] == [2, 2, 2]
    assert [parts[place % 3][place // 3] for place in range(6)] == alone[:6]
    one = headset.ClipLoader(data, seed=1, rank=0, ranks=3)
    seen(one, most=1)
    two = headset.ClipLoader(data)  # another number of ranks goes on from there
    two.load_state_dict(one.state_dict())
    assert seen(two) == alone[3:]
    with pytest.raises(ValueError, match="rank 3 of 3"):
        headset.ClipOrder(7, rank=3, ranks=3)


@pytest.mark.parametrize("form", ["webdataset", "parquet", "folder"])
def test_a_release_gives_the_same_clips(root: str, tmp_path: Path, form: str) -> None:
    release(Manifest(root), str(tmp_path / "out"), form, f"r-{form}", shard_bytes=20_000)
    options: dict[str, Any] = {"wants": ("video", "sound"), "frames": 8, "seed": 2, "columns": ("dnsmos_ovrl",)}
    ours, released = headset.ClipDataset.of(root, **options), headset.ClipDataset.of(str(tmp_path / "out"), **options)
    assert len(released) == CLIPS
    for number in range(CLIPS):
        one, other = ours[0, number], released[0, number]
        assert one["row"] == other["row"]
        assert torch.equal(one["video"], other["video"])
        assert torch.equal(one["sound"], other["sound"])
    with pytest.raises(UsageError, match="a release holds no boxes"):  # before a loader's worker begins
        headset.ClipDataset.of(str(tmp_path / "out"), wants=("video", "boxes"))
    with pytest.raises(UsageError, match="what is in it was chosen when it was made"):
        headset.ClipDataset.of(str(tmp_path / "out"), where="dnsmos_ovrl > 3")


def test_clips_are_chosen(root: str, tmp_path: Path) -> None:
    select(Manifest(root), "dnsmos_ovrl >= 4", "good")
    for data in (
        headset.ClipDataset.of(root, chosen="good"),
        headset.ClipDataset.of(root, where="dnsmos_ovrl >= 4"),
        headset.open(root).clips.where("dnsmos_ovrl >= 4").dataset(),
    ):
        assert [row["source_id"] for row in data.files.rows] == ["s4", "s5", "s6"]
    state = headset.ClipLoader(headset.ClipDataset.of(root)).state_dict()
    with pytest.raises(UsageError, match="state is of 7 clips, and there are 3"):
        headset.ClipLoader(headset.ClipDataset.of(root, chosen="good")).load_state_dict(state)
    with pytest.raises(UsageError, match="7 clips have fewer than 51 frames"):
        headset.ClipDataset.of(root, frames=51)
    with pytest.raises(UsageError, match="nobody knows smell"):
        headset.ClipDataset.of(root, wants=("smell",))
    with pytest.raises(UsageError, match="give the condition"):
        headset.open(root).clips.head(3).dataset()
    with pytest.raises(NotFound, match="neither a corpus nor a finished release"):
        headset.ClipDataset.of(str(tmp_path))


def test_headset_does_not_import_torch() -> None:
    import subprocess
    import sys

    told = subprocess.run(
        [sys.executable, "-c", "import headset, sys; print('torch' in sys.modules)"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert told.stdout == "False\n"
