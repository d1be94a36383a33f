"""What a run says before it does finished steps again."""

from dataclasses import replace
from pathlib import Path

import pytest

from operators.base import Operator
from operators.weights import Weight
from pipeline.changes import changes_since
from pipeline.recipe import Recipe, Stage, recipe_named

TOY = str(Path(__file__).with_name("toy_recipe.py"))


@pytest.fixture
def toy() -> Recipe:
    return recipe_named(TOY)


def test_the_same_recipe_changes_nothing(toy: Recipe) -> None:
    assert changes_since(toy.plan(), toy.plan().record()) == []
    assert changes_since(toy.plan(), None) == []


def test_a_field_is_named_with_both_values_and_what_is_behind_it_counted(toy: Recipe) -> None:
    assert changes_since(toy.set("CutInTwo.at_s=0.2").plan(), toy.plan().record()) == [
        "CutInTwo is done again: at_s 0.4 -> 0.2",
        "so are 2 steps that read what these write: ProposeClips, KeepEarly",
    ]


def with_first(toy: Recipe, operator: Operator) -> Recipe:
    (first, *others) = toy.stages
    return replace(toy, stages=(Stage(operator, *first.operators[1:]), *others))


def test_another_version_of_the_code_is_named(toy: Recipe) -> None:
    CutInTwo = type("CutInTwo", (type(toy.stages[0].operators[0]),), {"version": 2})
    assert changes_since(with_first(toy, CutInTwo()).plan(), toy.plan().record())[0] == (
        "CutInTwo is done again: its code is of another version"
    )


def test_another_model_is_named(toy: Recipe) -> None:
    def of(sha256: str) -> Recipe:
        net = Weight("net.onnx", sha256, 1, "a network", "MIT")
        return with_first(toy, type("CutInTwo", (type(toy.stages[0].operators[0]),), {"weights": (net,)})())

    assert changes_since(of("b").plan(), of("a").plan().record())[0] == "CutInTwo is done again: another net.onnx"
