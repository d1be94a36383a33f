"""Versions of the tables. A file says which it was written by; an older one is read as if it had what came since."""

from dataclasses import MISSING, fields

import pyarrow as pa

from manifests.errors import UsageError
from manifests.tables import Row, schema

VERSION = 3
ADDED: dict[int, dict[str, tuple[str, ...]]] = {  # by version the columns that came with it; each has a default in its dataclass
    2: {"clips": ("published_id", "sound_late_s"), "renders": ("pair_id",), "scores": ("model_sha256", "protocol")},
    3: {"duplicates": ("mirrored",), "sources": ("transfer", "audio_track", "audio_tracks", "clock_parts")},
}
_KEY = b"headset.schema"


def version_of(found: pa.Schema) -> int:
    """The version that a file was written by. Files of version 1 do not say so."""
    return int((found.metadata or {}).get(_KEY, b"1"))


def marked(rows: pa.Table, version: int = VERSION) -> pa.Table:
    """The rows with the version that their columns are of, for the file they are written to."""
    return rows.replace_schema_metadata({_KEY: str(version).encode()})


def migrated(found: pa.Table, table: type[Row], to: int = VERSION) -> pa.Table:
    """Rows of any version as rows of another: columns that they lack are filled with their default, those that came since are taken away.

    Raises:
        UsageError: for rows of a newer headset than this one, and where a column to be taken away says something.
    """
    of = version_of(found.schema)
    if of > VERSION:
        raise UsageError(
            f"{table.table} were written by a newer headset, with version {of} of the tables; this one knows {VERSION}: update it"
        )
    since = {name for version in range(to + 1, VERSION + 1) for name in ADDED[version].get(table.table, ())}
    known = {f.name: f.default_factory() if f.default_factory is not MISSING else f.default for f in fields(table)}
    for name in sorted(since.intersection(found.column_names)):
        if lost := sum(value != known[name] for value in found[name].to_pylist()):
            raise UsageError(f"{table.table}.{name}: {lost} rows say something that version {to} has no column for")
        found = found.drop_columns([name])
    types = pa.schema([field for field in schema(table) if field.name not in since])
    for number, field in enumerate(types):
        if field.name not in found.column_names and known[field.name] is not MISSING:
            found = found.add_column(number, field, pa.array([known[field.name]] * len(found), field.type))
    return found if of == to else marked(found, to)
