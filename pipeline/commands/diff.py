"""Compare two selections or two corpora: clips added, removed and changed, and why."""

import argparse

from pipeline.session import as_json, positive
from pipeline.views.console import console, print_json

EXAMPLE = "headset diff corpus/@hq:3f2a corpus/@hq"
GROUP = "choose"


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("before", help="CORPUS, CORPUS/@NAME or CORPUS/@NAME:VERSION")
    parser.add_argument("after", help="the same")
    parser.add_argument(
        "--most", type=positive, default=20, help="changes of each kind to list; all are counted (default: 20)"
    )
    as_json(parser)


def main(options: argparse.Namespace) -> int:
    from pipeline.query.diff import Side, differ, lines

    found = differ(Side.of(options.before), Side.of(options.after), options.most)
    if options.json:
        print_json(found)
        return 0
    out = console()
    out.print(f"{found.both} clips in both, {found.added} added, {found.removed} removed, {found.changed} changed")
    for what, why in (("added, since before", found.why_added), ("removed", found.why_removed)):
        for reason, count in why.items():
            out.print(f"  {count} {what}: {reason}")
    for name, count in found.columns.items():
        out.print(f"  {count} changed: {name}")
    for line in lines(found):
        out.print(line)
    return 0
