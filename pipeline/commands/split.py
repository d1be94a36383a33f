"""Share the clips out to train, validation and test, with no identity, channel, source or copy in two of them."""

import argparse

from manifests.errors import UsageError
from pipeline.session import driving, existing, may_wait
from pipeline.views.console import console
from pipeline.views.facts import Grid, Line, Told, clock

EXAMPLE = "headset split corpus/ --shares 0.9,0.05,0.05"
GROUP = "choose"


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("corpus")
    parser.add_argument(
        "--shares", default="0.9,0.05,0.05", help="of train, validation and test (default: 0.9,0.05,0.05)"
    )
    parser.add_argument("--selection", default="", help="NAME or NAME:VERSION: split only its clips (default: all)")
    may_wait(parser)


def main(options: argparse.Namespace) -> int:
    from pipeline.corpus_steps.splits import SPLITS, split_clips
    from pipeline.query.selection import selection

    try:
        train, validation, test = (float(share) for share in options.shares.split(","))
    except ValueError:
        raise UsageError(f"--shares {options.shares}: write three numbers, as in 0.9,0.05,0.05") from None
    manifest = existing(options.corpus)
    with driving(manifest, "headset split", options.wait, console()):
        chosen = selection(manifest, options.selection) if options.selection else None
        found = split_clips(manifest, (train, validation, test), chosen)
    total = sum(found.clips.values()) or 1
    rows = []
    for name, asked in zip(SPLITS, (train, validation, test), strict=True):
        clips = found.clips.get(name, 0)
        shares = f"{clips / total:.1%}", f"{asked:.1%}"
        rows.append([name, found.groups.get(name, 0), clips, *shares, clock(found.seconds.get(name, 0.0))])
    grid = Grid.of(("split", ">groups", ">clips", ">share", ">asked for", ">length"), rows)
    name, clips = found.largest
    most = Line.of(f"The largest group is {name}: {clips} clips, {clips / total:.1%}, which cannot be parted.")
    console().print(Told((grid, most)))
    return 0
