"""Remove what nothing needs: tables of steps that no recipe names, unfinished files, media that no row names.

A recipe remembers its last run. The tables of an earlier `--set` are computed again when that is asked for again.
"""

import argparse
import sys

from manifests.errors import UsageError
from manifests.room import garbage, remove
from pipeline.commands.du import size
from pipeline.session import driving, existing, may_wait
from pipeline.views.console import console

EXAMPLE = "headset gc corpus/ --dry-run"
GROUP = "make"


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("corpus")
    parser.add_argument("--dry-run", action="store_true", help="say what would go, and remove nothing")
    parser.add_argument("--yes", action="store_true", help="do not ask")
    may_wait(parser)


def main(options: argparse.Namespace) -> int:
    out = console()
    manifest = existing(options.corpus)
    with driving(manifest, "headset gc", options.wait, out):
        found = garbage(manifest)
        if not found.bytes and not any((found.steps, found.parts, found.media, found.packs)):
            out.print("Nothing to remove.")
            return 0
        for step, count in sorted(found.steps.items(), key=lambda one: (-one[1], one[0])):
            out.print(f"  {size(count):>9}  {step}")
        kinds = {
            "unfinished files": found.parts,
            "files of packing that was killed": found.packs,
            "media that no row names": found.media,
        }
        for what, some in kinds.items():
            if some:
                out.print(f"  {size(sum(some.values())):>9}  {len(some)} {what}")
        if options.dry_run:
            out.print(f"{size(found.bytes)} would go.")
            return 0
        if not options.yes:
            if not sys.stdin.isatty():
                raise UsageError(
                    "gc deletes files, and there is no terminal to ask; --yes says that it may, --dry-run what would go"
                )
            if out.input(f"Delete {size(found.bytes)}? [y/N] ").strip().lower() not in ("y", "yes"):
                out.print("Nothing was removed.")
                return 0
        remove(manifest, found)
    out.print(f"{size(found.bytes)} removed.")
    return 0
