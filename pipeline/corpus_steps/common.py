"""Steps over the whole corpus: the rows they read, what they are named by, and their table, which is made anew when
that changes.
"""

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeVar

import pyarrow as pa

from manifests.manifest import Manifest
from manifests.tables import Row

R = TypeVar("R", bound=Row)


def current(manifest: Manifest, table: type[R], shard: int) -> list[R]:
    """The current rows of a shard."""
    return manifest.read(table, manifest.current(shard).get(table.table, []), shard)


def all_rows(manifest: Manifest, table: type[R]) -> Iterator[R]:
    """The current rows of the corpus, read shard by shard."""
    for shard in manifest.shards():
        yield from current(manifest, table, shard)


def column_rows(of: Any, columns: list[str]) -> Iterator[dict[str, Any]]:
    """Some columns of what `Manifest.dataset` gives, row by row, some rows in memory at a time."""
    batches = of.select(columns).to_batches() if isinstance(of, pa.Table) else of.to_batches(columns=columns)
    for batch in batches:
        yield from batch.to_pylist()


def steps_of(manifest: Manifest, *tables: type[Row]) -> list[str]:
    """The steps whose rows are current, sorted."""
    held = [manifest.current(shard) for shard in manifest.shards()]
    return sorted({step for one in held for table in tables for step in one.get(table.table, [])})


def digest(lines: Iterable[str]) -> str:
    """The sha256 of lines, in the order they come."""
    made = hashlib.sha256()
    for line in lines:
        made.update(f"{line}\n".encode())
    return made.hexdigest()


def step_named(operator: str, *made_of: object) -> str:
    """The name of a step: it changes with what its rows are made of, which JSON must be able to say."""
    return f"{operator}-{hashlib.sha256(json.dumps(made_of, sort_keys=True).encode()).hexdigest()[:12]}"


def made_once(manifest: Manifest, table: type[R], step: str, make: Callable[[Manifest], list[R]]) -> list[R]:
    """The table of the whole corpus, made unless the same step has made it already, in every shard."""
    if manifest.whole(table) != step or not manifest.is_whole(step):
        manifest.write_whole(table, step, make(manifest))
    return manifest.read_whole(table, step)
