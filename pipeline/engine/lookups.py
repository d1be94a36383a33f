"""What operators look up beside their own rows: rows by their id, in whatever shard they lie."""

from collections.abc import Iterator
from typing import Any

from manifests.manifest import Manifest
from manifests.tables import Row
from operators.base import Lookup
from pipeline.recipe import Step


class Lookups:
    """The tables that the steps of a run look rows up in, each read once a process, when the first row is asked for."""

    def __init__(self, manifest: Manifest):
        self.manifest = manifest
        self._made: dict[tuple[type[Row], tuple[str, ...]], Lookup[Any]] = {}

    def of(self, step: Step) -> dict[str, Lookup[Any]]:
        """By parameter."""
        return {
            name: self._lookup(table, step.looks_up.get(table, ())) for name, table in step.operator.lookups.items()
        }

    def _lookup(self, table: type[Row], steps: tuple[str, ...]) -> Lookup[Any]:
        if (table, steps) not in self._made:
            self._made[table, steps] = Lookup(lambda: self._rows(table, steps))
        return self._made[table, steps]

    def _rows(self, table: type[Row], steps: tuple[str, ...]) -> Iterator[Row]:
        for shard in self.manifest.shards() if steps else ():
            held = [step for step in self.manifest.current(shard).get(table.table, ()) if step in steps]
            yield from self.manifest.read(table, held, shard)
