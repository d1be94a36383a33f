"""Find the sources that show what another one shows, copies by any name."""

import argparse

from rich.console import Console

from pipeline.session import driving, existing, waiting

EXAMPLE = "headset duplicates corpus/"


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("corpus")
    waiting(parser)


def main(options: argparse.Namespace) -> int:
    from pipeline.corpus_steps.duplicates import print_duplicates

    manifest, console = existing(options.corpus), Console()
    with driving(manifest, "headset duplicates", options.wait, console):
        print_duplicates(manifest, console)
    return 0
