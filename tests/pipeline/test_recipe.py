import pickle
from collections.abc import Iterator
from dataclasses import FrozenInstanceError, dataclass
from pathlib import Path
from typing import cast

import pytest

from manifests.errors import UsageError
from manifests.manifest import LISTED
from manifests.tables import Clip, Score, Shot, Source, Track
from operators.base import Frames, Operator
from operators.clips.keep_clips import KeepClips
from operators.faces.detect_faces import DetectFaces
from operators.faces.embed_faces import EmbedFaces
from pipeline.recipe import Recipe, Stage, recipe_named, recipe_names


@dataclass(frozen=True)
class Cut(Operator):
    threshold: float = 3.0

    def __call__(self, source: Source, frames: Frames) -> Iterator[Shot]: ...


@dataclass(frozen=True)
class Look(Operator):
    def __call__(self, source: Source, frames: Frames) -> Iterator[Score]: ...


@dataclass(frozen=True)
class Propose(Operator):
    def __call__(self, shot: Shot) -> Iterator[Clip]: ...


@dataclass(frozen=True)
class Keep(Operator):
    ranges: dict[str, list[float]] | None = None

    def __call__(self, clip: Clip, scores: list[Score]) -> Iterator[Clip]: ...


RECIPE = Recipe("r", "for tests", (Stage(Cut(), Look()), Stage(Propose()), Stage(Keep({"a": [1, 2]}))))


def versions(recipe: Recipe) -> dict[str, str]:
    return {step.operator.name: step.version for step in recipe.plan().steps}


def changed(recipe: Recipe) -> set[str]:
    before, after = versions(RECIPE), versions(recipe)
    return {name for name in before if before[name] != after[name]}


def test_a_step_reads_what_the_steps_before_it_wrote() -> None:
    cut, look, propose, keep = RECIPE.plan().steps
    assert cut.inputs == {Source: (LISTED,)}
    assert propose.inputs == {Shot: (cut.version,)}
    assert keep.inputs == {Clip: (propose.version,), Score: (look.version,)}


def test_only_what_depends_on_a_change_gets_a_new_version() -> None:
    assert changed(RECIPE) == set()
    assert changed(RECIPE.set("Cut.threshold=4")) == {"Cut", "Propose", "Keep"}, "not Look, though it shares the pass"
    assert changed(RECIPE.set("Keep.ranges.a=[1, 3]")) == {"Keep"}


def test_a_dotted_rest_reaches_into_a_dict() -> None:
    (_, _, _, keep) = RECIPE.set("Keep.ranges.b=[0, 1]").plan().steps
    assert keep.operator.parameters()["ranges"] == {"a": [1, 2], "b": [0, 1]}


def test_a_dotted_rest_reaches_into_an_operator_within_one() -> None:
    recipe = Recipe("r", "", (Stage(EmbedFaces(network="none")),))
    (before,), (after,) = recipe.plan().steps, recipe.set("EmbedFaces.detector.min_confidence=0.7").plan().steps
    assert cast(EmbedFaces, after.operator).detector.min_confidence == 0.7
    assert before.version != after.version
    with pytest.raises(UsageError, match="DetectFaces has no field 'confidence'"):
        recipe.set("EmbedFaces.detector.confidence=0.7")


@pytest.mark.parametrize(
    ("assignment", "fix"),
    [
        ("Cut", "write Operator.field=value"),
        ("cut.threshold=3", "did you mean Cut"),
        ("Cut.treshold=3", "it has threshold"),
        ("Cut.threshold=high", "is float"),
    ],
)
def test_a_wrong_assignment_names_the_right_one(assignment: str, fix: str) -> None:
    with pytest.raises(UsageError, match=fix):
        RECIPE.set(assignment)


def test_a_table_nobody_wrote_is_named() -> None:
    with pytest.raises(UsageError, match="r: Propose reads shots, which no earlier stage writes"):
        Recipe("r", "", (Stage(Propose()),)).plan()


def test_a_stage_reads_one_table() -> None:
    with pytest.raises(UsageError, match="Cut reads sources, Propose reads shots: give each table a Stage"):
        Stage(Cut(), Propose())


def test_a_table_is_refined_once_a_stage() -> None:
    with pytest.raises(UsageError, match="two operators of Keep \\+ Keep refine clips"):
        Recipe("r", "", (*RECIPE.stages[:2], Stage(Keep(), Keep({})))).plan()


