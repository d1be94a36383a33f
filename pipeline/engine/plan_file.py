"""A plan as a file: what a cluster is told to do, as it was decided here.

    plan.json      the recipe, its changes, every field of every operator, the version of every step, what decided it
    recipe.py      beside it, where the recipe is a file of the user's

Who reads it makes the recipe anew and sets every field as the file says, so that no code comes from the file and no
choice is made twice. The versions of the steps must then be the same: they differ where the code or a model file
differs.
"""

import hashlib
import json
import os
import platform
import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

from manifests.errors import UsageError
from operators.base import Operator
from pipeline.recipe import Plan, Recipe, Stage, recipe_named

PLAN, RECIPE = "plan.json", "recipe.py"
CODE = ("headset", "infra", "manifests", "operators", "pipeline")  # the packages that are headset
ROOT = Path(__file__).resolve().parents[2]


def copy_code(folder: Path) -> None:
    """Copies headset's packages into a folder, beside each other, as they lie in a checkout."""
    for name in CODE:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__", "*.pyc"))


@dataclass(frozen=True)
class Versions:
    """What has to be the same on every machine of a run. Python by its minor version: rows travel pickled."""

    headset: str  # a hash of the code
    python: str
    ray: str

    def differences(self, theirs: "Versions") -> list[str]:
        """`ray 2.59.0, not 2.60.0` of each that differs, theirs first."""
        ours = asdict(self)
        return [f"{name} {value}, not {ours[name]}" for name, value in asdict(theirs).items() if value != ours[name]]


@cache
def versions() -> Versions:
    """Those of this process."""
    digest = hashlib.sha256()
    for path in sorted(path for name in CODE for path in (ROOT / name).rglob("*.py")):
        digest.update(f"{path.relative_to(ROOT)}\0".encode() + path.read_bytes() + b"\0")
    return Versions(digest.hexdigest()[:12], ".".join(platform.python_version_tuple()[:2]), version("ray"))


def write_plan(plan: Plan, folder: Path, lists: Mapping[str, str] | None = None) -> None:
    """Writes a plan, with the recipe's file beside it where it is one.

    Args:
        lists: by the place of a list in the folder, what it was called where it was named.

    Raises:
        UsageError: for a recipe that a program made, which no other machine can make again.
    """
    if not plan.origin:
        raise UsageError(
            f"{plan.recipe} was made by a program; write it into a Python file that defines RECIPE, and name that"
        )
    said = {
        "recipe": plan.recipe,
        "origin": plan.origin,
        "changes": list(plan.changes),
        "operators": [_plain(asdict(step.operator)) for step in plan.steps],
        "steps": [step.version for step in plan.steps],
        "decided_by": asdict(versions()),
        "lists": dict(lists or {}),
    }
    (folder / PLAN).write_text(json.dumps(said, indent=1, sort_keys=True))
    if plan.origin.endswith(".py"):
        (folder / RECIPE).write_bytes(Path(plan.origin).read_bytes())


def read_plan(path: Path) -> Recipe:
    """The recipe of a plan's file, with every choice as the file says.

    Raises:
        UsageError: for a file that is none, or whose steps would be others here, naming them and what differs.
    """
    try:
        said = json.loads(path.read_text())
        origin, steps = str(said["origin"]), list(said["steps"])
        decided_by = Versions(**said["decided_by"])
        found = recipe_named(str(path.parent / RECIPE) if origin.endswith(".py") else origin)
        told = iter(said["operators"])
        stages = tuple(
            Stage(*(_as_told(operator, next(told)) for operator in stage.operators)) for stage in found.stages
        )
        recipe = replace(found, stages=stages, origin=origin, changes=tuple(said["changes"]))
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}") from None
    except (ValueError, KeyError, TypeError, StopIteration) as error:
        raise UsageError(f"{path} is no plan of this headset ({type(error).__name__}: {error})") from None
    here = [step.version for step in recipe.plan().steps]
    if others := [one for one, other in zip(here, steps, strict=False) if one != other] or len(here) != len(steps):
        what = ", ".join(others) if isinstance(others, list) else "its number of steps"
        why = "; ".join(decided_by.differences(versions())) or "a model file is another, or not here"
        raise UsageError(f"this machine would do other steps than were decided ({what}): {why}")
    return recipe


def versions_of(path: Path) -> Versions:
    """Those of the machine that made a plan."""
    return Versions(**json.loads(path.read_text())["decided_by"])


def lists_of(path: Path) -> dict[str, str]:
    """By the path that a list has here, the one it had where it was named: a corpus knows lists by their paths."""
    return {os.path.abspath(path.parent / place): name for place, name in json.loads(path.read_text())["lists"].items()}


def _as_told(operator: Operator, told: Mapping[str, Any]) -> Operator:
    """The operator with its fields as a file says; what is equal stays as it is."""
    values = {}
    for one in fields(operator):
        old, new = getattr(operator, one.name), told[one.name]
        if isinstance(old, Operator):
            values[one.name] = _as_told(old, new)
        else:
            values[one.name] = old if _plain(old) == new else _tuples(new) if isinstance(old, tuple) else new
    return type(operator)(**values)


def _plain(value: Any) -> Any:
    """The value as JSON has it."""
    return json.loads(json.dumps(value, default=asdict))


def _tuples(value: Any) -> Any:
    return tuple(map(_tuples, value)) if isinstance(value, list) else value
