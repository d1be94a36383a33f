"""Find out which tracks show the same person, within sources and across them."""

import argparse

from rich.console import Console

from pipeline.session import driving, existing, waiting

EXAMPLE = "headset identities corpus/"


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("corpus")
    waiting(parser)


def main(options: argparse.Namespace) -> int:
    from pipeline.corpus_steps.identities import print_identities

    manifest, console = existing(options.corpus), Console()
    with driving(manifest, "headset identities", options.wait, console):
        print_identities(manifest, console)
    return 0
