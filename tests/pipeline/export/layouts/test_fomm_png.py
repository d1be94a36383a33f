"""The VoxCeleb layout as pictures, read back, and broken in the ways the loader would choke on."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pipeline.export.clip import ExportClip
from tests.pipeline.export.layouts.conftest import all_exported, problem


@pytest.fixture
def made(clips: list[ExportClip], tmp_path: Path) -> Path:
    return all_exported("fomm_png", clips, tmp_path)


def test_a_folder_is_called_mp4_and_holds_every_frame(made: Path, clips: list[ExportClip]) -> None:
    clip = clips[1]
    folder = made / clip.split / f"{clip.vox_name()}.mp4"
    assert sorted(path.name for path in folder.iterdir()) == [f"{n:07d}.png" for n in range(40)]
    for number, picture in enumerate(clip.pictures(256)):
        assert (np.asarray(Image.open(folder / f"{number:07d}.png")) == picture).all()


def test_what_the_loader_would_choke_on_is_told(made: Path) -> None:
    first, *_ = sorted((made / "train").iterdir())
    Image.new("L", (256, 256)).save(first / "0000003.png")
    Image.new("RGB", (512, 256)).save(first / "0000004.png")
    (first / "0000005.png").write_bytes(b"no picture")
    told = problem("fomm_png", made)
    for line in ("0000003.png: is L, not RGB", "0000004.png: is 512x256, not 256x256", "0000005.png: does not decode"):
        assert f"{first.name}/{line}" in told
    (first / "0000002.png").unlink()
    assert "0000003.png: is where 0000002.png should be" in problem("fomm_png", made)
    for path in first.iterdir():
        path.unlink()
    assert "has 0 frames, 2 are needed" in problem("fomm_png", made)
    first.rename(first.with_suffix(".avi"))
    assert "is no folder named person#video#start#end.mp4" in problem("fomm_png", made)