def test_recipes_are_found_by_name_and_by_file(tmp_path: Path) -> None:
    assert {"talking_head", "diarize"} <= set(recipe_names())
    for name in recipe_names():
        recipe = recipe_named(name)
        assert recipe.name == name
        assert recipe.plan().steps
    with pytest.raises(UsageError, match="no recipe 'talkinghead'; there are .*talking_head"):
        recipe_named("talkinghead")
    (tmp_path / "empty.py").write_text("")
    with pytest.raises(UsageError, match="defines no RECIPE"):
        recipe_named(str(tmp_path / "empty.py"))


def test_a_plan_travels_as_it_was_decided() -> None:
    plan = recipe_named("talking_head").plan()
    there = pickle.loads(pickle.dumps(plan))
    assert there == plan
    assert there.record() == plan.record()
    assert there.weights == plan.weights
    assert [repr(stage) for stage in there.stages] == [repr(stage) for stage in plan.stages]
    with pytest.raises(FrozenInstanceError):
        plan.recipe = "another"  # pyright: ignore[reportAttributeAccessIssue]


def test_a_plan_tells_what_auto_became() -> None:
    auto = Recipe("r", "", (Stage(EmbedFaces(network="auto", detector=DetectFaces(detector="auto"))),))
    told = dict(auto.plan().choices)
    assert set(told) == {"EmbedFaces.network", "EmbedFaces.detector.detector"}
    assert "auto" not in told.values()
    assert Recipe("r", "", (Stage(EmbedFaces(network="none")),)).plan().choices == ()


def test_the_plan_knows_who_can_fetch_a_source_again() -> None:
    fetcher = recipe_named("talking_head").set("DownloadVideo.keep_sources=false").plan().fetcher
    assert fetcher is not None
    assert not fetcher.keep_sources
    assert RECIPE.plan().fetcher is None


def test_a_value_that_can_never_be_meant_is_refused_at_plan() -> None:
    with pytest.raises(UsageError, match="PlanClips.min_s is -5; it must be 0 or more"):
        recipe_named("talking_head").set("PlanClips.min_s=-5").plan()


@pytest.mark.parametrize(
    ("change", "gates"),
    [
        ("min_face_px=64", (64, 3)),
        ("min_s=2", (96, 2)),
        ("min_face_px=0", (0, 3)),  # each source is listened to
        ("min_face_px=192", (96, 3)),  # what is listened to for nothing costs time only
    ],
)
def test_no_source_goes_unheard_that_could_give_a_clip(change: str, gates: tuple[float, float]) -> None:
    plan = recipe_named("talking_head").set(f"PlanClips.{change}").plan()
    (heard,) = [step.operator.parameters() for step in plan.steps if step.operator.name == "DiarizeSpeakers"]
    assert (heard["min_face_px"], heard["min_face_s"]) == gates


def test_a_join_with_a_default_is_made_where_something_writes_the_table() -> None:
    heard, seen = (
        next(step for step in recipe_named(name).plan().steps if step.operator.name == "DiarizeSpeakers")
        for name in ("diarize", "talking_head")
    )
    assert Track not in heard.inputs
    assert Track in seen.inputs


def test_a_metric_that_nothing_scores_is_refused_at_plan_with_those_there_are() -> None:
    with pytest.raises(
        UsageError,
        match=r"no operator of an earlier Stage names 'dnsmos_overall' in its `measures`;"
        r" did you mean dnsmos_ovrl\? There are av_confidence, ",
    ):
        recipe_named("talking_head").set("KeepClips.ranges.dnsmos_overall=[3, null]").plan()


def test_a_metric_of_an_operator_that_does_not_say_what_it_scores_is_let_through() -> None:
    Recipe("made", "", (Stage(Cut(), Look()), Stage(Propose()), Stage(KeepClips({"any": (0, 1)})))).plan()


@pytest.mark.parametrize("name", recipe_names())
def test_every_recipe_asks_for_scores_that_it_makes(name: str) -> None:
    recipe_named(name).plan()


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("RECIPE = Recipe(\n", r"mine\.py, line 1: '\(' was never closed"),
        ("\nimport nothing_of_that_name\n", r"mine\.py, line 2: .*No module named 'nothing_of_that_name'"),
        ("def made():\n    return 1 / 0\n\nmade()\n", r"mine\.py, line 2: ZeroDivisionError: division by zero"),
        ("RECIPE = 3\n", r"mine\.py defines no RECIPE"),
        ("x = '\0'\n", r"mine\.py.*null bytes"),
    ],
    ids=["syntax", "import", "error", "no recipe", "null byte"],
)
def test_what_is_wrong_with_a_recipe_file_is_one_sentence(tmp_path: Path, text: str, told: str) -> None:
    (tmp_path / "mine.py").write_text(text)
    with pytest.raises(UsageError, match=told) as error:
        recipe_named(str(tmp_path / "mine.py"))
    assert "\n" not in str(error.value)
