"""Iceberg tables over the current files: pure metadata, for pyiceberg, DuckDB, Spark, polars and whatever else reads
Iceberg.

    <root>/catalog/iceberg/<table>/metadata/v<n>.metadata.json, version-hint.text, *.avro

The layout is that of Iceberg's Hadoop catalog, so a reader is given `<root>/catalog/iceberg/<table>` and finds the
version itself. Iceberg names files by absolute addresses: after a run, or when the corpus was moved, make it anew. A
reader that has the old version open keeps it.
"""

import os
import tempfile
from typing import Any

import pyarrow as pa

from manifests.errors import UsageError
from manifests.manifest import Manifest
from manifests.tables import schema
from pipeline.release.catalog.current import CurrentTable, current_tables

FOLDER = "catalog/iceberg"
HINT = "version-hint.text"


def write_iceberg(manifest: Manifest) -> str:
    """Writes a table for each that has files. Returns where, relative to the corpus.

    Raises:
        UsageError: where pyiceberg is not installed.
    """
    try:
        from pyiceberg.catalog.sql import SqlCatalog
    except ModuleNotFoundError as error:
        if error.name not in ("pyiceberg", "sqlalchemy"):
            raise
        raise UsageError(
            "--format iceberg needs pyiceberg: pip install 'pyiceberg[sql-sqlite]', or 'headset[catalog]'"
        ) from None
    there = set()
    with tempfile.TemporaryDirectory() as folder:
        for table in current_tables(manifest):
            if table.files:
                catalog = SqlCatalog("headset", uri=f"sqlite:///{folder}/{table.name}.db", warehouse=folder)
                catalog.create_namespace("headset")
                _write(manifest, catalog, table)
                catalog.close()
                there.add(table.name)
    for name in manifest.storage.names(FOLDER, folders=True):
        if name not in there:
            manifest.storage.clear(f"{FOLDER}/{name}")
    return FOLDER


def _write(manifest: Manifest, catalog: Any, table: CurrentTable) -> None:
    """Writes the metadata beside what was there, then points to it, then removes what was there."""
    folder = f"{FOLDER}/{table.name}/metadata"
    before = manifest.storage.names(folder)
    location = _address(manifest, f"{FOLDER}/{table.name}")
    # No least and greatest values: they would be of people who may ask to be taken out.
    told = {"write.metadata.metrics.default": "none"}
    made = catalog.create_table(
        f"headset.{table.name}", _optional(schema(table.row)), location=location, properties=told
    )
    made.add_files([_address(manifest, name) for name in table.files], check_duplicate_files=False)
    new = set(manifest.storage.names(folder)) - set(before)
    number = int(manifest.text(f"{folder}/{HINT}") or 0) + 1
    content = manifest.storage.read(f"{folder}/{made.metadata_location.rpartition('/')[2]}")
    assert content is not None, "pyiceberg has just written it"
    manifest.storage.write(f"{folder}/v{number}.metadata.json", content)
    manifest.storage.write(f"{folder}/{HINT}", str(number).encode())
    for name in before:
        if name not in (HINT, f"v{number}.metadata.json"):
            manifest.storage.delete(f"{folder}/{name}")
    for name in new:  # those of before the files were added, and the same under pyiceberg's own name
        if name.endswith(".metadata.json"):
            manifest.storage.delete(f"{folder}/{name}")


def _address(manifest: Manifest, name: str) -> str:
    """As Iceberg's readers take it: they do not undo what an URI quotes."""
    return f"file://{os.path.abspath(manifest.storage.path(name))}"


def _optional(of: pa.Schema) -> pa.Schema:
    """Every column may be null: a file of an older version lacks some, and Iceberg would refuse it."""

    def kind(field: pa.Field) -> pa.DataType:
        return (
            pa.list_(pa.field("element", field.type.value_type, nullable=True))
            if isinstance(field.type, pa.ListType)
            else field.type
        )

    return pa.schema([pa.field(field.name, kind(field), nullable=True) for field in of])
