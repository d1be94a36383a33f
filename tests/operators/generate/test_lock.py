"""Locks, made by the real pip of wheels that the test makes, and environments made from them."""

import hashlib
import sys
import zipfile
from pathlib import Path

import pytest

from manifests.errors import UsageError
from operators.generate.cards import card_named
from operators.generate.home import Home
from operators.generate.lock import make_lock

ADAPTER = '''"""A system of the test."""
# /// script
# requires-python = ">=3.11,<3.13"
# dependencies = ["Made_Model<3"]
# [tool.headset]
# title = "Locked"
# paper = "none: a test"
# year = 2026
# driven_by = "video"
# code = "full"
# licence = "Apache-2.0"
# weights_licence = "none needed"
# ///


def prepare(folder):
    """Nothing."""


def load(device):
    """Nothing."""


def generate(request):
    """Nothing."""
'''


def wheel(folder: Path, name: str, version: str, needs: str = "") -> str:
    """A wheel of one empty module.

    Returns: its sha256.
    """
    path = folder / f"{name}-{version}-py3-none-any.whl"
    about = f"{name}-{version}.dist-info"
    files = {
        f"{name}.py": "",
        f"{about}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{needs}",
        f"{about}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = "".join(f"{one},,\n" for one in [*files, f"{about}/RECORD"])
    with zipfile.ZipFile(path, "w") as archive:
        for one, text in {**files, f"{about}/RECORD": record}.items():
            archive.writestr(one, text)
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.fixture
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that pip takes everything from, and nothing from elsewhere."""
    shelf = tmp_path / "shelf"
    shelf.mkdir()
    systems = tmp_path / "systems"
    systems.mkdir()
    (systems / "locked.py").write_text(ADAPTER)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(shelf))
    monkeypatch.setenv("HEADSET_SYSTEMS", str(systems))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("PATH", "/usr/bin:/bin")  # without uv, which has an index of its own
    return shelf


def test_a_lock_names_each_package_and_makes_its_environment(shelf: Path) -> None:
    wheel(shelf, "made_model", "3.0")
    model = wheel(shelf, "made_model", "2.1", "Requires-Dist: made_math\n")
    math = wheel(shelf, "made_math", "1.0")
    card = card_named("locked")
    text = make_lock(card, [sys.executable, sys.executable])
    assert text.splitlines()[1:] == [
        "made-math==1.0 \\",
        f"    --hash=sha256:{math}",
        "made-model==2.1 \\",
        f"    --hash=sha256:{model}",
    ]
    card.lock.write_text(text)
    home = Home(card_named("locked"))
    home.make_environment()
    assert sorted(path.name for path in home.environment.glob("lib/python*/site-packages/made_*.py")) == [
        "made_math.py",
        "made_model.py",
    ]
    assert home.python() is not None


def test_another_file_under_a_locked_version_makes_no_environment(shelf: Path) -> None:
    wheel(shelf, "made_model", "2.1")
    card = card_named("locked")
    card.lock.write_text(make_lock(card, [sys.executable]))
    wheel(shelf, "made_model", "2.1", "Summary: not what was locked\n")
    home = Home(card_named("locked"))
    with pytest.raises(UsageError, match="(?i)hash"):
        home.make_environment()
    assert home.python() is None


def test_what_cannot_be_had_is_no_lock(shelf: Path) -> None:
    with pytest.raises(UsageError, match="pip finds no environment for locked.*[Mm]ade"):
        make_lock(card_named("locked"), [sys.executable])
