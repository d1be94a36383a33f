"""LIA's folders, read back, and broken in the ways its loader would choke on."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pipeline.export.clip import ExportClip
from tests.pipeline.export.layouts.conftest import all_exported, problem


@pytest.fixture
def made(clips: list[ExportClip], tmp_path: Path) -> Path:
    return all_exported("lia", clips, tmp_path)


def test_each_video_is_a_folder_of_its_frames(made: Path, clips: list[ExportClip]) -> None:
    clip = next(clip for clip in clips if clip.split == "test")
    folder = made / "datasets/vox/test" / clip.vox_name()
    assert sorted(path.name for path in folder.iterdir()) == [f"{n:07d}.png" for n in range(40)]
    assert (np.asarray(Image.open(folder / "0000007.png")) == list(clip.pictures(256))[7]).all()


def test_what_the_loader_would_choke_on_is_told(made: Path) -> None:
    first, *_ = sorted((made / "datasets/vox/test").iterdir())
    (first / "0000005.png").write_bytes(b"no picture")
    assert "0000005.png: does not decode" in problem("lia", made)
    (made / "datasets/vox/test/notes.txt").write_text("")
    assert "datasets/vox/test/notes.txt: is no folder of frames" in problem("lia", made)
    shutil.rmtree(made / "datasets/vox/test")
    assert "holds no video" in problem("lia", made)
