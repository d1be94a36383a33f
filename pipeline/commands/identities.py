"""Find out which tracks show the same person, within sources and across them."""

import argparse

from rich.console import Console

from pipeline.session import existing

EXAMPLE = "headset identities corpus/"


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("corpus")


def main(options: argparse.Namespace) -> int:
    from pipeline.corpus_steps.identities import print_identities

    print_identities(existing(options.corpus), Console())
    return 0
