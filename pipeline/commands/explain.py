"""Tell the story of one source or clip, with the numbers."""

import argparse

from rich.console import Console

from pipeline.session import existing
from pipeline.views import report

EXAMPLE = "headset explain corpus/ interview.mp4"


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("corpus")
    parser.add_argument("id", help="a source id, a clip id, a file name or an address")


def main(options: argparse.Namespace) -> int:
    report.print_story(existing(options.corpus), options.id, Console())
    return 0
