"""The README's first run: the sample and the corpus that `talking_head` makes of it, once for all tests that use it."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


def typed(folder: Path, *command: str, ends: int = 0) -> str:
    """What `python -m COMMAND` prints, run in a folder as a person types it there."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "120"}
    made = subprocess.run(
        [sys.executable, "-m", *command], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    said = f"{' '.join(command)}: {made.stdout[-2000:]}{made.stderr[-2000:]}"
    assert made.returncode == ends, said
    assert "Traceback" not in made.stderr, said
    return made.stdout + (made.stderr if ends else "")


@pytest.fixture(scope="session")
def made_demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("demo")
    typed(folder, "pipeline.demo", "videos")
    typed(folder, "pipeline", "run", "talking_head", "videos", "--out", "corpus", "--cpus", "2")
    return folder


@pytest.fixture
def demo(made_demo: Path, tmp_path: Path) -> Path:
    """A folder with `videos` and `corpus`, of the test's own."""
    shutil.copytree(made_demo / "corpus", tmp_path / "corpus")
    (tmp_path / "videos").symlink_to(made_demo / "videos")
    return tmp_path
