"""Rows on their way from stage to stage: as Arrow tables with the schema they are stored in, so that what is handed on
is what is read again.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar, cast

import pyarrow as pa

from manifests.tables import Dropped, Row, Source, schema
from pipeline.recipe import Step

R = TypeVar("R", bound=Row)


@dataclass
class Made:
    """What a step made of a source, or of some rows of it."""

    rows: dict[str, pa.Table] = field(default_factory=dict)  # by table; none where there are none
    drops: list[Dropped] = field(default_factory=list)
    calls: Counter[str] = field(default_factory=Counter)
    given_up: Counter[str] = field(default_factory=Counter)
    seconds: float = 0.0
    cpu_s: float = 0.0
    decode_s: float = 0.0

    def __getstate__(self) -> dict[str, Any]:
        """Tables travel as Arrow's own messages: Ray takes them apart column by column, at twenty times the cost."""
        return {**vars(self), "rows": {name: _message(table) for name, table in self.rows.items()}}

    def __setstate__(self, state: dict[str, Any]) -> None:
        rows = {name: pa.ipc.open_stream(message).read_all() for name, message in state["rows"].items()}
        vars(self).update(state, rows=rows)

    def of(self, table: type[R]) -> list[R]:
        there = self.rows.get(table.table)
        return [] if there is None else [table(**row) for row in there.to_pylist()]


Payload = Mapping[str, Made]  # by source


def to_arrow(table: type[Row], rows: Sequence[Row]) -> pa.Table:
    return pa.Table.from_pylist([vars(row) for row in rows], schema(table))


def _message(table: pa.Table) -> pa.Buffer:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as stream:
        stream.write_table(table)
    return sink.getvalue()


def by_source(rows: Iterable[R]) -> dict[str, list[R]]:
    found: dict[str, list[R]] = defaultdict(list)
    for row in rows:
        found[row.source_id].append(row)
    return found


class StageRows:
    """The rows a stage reads of some sources, and those its steps join to each."""

    def __init__(self, steps: Sequence[Step], read: Callable[[type[Row], Sequence[str]], list[Row]]):
        """
        Args:
            read: the rows of a table that some steps wrote, sorted by key.
        """
        self.tables: dict[type[Row], list[Row]] = {}
        for step in steps:
            for table, versions in step.inputs.items():
                if table not in self.tables:
                    self.tables[table] = read(table, versions)
        self.reads = steps[0].operator.signature.reads
        self.rows = self.tables[self.reads]
        self._sources = {source.source_id: cast(Source, source) for source in self.tables.get(Source, [])}
        self._index: dict[tuple[type[Row], str], dict[str, list[Row]]] = {}

    @classmethod
    def of(cls, steps: Sequence[Step], sources: Sequence[str], inputs: Mapping[str, Sequence[Payload]]) -> "StageRows":
        """
        Args:
            inputs: by step what it made, of these sources and perhaps of others.
        """

        def read(table: type[Row], versions: Sequence[str]) -> list[Row]:
            parts = (
                payload[source]
                for v in versions
                for payload in inputs.get(v, ())
                for source in sources
                if source in payload
            )
            return sorted((row for part in parts for row in part.of(table)), key=lambda row: row.row_id)

        return cls(steps, read)

    def joined(self, row: Row, step: Step) -> dict[str, list[Row]]:
        joins = {}
        for name, table in step.operator.signature.joins.items():
            if table not in self.tables:
                continue  # optional, and nothing writes it
            on = self.reads.key if self.reads.key in table.__dataclass_fields__ else "source_id"
            if (table, on) not in self._index:
                index: dict[str, list[Row]] = defaultdict(list)
                for other in self.tables[table]:
                    index[getattr(other, on)].append(other)
                self._index[table, on] = index
            joins[name] = self._index[table, on].get(getattr(row, on), [])
        return joins

    def source_of(self, row: Row) -> Source | None:
        return self._sources.get(row.source_id)
