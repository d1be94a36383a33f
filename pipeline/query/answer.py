"""A question in SQL from the page of a corpus: bounded in rows and in time, whoever asked it."""

import threading
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from manifests.errors import UsageError
from manifests.manifest import Manifest
from pipeline.query.clip_view import connection_for, relation_of

LONGEST_S = 30.0  # that a query may take
MOST = 100_000  # rows of an answer that are looked at


@dataclass(frozen=True)
class Answer:
    """What a query gave."""

    rows: pa.Table
    more: bool  # whether there were more rows than `MOST`


def answer(manifest: Manifest, query: str, longest_s: float = LONGEST_S) -> Answer:
    """The rows of a query over `wide` and the tables; nothing else is within its reach.

    Raises:
        UsageError: with DuckDB's own words where it cannot run, gives no rows, or takes too long.
    """
    import duckdb

    connection, known = connection_for(manifest, query)
    timer = threading.Timer(longest_s, connection.interrupt)
    timer.start()
    try:
        if (found := relation_of(connection, known, query)) is None:
            raise UsageError("this query gives no rows")
        rows: Any = found.limit(MOST + 1).to_arrow_table()
    except duckdb.InterruptException:
        raise UsageError(f"this query took longer than {longest_s:g} s and was ended") from None
    except duckdb.Error as error:
        raise UsageError(str(error).splitlines()[0]) from None
    finally:
        timer.cancel()
        connection.close()
    return Answer(rows.slice(0, MOST), len(rows) > MOST)
