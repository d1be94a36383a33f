"""Which files hold the current rows of a corpus, for those who read them without headset.

A folder of a table holds the rows of every step that ever wrote it, so a glob over it mixes old rows, and rows that a
later step refined, with current ones. Each format of `headset catalog` names the files instead.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from manifests.manifest import Manifest, file_of
from manifests.tables import Row, tables


@dataclass(frozen=True)
class CurrentTable:
    """A table and the files that hold its current rows, relative to the corpus."""

    row: type[Row]
    files: tuple[str, ...]

    @property
    def name(self) -> str:
        return self.row.table


def current_tables(manifest: Manifest) -> Iterator[CurrentTable]:
    """Every table, those without rows too: a query over an empty table is no error. Files without rows are left out:
    not every reader takes them.
    """
    for row in tables().values():
        there = ((shard, step) for shard in manifest.shards() for step in manifest.current(shard).get(row.table, []))
        yield CurrentTable(
            row, tuple(file_of(row.table, step, shard) for shard, step in there if manifest.count(row, step, shard))
        )
