"""Rewrite the tables of a corpus for another version of headset, older or newer.

A corpus of an older version is read as it is, so nobody has to; an older headset cannot read a newer corpus, and may
need it. Nothing is lost: a table that an older version has no place for is refused.
"""

import argparse

from manifests.migration import migrate
from manifests.schema import VERSION
from pipeline.session import driving, existing, may_wait
from pipeline.views.console import console, waiting

EXAMPLE = "headset migrate corpus/ --to 1"
GROUP = "make"


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("corpus")
    parser.add_argument(
        "--to",
        type=int,
        choices=range(1, VERSION + 1),
        default=VERSION,
        help=f"version of the tables (default: {VERSION})",
    )
    may_wait(parser)


def main(options: argparse.Namespace) -> int:
    out, manifest = console(), existing(options.corpus)
    with driving(manifest, "headset migrate", options.wait, out), waiting(out, "rewriting tables"):
        changed = migrate(manifest, options.to)
    out.print(f"{changed} files rewritten; the tables are of version {options.to}.")
    return 0
