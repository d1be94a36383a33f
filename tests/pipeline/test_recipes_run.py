"""Two recipes, run on one of the demo's videos as a person types it; talking_head is the demo corpus itself."""

import json
from pathlib import Path

import pytest

from tests.demo_corpus import typed


@pytest.mark.slow
@pytest.mark.timeout(2400)
@pytest.mark.parametrize("recipe", ["avspeech", "diarize"])
def test_a_recipe_comes_to_its_end(recipe: str, demo: Path) -> None:
    typed(demo, "pipeline", "run", recipe, "videos/interview.mp4", "--out", "made", "--cpus", "2")
    told = json.loads(typed(demo, "pipeline", "status", "made", "--json"))
    assert told["sources"] == 1
    assert "Everything is as its receipt says" in typed(demo, "pipeline", "check", "made", "--all")
    steps = typed(demo, "pipeline", "sql", "made", "select reason from drops where failed", "--csv")
    assert steps.split() == ['"reason"'], "a recipe of ours fails on nothing"
