"""How far a run is: a table that moves on a terminal, lines with the time elsewhere, and a file of records where one is
asked for.
"""

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from pipeline.engine.progress import Progress
from pipeline.views.console import EVERY_S, now
from pipeline.views.facts import MOODS, clock

BEAT_S = 60.0  # the longest silence of a run that is no terminal's
LOG_S = 10.0  # between two records of a stage
BAR = 18  # columns


def shares(line: Progress) -> float:
    """The sources that a stage has done, those in work by their share, where that can be told."""
    parts = sum(min(1.0, work.done_s / work.length_s) for work in line.work if work.length_s and "/" not in work.row)
    return min(float(line.sources), line.sources_done + parts)


def left_s(line: Progress) -> float | None:
    """Seconds a stage will take, at the speed it had so far; None before anything is done."""
    done = shares(line)
    return None if done <= 0 or line.seconds <= 0 else (line.sources - done) * line.seconds / done


def whole_left_s(lines: Sequence[Progress]) -> float | None:
    """Seconds the run will take: stages work side by side, so that the slowest decides; None before all have begun."""
    known = [left_s(line) for line in lines if not line.done]
    return None if not known or None in known else max(one for one in known if one is not None)


def in_work(line: Progress) -> str:
    """`film-1 (12.4 of 60.0 s, for 31.0 s)`: the row that a stage has had in work for longest; "" where it has none."""
    if line.done or not line.work:
        return ""
    work = max(line.work, key=lambda one: one.elapsed_s)
    spent = f"for {clock(work.elapsed_s)}"
    part = f"{work.done_s:.1f} of {work.length_s:.1f} s, {spent}" if work.length_s and work.done_s else spent
    return f"{work.row} ({part})"


def table(lines: Sequence[Progress], elapsed_s: float) -> RenderableType:
    """The live display: one line a stage, what is in work, and the clock of the whole."""
    shown = Table(box=None, pad_edge=False, header_style="dim")
    for name in ("stage", "sources", "", "rows kept", "dropped", "failed", "left"):
        shown.add_column(name, justify="left" if name in ("stage", "") else "right", overflow="fold")
    latest: float | None = 0.0  # what a stage waits for is not done sooner
    for line in lines:
        share = shares(line) / line.sources if line.sources else 1.0
        bar = Text("━" * round(BAR * share), style="green") + Text("━" * (BAR - round(BAR * share)), style="grey30")
        failed = Text(str(line.failed), style=MOODS["bad"][0] if line.failed else "dim")
        rest = left_s(line)
        latest = rest = None if rest is None or latest is None else max(rest, latest)
        left = "done" if line.done else clock(rest) if rest is not None else ""
        shown.add_row(
            line.stage, f"{line.sources_done}/{line.sources}", bar, str(line.kept), str(line.dropped), failed, left
        )
    below = [Text(f"{line.stage}: {told}", style="dim", overflow="fold") for line in lines if (told := in_work(line))]
    below += [Text(str(stall), style=MOODS["warn"][0], overflow="fold") for line in lines for stall in line.stalls]
    return Group(shown, Text(""), *below, Text(_whole(lines, elapsed_s), style="bold"))


def _whole(lines: Sequence[Progress], elapsed_s: float) -> str:
    rest = whole_left_s(lines)
    return f"{clock(elapsed_s)} gone" + (f", about {clock(rest)} left" if rest is not None else "")


def _told(line: Progress) -> str:
    counts = f"{line.kept} rows kept, {line.dropped} dropped, {line.failed} failed"
    at = in_work(line)
    return f"{line.stage}: {line.sources_done} of {line.sources} sources, {counts}" + (f"; at {at}" if at else "")


@dataclass
class Log:
    """A file of records, one JSON object a line, each with its time. Without a path it takes what it is told and keeps
    nothing.
    """

    path: Path | None = None
    _file: IO[str] | None = field(default=None, repr=False)

    def __enter__(self) -> Self:
        if self.path is not None:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._file = self.path.open("a", encoding="utf-8")
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        if self._file is not None:
            if error is not None:
                self.tell(
                    "stopped" if isinstance(error, KeyboardInterrupt) else "ended",
                    error=f"{type(error).__name__}: {error}",
                )
            self._file.close()

    def tell(self, event: str, **facts: Any) -> None:
        if self._file is not None:
            at = datetime.now().astimezone().isoformat(timespec="milliseconds")
            self._file.write(json.dumps({"at": at, "event": event, **facts}, default=str) + "\n")
            self._file.flush()


class Watch:
    """Shows a run while it goes on: to be called with the progress, twice a second."""

    def __init__(self, out: Console, log: Log, clock: Callable[[], float] = time.monotonic):
        self.out, self.log, self.clock, self.began = out, log, clock, clock()
        self._live = (
            Live(console=out, refresh_per_second=4, redirect_stdout=False, redirect_stderr=False)
            if out.is_terminal and not out.quiet
            else None
        )
        self._told: dict[str, tuple[int, float]] = {}
        self._logged: dict[str, tuple[Any, float]] = {}
        self._stalls: set[tuple[int, str]] = set()
        self._last = self.began

    def __enter__(self) -> Self:
        if self._live:
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._live:
            self._live.stop()

    def __call__(self, lines: Sequence[Progress]) -> None:
        if self._live:
            self._live.update(table(lines, self.clock() - self.began))
        else:
            self._lines(lines)
        self._record(lines)

    def _lines(self, lines: Sequence[Progress]) -> None:
        at = self.clock()
        for line in lines:
            done, told_at = self._told.get(line.stage, (0, self.began))
            if line.sources_done > done and (line.done or at - told_at >= EVERY_S):
                self._told[line.stage] = line.sources_done, at
                self._say(_told(line), at)
            for stall in line.stalls:
                if (key := (stall.work.pid, stall.work.row)) not in self._stalls:
                    self._stalls.add(key)
                    self._say(str(stall), at)
        if at - self._last >= BEAT_S:
            for line in lines:
                if told := in_work(line):
                    self._say(f"{line.stage}: at {told}", at)
            self._say(_whole(lines, at - self.began), at)

    def _say(self, text: str, at: float) -> None:
        self._last = at
        self.out.print(f"{now()} {text}", soft_wrap=True)

    def _record(self, lines: Sequence[Progress]) -> None:
        at = self.clock()
        for line in lines:
            counts = line.sources_done, line.kept, line.dropped, line.failed
            before, logged_at = self._logged.get(line.stage, (None, -LOG_S))
            begun = any(counts) or line.work
            if begun and ((counts != before and (at - logged_at >= LOG_S or line.done)) or at - logged_at >= BEAT_S):
                self._logged[line.stage] = counts, at
                facts = {"stage": line.stage, "sources": line.sources, "done": line.sources_done, "kept": line.kept}
                facts |= {"dropped": line.dropped, "failed": line.failed, "seconds": round(line.seconds, 1)}
                self.log.tell(
                    "progress",
                    **facts,
                    work=[vars(work) for work in line.work],
                    stalls=[str(stall) for stall in line.stalls],
                )
