"""Audio-driven-TalkingFace-HeadPose's files, read back, and broken in the ways its scripts would choke on."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from scipy.io import loadmat

from pipeline.export.checks import video_facts
from pipeline.export.clip import ExportClip
from pipeline.export.corpus_clips import clips_of
from pipeline.export.layout import Given
from pipeline.export.layouts.headpose import five_points, float_mfcc
from tests.pipeline.export.layouts.conftest import exported, made_corpus, problem

SUBSTITUTED = Given(substitutes=frozenset({"coeff_3dmm"}))
MAT = "Deep3DFaceReconstruction/output/coeff/19_news/2"


@pytest.fixture(scope="module")
def long(tmp_path_factory: pytest.TempPathFactory) -> list[ExportClip]:
    return clips_of(made_corpus(tmp_path_factory.mktemp("long"), {"a": [("collins", 1.0)], "b": [("hopper", 16.2)]}))


@pytest.fixture(scope="module")
def made(long: list[ExportClip], tmp_path_factory: pytest.TempPathFactory) -> Path:
    to = tmp_path_factory.mktemp("headpose")
    written, refused = exported("headpose", long, to, SUBSTITUTED)
    assert [(one.clip_id[0], one.note["name"]) for one in written] == [("b", "2")]
    assert [(one.clip_id[0], one.reason) for one in refused] == [("a", "too_short")]
    return to


@pytest.mark.slow
def test_the_scripts_find_400_frames_with_points_and_coefficients(made: Path, long: list[ExportClip]) -> None:
    assert video_facts(made / "Data/2.mp4") == (405, 256, 256, 25.0)
    assert {path.name for path in (made / "Data/2").iterdir()} == {
        f"frame{n}.{suffix}" for n in range(400) for suffix in ("png", "txt")
    }
    points = np.loadtxt(made / "Data/2/frame10.txt", dtype=int)
    assert (points == five_points(long[1].faces().landmarks_68)[10]).all()
    assert points[0, 0] < points[2, 0] < points[1, 0], "the nose is between the eyes"
    assert loadmat(str(made / MAT / "frame399.mat"))["coeff"].shape == (1, 257)
    rows = np.load(made / "Audio/dataset/mfcc/19_news/2.npy")
    assert rows.shape[0] // 4 - 6 >= 404, "a window of 28 rows for all frames but the last"


@pytest.mark.slow
def test_what_the_scripts_would_choke_on_is_told(made: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(made, tmp_path / "broken")
    (folder / MAT / "frame7.mat").unlink()
    (folder / MAT / "frame350.mat").unlink()
    (folder / "Data/2/frame8.txt").write_text("1.5 2\n" * 5)
    (folder / "Data/2/frame9.png").write_bytes(b"no picture")
    np.save(folder / "Audio/dataset/mfcc/19_news/2.npy", np.ones((1000, 13)))
    told = problem("headpose", folder)
    for line in (
        "frame7.mat: does not read",
        "frame8.txt: holds no five lines",
        "frame9.png: does not decode",
        "has the shape (1000, 13)",
    ):
        assert line in told
    assert "frame350" not in told, "the coefficients of 300 frames are read"
    (folder / "Data/2.mp4").rename(folder / "Data/someone.mp4")
    assert "is not called by a whole number" in problem("headpose", folder)


def test_the_five_points_are_eyes_nose_base_and_corners_of_the_mouth() -> None:
    """Of 68 points that each lie at ten times their number, and 1000 lower."""
    numbers = np.arange(68.0)
    points = five_points(np.column_stack([10 * numbers, 1000 + 10 * numbers])[None])
    assert points.tolist() == [[[385, 1385], [445, 1445], [330, 1330], [480, 1480], [540, 1540]]]


def test_there_is_silence_before_the_sound_and_as_much_behind_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """0.12 s each, of a clip whose 12 frames the scripts are told to make do with."""
    for name, count in (("FRAMES", 12), ("_TRAINED", 12), ("_ROWS", 4 * 12)):
        monkeypatch.setattr(f"pipeline.export.layouts.headpose.{name}", count)
    clips = clips_of(made_corpus(tmp_path, {"a": [("collins", 0.6)]}))
    [one], refused = exported("headpose", clips, tmp_path / "made", SUBSTITUTED)
    assert not refused
    rows = np.load(tmp_path / f"made/Audio/dataset/mfcc/19_news/{one.note['name']}.npy")
    silent = np.log(np.finfo(float).eps)
    assert len(rows) == (0.6 + 2 * 0.12) * 100 - 1
    for side in (rows, rows[::-1]):
        assert side[:10, 0] == pytest.approx(silent)
        assert side[13, 0] > silent + 5


def test_the_energy_is_that_of_sound_from_minus_one_to_one() -> None:
    samples = np.random.default_rng(0).normal(0, 0.1, 16000).astype(np.float32)
    signal = np.append(samples[:1], samples[1:] - 0.97 * samples[:-1])[160 * 10 : 160 * 10 + 400].astype(float)
    energy = np.log((np.abs(np.fft.rfft(signal, 512)) ** 2 / 512).sum())
    assert float_mfcc(samples)[10, 0] == pytest.approx(energy, abs=1e-3)
    assert float_mfcc(np.zeros(16000, np.float32))[10, 0] == pytest.approx(np.log(np.finfo(float).eps))
