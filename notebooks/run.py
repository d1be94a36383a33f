"""Runs the notebooks over a corpus and writes them with their outputs: `python notebooks/run.py [NAME ...]`.

The `.py` files are the source (jupytext, percent format); the `.ipynb` beside each is made of it, and says nothing of
when or where.
"""

import os
import sys
from pathlib import Path
from typing import Any

import jupytext
import nbformat
from nbclient import NotebookClient

HERE = Path(__file__).parent
NAMES = ("explore_shards", "explain_drops", "compare_systems", "rebuild_a_dataset")
KEPT = ("text/html", "image/svg+xml", "image/png", "text/plain")  # of an output


def paired(name: str) -> Any:
    """The notebook without outputs, as its source says; cells are numbered, so that the same source is the same
    notebook.
    """
    notebook = jupytext.read(HERE / f"{name}.py")
    for number, cell in enumerate(notebook.cells):
        cell["id"] = f"cell-{number:02d}"
        cell["metadata"] = {}
    return notebook


def executed(name: str) -> Any:
    """The notebook with its outputs. The corpus is that of `HEADSET_CORPUS`.

    Raises:
        CellExecutionError: for a cell that fails.
    """
    notebook = paired(name)
    paths = [str(HERE.parent), *os.environ.get("PYTHONPATH", "").split(os.pathsep)]
    os.environ["PYTHONPATH"] = os.pathsep.join(
        filter(None, dict.fromkeys(paths))
    )  # the kernel imports headset from here
    place = {"metadata": {"path": str(HERE)}}
    NotebookClient(
        notebook, timeout=1200, startup_timeout=600, kernel_name="python3", record_timing=False, resources=place
    ).execute()
    for cell in notebook.cells:
        cell["metadata"] = {}
        for output in cell.get("outputs", []):
            assert output.get("name") != "stderr", f"{name} says on standard error: {output['text'][:300]}"
            if "data" in output:
                rich = "text/html" in output["data"]
                output["data"] = {
                    kind: value
                    for kind, value in output["data"].items()
                    if kind in KEPT and not (rich and kind == "text/plain")
                }
    notebook.metadata = {
        "kernelspec": notebook.metadata["kernelspec"],
        "jupytext": {"formats": "py:percent,ipynb"},
        "language_info": {"name": "python"},
    }
    return notebook


if __name__ == "__main__":
    for name in sys.argv[1:] or NAMES:
        nbformat.write(executed(name), HERE / f"{name}.ipynb")
        print(name, (HERE / f"{name}.ipynb").stat().st_size // 1024, "kB")
