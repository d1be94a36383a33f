"""share the clips out to train, validation and test, with no identity, channel, source or near-duplicate in two of them"""

import argparse

from rich.console import Console
from rich.table import Table

from manifests.errors import UsageError
from pipeline.session import driving, existing, waiting

EXAMPLE = "headset split corpus/ --shares 0.9,0.05,0.05"


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("corpus")
    waiting(parser)
    parser.add_argument("--shares", default="0.9,0.05,0.05", help="of train, validation and test (default: 0.9,0.05,0.05)")
    parser.add_argument("--selection", default="", help="NAME or NAME:VERSION: split only its clips (default: all)")


def main(options: argparse.Namespace) -> int:
    from pipeline.corpus_steps.splits import SPLITS, split_clips
    from pipeline.query.selection import selection
    from pipeline.views.report import clock

    try:
        train, validation, test = (float(share) for share in options.shares.split(","))
    except ValueError:
        raise UsageError(f"--shares {options.shares}: write three numbers, as in 0.9,0.05,0.05") from None
    manifest = existing(options.corpus)
    console = Console(soft_wrap=True, highlight=False)
    chosen = selection(manifest, options.selection) if options.selection else None
    with driving(manifest, "headset split", options.wait, console):
        found = split_clips(manifest, (train, validation, test), chosen)
    total = sum(found.clips.values()) or 1
    table = Table(box=None, pad_edge=False, header_style="dim")
    for number, name in enumerate(("split", "groups", "clips", "share", "asked for", "length")):
        table.add_column(name, justify="right" if number else "left")
    for name, asked in zip(SPLITS, (train, validation, test), strict=True):
        clips = found.clips.get(name, 0)
        table.add_row(
            name, str(found.groups.get(name, 0)), str(clips), f"{clips / total:.1%}", f"{asked:.1%}", clock(found.seconds.get(name, 0.0))
        )
    console.print(table)
    name, clips = found.largest
    console.print(f"The largest group is {name}: {clips} clips, {clips / total:.1%}, which cannot be parted.", markup=False)
    return 0
