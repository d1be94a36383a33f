"""Who may import whom, and how long a file and a function may be.

Of two rooms the upper one may import the lower, never the other way round; and nowhere is a circle.
"""

import ast
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

GROUPS = tuple(
    f"operators.{name}" for name in ("sources", "shots", "faces", "speech", "clips", "pictures", "metrics", "generate")
)
# From the ground up. Rooms of one floor import each other only where `BESIDE` says so; the file that opens a package is
# of its room.
FLOORS: tuple[tuple[str, ...], ...] = (
    ("manifests",),
    ("operators",),  # what lies in no room of it: contracts, weights, and pure functions that several groups share
    ("operators.media", "operators.models"),
    GROUPS,
    ("pipeline.recipe", "pipeline.recipes", "pipeline.importing"),
    ("pipeline.changes", "pipeline.importers", "pipeline.listing"),
    ("pipeline.engine", "pipeline.query"),
    ("pipeline.corpus_steps",),
    ("pipeline.rebuild", "pipeline.scoring", "pipeline.export"),
    ("pipeline.views",),
    ("pipeline.environment", "pipeline.release"),
    ("pipeline.takedown", "pipeline.training"),
    ("pipeline.corpus", "pipeline.demo"),
    ("pipeline.session", "headset"),
    ("pipeline.__main__", "pipeline.commands"),
)
BESIDE = {
    ("operators.metrics", "operators.faces"),
    ("operators.pictures", "operators.metrics"),
    ("pipeline.recipe", "pipeline.recipes"),  # recipes are found by their names
    ("pipeline.recipes", "pipeline.recipe"),
    ("pipeline.__main__", "pipeline.commands"),  # so are commands, and two of them show all others
    ("pipeline.commands", "pipeline.__main__"),
}
# `corpus.existing` opens what is compared; it is the one thing of the floor above that `query` takes.
ABOVE = {("pipeline.query.diff", "pipeline.corpus")}
LIBRARIES: Mapping[str, tuple[str, ...]] = {
    "ray": ("pipeline.engine",),
    "boto3": ("manifests.bucket", "operators.sources"),
    "duckdb": ("pipeline.query", "pipeline.release"),
    "rich": ("pipeline.views", "pipeline.commands", "pipeline.session", "pipeline.__main__"),
}


def modules() -> dict[str, Path]:
    paths = [
        path for package in ("manifests", "operators", "pipeline", "headset") for path in (ROOT / package).rglob("*.py")
    ]
    return {".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path for path in paths}


@cache
def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text())


def imports(path: Path, known: Mapping[str, Path]) -> Iterator[str]:
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                whole = f"{node.module}.{alias.name}"
                yield whole if whole in known else node.module


def room(module: str) -> str:
    parts = module.split(".")
    if parts[0] in ("manifests", "headset"):
        return parts[0]
    if parts[0] == "operators" and not (ROOT / "operators" / "".join(parts[1:2])).is_dir():
        return "operators"
    return ".".join(parts[:2])


def arrows() -> Iterator[tuple[str, str]]:
    known = modules()
    for module, path in known.items():
        yield from ((module, other) for other in imports(path, known) if other in known and other != module)


def allowed(upper: str, lower: str) -> bool:
    height = {name: number for number, floor in enumerate(FLOORS) for name in floor}
    one, other = room(upper), room(lower)
    return one == other or height[one] > height[other] or (one, other) in BESIDE or (upper, lower) in ABOVE


def test_every_room_has_a_floor() -> None:
    rooms = {room(module) for module in modules()} - {"pipeline"}
    assert rooms == {name for floor in FLOORS for name in floor}


def test_arrows_point_down() -> None:
    assert [arrow for arrow in arrows() if not allowed(*arrow)] == []


@pytest.mark.parametrize(
    ("upper", "lower"),
    [
        ("manifests.manifest", "operators.base"),
        ("operators.media.frames", "operators.faces.track_faces"),
        ("operators.faces.track_faces", "operators.speech.diarize_speakers"),
        ("pipeline.engine.run", "pipeline.views.console"),
        ("pipeline.release.release", "pipeline.takedown.takedown"),
    ],
)
def test_an_arrow_that_is_turned_is_seen(upper: str, lower: str) -> None:
    assert not allowed(upper, lower)


def test_no_circle_among_files() -> None:
    left: dict[str, set[str]] = {module: set() for module in modules()}
    for upper, lower in arrows():
        left[upper].add(lower)
    while free := [module for module, needs in left.items() if not needs & left.keys()]:
        for module in free:
            del left[module]
    assert left == {}, "each of these imports another one of them"


@pytest.mark.parametrize("library", LIBRARIES)
def test_a_library_stays_in_its_rooms(library: str) -> None:
    known = modules()
    users = {
        module for module, path in known.items() if any(name.split(".")[0] == library for name in imports(path, known))
    }
    rooms = LIBRARIES[library]
    assert {
        module for module in users if not any(module == name or module.startswith(f"{name}.") for name in rooms)
    } == set()


LINES = 350  # of a file
BODY = 60  # lines of a function, from its `def` on; a longer one says why behind `# long:` in its signature
LONGER = {
    "manifests/tables.py": "every table there is, to be read from top to bottom",
}


def sources() -> Iterator[Path]:
    rooms = ("headset", "manifests", "operators", "pipeline", "infra", "tests", "benchmarks", "training")
    for room in rooms:
        yield from (ROOT / room).rglob("*.py")


def too_long(path: Path) -> Iterator[str]:
    """What in a file is longer than it may be, and says no reason."""
    text, name = path.read_text(), path.relative_to(ROOT).as_posix()
    lines = text.splitlines()
    if name in LONGER:
        return
    if len(lines) > LINES:
        yield f"{name}: {len(lines)} lines"
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            own = (node.end_lineno or node.lineno) - node.lineno + 1
            signature = lines[node.lineno - 1 : node.body[0].lineno - 1] or lines[node.lineno - 1 : node.lineno]
            if own > BODY and not any("# long: " in line for line in signature):
                yield f"{name}:{node.lineno}: {node.name}, {own} lines"


def test_files_and_functions_are_short() -> None:
    assert [one for path in sources() for one in too_long(path)] == []


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("x = 1\n" * 351, ["made.py: 351 lines"]),
        ("x = 1\n" * 350, []),
        ("def f():\n" + "    x = 1\n" * 60, ["made.py:1: f, 61 lines"]),
        ("def f():\n" + "    x = 1\n" * 59, []),
        ("def f():  # long: a table\n" + "    x = 1\n" * 60, []),
        ("def f(\n    x,\n):  # long: a table\n" + "    x = 1\n" * 60, []),
    ],
)
def test_what_is_long_is_seen(text: str, told: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.test_house.ROOT", tmp_path)
    (tmp_path / "made.py").write_text(text)
    assert list(too_long(tmp_path / "made.py")) == told


def test_no_test_imports_a_benchmark() -> None:
    """What both know lies in `tests/`: a test that fails must not depend on what measures."""
    found = [(path.name, name) for path in (ROOT / "tests").rglob("*.py") for name in imports(path, {})]
    assert [one for one in found if one[1].split(".")[0] in ("benchmarks", "training")] == []
