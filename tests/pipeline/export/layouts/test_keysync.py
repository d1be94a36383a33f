"""KeySync's files, read back, and each trap of its loader made on purpose."""

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from pipeline.export.checks import video_facts, wav_facts
from pipeline.export.clip import ExportClip
from pipeline.export.export import export
from pipeline.export.files import write_mp4, write_wav
from pipeline.export.layout import Given, Refused
from pipeline.export.layouts.keysync import beside
from tests.pipeline.export.layouts.conftest import problem

A = "a-000000-006880-t0"


def latents(path: Path, frames: int = 172, side: int = 64) -> None:
    save_file({"latents": np.zeros((frames, 4, side, side), np.float16)}, path)


def sound(path: Path, frames: int = 172, key: str = "audio") -> None:
    save_file({key: np.zeros((frames, 2, 16), np.float32)}, path)


@pytest.fixture(scope="module")
def given(tmp_path_factory: pytest.TempPathFactory) -> Given:
    root = tmp_path_factory.mktemp("features")
    latents(root / f"{A}_video_512_latent.safetensors")
    sound(root / f"{A}_hubert_emb.safetensors")
    return Given({"latents": root, "audio_emb": root})


@pytest.fixture(scope="module")
def made(talks: list[ExportClip], given: Given, tmp_path_factory: pytest.TempPathFactory) -> Path:
    to = tmp_path_factory.mktemp("keysync")
    assert len(list(export("keysync", talks[:1], to, given))) == 1
    assert problem("keysync", to) == ""
    return to


@pytest.fixture
def broken(made: Path, tmp_path: Path) -> Path:
    return moved(made, tmp_path / "broken")


def moved(made: Path, to: Path) -> Path:
    """The list names absolute paths, so they are brought along."""
    shutil.copytree(made, to)
    path = to / "filelist.txt"
    path.write_text(path.read_text().replace(str(made.resolve()), str(to.resolve())))
    return to


def test_all_that_belongs_to_a_video_lies_where_the_loader_looks(made: Path, talks: list[ExportClip]) -> None:
    (video,) = (made / "filelist.txt").read_text().splitlines()
    assert video_facts(Path(video)) == (172, 512, 512, 25.0)
    assert wav_facts(Path(beside(video, "audio", ".wav"))) == (16000, 172 * 640)
    assert Path(beside(video, "video_crop_emb", "_video_512_latent.safetensors")).is_file()
    assert beside(video, "audio_emb", "_hubert_emb.safetensors") == str(
        made.resolve() / f"audio_emb/{A}_hubert_emb.safetensors"
    )
    marks = np.load(beside(video, "landmarks_crop", ".npy"))
    assert np.allclose(marks, talks[0].faces(25).landmarks_68 * 2)


def test_features_must_be_there_and_fit(talks: list[ExportClip], given: Given, tmp_path: Path) -> None:
    latents(tmp_path / f"{A}_video_512_latent.safetensors", frames=171)
    sound(tmp_path / f"{A}_hubert_emb.safetensors")
    other = Given({need: tmp_path for need in given.folders})
    outcomes = [*export("keysync", talks, tmp_path / "to", other)]
    assert [(one.reason, one.detail) for one in outcomes if isinstance(one, Refused)] == [
        ("latents_differs", f"{A}_video_512_latent.safetensors has the shape (171, 4, 64, 64), not (172, 4, 64, 64)"),
        ("latents_missing", "b-000000-006880-t0_video_512_latent.safetensors"),
    ]
    (outcome,) = export("keysync", [replace(talks[0], frames=170)], tmp_path / "short", given)
    assert isinstance(outcome, Refused)
    assert (outcome.reason, outcome.detail) == ("too_short", "170 frames, 171 are needed")


@pytest.mark.parametrize(
    ("place", "told"),
    [
        ("set.v2", "its path holds a dot, at which the loader cuts it"),
        ("my_video_crop", "its path holds 'video_crop' 2 times, and the loader replaces each"),
        ("audio_sets", "its path holds 'audio', which the loader replaces by 'audio_emb'"),
        ("AA_processed", "its path holds 'AA_processed', and the loader takes it for video of 60 frames a second"),
        ("1000actors_nsv", "its path holds '1000actors_nsv', and the loader takes it for video of 60"),
    ],
)
def test_words_in_a_path_are_told(made: Path, tmp_path: Path, place: str, told: str) -> None:
    assert told in problem("keysync", moved(made, tmp_path / place))


def video(frames: int, size: int = 512, fps: float = 25) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        write_mp4(folder / f"video_crop/{A}.mp4", [np.zeros((size, size, 3), np.uint8)] * frames, fps)

    return change


def marks(*shape: int) -> Callable[[Path], None]:
    return lambda folder: np.save(folder / f"landmarks_crop/{A}.npy", np.zeros(shape))


def vae(*sizes: int) -> Callable[[Path], None]:
    return lambda folder: latents(folder / f"video_crop_emb/{A}_video_512_latent.safetensors", *sizes)


def hubert(frames: int, key: str = "audio") -> Callable[[Path], None]:
    return lambda folder: sound(folder / f"audio_emb/{A}_hubert_emb.safetensors", frames, key)


def wav(count: int, hz: int) -> Callable[[Path], None]:
    return lambda folder: write_wav(folder / f"audio/{A}.wav", np.zeros(count, np.float32), hz)


def gone(name: str) -> Callable[[Path], None]:
    return lambda folder: (folder / name).unlink()


@pytest.mark.parametrize(
    ("breaks", "told"),
    [
        (video(170), "has 170 frames, 171 are needed"),
        (video(172, size=256), "is 256x256 at 25 frames a second, not 512x512 at 25"),
        (video(172, fps=30), "is 512x512 at 30 frames a second"),
        (marks(171, 68, 2), "has the shape (171, 68, 2)"),
        (marks(172, 478, 2), "has the shape (172, 478, 2)"),
        (vae(171), "its latents has the shape (171"),
        (vae(172, 32), "its latents has the shape (172, 4, 32, 32)"),
        (hubert(171), "its audio_emb has the shape (171, 2, 16)"),
        (hubert(172, "x"), "its audio_emb holds no tensor audio"),
        (gone(f"audio_emb/{A}_hubert_emb.safetensors"), "its audio_emb holds no tensor audio"),
        (wav(16000, 16000), "its wav takes 1.000 s at 16000 Hz"),
        (wav(344000, 44100), "at 44100 Hz"),
        (gone("filelist.txt"), "filelist.txt: missing"),
    ],
)
def test_traps_are_told(broken: Path, breaks: Callable[[Path], None], told: str) -> None:
    breaks(broken)
    assert told in problem("keysync", broken)


def test_a_cut_off_file_is_told(broken: Path) -> None:
    path = broken / f"video_crop_emb/{A}_video_512_latent.safetensors"
    path.write_bytes(path.read_bytes()[:-10])
    assert "its latents is cut off" in problem("keysync", broken)
