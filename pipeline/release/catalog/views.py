# ruff: noqa: S608 - the statements are made of names of tables and files of ours, quoted
"""A DuckDB database of views over the current files: `duckdb corpus/catalog/corpus.duckdb "select * from wide"`.

Views name the files by where they lie now: after a run, or when the corpus was moved, make it anew.
"""

import os
import tempfile
from pathlib import Path

import pyarrow as pa

from manifests.manifest import Manifest
from manifests.tables import schema
from pipeline.query.clip_view import view_sql
from pipeline.query.database import made_at
from pipeline.release.catalog.current import CurrentTable, current_tables

FILE = "catalog/corpus.duckdb"
SQL: dict[pa.DataType, str] = {
    pa.string(): "VARCHAR",
    pa.int64(): "BIGINT",
    pa.float64(): "DOUBLE",
    pa.bool_(): "BOOLEAN",
    pa.binary(): "BLOB",
}


def write_views(manifest: Manifest) -> str:
    """Writes the database, whole or not at all. Returns where, relative to the corpus."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "corpus.duckdb")
        with made_at(path) as connection:
            for table in current_tables(manifest):
                connection.execute(f'create view "{table.name}" as {_select(manifest, table)}')
            connection.execute(f"create view wide as {view_sql(manifest)}")
        manifest.storage.take(path, FILE)
    return FILE


def _select(manifest: Manifest, table: CurrentTable) -> str:
    """The rows of the files, with the columns of the table whatever version each file is of."""
    empty = ", ".join(f'cast(null as {_type(field.type)}) as "{field.name}"' for field in schema(table.row))
    none = f"select {empty} where false"
    if not table.files:
        return none
    paths = ", ".join(
        "'" + os.path.abspath(manifest.storage.path(name)).replace("'", "''") + "'" for name in table.files
    )
    return (
        f"{none} union all by name select * from read_parquet([{paths}], union_by_name = true, hive_partitioning ="
        " false)"
    )


def _type(of: pa.DataType) -> str:
    return f"{SQL[of.value_type]}[]" if isinstance(of, pa.ListType) else SQL[of]
