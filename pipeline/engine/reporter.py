"""A worker's account of what it has in work, told at most twice a second, from a thread of its own."""

import os
import platform
import time
from collections import Counter
from dataclasses import dataclass
from threading import Thread
from typing import Any, NamedTuple

from manifests.tables import Row
from pipeline.engine.row_media import RowMedia

TELL_S = 0.5  # between two reports of a worker


@dataclass(frozen=True)
class Work:
    """What a worker has in work."""

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
    share: float  # of the shard, 0 to 1
    counts: Counter[str]  # kept, dropped, failed


class Claim(NamedTuple):
    """What is known of earlier tries at a stage and shard in this run."""

    deaths: dict[str, int]  # by row: workers that died with it in work
    by_row: bool  # a worker has died: say of every row that it is begun, to know which one it is


class Reporter:
    """A worker's side of it: the heartbeat, from a thread of its own."""

    def __init__(self, actor: Any, stage: int, operators: str):
        """
        Args:
            actor: the Ray actor; None where nobody listens.
        """
        self.actor, self.stage, self.operators = actor, stage, operators
        self.node = self.host = ""
        self._shard, self._told_at = 0, 0.0
        self._row: tuple[Row, RowMedia, float] | None = None  # with when it was begun
        self._rows, self._rows_done, self._by_row = 1, 0, False
        self._counts: Counter[str] = Counter()
        if actor is not None:
            import ray

            self.node, self.host = ray.get_runtime_context().get_node_id(), platform.node()
            Thread(target=self._beat, daemon=True).start()

    def begin(self, shard: int, rows: list[Row]) -> Claim:
        """Before the first row of a shard. Which rows have killed workers in this run."""
        self._rows, self._rows_done, self._counts, self._row, self._shard = len(rows) + 1, 0, Counter(), None, shard
        sole = rows[0].row_id if len(rows) == 1 else ""
        claim = self._ask("begin", self._told(sole)) or Claim({}, by_row=False)
        self._by_row = claim.by_row
        return claim

    def row(self, row: Row, media: RowMedia) -> None:
        """Before a row."""
        self._row = row, media, time.monotonic()
        if self._by_row:
            self._ask("claim", self.stage, self._shard, row.row_id)
        self._tell()  # at once, where it may be: a worker that is stopped in its first half second says nothing more

    def row_done(self, counts: Counter[str]) -> None:
        """After a row.

        Args:
            counts: kept, dropped and failed, of the shard so far.
        """
        self._rows_done, self._counts, self._row = self._rows_done + 1, counts, None

    def end(self, shard: int, counts: Counter[str]) -> None:
        """After a shard is committed."""
        self._row = None
        self._ask("end", self.stage, shard, counts)

    def _ask(self, what: str, *arguments: Any) -> Any:
        if self.actor is None:
            return None
        import ray

        return ray.get(getattr(self.actor, what).remote(*arguments))

    def _beat(self) -> None:
        while True:
            time.sleep(TELL_S)
            self._tell()

    def _tell(self) -> None:
        if self.actor is not None and self._row is not None and time.monotonic() - self._told_at >= TELL_S:
            self._told_at = time.monotonic()
            self.actor.report.remote(self._told())

    def _told(self, row: str = "") -> Told:
        length_s = done_s = elapsed_s = 0.0
        if in_work := self._row:
            row, media, elapsed_s = in_work[0].row_id, in_work[1], time.monotonic() - in_work[2]
            length_s, done_s = media.length_s, media.done_s
        work = Work(
            self.stage, self.operators, self.node, self.host, os.getpid(), self._shard, row, length_s, done_s, elapsed_s
        )
        share = (self._rows_done + (min(done_s / length_s, 1.0) if length_s else 0.0)) / self._rows
        return Told(work, self._rows_done, share, self._counts)
