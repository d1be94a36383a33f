"""Say what every column holds: its type, unit, range and meaning, of all tables and of the clip view."""

import argparse
from pathlib import Path

from manifests.errors import NotFound
from pipeline.session import as_json, existing
from pipeline.views.console import answer

EXAMPLE = "headset columns corpus/ --of wide"
GROUP = "look"


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "corpus", nargs="?", help="whose clip view has the scores made in it (default: all scores there are)"
    )
    parser.add_argument(
        "--of",
        default="",
        metavar="TEXT",
        help="only this table, such as clips or wide, or the columns whose name holds this",
    )
    parser.add_argument("--out", type=Path, metavar="MD", help="write them as Markdown")
    as_json(parser)


def main(options: argparse.Namespace) -> int:
    from pipeline.views.dictionary import dictionary

    found = dictionary(existing(options.corpus) if options.corpus else None, options.of)
    if not found.columns:
        raise NotFound(
            f"no table and no column has {options.of!r} in its name; the tables are {', '.join(dictionary().tables)}"
        )
    if options.out:
        options.out.parent.mkdir(parents=True, exist_ok=True)
        options.out.write_text(found.markdown())
    else:
        answer(found, options.json)
    return 0
