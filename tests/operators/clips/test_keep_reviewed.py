"""What people said of clips, written down by hand; and a run over a corpus whose reviews change."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from manifests.manifest import Manifest
from manifests.tables import Clip, Dropped, Review, Source
from operators.base import Drop, Operator
from operators.clips.keep_reviewed import KeepReviewed
from pipeline.corpus_steps.reviews import Said, import_reviews
from pipeline.engine.alone import work
from pipeline.recipe import Recipe, Stage

NOON = "2026-11-27T12:00:00Z"


def clip(name: str) -> Clip:
    return Clip("s", f"s/{name}", "s/shot", "s/shot/t0", "speaker0", 0.0, 5.0, 0, 0, 9, 9)


def ended(operator: KeepReviewed, *said: tuple[str, str]) -> str:
    rows = [Review("s", f"s/a@{n}", "s/a", str(n), verdict, reason, NOON) for n, (verdict, reason) in enumerate(said)]
    try:
        return "kept" if list(operator(clip("a"), rows)) else "nothing"
    except Drop as drop:
        return f"{drop.reason}: {drop.detail}"


def test_what_all_reviewers_say_counts() -> None:
    assert ended(KeepReviewed(), ("keep", ""), ("keep", "nice")) == "kept"
    assert ended(KeepReviewed(), ("reject", "dubbed"), ("reject", "a mask")) == "review_reject: a mask; dubbed"
    assert ended(KeepReviewed(), ("keep", ""), ("flag", "dark")) == "review_disputed: dark"
    assert ended(KeepReviewed(verdicts=("keep", "flag")), ("flag", "dark")) == "kept"


def test_what_nobody_looked_at_stays_only_where_that_is_asked() -> None:
    assert ended(KeepReviewed()) == "not_reviewed: "
    assert ended(KeepReviewed(unreviewed=True)) == "kept"
    assert ended(KeepReviewed(verdicts=("disputed",), unreviewed=True), ("keep", "")) == "review_keep: "


def test_a_word_that_is_no_verdict_is_refused() -> None:
    for verdicts in (("good",), ()):
        with pytest.raises(ValueError, match="it is some of keep, reject, flag, disputed"):
            KeepReviewed(verdicts=verdicts)


@dataclass(frozen=True)
class Propose(Operator):
    def __call__(self, source: Source) -> Iterator[Clip]:
        for name in "abc":
            one = clip(name)
            yield Clip(**{**vars(one), "source_id": source.source_id, "clip_id": f"{source.source_id}/{name}"})


def run(root: str, *keep: KeepReviewed) -> Manifest:
    recipe = Recipe("reviewed", "", (Stage(Propose()), *(Stage(one) for one in keep)))
    manifest = Manifest(root)
    plan = recipe.plan(manifest.wholes())
    manifest.remember(plan.record())
    work(plan, manifest)
    return Manifest(root)


def clips(manifest: Manifest) -> list[str]:
    return manifest.table(Clip)["clip_id"].to_pylist()


def test_a_run_chooses_by_the_reviews_that_there_are(tmp_path: Path) -> None:
    root, keep = str(tmp_path / "corpus"), KeepReviewed(unreviewed=True)
    Manifest(root).add([Source("s", "s.mp4")])
    assert clips(run(root, keep)) == ["s/a", "s/b", "s/c"]  # no reviews yet
    import_reviews(Manifest(root), [Said("s/a", "reject", "dubbed", NOON), Said("s/b", "keep", "", NOON)], "ada")
    reviewed = run(root, keep)
    assert clips(reviewed) == ["s/b", "s/c"]
    (drop,) = reviewed.table(Dropped).to_pylist()
    assert (drop["subject"], drop["reason"], drop["detail"]) == ("s/a", "review_reject", "dubbed")
    assert clips(run(root, KeepReviewed())) == ["s/b"]
    assert clips(run(root)) == ["s/a", "s/b", "s/c"]  # without the operator all are there, and their reviews
    import_reviews(Manifest(root), [Said("s/a", "keep", "", "2026-11-28T12:00:00Z")], "ada")
    manifest = run(root, keep)
    assert clips(manifest) == ["s/a", "s/b", "s/c"]
    manifest.add([Source("new", "new.mp4")])  # in a shard that no review lies in
    assert clips(run(root, KeepReviewed())) == ["s/a", "s/b"]
    assert len(clips(run(root, keep))) == 6
