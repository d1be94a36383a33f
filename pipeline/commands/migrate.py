"""Rewrite the tables of a corpus for another version of headset, older or newer.

A corpus of an older version is read as it is, so nobody has to; an older headset cannot read a newer corpus, and may need it.
Nothing is lost: a table that an older version has no place for is refused.
"""

import argparse

from rich.console import Console

from manifests.schema import VERSION
from pipeline.session import driving, existing, waiting

EXAMPLE = "headset migrate corpus/ --to 1"


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("corpus")
    waiting(parser)
    parser.add_argument(
        "--to", type=int, choices=range(1, VERSION + 1), default=VERSION, help=f"version of the tables (default: {VERSION})"
    )


def main(options: argparse.Namespace) -> int:
    console, manifest = Console(), existing(options.corpus)
    with driving(manifest, "headset migrate", options.wait, console), console.status("rewriting tables"):
        changed = manifest.migrate(options.to)
    console.print(f"{changed} files rewritten; the tables are of version {options.to}.", highlight=False)
    return 0
