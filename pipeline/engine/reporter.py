"""A worker's account of what it has in work, told at most twice a second, from a thread of its own."""

import contextlib
import os
import platform
import time
from threading import Lock, Thread
from typing import Any

from manifests.tables import Row
from pipeline.engine.heartbeats import Told, Work
from pipeline.engine.row_media import RowMedia
from pipeline.engine.units import Unit

TELL_S = 0.5  # between two reports of a worker


class Reporter:
    """A worker's side of it: the heartbeat, from a thread of its own. What ends before the first is never told of."""

    def __init__(self, actor: Any):
        """
        Args:
            actor: the Ray actor; None where nobody listens.
        """
        self.actor = actor
        self.node = self.host = self.operators = ""
        self._unit: Unit | None = None
        self._told_at, self._told = 0.0, False
        self._row: tuple[Row, RowMedia, float] | None = None  # with when it was begun
        self._rows, self._rows_done = 1, 0
        self._one_at_a_time = Lock()
        if actor is not None:
            import ray
            from ray.exceptions import RayActorError

            self.node, self.host = ray.get_runtime_context().get_node_id(), platform.node()
            with contextlib.suppress(RayActorError):
                ray.get(actor.snapshot.remote())  # finds the way there: what is told later is under way at once
            Thread(target=self._beat, daemon=True).start()

    def begin(self, unit: Unit, operators: str, rows: int) -> None:
        """Before the first row of a unit."""
        with self._one_at_a_time:
            self._unit, self.operators, self._rows, self._rows_done, self._row, self._told = (
                unit,
                operators,
                max(rows, 1),
                0,
                None,
                False,
            )

    def row(self, row: Row, media: RowMedia) -> None:
        """Before a row."""
        self._row = row, media, time.monotonic()
        self._tell()  # at once, where it may be: a worker that is stopped in its first half second says nothing more

    def row_done(self) -> None:
        """After a row."""
        self._rows_done, self._row = self._rows_done + 1, None

    def end(self) -> None:
        """After the last row of a unit."""
        with self._one_at_a_time:
            if self._told and self._unit is not None and self.actor is not None:
                self.actor.over.remote(self._unit.number)
            self._row = self._unit = None

    def close(self) -> None:
        """Its run is over: another one has come."""
        with self._one_at_a_time:
            self.actor = self._unit = None

    def _beat(self) -> None:
        while self.actor is not None:
            time.sleep(TELL_S)
            self._tell()

    def _tell(self) -> None:
        with self._one_at_a_time:
            if (
                self.actor is not None
                and self._unit is not None
                and self._row
                and time.monotonic() - self._told_at >= TELL_S
            ):
                self._told_at, self._told = time.monotonic(), True
                self.actor.report.remote(self._account(self._unit, *self._row))

    def _account(self, unit: Unit, row: Row, media: RowMedia, began: float) -> Told:
        length_s, done_s, elapsed_s = media.length_s, media.done_s, time.monotonic() - began
        where = unit.number, unit.stage, self.operators, self.node, self.host, os.getpid(), unit.shard
        share = (self._rows_done + (min(done_s / length_s, 1.0) if length_s else 0.0)) / self._rows
        return Told(Work(*where, row.row_id, length_s, done_s, elapsed_s), self._rows_done, share)
