"""Workers end with the run they belong to, whatever they are doing."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from tests.made_videos import write_video

ROOT = Path(__file__).parents[3]
MARK = "HEADSET_TEST_RUN"
WITHIN_S = 15.0

BUSY = """import ctypes
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from manifests.tables import Score, Source
from operators.base import Operator
from pipeline.recipe import Recipe, Stage


@dataclass(frozen=True)
class KeepBusy(Operator):
    def __call__(self, source: Source) -> Iterator[Score]:
        Path(os.environ["BUSY_LOG"], f"{os.getpid()}").write_text(source.source_id)
        if os.environ["BUSY_HOW"] == "native":  # which keeps Python's lock, so that no other thread of the process runs
            ctypes.PyDLL(None).sleep(600)
        elif os.environ["BUSY_HOW"] == "computing":
            sum(range(10**13))
        else:
            time.sleep(600)
        yield Score(source.source_id, f"{source.source_id}#n", source.source_id, "n", "n", 1.0)


RECIPE = Recipe("busy", "a worker that does not listen", (Stage(KeepBusy()),))
"""


def alive(mark: str) -> list[psutil.Process]:
    """The processes that a run started, by a variable of their environment."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.environ().get(MARK) == mark and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
        except psutil.Error:
            continue
    return found


@pytest.mark.slow
@pytest.mark.parametrize("how", ["native", "computing", "sleeping"])
def test_nothing_is_left_of_a_killed_run(tmp_path: Path, how: str) -> None:
    film = write_video(tmp_path / "film.mp4", [("red", 0.4)], size=(64, 64))
    (tmp_path / "recipe.py").write_text(BUSY)
    (tmp_path / "log").mkdir()
    running = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "pipeline",
            "run",
            str(tmp_path / "recipe.py"),
            str(film),
            "--out",
            str(tmp_path / "corpus"),
            "--cpus",
            "1",
        ],
        cwd=ROOT,
        env={
            **os.environ,
            "PYTHONPATH": str(ROOT),
            MARK: str(tmp_path),
            "BUSY_LOG": str(tmp_path / "log"),
            "BUSY_HOW": how,
        },
        start_new_session=True,
    )
    try:
        deadline = time.monotonic() + 120
        while not list((tmp_path / "log").iterdir()):
            assert time.monotonic() < deadline
            assert running.poll() is None
            time.sleep(0.1)
        worker = int(next((tmp_path / "log").iterdir()).name)
        assert worker in {process.pid for process in alive(str(tmp_path))}
        os.killpg(running.pid, signal.SIGKILL)
        running.wait()
        deadline = time.monotonic() + WITHIN_S
        while left := alive(str(tmp_path)):
            assert time.monotonic() < deadline, [(process.pid, process.cmdline()[:3]) for process in left]
            time.sleep(0.2)
    finally:
        for process in alive(str(tmp_path)):
            process.kill()
