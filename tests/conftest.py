"""Where tests find real media and model files, and what every test process sets first."""

import os
import shutil
from collections.abc import Generator
from pathlib import Path

import pytest

from manifests.errors import WeightError
from tests.demo_corpus import demo, made_demo  # noqa: F401 - fixtures of all tests

os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
os.environ.setdefault("PYANNOTE_METRICS_ENABLED", "0")
os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.pop("COLUMNS", None)  # of the terminal, which pytest-xdist hands on: what tests print is not wrapped


def media(*parts: str) -> Path:
    """A real clip. Skips the test where `HEADSET_MEDIA` is unset; fails where it is set and the file is missing."""
    return _given("HEADSET_MEDIA", *parts)


def lists(*parts: str) -> Path:
    """A published list. Skips and fails as `media` does."""
    return _given("HEADSET_LISTS", *parts)


def weights(*parts: str) -> Path:
    """A model file that no package carries. Skips and fails as `media` does."""
    return _given("HEADSET_WEIGHTS", *parts)


def _given(variable: str, *parts: str) -> Path:
    root = os.environ.get(variable)
    if not root:
        pytest.skip(f"{variable} is not set")
    path = Path(root, *parts).resolve()
    assert path.exists(), f"{variable} is set, but {path} is missing"
    return path


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call() -> Generator[None, None, None]:
    """Skips a test that needs a model file out of an npm package, on a machine that has neither the file nor npm."""

    try:
        return (yield)
    except WeightError as error:
        if shutil.which("npm") is None and "npm" in str(error):
            pytest.skip(f"npm is not installed: {str(error).splitlines()[0]}")
        raise
