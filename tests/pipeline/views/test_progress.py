"""What a run says of itself while it goes on."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.engine.heartbeats import Work
from pipeline.engine.progress import Progress, Stall
from pipeline.views.console import SafeConsole
from pipeline.views.progress import BEAT_S, Log, Watch, in_work, left_s, table, whole_left_s


class Clock:
    def __init__(self) -> None:
        self.at = 0.0

    def __call__(self) -> float:
        return self.at


def work(row: str, done_s: float = 0.0, length_s: float = 0.0, elapsed_s: float = 0.0, pid: int = 1) -> Work:
    return Work(pid, 0, "Look", "node", "here", pid, 0, row, length_s, done_s, elapsed_s, still_s=121.0)


def line(stage: str = "Look", sources: int = 4, done: int = 0, seconds: float = 0.0, **more) -> Progress:
    return Progress(stage, sources, done, kept=7, dropped=2, failed=1, seconds=seconds, **more)


def quiet_console(width: int = 300, terminal: bool = False) -> SafeConsole:
    return SafeConsole(width=width, markup=False, highlight=False, force_terminal=terminal, color_system=None)


def shown(lines: list[Progress], elapsed_s: float = 130.0, width: int = 80) -> str:
    out = quiet_console(width)
    with out.capture() as got:
        out.print(table(lines, elapsed_s))
    return got.get()


def test_time_left_counts_what_is_in_work_and_the_slowest_stage_decides() -> None:
    half = line(sources=1, seconds=30.0, work=(work("film", 15.0, 60.0, 30.0),))
    assert left_s(half) == pytest.approx(90.0)
    assert left_s(line(done=1, seconds=10.0)) == pytest.approx(30.0)
    assert left_s(line(seconds=5.0)) is None
    assert left_s(line(seconds=5.0, work=(work("film/000000-001000", 0.5, 1.0, 5.0),))) is None, (
        "a shot is no known part of its source"
    )
    assert whole_left_s([half, line(done=1, seconds=10.0), Progress("ended", 4, 4, seconds=900.0, done=True)]) == 90.0
    assert whole_left_s([half, line()]) is None


def test_the_live_table_names_the_row_in_work_and_what_stands_still() -> None:
    told = shown(
        [
            line(
                seconds=30.0,
                work=(work("film-1", 12.4, 60.0, 31.0), work("film-2", 1.0, 9.0, 2.0)),
                stalls=(Stall(work("film-1", pid=24933), "stopped"),),
            )
        ]
    )
    assert "Look: film-1 (12.4 of 60.0 s, for 31.0 s)" in told
    assert "no progress for 2 min in Look on film-1 (worker 24933 on here is stopped)" in " ".join(told.split())
    assert "2 min 10 s gone, about" in told
    assert "…" not in shown([line(stage="A" * 70)])


def test_off_a_terminal_each_line_has_its_time_and_is_whole() -> None:
    clock, out = Clock(), quiet_console()
    with out.capture() as got, Watch(out, Log(), clock) as watch:
        watch([line(stage="A" * 200)])
        clock.at = 12.0
        watch([line(stage="A" * 200, done=1, seconds=12.0)])
        clock.at = 15.0
        watch([line(stage="A" * 200, done=2, seconds=15.0)])  # too soon after the last line
        clock.at = 16.0
        watch([Progress("A" * 200, 4, 4, done=True)])
    lines = got.get().splitlines()
    assert [one[9:].partition(": ")[2][:17] for one in lines] == ["1 of 4 sources, 7", "4 of 4 sources, 0"]
    assert all(one[2] == one[5] == ":" for one in lines)


def test_a_long_row_is_told_of_now_and_then_and_a_stall_once() -> None:
    clock, out = Clock(), quiet_console()
    stuck = line(work=(work("film-1", elapsed_s=61.0),), stalls=(Stall(work("film-1", pid=7), "stopped"),))
    with out.capture() as got, Watch(out, Log(), clock) as watch:
        for clock.at in (1.0, 2.0, BEAT_S + 3.0, BEAT_S + 4.0):
            watch([stuck])
    told = got.get()
    assert told.count("worker 7 on here is stopped") == 1
    assert told.count("at film-1 (for 1 min 01 s)") == 1


def test_the_log_holds_records_with_their_times(tmp_path: Path) -> None:
    clock, path = Clock(), tmp_path / "logs" / "run.jsonl"
    with Log(path) as log:
        watch = Watch(quiet_console(), log, clock)
        log.tell("started", recipe="toy")
        watch([line(done=1, seconds=3.0)])
        clock.at = 5.0
        watch([line(done=2, seconds=5.0)])
        clock.at = 20.0
        watch([line(done=3, seconds=20.0)])
    with pytest.raises(KeyboardInterrupt), Log(path):
        raise KeyboardInterrupt
    records = [json.loads(text) for text in path.read_text().splitlines()]
    assert [(one["event"], one.get("done")) for one in records] == [
        ("started", None),
        ("progress", 1),
        ("progress", 3),
        ("stopped", None),
    ]
    assert all("T" in one["at"] for one in records)


def test_nothing_in_work_is_nothing_to_tell() -> None:
    assert in_work(line()) == ""
    assert in_work(Progress("ended", 1, 1, done=True, work=(work("a"),))) == ""


def test_only_ours_is_heard_while_libraries_talk() -> None:
    """Of C++, of children, and of Python alike; where it ends in an error, their words are with it."""
    code = """
import os, subprocess, sys
from pipeline.views.console import alone, console
out = console()
out.print("before")
with alone(out):
    os.write(1, b"C++ to 1\\n"); os.write(2, b"C++ to 2\\n")
    subprocess.run(["echo", "a child"]); print("Python"); print("Python", file=sys.stderr)
    out.print("ours")
out.print("after")
try:
    with alone(out):
        os.write(2, b"why it failed\\n")
        raise RuntimeError("it failed")
except RuntimeError as error:
    print(error.__notes__)
"""
    made = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=Path(__file__).parents[3]
    )
    assert made.stdout.splitlines() == [
        "before",
        "ours",
        "after",
        "['what libraries said meanwhile:\\nwhy it failed\\n']",
    ]
    assert made.stderr == ""
