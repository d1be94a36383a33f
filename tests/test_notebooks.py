"""The notebooks run over the sample corpus, and what is checked in of them is what their sources say."""

import json
import re
import shutil
from base64 import b64decode
from pathlib import Path
from typing import Any

import pytest

nbformat = pytest.importorskip("nbformat")
nbconvert = pytest.importorskip("nbconvert")
pytest.importorskip("jupytext")

from notebooks.run import HERE, NAMES, executed, paired  # noqa: E402 - where jupytext is installed

ROOT = Path(__file__).parents[1]
MOST_BYTES = 1_500_000
LOOKING = ("explore_shards", "explain_drops")  # the others generate and rebuild for minutes: `make notebooks`


def checked_in(name: str) -> Any:
    return nbformat.read(HERE / f"{name}.ipynb", as_version=4)


def page_of(notebook: Any) -> str:
    return nbconvert.HTMLExporter().from_notebook_node(notebook)[0]


def test_every_notebook_is_here() -> None:
    assert sorted(path.stem for path in HERE.glob("*.ipynb")) == sorted(NAMES)
    assert sorted(path.stem for path in HERE.glob("*.py")) == sorted([*NAMES, "run"])


@pytest.mark.parametrize("name", NAMES)
def test_what_is_checked_in_is_its_source(name: str) -> None:
    ours, source = checked_in(name), paired(name)
    assert [(cell.id, cell.cell_type, cell.source) for cell in ours.cells] == [
        (cell.id, cell.cell_type, cell.source) for cell in source.cells
    ], f"make it anew: python notebooks/run.py {name}"
    path = HERE / f"{name}.ipynb"
    assert path.stat().st_size < MOST_BYTES
    assert not re.search(r"/(home|root|tmp|work|Users)/", path.read_text()), "a path of somebody's machine"
    nbformat.validate(ours)


def test_the_grid_survives_its_way_to_a_page() -> None:
    page = page_of(checked_in("explore_shards"))
    players = re.findall(r"<video [^>]*poster=\"data:image/jpeg;base64,([^\"]+)\"", page)
    assert len(players) >= 6
    assert all(b64decode(poster)[:2] == b"\xff\xd8" for poster in players)
    assert page.count("<svg") >= 2  # timeline and sound
    bare = re.sub(r"</?(video|script|style)\b[^>]*>", "", page)  # as pages that take these away show it
    assert len(re.findall(r'<img [^>]*src="data:image/jpeg;base64,', bare)) >= len(players)


@pytest.fixture(scope="module")
def sample(made_demo: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The corpus of `make demo`."""
    folder = tmp_path_factory.mktemp("looked-at")
    shutil.copytree(made_demo / "corpus", folder / "corpus")
    (folder / "videos").symlink_to(made_demo / "videos")
    return str(folder / "corpus")


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("name", LOOKING)
def test_a_notebook_runs(name: str, sample: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEADSET_CORPUS", sample)
    monkeypatch.setenv("HEADSET_SOURCES", str(Path(sample).parent / "videos"))
    made = executed(name)
    kinds = [set(output.data) for cell in made.cells for output in cell.get("outputs", []) if "data" in output]
    assert len(kinds) >= 2
    assert any("text/html" in kind for kind in kinds)
    assert not [output for cell in made.cells for output in cell.get("outputs", []) if output.output_type == "error"]
    assert len(json.dumps(made)) < MOST_BYTES
