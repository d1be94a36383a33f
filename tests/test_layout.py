"""What the packages may import, and what no file may hold."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
MAY_IMPORT = {
    "manifests": {"manifests"},
    "operators": {"manifests", "operators"},
    "pipeline": {"manifests", "operators", "pipeline"},
    "headset": {"manifests", "operators", "pipeline"},
}
OURS = {"headset", "manifests", "operators", "pipeline", "tests", "benchmarks", "training", "infra"}


@pytest.mark.parametrize("package", MAY_IMPORT)
def test_imports_point_one_way(package: str) -> None:
    for path in (ROOT / package).rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            names = (
                [alias.name for alias in node.names]
                if isinstance(node, ast.Import)
                else [node.module or ""]
                if isinstance(node, ast.ImportFrom)
                else []
            )
            wrong = {name for name in names if name.split(".")[0] in OURS - MAY_IMPORT[package]}
            assert not wrong, f"{path.relative_to(ROOT)} imports {wrong}"


def test_nothing_shadows_the_packages() -> None:
    where = subprocess.run(
        [sys.executable, "-c",
         "import manifests, operators, pipeline;"
         " print(*(m.__file__ for m in (manifests, operators, pipeline)), sep='\\n')"],
        capture_output=True, text=True, check=True, cwd=ROOT,
    ).stdout.split()  # fmt: skip
    assert [Path(path).parent for path in where] == [ROOT / name for name in ("manifests", "operators", "pipeline")]


def test_the_command_line_starts_without_the_heavy_libraries() -> None:
    heavy = ["torch", "mediapipe", "pyannote.audio", "ray", "scenedetect", "cv2", "duckdb", "onnxruntime"]
    code = (
        "import sys, pipeline.__main__ as m; m.parser_of_all(); from pipeline.recipe import recipe_named;"
        " recipe_named('talking_head'); print(*sys.modules)"
    )
    loaded = set(
        subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT
        ).stdout.split()
    )
    assert not loaded & set(heavy)


@pytest.mark.parametrize("module", ["headset", "pipeline.corpus"])
def test_a_notebook_starts_without_the_heavy_libraries(module: str) -> None:
    heavy = {"torch", "mediapipe", "ray", "scenedetect", "cv2", "duckdb", "onnxruntime", "matplotlib"}
    code = f"import sys, {module}; print(*sys.modules)"
    loaded = set(
        subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT
        ).stdout.split()
    )
    assert not loaded & heavy


def test_rich_is_where_people_are_talked_to() -> None:
    """In views, commands and the session: what computes says nothing."""
    for path in [path for package in MAY_IMPORT for path in (ROOT / package).rglob("*.py")]:
        place = str(path.relative_to(ROOT))
        if not place.startswith(("pipeline/views/", "pipeline/commands/")) and place not in (
            "pipeline/session.py",
            "pipeline/__main__.py",
        ):
            assert not re.search(r"^\s*(from|import) rich\b", path.read_text(), re.MULTILINE), place


def tracked() -> list[Path]:
    names = subprocess.run(
        ["git", "ls-files"], capture_output=True, text=True, check=True, cwd=ROOT
    ).stdout.splitlines()
    return [ROOT / name for name in names if (ROOT / name).is_file()]


def test_no_file_names_a_package_index_or_a_path_of_one_machine() -> None:
    forbidden = re.compile(
        r"py"
        r"pi\.org|python"
        r"hosted\.org|registry\.npm"
        r"js|deb\.deb"
        r"ian\.org|(^|[^A-Za-z0-9_.])/(wo"
        r"rk|ro"
        r"ot|fa"
        r"rm)/"
    )
    for path in tracked():
        if path.suffix not in (".png", ".jpg", ".mp4", ".npz"):
            for number, line in enumerate(path.read_text().splitlines(), 1):
                assert not forbidden.search(line), f"{path.relative_to(ROOT)}:{number}"


def test_no_media_weights_or_large_files_are_tracked() -> None:
    for path in tracked():
        assert path.stat().st_size < 600 * 1024, path
        assert path.suffix not in {".mp4", ".wav", ".pt", ".pth", ".onnx", ".tflite", ".task", ".bin", ".model"}, path
