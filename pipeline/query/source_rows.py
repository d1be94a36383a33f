"""The rows of one source, read of its shard alone."""

from collections.abc import Iterable
from typing import TypeVar

from manifests.errors import NotFound
from manifests.manifest import LISTED, Manifest
from manifests.tables import Dropped, Row, Source

R = TypeVar("R", bound=Row)


class SourceRows:
    """The rows of one source."""

    def __init__(self, manifest: Manifest, shard: int, source: Source):
        self.manifest, self.shard, self.source = manifest, shard, source
        self.source = next(iter(self.current(Source)), source)

    @classmethod
    def of(cls, manifest: Manifest, source_id: str) -> "SourceRows":
        """
        Raises:
            NotFound: where no source of this id is listed.
        """
        for shard in manifest.shards():
            for source in manifest.read(Source, [LISTED], shard):
                if source.source_id == source_id:
                    return cls(manifest, shard, source)
        raise NotFound(f"{manifest.root} lists no source {source_id!r}")

    def ever(self, table: type[R]) -> list[R]:
        """The rows that any step of the last run wrote, current or not; the last step's where several wrote the same
        one.
        """
        found: dict[str, R] = {}
        for step in self.manifest.run.steps if self.manifest.run else []:
            if table.table in [*step.writes, Dropped.table] and self.shard in self.manifest.committed(step.version):
                found |= {row.row_id: row for row in self._mine(table, [step.version])}
        return sorted(found.values(), key=lambda row: row.row_id)

    def current(self, table: type[R]) -> list[R]:
        return self._mine(table, self.manifest.current(self.shard).get(table.table, []))

    def _mine(self, table: type[R], steps: Iterable[str]) -> list[R]:
        return [row for row in self.manifest.read(table, steps, self.shard) if row.source_id == self.source.source_id]
