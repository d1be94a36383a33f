"""What workers tell of what they have in work, and the actor that they tell.

It imports nothing of ours: the process of the actor would import it all only to keep numbers.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple


@dataclass(frozen=True)
class Work:
    """What a worker has in work."""

    unit: int  # its number in the run
    stage: int
    operators: str  # for people
    node: str  # its id in Ray
    host: str
    pid: int
    shard: int
    row: str  # the id of the row in work
    length_s: float  # seconds of media the row spans; 0.0 where that is not known yet
    done_s: float  # of these, as the frames tell that were looked at; 0.0 where none is
    elapsed_s: float  # since the row was begun
    still_s: float = 0.0  # since the last row was done or the last frame looked at
    silent_s: float = 0.0  # since the worker's last heartbeat


class Told(NamedTuple):
    """A report: a worker's own account of its work, without what only the actor knows."""

    work: Work
    rows_done: int
    share: float  # of the unit, 0 to 1


@dataclass
class _Heard:
    told: Told
    at: float
    moved_at: float


@dataclass(frozen=True)
class InWork:
    """A unit that is in work."""

    work: Work
    share: float  # of it that is done, 0 to 1


class ProgressActor:
    """A Ray actor of the driver's node. It knows what is in work; when it has to be restarted, that is told again
    within a second.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.clock = clock
        self.heard: dict[int, _Heard] = {}  # by unit

    def report(self, told: Told) -> None:
        """A worker's heartbeat."""
        now, before = self.clock(), self.heard.get(told.work.unit)
        moved = before is None or (before.told.rows_done, before.told.work.row, before.told.work.done_s) != (
            told.rows_done,
            told.work.row,
            told.work.done_s,
        )
        self.heard[told.work.unit] = _Heard(told, now, now if moved or before is None else before.moved_at)

    def over(self, unit: int) -> None:
        """A unit is done, or whoever had it has died."""
        self.heard.pop(unit, None)

    def snapshot(self) -> list[InWork]:
        now = self.clock()
        return [InWork(_aged(one, now), one.told.share) for one in self.heard.values()]


def _aged(heard: _Heard, now: float) -> Work:
    silent_s = now - heard.at
    work = heard.told.work
    return Work(
        **{**vars(work), "elapsed_s": work.elapsed_s + silent_s, "still_s": now - heard.moved_at, "silent_s": silent_s}
    )
