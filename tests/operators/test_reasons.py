"""Every reason that the code gives is explained once, and every reason explained is given somewhere."""

import ast
import importlib
import pkgutil
import re
from dataclasses import fields
from pathlib import Path

import pytest

import operators
from operators.base import Operator
from operators.reasons import REASONS, reason
from operators.sources.outcomes import AGAIN, LATER, SAYINGS

ROOT = Path(__file__).parents[2]
OWN = ("pipeline/importers", "pipeline/export/layouts")  # each file explains its own, in its docstring
# by function, the argument that is a reason
TELLS = {"Drop": 0, "NotFetched": 0, "_Problem": 0, "mean_where_seen": 1, "check": 0}


def code() -> list[Path]:
    return [
        path
        for package in ("operators", "pipeline", "manifests")
        for path in sorted((ROOT / package).rglob("*.py"))
        if not str(path.relative_to(ROOT)).startswith(OWN) and path.name != "reasons.py"
    ]


def words(node: ast.AST) -> list[str]:
    if isinstance(node, ast.IfExp):
        return words(node.body) + words(node.orelse)
    return [node.value] if isinstance(node, ast.Constant) and isinstance(node.value, str) else []


def given() -> dict[str, str]:
    """By reason where it is given: what is written out where something is given up, and the outcomes of an attempt to
    fetch.
    """
    found = {word: "operators/sources/outcomes.py" for word in (*AGAIN, *LATER, *(outcome for outcome, _ in SAYINGS))}
    for path in code():
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call):
                name = getattr(node.func, "id", getattr(node.func, "attr", ""))
                at = node.args[TELLS[name] : TELLS[name] + 1] if name in TELLS else []
                for word in (
                    word for argument in at for word in words(argument) if re.fullmatch("[a-z][a-z0-9_]+", word)
                ):
                    found[word] = f"{path.relative_to(ROOT)}:{node.lineno}"
    return found


@pytest.mark.parametrize(("word", "where"), sorted(given().items()))
def test_what_is_given_is_explained(word: str, where: str) -> None:
    assert reason(word), f"{where} gives {word!r}, which operators/reasons.py does not explain"


@pytest.mark.parametrize("word", REASONS)
def test_what_is_explained_is_given(word: str) -> None:
    text = "\n".join(path.read_text() for path in code())
    if "<" in word:
        part = re.sub("<.*>", "", word).strip("_")
        assert re.search(rf"{part}", text)
    elif not re.search(rf"[\"']{word}[\"']", text):
        name = word.partition("_not_wanted")[0]  # put together from the name of what was not wanted
        assert word.endswith("_not_wanted"), f"nothing gives {word!r}"
        assert re.search(rf"[\"']{name}[\"']", text)


def test_what_is_to_be_set_is_there() -> None:
    known: dict[str, set[str]] = {}
    for module in pkgutil.walk_packages(operators.__path__, "operators."):
        if not module.ispkg:
            for made in vars(importlib.import_module(module.name)).values():
                if isinstance(made, type) and issubclass(made, Operator):
                    known[made.__name__] = {f.name for f in fields(made)}
    for one in REASONS.values():
        for operator, field in re.findall(r"\b([A-Z]\w+)\.([a-z_]+)", one.change):
            assert field in known[operator], f"{one.word}: {operator} has no {field}"


def test_families_and_strangers() -> None:
    assert reason("dnsmos_ovrl_low") is REASONS["<metric>_low"]
    assert reason("http_503") is REASONS["http_<status>"]
    assert reason("ValueError") is None
