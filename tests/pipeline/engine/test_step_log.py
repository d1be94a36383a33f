"""What a step made, row by row: what is lost, given up, taken down and tried again is counted once."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from manifests.manifest import Manifest
from manifests.media import MediaStore
from manifests.tables import Clip, Dropped, Source
from manifests.takedowns import Takedown, Takedowns
from operators.base import Drop, Operator
from operators.sources.download_video import DownloadVideo
from pipeline.engine.outcome import Answer, StepLog, call_operator, call_step
from pipeline.engine.row_media import RowMedia
from pipeline.engine.units import Commit
from pipeline.engine.worker import Worker
from pipeline.recipe import Recipe, Stage, Step


@dataclass(frozen=True)
class Propose(Operator):
    def __call__(self, source: Source) -> Iterator[Clip]:
        yield clip(source.source_id)


@dataclass(frozen=True)
class Lose(Operator):
    """Refines clips, and forgets some."""

    def __call__(self, clip: Clip) -> Iterator[Clip]:
        if clip.source_id == "kept":
            yield clip


PLAN = Recipe("lose", "", (Stage(Propose()), Stage(Lose()))).plan()
PROPOSE, LOSE = PLAN.steps


def clip(source: str, number: int = 0) -> Clip:
    return Clip(source, f"{source}/{number}", "", "", "", float(number), number + 1.0, 0.0, 0.0, 1.0, 1.0)


def called(step: Step, row: Any) -> Answer:
    return call_step(step, row, {}, SimpleNamespace(), iter(()))


def test_a_refining_step_that_says_nothing_of_its_row_has_failed() -> None:
    assert (called(LOSE, clip("kept")).status, called(LOSE, clip("lost")).status) == ("answered", "failed")
    (drop,) = called(LOSE, clip("lost")).drops
    assert (drop.reason, drop.failed, drop.retryable) == ("LostRow", True, True)


def test_any_failure_is_worth_another_try() -> None:
    def made() -> Iterator[Clip]:
        raise MemoryError
        yield

    (drop,) = call_operator("Any", clip("a"), made()).drops
    assert (drop.failed, drop.retryable) == (True, True)


def test_rows_that_were_proposed_and_given_up_are_counted_beside_the_row_that_was_read() -> None:
    log, source = StepLog(PROPOSE), Source("a", "")
    drops = call_operator("Propose", source, iter([clip("a"), Drop("late", clip("a", 1)), Drop("late", clip("a", 2))]))
    log.enter(source, drops)
    log.enter(Source("b", ""), call_operator("Propose", Source("b", ""), iter([Drop("dark")])))
    assert log.calls == {"read": 2, "answered": 1, "dropped": 1}
    assert log.given_up == {"clips": 2}
    assert log.receipt().reasons == {"dark": 1, "late": 2}


def test_two_drops_of_a_row_have_two_names() -> None:
    log, row = StepLog(PROPOSE), Source("a", "")
    log.enter(row, call_operator("Propose", row, iter([Drop("late", clip("a")), Drop("dark", clip("a"))])))
    assert [drop.drop_id for drop in log.drops] == ["a/0@Propose", "a/0@Propose#2"]


def test_what_was_taken_down_is_no_answer() -> None:
    gone = Takedowns((Takedown("source:a", "", {"a": ""}, [], []),))
    log = StepLog(LOSE, gone)
    log.enter(clip("a"), Answer("answered", [clip("a")]))
    assert {name: log.calls[name] for name in ("read", "answered", "dropped")} == {
        "read": 1,
        "answered": 0,
        "dropped": 1,
    }
    assert [drop.reason for drop in log.drops] == ["taken_down"]
    assert not log.rows[Clip]


def test_of_what_is_tried_again_nothing_is_kept(tmp_path: Path) -> None:
    manifest, version = Manifest(str(tmp_path)), LOSE.version
    drops = [
        Dropped(source, f"{source}/0@Lose", f"{source}/0", "clips", "Lose", "dark", "", False, False) for source in "ab"
    ]
    manifest.write(Dropped, version, 0, drops)
    manifest.write(Clip, version, 0, [clip("c")])
    log = StepLog(LOSE)
    log.keep_others(manifest, 0, {"sources": ["a"], "receipt": None}, [clip("a"), clip("b"), clip("c")])
    assert [drop.source_id for drop in log.drops] == ["b"]
    assert log.calls == {"read": 2, "answered": 1, "dropped": 1, "failed": 0}
    assert [row.source_id for row in log.rows[Clip]] == ["c"]


def test_downloads_leave_the_store_only_where_the_recipe_says_so(tmp_path: Path) -> None:
    for keep in (True, False):
        plan = Recipe("get", "", (Stage(DownloadVideo(keep_sources=keep)),)).plan()
        manifest = Manifest(str(tmp_path / str(keep)))
        (made := tmp_path / "made.mp4").write_bytes(b"film")
        place, sha256 = MediaStore(manifest.root).put(made, ".mp4")
        source = Source("web-0", "https://example.org/a.mp4", media=place, sha256=sha256)
        manifest.write(Source, plan.steps[0].version, 0, [source])
        Worker(plan, manifest, manifest.takedowns()).commit(Commit(0, 0, 0, (), ("web-0",), True), {})
        assert MediaStore(manifest.root).has(place) is keep


def test_what_was_fetched_in_part_lies_apart_for_each_corpus_and_source() -> None:
    places = {
        RowMedia(Source(source, ""), None, MediaStore(root)).scratch
        for root in ("/corpora/one", "/corpora/two")
        for source in ("a", "b")
    }
    assert len(places) == 4
