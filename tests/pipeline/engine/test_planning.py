"""What a run does is decided once."""

from pathlib import Path

import pytest

from manifests.manifest import Manifest
from manifests.tables import Score
from pipeline.__main__ import main
from tests.made_videos import write_video

RESOLVING = """import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

from manifests.tables import Score, Source
from operators.base import Operator
from pipeline.recipe import Recipe, Stage


@dataclass(frozen=True)
class Choose(Operator):
    \"\"\"Asks what this machine has, as `auto` models do, and finds something else each time.\"\"\"

    model: str = "auto"

    def resolved(self) -> Self:
        with Path(os.environ["RESOLVED_LOG"]).open("a+") as log:
            log.write("resolved\\n")
            log.seek(0)
            return replace(self, model=f"found at try {len(log.readlines())}")

    def __call__(self, source: Source) -> Iterator[Score]:
        yield Score(source.source_id, f"{source.source_id}#one", source.source_id, "one", self.model, 1.0)


RECIPE = Recipe("chooses", "what is at hand", (Stage(Choose()),))
"""


def test_a_run_plans_once(ray_here: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What `auto` means may change meanwhile, when a model file is fetched; the run goes by what was decided first."""
    (tmp_path / "recipe.py").write_text(RESOLVING)
    film = write_video(tmp_path / "film.mp4", [("red", 0.4)], size=(64, 64))
    monkeypatch.setenv("RESOLVED_LOG", str(tmp_path / "log"))
    monkeypatch.setenv("HEADSET_CACHE", str(tmp_path / "cache"))
    command = ["run", str(tmp_path / "recipe.py"), str(film), "--out", str(tmp_path / "corpus")]
    assert main(command) == 0
    assert (tmp_path / "log").read_text() == "resolved\n"
    corpus = Manifest(str(tmp_path / "corpus"))
    assert corpus.run is not None
    assert [step.parameters for step in corpus.run.steps] == [{"model": "found at try 1"}]
    assert [score["variant"] for score in corpus.table(Score).to_pylist()] == ["found at try 1"]
