"""A run in a terminal: what a pipe or CI never shows."""

import os
import pty
import signal
import sys
import threading
import time
from pathlib import Path

import numpy as np

from tests.made_videos import write_video

ROOT = Path(__file__).parents[3]
LIMIT_S = 150  # a run of one second of video takes about 20 on an idle machine, and stops for ever where it stops

# What `ffmpeg -v quiet` does at its start where standard input is a terminal: it sets the terminal's modes.
FFMPEG = """#!{python}
import sys, termios
if sys.stdin.isatty():
    termios.tcsetattr(0, termios.TCSANOW, termios.tcgetattr(0))
"""

RECIPE = """from operators.shots.detect_shots import DetectShots
from operators.sources.probe_source import ProbeSource
from pipeline.recipe import Recipe, Stage

RECIPE = Recipe("first_stages", "sources and their shots", (Stage(ProbeSource()), Stage(DetectShots())))
"""


def in_a_terminal(command: list[str], environment: dict[str, str], limit_s: float) -> tuple[int, str]:
    """The exit status and the text of a command whose standard streams are a terminal of its own; killed with all its
    group at the limit.
    """
    pid, terminal = pty.fork()
    if pid == 0:
        os.execve(command[0], command, environment)
    killer = threading.Timer(limit_s, os.killpg, (pid, signal.SIGKILL))
    killer.start()
    told = b""
    while True:
        try:
            told += (part := os.read(terminal, 65536))
        except OSError:  # Linux's word for the end of a terminal
            break
        if not part:
            break
    status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    killer.cancel()
    os.close(terminal)
    return status, told.decode(errors="replace")


def test_a_run_in_a_terminal_ends_where_ffmpeg_is_installed(tmp_path: Path) -> None:
    """Ray's workers have the terminal as standard input and are not in its foreground: whoever sets its modes there is
    stopped.
    """
    write_video(tmp_path / "film.mp4", audio=np.zeros(88200, np.float32))
    (tmp_path / "recipe.py").write_text(RECIPE)
    tools = tmp_path / "bin"
    tools.mkdir()
    (tools / "ffmpeg").write_text(FFMPEG.format(python=sys.executable))
    (tools / "ffmpeg").chmod(0o755)
    command = [sys.executable, "-m", "pipeline", "run", str(tmp_path / "recipe.py"), str(tmp_path / "film.mp4")]
    began = time.monotonic()
    status, told = in_a_terminal(
        [*command, "--out", str(tmp_path / "corpus"), "--cpus", "1"],
        {**os.environ, "PYTHONPATH": str(ROOT), "PATH": f"{tools}:{os.environ['PATH']}", "TERM": "xterm-256color"},
        LIMIT_S,
    )
    assert status == 0, f"after {time.monotonic() - began:.0f} s: {told}"
    assert "2 shots" in told
    assert "Traceback" not in told
