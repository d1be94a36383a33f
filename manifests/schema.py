"""Versions of the tables. A file says which it was written by; an older one is read as if it had what came since."""

from collections.abc import Mapping
from dataclasses import MISSING, fields

import pyarrow as pa
import pyarrow.parquet as pq

from manifests.errors import UsageError
from manifests.renames import TOOK_NEW_NAMES, towards
from manifests.tables import Dropped, Row, schema

VERSION = 4
# By version the columns that came with it; each has a default in its dataclass.
ADDED: dict[int, dict[str, tuple[str, ...]]] = {
    2: {"clips": ("published_id", "sound_late_s"), "renders": ("pair_id",), "scores": ("model_sha256", "protocol")},
    3: {"duplicates": ("mirrored",), "sources": ("transfer", "audio_track", "audio_tracks", "clock_parts")},
    4: {},  # other names: `manifests/renames.py`
}
_KEY = b"headset.schema"


def version_of(found: pa.Schema) -> int:
    """The version that a file was written by. Files of version 1 do not say so."""
    return int((found.metadata or {}).get(_KEY, b"1"))


def marked(rows: pa.Table, version: int = VERSION) -> pa.Table:
    """The rows with the version that their columns are of, for the file they are written to."""
    return rows.replace_schema_metadata({_KEY: str(version).encode()})


def encoded(rows: pa.Table) -> pa.Buffer:
    """The bytes of a file of rows."""
    sink = pa.BufferOutputStream()
    pq.write_table(rows, sink, compression="zstd")
    return sink.getvalue()


def migrated(found: pa.Table, table: type[Row], to: int = VERSION) -> pa.Table:
    """Rows of any version as rows of another: columns that they lack are filled with their default, those that came
    since are taken away.

    Raises:
        UsageError: for rows of a newer headset than this one, and where a column to be taken away says something.
    """
    of = version_of(found.schema)
    if of > VERSION:
        raise UsageError(
            f"{table.table} were written by a newer headset, with version {of} of the tables; this one knows "
            f"{VERSION}: update it"
        )
    since = {name for version in range(to + 1, VERSION + 1) for name in ADDED[version].get(table.table, ())}
    known = {f.name: f.default_factory() if f.default_factory is not MISSING else f.default for f in fields(table)}
    for name in sorted(since.intersection(found.column_names)):
        if lost := sum(value != known[name] for value in found[name].to_pylist()):
            raise UsageError(f"{table.table}.{name}: {lost} rows say something that version {to} has no column for")
        found = found.drop_columns([name])
    names = towards(VERSION)
    if (of < TOOK_NEW_NAMES) != (to < TOOK_NEW_NAMES):
        found = _renamed(found, table, to)
    old = {new: old for old, new in names.keys.items()} if to < TOOK_NEW_NAMES else {}
    types = pa.schema(
        [field.with_name(old.get(field.name, field.name)) for field in schema(table) if field.name not in since]
    )
    for number, field in enumerate(types):
        if field.name not in found.column_names and known.get(field.name, MISSING) is not MISSING:
            found = found.add_column(number, field, pa.array([known[field.name]] * len(found), field.type))
    return found if of == to else marked(found, to)


def _renamed(found: pa.Table, table: type[Row], to: int) -> pa.Table:
    """Rows with the names of a version: the key column's, and what drops say of tables, operators and reasons."""
    names = towards(to)
    found = found.rename_columns([names.keys.get(name, name) for name in found.column_names])
    if table is not Dropped:
        return found
    rows = [
        {
            **row,
            "subject_table": names.tables.get(row["subject_table"], row["subject_table"]),
            "operator": names.operators.get(row["operator"], row["operator"]),
            "reason": names.reasons.get(row["reason"], row["reason"]),
            "drop_id": _renamed_drop(row["drop_id"], row["operator"], names.operators),
        }
        for row in found.to_pylist()
    ]
    rows.sort(key=lambda row: row["drop_id"])
    return pa.Table.from_pylist(rows, found.schema)


def _renamed_drop(drop_id: str, operator: str, operators: Mapping[str, str]) -> str:
    """`<subject>@<operator>`, and what some have behind it."""
    subject, at, rest = drop_id.rpartition(f"@{operator}")
    return f"{subject}@{operators[operator]}{rest}" if at and operator in operators else drop_id
