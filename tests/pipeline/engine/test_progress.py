"""What is known of a run while it goes on: sums, the row in work, and work that does not get on."""

import os
import signal
import threading
from pathlib import Path

import pytest

from manifests.errors import Stalled
from manifests.manifest import Manifest
from manifests.tables import Score
from pipeline.engine.heartbeats import ProgressActor, Told, Work
from pipeline.engine.progress import Progress, Stall, process_state, stalled
from pipeline.engine.run import run
from pipeline.listing import list_sources
from pipeline.recipe import recipe_named
from tests.made_videos import write_video


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def told(unit: int, row: str, done_s: float = 0.0, rows_done: int = 0, share: float = 0.0) -> Told:
    return Told(
        Work(unit, 3, "DetectFaces", "n", "host", 24933, 0, row, 60.0, done_s, elapsed_s=done_s), rows_done, share
    )


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def actor(clock: Clock) -> ProgressActor:
    return ProgressActor(clock)


def test_what_is_over_is_not_in_work(actor: ProgressActor) -> None:
    actor.report(told(0, "a", share=0.25))
    actor.report(told(1, "b"))
    actor.over(1)
    assert [(one.work.row, one.share) for one in actor.snapshot()] == [("a", 0.25)]


def test_work_gets_on_when_a_frame_or_a_row_is_done_and_not_by_a_heartbeat(actor: ProgressActor, clock: Clock) -> None:
    def at(now: float, report: Told | None = None) -> Work:
        clock.now = now
        if report:
            actor.report(report)
        return actor.snapshot()[0].work

    assert at(10, told(0, "a", 1.0)).still_s == 0
    assert at(90, told(0, "a", 2.0)).still_s == 0
    work = at(200, told(0, "a", 2.0))
    assert (work.still_s, work.silent_s) == (110, 0)
    work = at(230)
    assert (work.still_s, work.silent_s, work.elapsed_s) == (140, 30, 32)
    assert stalled([work]) == [work]
    assert stalled([at(231, told(0, "a", 2.0, rows_done=1))]) == []
    assert stalled([at(232, told(0, "b"))]) == []


def test_a_stall_names_what_where_and_how_the_worker_is() -> None:
    work = Work(0, 3, "DetectFaces", "n", "host7", 24933, 0, "yt-3fk2", 60.0, 12.0, 200.0, still_s=125.0)
    assert (
        str(Stall(work, "stopped"))
        == "no progress for 2 min in DetectFaces on yt-3fk2 (worker 24933 on host7 is stopped)"
    )


@pytest.mark.parametrize(
    ("stat", "state"), [("7 (a) b) T 1 7", "stopped"), ("7 (python) R 1 7", "running"), ("7 (x y) Z 1", "dead")]
)
def test_the_kernel_says_how_a_process_is(tmp_path: Path, stat: str, state: str) -> None:
    (tmp_path / "7").mkdir()
    (tmp_path / "7" / "stat").write_text(stat)
    assert process_state(7, tmp_path) == state
    assert process_state(8, tmp_path) == "gone"
    assert process_state(os.getpid()) == "running"


STOPS = """import os
import signal
from collections.abc import Iterator
from dataclasses import dataclass

from manifests.tables import Score, Source
from operators.base import Frames, Operator
from pipeline.recipe import Recipe, Stage


@dataclass(frozen=True)
class StopItself(Operator):
    def __call__(self, source: Source, frames: Frames) -> Iterator[Score]:
        for number, frame in enumerate(frames):
            if number == 12:
                os.kill(os.getpid(), signal.SIGSTOP)
        yield Score(source.source_id, f"{source.source_id}#n", source.source_id, "n", "n", 1.0)


RECIPE = Recipe("stops", "a worker that is stopped, as by a terminal", (Stage(StopItself()),))
"""


def test_a_run_that_does_not_get_on_ends_with_a_sentence(ray_here: None, tmp_path: Path) -> None:
    (tmp_path / "recipe.py").write_text(STOPS)
    film = write_video(tmp_path / "film.mp4", [("red", 1.0)], size=(64, 64))
    manifest = Manifest(str(tmp_path / "corpus"))
    manifest.add(list_sources([str(film)]).sources)
    workers: set[int] = set()

    def watch(lines: list[Progress]) -> None:
        workers.update(work.pid for line in lines for work in line.work)

    with pytest.raises(Stalled, match=r"in StopItself on .* is stopped\); the run is given up"):
        run(recipe_named(str(tmp_path / "recipe.py")).plan(), manifest, watch=watch, stalled_s=1.0, gives_up_s=3.0)
    for pid in workers:
        os.kill(pid, signal.SIGKILL)


def test_a_stopped_worker_is_named(ray_here: None, tmp_path: Path) -> None:
    (tmp_path / "recipe.py").write_text(STOPS)
    film = write_video(tmp_path / "film.mp4", [("red", 1.0)], size=(64, 64))
    manifest = Manifest(str(tmp_path / "corpus"))
    manifest.add(list_sources([str(film)]).sources)
    seen: list[Stall] = []
    last: list[Progress] = []

    def watch(lines: list[Progress]) -> None:
        last[:] = lines
        for stall in (stall for line in lines for stall in line.stalls):
            seen.append(stall)
            os.kill(stall.work.pid, signal.SIGCONT)

    killer = threading.Timer(120, lambda: [os.kill(work.pid, signal.SIGCONT) for line in last for work in line.work])
    killer.start()
    run(recipe_named(str(tmp_path / "recipe.py")).plan(), manifest, watch=watch, stalled_s=1.5)
    killer.cancel()
    assert seen[0].state == "stopped"
    assert (seen[0].work.operators, seen[0].work.row) == ("StopItself", manifest.table(Score).to_pylist()[0]["subject"])
    assert seen[0].work.still_s >= 1.5
    assert [(line.sources_done, line.kept, line.done, line.work) for line in last] == [(1, 1, True, ())]
