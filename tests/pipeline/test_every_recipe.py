"""Every recipe there is, run on the demo's videos as a person types it; one without a run here fails the test."""

import json
from pathlib import Path

import pytest

from pipeline.recipe import recipe_names
from tests.demo_corpus import typed

ELSEWHERE = {
    "talking_head": "the demo corpus itself",
    "rebuild": "what a list or a manifest names: tests/pipeline/test_rebuild.py",
}


@pytest.mark.slow
@pytest.mark.timeout(2400)
@pytest.mark.parametrize("recipe", sorted({*recipe_names()} - ELSEWHERE.keys()))
def test_every_recipe_comes_to_its_end(recipe: str, demo: Path) -> None:
    typed(demo, "pipeline", "run", recipe, "videos/interview.mp4", "--out", "made", "--cpus", "2")
    told = json.loads(typed(demo, "pipeline", "status", "made", "--json"))
    assert told["sources"] == 1
    assert "Everything is as its receipt says" in typed(demo, "pipeline", "check", "made", "--all")
    steps = typed(demo, "pipeline", "sql", "made", "select reason from drops where failed", "--csv")
    assert steps.split() == ['"reason"'], "a recipe of ours fails on nothing"
