"""Short versions of `benchmarks/reliability`, each in a process of its own."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.mark.slow
@pytest.mark.parametrize(
    "script", [["kills", "--kills", "12"], ["two_drivers", "--rounds", "1"]], ids=lambda script: script[0]
)
def test_nothing_is_lost(script: list[str]) -> None:
    done = subprocess.run(
        [sys.executable, "-m", f"benchmarks.reliability.{script[0]}", *script[1:]],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
