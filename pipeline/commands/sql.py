"""Query the tables as they stand now, by DuckDB.

A query sees the tables and nothing else of this machine, and changes none of them.
"""

import argparse
import sys

from manifests.tables import tables
from pipeline.session import as_json, existing
from pipeline.views.console import console, print_json
from pipeline.views.facts import Grid, Told

EXAMPLE = 'headset sql corpus/ "select * from clips" --csv'
GROUP = "look"


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("corpus")
    parser.add_argument(
        "query", help=f"the tables: {' '.join(tables())}; and wide, a row a clip with all that is known of it"
    )
    parser.add_argument("--files", action="store_true", help="let the query read and write files, as COPY does")
    form = parser.add_mutually_exclusive_group()
    as_json(form)
    form.add_argument("--csv", action="store_true", help="print as CSV")


def main(options: argparse.Namespace) -> int:
    from pipeline.query.clip_view import select_rows

    rows = select_rows(existing(options.corpus), options.query, files=options.files)
    if rows is None:
        return 0
    if options.csv:
        import pyarrow.csv

        pyarrow.csv.write_csv(rows.to_arrow_table(), sys.stdout.buffer)
    elif options.json:
        print_json(rows.to_arrow_table().to_pylist())
    else:
        console().print(Told((Grid.of(rows.columns, ([_told(value) for value in row] for row in rows.fetchall())),)))
    return 0


def _told(value: object) -> str:
    return "" if value is None else f"{value:.6g}" if isinstance(value, float) else str(value)
