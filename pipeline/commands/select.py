"""Choose clips by a condition on their columns, under a name; without one, list what was chosen."""

import argparse
from pathlib import Path

from manifests.errors import UsageError
from pipeline.session import as_json, existing
from pipeline.views.console import console, print_json

EXAMPLE = 'headset select corpus/ --where "dnsmos_ovrl > 3 and face_px >= 256" --name hq'
GROUP = "choose"


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("corpus")
    parser.add_argument(
        "--where", default="", help="a condition in SQL on the columns that `headset columns CORPUS` lists"
    )
    parser.add_argument("--name", default="", help="of the selection, to be used as CORPUS/@NAME")
    parser.add_argument(
        "--yield",
        dest="curve",
        action="store_true",
        help="say what each part of the condition costs, as `headset yield` does",
    )
    parser.add_argument("--out", metavar="PNG", type=Path, help="draw that too")
    as_json(parser)


def main(options: argparse.Namespace) -> int:
    from pipeline.commands.yield_ import show
    from pipeline.query.selection import select, selections

    out = console()
    manifest = existing(options.corpus)
    if not options.where:
        if options.name or options.curve or options.out:
            raise UsageError('--where is missing: the condition to choose by, such as --where "dnsmos_ovrl > 3"')
        there = selections(manifest)
        if options.json:
            print_json(there)
            return 0
        for found in there:
            out.print(
                f"{found.told()}  {found.made_at}  {found.where}" + (f"  after {found.parent}" if found.parent else "")
            )
        if not there:
            out.print(f"{manifest.root} has no selections yet. {EXAMPLE}")
        return 0
    curve = options.curve or options.out
    if not options.name and not curve:
        raise UsageError("--name is missing: what the selection is to be called; or ask for --yield alone")
    if curve:
        show(manifest, options.where, "", options.out, options.json and not options.name)
    if options.name:
        found, new = select(manifest, options.where, options.name)
        if options.json:
            print_json(found)
            return 0
        out.print(("" if new else "As before: ") + found.told())
        if not found.clips:
            out.print(
                f'Nothing is left. See which cut costs most: headset yield {options.corpus} --where "{options.where}"',
                soft_wrap=True,
            )
    return 0
