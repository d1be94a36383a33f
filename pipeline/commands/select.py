"""choose clips by a condition on their columns, under a name; without one, list what was chosen"""

import argparse
from pathlib import Path

from rich.console import Console

from manifests.errors import UsageError
from pipeline.session import existing

EXAMPLE = 'headset select corpus/ --where "dnsmos_ovrl > 3 and face_px >= 256" --name hq'


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("corpus")
    parser.add_argument("--where", default="", help='a condition in SQL; `headset sql CORPUS "describe wide"` lists the columns')
    parser.add_argument("--name", default="", help="of the selection, to be used as CORPUS/@NAME")
    parser.add_argument(
        "--yield", dest="curve", action="store_true", help="say what each part of the condition costs, as `headset yield` does"
    )
    parser.add_argument("--picture", metavar="PNG", help="draw that too")


def main(options: argparse.Namespace) -> int:
    from pipeline.commands.yield_ import show
    from pipeline.query.selection import select, selections

    console = Console(soft_wrap=True, highlight=False)
    manifest = existing(options.corpus)
    if not options.where:
        if options.name or options.curve or options.picture:
            raise UsageError('--where is missing: the condition to choose by, such as --where "dnsmos_ovrl > 3"')
        for found in (there := selections(manifest)):
            console.print(
                f"{found.told()}  {found.made_at}  {found.where}" + (f"  after {found.parent}" if found.parent else ""), markup=False
            )
        if not there:
            console.print(f"{manifest.root} has no selections yet. {EXAMPLE}", markup=False)
        return 0
    if not options.name and not (options.curve or options.picture):
        raise UsageError("--name is missing: what the selection is to be called; or ask for --yield alone")
    if options.curve or options.picture:
        show(manifest, options.where, "", Path(options.picture) if options.picture else None, console)
    if options.name:
        found, new = select(manifest, options.where, options.name)
        console.print(("" if new else "As before: ") + found.told(), markup=False)
        if not found.clips:
            console.print(
                f'Nothing is left. See which cut costs most: headset yield {options.corpus} --where "{options.where}"', markup=False
            )
    return 0
