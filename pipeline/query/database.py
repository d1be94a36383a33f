"""DuckDB, with nothing within reach but what it is given: queries are of users and, in a selection of somebody else's,
of strangers.

It reads and writes no file, loads no extension and sees no variable of this program; and no query can change that.
"""

import os
import tempfile
from pathlib import Path
from typing import Any

MEMORY = "512MB"  # that DuckDB takes before it puts intermediate results on disk


def connect(*, files: bool = False) -> Any:
    """A connection in memory, which puts on disk what does not fit. Tables are given to it by `register`, as Arrow
    datasets.

    Args:
        files: whether queries may read and write files of this machine: for who writes the query, and asks for it.
    """
    import duckdb

    config: dict[str, Any] = {
        "memory_limit": MEMORY,
        # made when it is needed, and removed
        "temp_directory": os.path.join(tempfile.gettempdir(), f"headset-{os.getpid()}"),
        "autoinstall_known_extensions": False,
        "autoload_known_extensions": False,
        "allow_community_extensions": False,
        "python_enable_replacements": False,
        "python_scan_all_frames": False,
    }
    connection = duckdb.connect(config=config)
    if not files:
        # after the spill folder is named, which it forbids too
        connection.execute("set enable_external_access = false")
    connection.execute("set enable_progress_bar = false")  # which DuckDB shows in notebooks, among what a cell gives
    connection.execute("set lock_configuration = true")
    return connection


def made_at(path: Path) -> Any:
    """A connection to a new database of ours in a file: for what we write, never for a query of others."""
    import duckdb

    return duckdb.connect(str(path))


def parquet(path: Path) -> Any:
    """A Parquet file, to be registered: it is scanned without being loaded whole."""
    import pyarrow.dataset

    return pyarrow.dataset.dataset(path, format="parquet")


def write_parquet(rows: Any, path: Path) -> None:
    """Writes what a query gives, some rows at a time."""
    import pyarrow.parquet as pq

    with rows.to_arrow_reader(65536) as reader, pq.ParquetWriter(path, reader.schema, compression="zstd") as writer:
        for batch in reader:
            writer.write_batch(batch)


def quoted(name: str) -> str:
    """A name as an identifier of SQL, whatever it holds."""
    return '"' + name.replace('"', '""') + '"'
