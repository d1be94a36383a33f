"""Rewrites a corpus for another version of the tables, older or newer.

Names first (`manifests/renames.py`), then columns (`manifests/schema.py`), then what lay elsewhere
(`manifests/legacy.py`). Old files go when all that names them has been rewritten, so a migration that was killed is
brought to its end by another one.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import replace

import pyarrow as pa
import pyarrow.parquet as pq

from manifests import legacy
from manifests.errors import damaged
from manifests.ledger import note
from manifests.manifest import LISTED, Manifest, file_of
from manifests.renames import NEW, OLD, TOOK_NEW_NAMES, Names
from manifests.schema import encoded, migrated, version_of
from manifests.tables import Row, tables

LEDGER = ("receipts", "retries")


def migrate(manifest: Manifest, to: int) -> int:
    """Rewrites the files of all tables that are not of this version. Returns how many those were.

    Raises:
        UsageError: before any row is rewritten, where a file cannot be of that version.
    """
    _rename(manifest, NEW)
    moved = _move_whole(manifest)
    changed = [one for one in _files(manifest) if _version(manifest, one[3]) != to]
    for table, _, _, name in changed:
        migrated(manifest.arrow(name), table, to)
    for table, step, shard, name in changed:
        content = encoded(migrated(manifest.arrow(name), table, to))
        manifest.put(name, content)
        receipt = manifest.receipt(step, shard) if step != LISTED else None
        if receipt and table.table in receipt.files:
            files = {**receipt.files, table.table: hashlib.sha256(content).hexdigest()}
            manifest.commit(step, shard, replace(receipt, files=files))
    if to < TOOK_NEW_NAMES:
        _rename(manifest, OLD)
    return len(changed) + moved


def _files(manifest: Manifest) -> Iterator[tuple[type[Row], str, int, str]]:
    """Every file of every table: its rows' type, step, shard and name."""
    for table in tables().values():
        for step in manifest.names(table.table, folders=True):
            for name in manifest.names(f"{table.table}/{step}"):
                yield table, step, int(name.removesuffix(".parquet")), f"{table.table}/{step}/{name}"


def _version(manifest: Manifest, name: str) -> int:
    try:
        return version_of(pq.read_schema(pa.BufferReader(manifest.storage.read(name) or b"")))
    except (pa.ArrowException, OSError):
        raise damaged(manifest.root, name, "it is not Parquet") from None


def _rename(manifest: Manifest, names: Names) -> None:
    """Brings tables, steps and what the ledger says of them to other names."""
    moves = dict(_table_moves(manifest, names))
    for old, new in moves.items():
        manifest.put(new, manifest.storage.read(old) or b"")
    stale = list(_rename_ledger(manifest, names))
    for name in ["steps.json", legacy.ATTACHED, *(f"recipes/{one}" for one in manifest.names("recipes"))]:
        found = manifest.load(name)
        if found is not None and (said := names.of(found)) != found:
            manifest.save(name, said)
    for name in [*stale, *moves]:
        manifest.delete(name)
    manifest.refresh()


def _table_moves(manifest: Manifest, names: Names) -> Iterator[tuple[str, str]]:
    """Each file of a table that lies elsewhere by other names, and where."""
    for table in {*(table.table for table in tables().values()), *names.tables}:
        for step in manifest.names(table, folders=True):
            if (folder := f"{names.tables.get(table, table)}/{names.step(step)}") != f"{table}/{step}":
                for name in manifest.names(f"{table}/{step}"):
                    yield f"{table}/{step}/{name}", f"{folder}/{name}"


def _rename_ledger(manifest: Manifest, names: Names) -> Iterator[str]:
    """Rewrites receipts and retries. Yields those that have another place now."""
    for kind in LEDGER:
        for step in manifest.names(kind, folders=True):
            for name in manifest.names(f"{kind}/{step}"):
                old = f"{kind}/{step}/{name}"
                new = note(kind, names.step(step), int(name.removesuffix(".json")))
                found = manifest.load(old)
                if (said := names.of(found)) != found or new != old:
                    manifest.save(new, said)
                if new != old:
                    yield old


def _move_whole(manifest: Manifest) -> int:
    """Moves the rows of the whole corpus, which lay in shard 0, to their sources' shards. Returns how many tables
    those were.
    """
    moved = dict(manifest.in_shard_0)
    for name, step in moved.items():
        table = tables()[name]
        # Another name: a reader sees the rows where they lay until all lie where they belong.
        new = f"{step.rpartition('-')[0] or step}-{hashlib.sha256(step.encode()).hexdigest()[:12]}"
        manifest.write_whole(table, new, manifest.read(table, [step], 0))
        manifest.delete(file_of(name, step, 0))
    if manifest.load(legacy.ATTACHED) is not None:
        for place, record in list(manifest.attached.items()):
            manifest.attach(place, record)
    for name in (legacy.WHOLE, legacy.ATTACHED):
        manifest.delete(name)
    manifest.refresh()
    return len(moved)
