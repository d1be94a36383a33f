"""Query the tables as they stand now, by DuckDB.

A query sees the tables and nothing else of this machine, and changes none of them.
"""

import argparse
import json
import sys

from rich.console import Console

from manifests.tables import tables
from pipeline.session import existing
from pipeline.views import report

EXAMPLE = 'headset sql corpus/ "select * from clips" --format csv'


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("corpus")
    parser.add_argument("query", help=f"the tables: {' '.join(tables())}; and wide, a row a clip with all that is known of it")
    parser.add_argument("--files", action="store_true", help="let the query read and write files, as COPY does")
    parser.add_argument("--format", choices=("table", "json", "csv"), default="table")


def main(options: argparse.Namespace) -> int:
    rows = report.rows_of(existing(options.corpus), options.query, files=options.files)
    if rows is None:
        return 0
    if options.format == "table":
        from rich.table import Table

        shown = Table(box=None, pad_edge=False, header_style="dim")
        for name in rows.columns:
            shown.add_column(name, overflow="fold")
        for row in rows.fetchall():
            shown.add_row(*("" if value is None else f"{value:.6g}" if isinstance(value, float) else str(value) for value in row))
        Console().print(shown, highlight=False)
        return 0
    table = rows.to_arrow_table()
    if options.format == "csv":
        import pyarrow.csv

        pyarrow.csv.write_csv(table, sys.stdout.buffer)
    else:
        json.dump(table.to_pylist(), sys.stdout, indent=1, default=str)
        print()
    return 0
