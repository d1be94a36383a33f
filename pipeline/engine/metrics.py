"""A run as Prometheus sees it: what each commit of a step adds, and how far the stages are.

Ray collects these on each node and shows them at its metrics port, with `ray_` before each name. Labels are operators,
tables, reasons and stages: never an id, of which there are as many as videos. infra/dashboards/headset.json draws
them.
"""

import sys
from collections.abc import Iterable, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

from manifests.ledger import Receipt
from manifests.tables import Fetch, Render, Row

if TYPE_CHECKING:
    from pipeline.engine.progress import Progress

MOVED: tuple[type[Row], ...] = (Fetch, Render)  # rows that tell of bytes which came or were made
COUNTERS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "headset_rows": ("rows that were read, by how each ended", ("operator", "ended")),
    "headset_rows_made": ("rows that were written", ("operator", "table")),
    "headset_drops": ("rows that were dropped or failed", ("operator", "reason")),
    "headset_seconds": ("seconds from a shard's first row to its last", ("operator",)),
    "headset_cpu_seconds": ("seconds of a core, decoding apart", ("operator",)),
    "headset_decode_cpu_seconds": ("seconds of a core for decoding", ("operator",)),
    "headset_bytes": ("bytes that were received or encoded", ("operator",)),
    "headset_shards": ("shards that were committed", ("operator",)),
}
GAUGES: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "headset_sources": ("sources of this run", ("stage",)),
    "headset_sources_done": ("of these, how many a stage has done", ("stage",)),
    "headset_workers": ("workers with a row in work", ("stage",)),
    "headset_stalls": ("rows in work without progress", ("stage",)),
    "headset_stage_seconds": ("seconds since the stage's first row of this run", ("stage",)),
}


def committed(operator: str, receipt: Receipt, made: Mapping[Any, Iterable[Any]]) -> None:
    """Counts what a step made of a shard, on the worker that committed it. Nothing is counted where no Ray runs."""
    if not _collected():
        return
    for ended, number in receipt.calls.items():
        if ended != "read":
            _add("headset_rows", number, operator=operator, ended=ended)
    for table, number in receipt.rows.items():
        _add("headset_rows_made", number, operator=operator, table=table)
    for reason, number in receipt.reasons.items():
        _add("headset_drops", number, operator=operator, reason=reason)
    _add("headset_seconds", receipt.seconds, operator=operator)
    _add("headset_cpu_seconds", receipt.cpu_s, operator=operator)
    _add("headset_decode_cpu_seconds", receipt.decode_cpu_s, operator=operator)
    _add(
        "headset_bytes",
        sum(row.bytes for table, rows in made.items() if table in MOVED for row in rows),
        operator=operator,
    )
    _add("headset_shards", 1, operator=operator)


def told(progress: Iterable["Progress"]) -> None:
    """Shows how far the stages are, on the driver."""
    if not _collected():
        return
    for line in progress:
        values = {
            "headset_sources": line.sources,
            "headset_sources_done": line.sources_done,
            "headset_workers": len(line.work),
            "headset_stalls": len(line.stalls),
            "headset_stage_seconds": line.seconds,
        }
        for name, value in values.items():
            _metric(name).set(float(value), {"stage": line.stage})


def _collected() -> bool:
    """Whether Ray is at work in this process: importing it to find that out takes a third of a second."""
    ray = sys.modules.get("ray")
    return ray is not None and bool(ray.is_initialized())


def _add(name: str, value: float, **labels: str) -> None:
    if value > 0:  # Ray refuses 0
        _metric(name).inc(float(value), labels)


@cache
def _metric(name: str) -> Any:
    """One of each in a process: Ray keeps what it is told by name."""
    from ray.util.metrics import Counter, Gauge

    kind, (what, labels) = (Counter, COUNTERS[name]) if name in COUNTERS else (Gauge, GAUGES[name])
    return kind(name, description=what, tag_keys=labels)
