"""Remove what nothing needs: tables of steps that no recipe's record names, unfinished files, and media that no row names.

A recipe remembers its last run. The tables of an earlier `--set` are computed again when that is asked for again.
"""

import argparse
import sys

from rich.console import Console

from manifests.checking import garbage, remove
from manifests.errors import UsageError
from pipeline.commands.du import size
from pipeline.session import driving, existing, waiting

EXAMPLE = "headset gc corpus/ --dry-run"


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("corpus")
    parser.add_argument("--dry-run", action="store_true", help="say what would go, and remove nothing")
    parser.add_argument("--yes", action="store_true", help="do not ask")
    waiting(parser)


def main(options: argparse.Namespace) -> int:
    console = Console(soft_wrap=True, highlight=False)
    manifest = existing(options.corpus)
    with driving(manifest, "headset gc", options.wait, console):
        found = garbage(manifest)
        if not found.bytes and not any((found.steps, found.parts, found.media)):
            console.print("Nothing to remove.")
            return 0
        for step, count in sorted(found.steps.items(), key=lambda one: (-one[1], one[0])):
            console.print(f"  {size(count):>9}  {step}", markup=False)
        for what, some in (("unfinished files", found.parts), ("media that no row names", found.media)):
            if some:
                console.print(f"  {size(sum(some.values())):>9}  {len(some)} {what}", markup=False)
        if options.dry_run:
            console.print(f"{size(found.bytes)} would go.")
            return 0
        if not options.yes:
            if not sys.stdin.isatty():
                raise UsageError("gc deletes files, and there is no terminal to ask; --yes says that it may, --dry-run what would go")
            if console.input(f"Delete {size(found.bytes)}? [y/N] ", markup=False).strip().lower() not in ("y", "yes"):
                console.print("Nothing was removed.")
                return 0
        remove(manifest, found)
    console.print(f"{size(found.bytes)} removed.")
    return 0
