"""Sums of a run in which a step divides the rows of the table that it refines: every part is proposed, and ends as kept
or dropped.
"""

from pathlib import Path

import pytest

from manifests.errors import Inconsistent
from manifests.ledger import Receipt
from manifests.manifest import LISTED, Manifest, RunRecord, StepRecord
from manifests.tables import Clip, Dropped, Source, Turn
from pipeline.views.funnel import TableSum, funnel

PLAN = StepRecord("PlanClips", "PlanClips-1", 0, "sources", ["clips"], [], {"sources": [LISTED]}, {}, [])
CUT = StepRecord("CutSentences", "CutSentences-1", 1, "clips", ["clips"], ["clips"], {"clips": ["PlanClips-1"]}, {}, [])


def clips(count: int) -> list[Clip]:
    return [Clip("a", f"a/{n}/t0", "", "", "", n, n + 1, 0, 0, 1, 1) for n in range(count)]


def divided(root: Path, read: int, kept: int, given_up: int = 0, dropped: int = 0) -> Manifest:
    """A corpus of which a step read some clips, and wrote others in their place."""
    manifest = Manifest(str(root))
    manifest.add([Source("a", "a.mp4")])
    manifest.remember(RunRecord("made", [PLAN, CUT]))
    (shard,) = manifest.shards()
    for step, wrote, calls, lost in (
        (PLAN, read, {"read": 1, "answered": 1, "dropped": 0, "failed": 0}, 0),
        (CUT, kept, {"read": read, "answered": read - dropped, "dropped": dropped, "failed": 0}, given_up),
    ):
        manifest.write(Clip, step.version, shard, clips(wrote))
        manifest.write(Dropped, step.version, shard, [])
        receipt = Receipt(step.operator, calls, {"clips": wrote}, given_up={"clips": lost} if lost else {})
        manifest.commit(step.version, shard, receipt)
    return Manifest(str(root))


@pytest.mark.parametrize(
    ("rows", "sums"),
    [
        ({"read": 2, "kept": 2}, (2, 2, 0, 0)),
        ({"read": 2, "kept": 1, "dropped": 1}, (2, 1, 1, 0)),
        ({"read": 1, "kept": 2, "given_up": 1}, (3, 2, 1, 0)),
        ({"read": 2, "kept": 1, "given_up": 1}, (2, 1, 1, 0)),
        ({"read": 3, "kept": 4, "given_up": 2, "dropped": 1}, (7, 4, 3, 0)),
    ],
    ids=["as they were", "one dropped", "one in three", "one of each part dropped", "all of it"],
)
def test_parts_are_proposed_and_end_as_kept_or_dropped(tmp_path: Path, rows: dict[str, int], sums: tuple[int, ...]):
    manifest = divided(tmp_path, **rows)
    found = funnel(manifest)
    assert found.sum_of("clips") == TableSum("clips", *sums)
    assert found.chain.endswith(f"{sums[0]} clips proposed -> {sums[1]} clips kept")


@pytest.mark.parametrize(("made", "kept"), [(3, 3), (1, 1), (None, 2)], ids=["divided", "made one", "not done yet"])
def test_turns_of_a_source_that_are_told_anew_are_those_proposed(tmp_path: Path, made: int | None, kept: int):
    manifest = Manifest(str(tmp_path))
    manifest.add([Source("a", "a.mp4")])
    hear = StepRecord("Hear", "Hear-1", 0, "sources", ["turns"], [], {"sources": [LISTED]}, {}, [])
    given = {"sources": [LISTED], "turns": ["Hear-1"]}
    anew = StepRecord("Anew", "Anew-1", 1, "sources", ["turns"], ["turns"], given, {}, [])
    manifest.remember(RunRecord("made", [hear, anew]))
    (shard,) = manifest.shards()
    for step, count in ((hear, 2), (anew, made)):
        if count is not None:
            turns = [Turn("a", f"a/{n}", "speaker0", n, n + 1) for n in range(count)]
            calls = {"read": 1, "answered": 1, "dropped": 0, "failed": 0}
            manifest.finish(step.version, shard, {Turn: turns}, [], Receipt(step.operator, calls, {"turns": count}))
    assert funnel(Manifest(str(tmp_path))).sum_of("turns") == TableSum("turns", kept, kept, 0, 0)


def test_a_clip_that_is_gone_without_a_word_is_told(tmp_path: Path):
    manifest = divided(tmp_path, read=3, kept=2)
    with pytest.raises(Inconsistent, match="clips: 3 proposed, but 2 kept"):
        funnel(manifest)


def test_what_a_system_adds_later_was_not_proposed(tmp_path: Path) -> None:
    manifest = divided(tmp_path, 3, 2, dropped=1)
    (shard,) = manifest.shards()
    made = StepRecord("GenerateVideo", "GenerateVideo-1", -1, "clips", ["clips"], [], {}, {}, [])
    more = [Clip("a", "a/9/t0", "", "", "", 9, 10, 0, 0, 1, 1)]
    receipt = Receipt("GenerateVideo", {"read": 1, "answered": 1}, {"clips": 1}, reads="clips")
    manifest.finish(made.version, shard, {Clip: more}, [], receipt)
    manifest.attach("made@system", made)
    manifest = Manifest(str(tmp_path))
    assert manifest.count_rows(Clip) == 3
    assert funnel(manifest).sum_of("clips").kept == 2


@pytest.mark.parametrize("when", range(1, 8))
def test_a_run_that_commits_while_it_is_told_of_breaks_no_sum(
    tmp_path: Path, when: int, monkeypatch: pytest.MonkeyPatch
):
    divided(tmp_path, read=2, kept=1, dropped=1)
    Manifest(str(tmp_path)).add([Source("b", "b.mp4")])
    there, asked = Manifest(str(tmp_path)), 0
    storage = type(there.storage)
    real = storage.names

    def committing(self: object, folder: str, **more: bool) -> list[str]:
        nonlocal asked
        asked += folder.startswith("receipts/")
        if asked == when and folder.startswith("receipts/"):
            asked += 100
            for step, calls in ((PLAN, 1), (CUT, 2)):
                mine = [Clip("b", f"b/{n}/t0", "", "", "", n, n + 1, 0, 0, 1, 1) for n in range(2)]
                there.write(Clip, step.version, 1, mine)
                there.write(Dropped, step.version, 1, [])
                ended = {"read": calls, "answered": calls, "dropped": 0, "failed": 0}
                there.commit(step.version, 1, Receipt(step.operator, ended, {"clips": 2}))
        return real(self, folder, **more)  # pyright: ignore[reportArgumentType]

    monkeypatch.setattr(storage, "names", committing)
    found = funnel(Manifest(str(tmp_path))).sum_of("clips")
    assert found.proposed == found.kept + found.dropped
    assert found.kept in (1, 3)
