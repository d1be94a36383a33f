"""What an operator made of a row, and what a step made of a shard: rows, drops, failures, and their counts."""

import re
import time
import traceback
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from manifests.ledger import CALLS, DUPLICATE_KEY, Receipt, ended
from manifests.manifest import Manifest
from manifests.tables import Dropped, Row
from manifests.takedowns import REASON, Takedowns
from operators.base import Drop, Frames
from pipeline.engine.rows import Made, to_arrow
from pipeline.recipe import Step

# a row that cannot be judged, since a step before failed on what would be looked at: `not_done.py`
NOT_DONE = "not_done"
MAX_DEATHS = 2  # a row in work when its worker died this often in one run is dropped


@dataclass
class Answer:
    """What an operator made of a row."""

    status: str  # answered, dropped or failed
    rows: list[Row] = field(default_factory=list)
    drops: list[Dropped] = field(default_factory=list)
    cpu_s: float = 0.0
    decode_s: float = 0.0


class LostRow(Exception):
    """A refining operator gave neither a row nor a Drop for the row it was given."""


def call_step(step: Step, row: Row, given: Mapping[str, Any], media: Any, frames: Iterator[Any]) -> Answer:
    """Calls an operator on a row.

    Args:
        given: its joins and lookups, by parameter.
    """
    return call_operator(step.operator.name, row, _called(step, row, given, media, frames))


def _called(step: Step, row: Row, given: Mapping[str, Any], media: Any, frames: Iterator[Any]) -> Iterator[Row | Drop]:
    operator, writes = step.operator, step.operator.signature.writes
    asks = {name: frames if kind is Frames else media.of(kind) for name, kind in operator.signature.asks.items()}
    lost = type(row) in step.refines
    for item in operator(row, **given, **asks):
        if type(item) not in (*writes, Drop):
            raise TypeError(
                f"{operator.name} yielded a {type(item).__name__}; it declares {', '.join(t.__name__ for t in writes)}"
            )
        # which flow by themselves, and may be done elsewhere
        if isinstance(item, Row) and item.source_id != row.source_id:
            raise TypeError(f"{operator.name} yielded a row of {item.source_id}; it was given one of {row.source_id}")
        lost = lost and type(item) not in (type(row), Drop)
        yield item
    if lost:
        raise LostRow(f"{operator.name} yielded neither a {type(row).__name__} nor a Drop")


def call_operator(name: str, row: Row, made: Iterable[Row | Drop]) -> Answer:
    """What an operator or a metric of this name makes of a row. Its drops and errors become rows, here and nowhere
    else.
    """
    began, rows, drops, status = time.thread_time(), list[Row](), list[Dropped](), "answered"
    try:
        for item in made:
            if isinstance(item, Row):
                rows.append(item)
            else:
                drops.append(_dropped(name, item.row or row, item))
                if drops[-1].subject == row.row_id:
                    status = "dropped"
    except Drop as drop:
        rows, drops, status = [], [_dropped(name, row, drop)], "dropped"
    except Exception as error:  # noqa: BLE001 - errors are data; the rest of the shard goes on
        rows, drops, status = [], [_failed(name, row, error)], "failed"
    return Answer(status, rows, drops, time.thread_time() - began)


def worker_died(row: Row, step: Step) -> Answer:
    drop = Drop("worker_died", detail=f"its worker died {MAX_DEATHS} times while it was in work", retryable=True)
    return Answer("failed", [], [_dropped(step.operator.name, row, drop, failed=True)])


def not_done(row: Row, step: Step, cause: str) -> Answer:
    """The answer for a row whose step cannot judge it, for another's failure."""
    return Answer("dropped", [], [_dropped(step.operator.name, row, Drop(NOT_DONE, detail=cause, retryable=True))])


def _dropped(operator: str, row: Row, drop: Drop, failed: bool = False) -> Dropped:
    return Dropped(
        row.source_id,
        f"{row.row_id}@{operator}",
        row.row_id,
        row.table,
        operator,
        drop.reason,
        drop.detail,
        failed,
        drop.retryable,
    )


_QUOTED_PATH = re.compile(r"""(?P<quote>['"])(?:file://)?/(?:[^'"\n]*/)?(?P<name>[^'"/\n]+)/?(?P=quote)""")
_PATH = re.compile(r"""(?<![\w:/.])(?:file://)?/(?:[^/\s'":,;()\[\]<>]+/)*(?P<name>[^/\s'":,;()\[\]<>]+)/?""")


def without_paths(text: str) -> str:
    """The text with every absolute path cut to its last name. Addresses such as `https://host/name` stay."""
    return _PATH.sub(r"\g<name>", _QUOTED_PATH.sub(r"\g<quote>\g<name>\g<quote>", text))


def _failed(operator: str, row: Row, error: Exception) -> Dropped:
    """Names the error and where it came from, without the paths of this machine."""
    frames = [
        f"{Path(frame.filename).name}:{frame.lineno} {frame.name}"
        for frame in traceback.extract_tb(error.__traceback__)
    ]
    detail = f"{type(error).__name__}: {without_paths(str(error))[:1000]}\n" + "\n".join(
        f"  {line}" for line in frames[-8:]
    )
    return Dropped(
        row.source_id,
        f"{row.row_id}@{operator}",
        row.row_id,
        row.table,
        operator,
        type(error).__name__,
        detail,
        True,
        True,
    )


