"""`headset retry` runs what is named on its command line, and nothing that a corpus names."""

from pathlib import Path

import pytest

from manifests.errors import UsageError
from manifests.manifest import Manifest, RunRecord
from manifests.tables import Source
from pipeline.__main__ import main
from pipeline.commands.retry import _last_plan
from pipeline.recipe import Recipe, recipe_named

EVIL = """from pathlib import Path
Path(r"{mark}").touch()
from pipeline.recipe import RECIPE
"""


def corpus_of(folder: Path, recipe: Recipe, origin: str, changes: list[str] | None = None) -> Manifest:
    """A corpus that says it was last run so."""
    manifest = Manifest(str(folder / "corpus"))
    manifest.add([Source("a", "https://example.org/a.mp4")])
    manifest.remember(RunRecord(recipe.name, recipe.plan().record().steps, origin, changes or []))
    return Manifest(manifest.root)


@pytest.mark.parametrize("kind", ["absolute", "relative", "without a suffix"])
def test_no_file_runs_because_a_corpus_names_it(
    tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.chdir(tmp_path)
    mark = tmp_path / "ran"
    (tmp_path / "mine.py").write_text(EVIL.format(mark=mark))
    origin = {"absolute": str(tmp_path / "mine.py"), "relative": "mine.py", "without a suffix": "../mine"}[kind]
    manifest = corpus_of(tmp_path, recipe_named("rebuild"), origin)
    assert main(["retry", manifest.root]) == 2
    told = " ".join(capsys.readouterr().err.split())
    assert "headset runs no file because a corpus names it" in told
    assert f"beside what you asked for: --recipe {origin}" in told
    assert not mark.exists()


def test_a_recipe_of_ours_is_found_by_the_name_a_corpus_has(tmp_path: Path):
    recipe = recipe_named("rebuild").set("RenderClips.crf=20")
    found = _last_plan(corpus_of(tmp_path, recipe, "rebuild", ["RenderClips.crf=20"]), [], "")
    assert found.steps[-1].operator.parameters()["crf"] == 20


def test_what_changes_no_row_is_not_taken_from_a_corpus(tmp_path: Path):
    """Such as leave to ask addresses of one's own network."""
    manifest = corpus_of(
        tmp_path, recipe_named("rebuild"), "rebuild", ["DownloadVideo.allow_private=true", "DownloadVideo.tries=99"]
    )
    assert vars(_last_plan(manifest, [], "").steps[0].operator)["allow_private"] is False
    given = _last_plan(manifest, ["DownloadVideo.tries=7"], "").steps[0].operator
    assert vars(given)["tries"] == 7


def test_texts_have_to_be_given_again(tmp_path: Path):
    recipe = recipe_named("rebuild").set("RenderClips.preset=slow")
    manifest = corpus_of(tmp_path, recipe, "rebuild", ["RenderClips.preset=slow"])
    with pytest.raises(
        UsageError, match="last run with --set RenderClips.preset=slow, of which texts have to be given here again"
    ):
        _last_plan(manifest, [], "")
    assert _last_plan(manifest, ["RenderClips.preset=slow"], "").steps[-1].operator.parameters()["preset"] == "slow"
