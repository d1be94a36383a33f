"""Find the sources that show what another one shows, copies by any name."""

import argparse

from rich.console import Console

from pipeline.session import existing

EXAMPLE = "headset duplicates corpus/"


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("corpus")


def main(options: argparse.Namespace) -> int:
    from pipeline.corpus_steps.duplicates import print_duplicates

    print_duplicates(existing(options.corpus), Console())
    return 0
