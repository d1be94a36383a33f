"""compare two selections or two corpora: clips added, removed and changed, and why"""

import argparse

from rich.console import Console

from pipeline.session import positive

EXAMPLE = "headset diff corpus/@hq:3f2a corpus/@hq"


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("before", help="CORPUS, CORPUS/@NAME or CORPUS/@NAME:VERSION")
    parser.add_argument("after", help="the same")
    parser.add_argument("--format", choices=("table", "json"), default="table")
    parser.add_argument("--most", type=positive, default=20, help="changes of each kind to list; all are counted (default: 20)")


def main(options: argparse.Namespace) -> int:
    from pipeline.query.diff import Side, as_json, differ, lines

    found = differ(Side.of(options.before), Side.of(options.after), options.most)
    if options.format == "json":
        print(as_json(found))
        return 0
    console = Console(soft_wrap=True, highlight=False)
    console.print(f"{found.both} clips in both, {found.added} added, {found.removed} removed, {found.changed} changed")
    for what, why in (("added, since before", found.why_added), ("removed", found.why_removed)):
        for reason, count in why.items():
            console.print(f"  {count} {what}: {reason}", markup=False)
    for name, count in found.columns.items():
        console.print(f"  {count} changed: {name}", markup=False)
    for line in lines(found):
        console.print(line, markup=False)
    return 0
