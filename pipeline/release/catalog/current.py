"""Which files hold the current rows of a corpus, for those who read them without headset.

A folder of a table holds the rows of every step that ever wrote it, so a glob over it mixes old rows, and rows that a
later step refined, with current ones. Each format of `headset catalog` names the files instead.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from manifests.errors import UsageError
from manifests.manifest import Manifest, file_of
from manifests.packs import Part, pack_of
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

    Raises:
        UsageError: for a pack of which only some shards are current.
    """
    for row in tables().values():
        there = ((shard, step) for shard in manifest.shards() for step in manifest.current(shard).get(row.table, []))
        names = [file_of(row.table, step, shard) for shard, step in there if manifest.count(row, step, shard)]
        yield CurrentTable(row, tuple(_whole(manifest, part) for part in manifest.storage.parts(names)))


def _whole(manifest: Manifest, part: Part) -> str:
    """The file of a part.

    Raises:
        UsageError: for a pack that holds other rows too.
    """
    found = pack_of(part.file)
    if found and (part.rest or len(part.groups or ()) < len(manifest.storage.layout(found[1])[found[0]].groups)):
        raise UsageError(
            f"{manifest.root}/{part.file} holds rows that are not current beside such as are, since a run was stopped;"
            f" end it, or unpack the corpus first: headset pack {manifest.root} --unpack"
        )
    return part.file