class StepLog:
    """What a step made of a source, or of a shard, so far."""

    def __init__(self, step: Step, takedowns: Takedowns | None = None):
        self.step, self.takedowns = step, takedowns
        self.rows: dict[type[Row], list[Row]] = defaultdict(list)
        self.drops: list[Dropped] = []
        self.failures = 0  # of the drops
        self.calls: Counter[str] = Counter()
        self.given_up: Counter[str] = Counter()  # proposed rows, by table, beside the row that was read
        self.seconds, self.cpu_s, self.decode_s = 0.0, 0.0, 0.0
        self.clashes = 0  # rows of different sources that have one key
        self.again: set[str] | None = None  # the sources to do; None for all
        self._keys: set[tuple[type[Row], str]] = set()

    def wants(self, row: Row) -> bool:
        return self.again is None or row.source_id in self.again

    def keep_others(self, manifest: Manifest, shard: int, retry: dict[str, Any], given: list[Row]) -> None:
        """Takes over what the step made of the sources that are not to be done again, and counts it anew."""
        self.again, version, operator = set(retry["sources"]), self.step.version, self.step.operator
        reads = operator.signature.reads
        for table in operator.signature.writes:
            kept = [row for row in manifest.read(table, [version], shard) if table.log or not self.wants(row)]
            self.rows[table] += kept
            self._keys |= {(table, row.row_id) for row in kept}
        self.drops = [drop for drop in manifest.read(Dropped, [version], shard) if not self.wants(drop)]
        self.failures = sum(drop.failed for drop in self.drops)
        self._keys |= {(Dropped, drop.drop_id) for drop in self.drops}
        self.calls, self.given_up = ended(self.drops, reads.table, [row.row_id for row in given if not self.wants(row)])
        if before := retry["receipt"]:
            self.seconds, self.cpu_s, self.decode_s = before["seconds"], before["cpu_s"], before["decode_cpu_s"]

    def enter(self, row: Row, answer: Answer) -> None:
        self.calls["read"] += 1
        self.calls[answer.status] += 1
        self.cpu_s += answer.cpu_s
        self.decode_s += answer.decode_s
        for made in map(self.takedowns.without, answer.rows) if self.takedowns else answer.rows:
            if self.takedowns and self.takedowns.covers(made):
                drop = _dropped(self.step.operator.name, made, Drop(REASON))
                if drop.subject == row.row_id:
                    self.calls.update({"answered": -1, "dropped": 1})
                else:
                    self.given_up[drop.subject_table] += 1
                self._drop(drop)
            else:
                self._keep(made)
        for drop in answer.drops:
            if drop.subject != row.row_id:
                self.given_up[drop.subject_table] += 1
            self._drop(drop)

    def add(self, made: Made) -> None:
        """Takes over what was made of a source, or of some of its rows, after those that were taken over before."""
        self.calls.update(made.calls)
        self.given_up.update(made.given_up)
        self.seconds, self.cpu_s, self.decode_s = (
            self.seconds + made.seconds,
            self.cpu_s + made.cpu_s,
            self.decode_s + made.decode_s,
        )
        for table in self.step.operator.signature.writes:
            for row in made.of(table):
                self.clashes += not self._keep(row)
        for drop in made.drops:
            self._drop(drop)

    def made(self) -> Made:
        """For `add`."""
        rows = {table.table: to_arrow(table, rows) for table, rows in self.rows.items() if rows}
        return Made(rows, self.drops, self.calls, self.given_up, self.seconds, self.cpu_s, self.decode_s)

    def counts(self) -> Counter[str]:
        kept = sum(len(rows) for rows in self.rows.values())
        return Counter(kept=kept, failed=self.failures, dropped=len(self.drops) - self.failures)

    def _keep(self, made: Row) -> bool:
        """False for a second row of one key, which is a failure."""
        if (type(made), made.row_id) in self._keys:
            drop = Drop(DUPLICATE_KEY, detail=f"{self.step.operator.name} made two rows {made.row_id}")
            self._drop(_dropped(self.step.operator.name, made, drop, failed=True))
            return False
        self._keys.add((type(made), made.row_id))
        self.rows[type(made)].append(made)
        return True

    def _drop(self, drop: Dropped) -> None:
        first = key = f"{drop.subject}@{drop.operator}"
        number = 1
        while (Dropped, key) in self._keys:
            number += 1
            key = f"{first}#{number}"
        self._keys.add((Dropped, key))
        self.failures += drop.failed
        self.drops.append(drop if key == drop.drop_id else Dropped(**{**drop.__dict__, "drop_id": key}))

    def receipt(self) -> Receipt:
        signature = self.step.operator.signature
        return Receipt(
            self.step.operator.name,
            calls={name: self.calls[name] for name in CALLS},
            rows={table.table: len(self.rows[table]) for table in signature.writes},
            drops=len(self.drops),
            given_up=self.given_up,
            reasons=dict(sorted(Counter(drop.reason for drop in self.drops).items())),
            reads=signature.reads.table,
            inputs=self.step.told_inputs,
            seconds=round(self.seconds, 3),
            cpu_s=round(self.cpu_s, 3),
            decode_cpu_s=round(self.decode_s, 3),
        )
