"""Say where a corpus stands, and print its funnel."""

import argparse
from pathlib import Path

from rich.console import Console

from pipeline.session import existing
from pipeline.views import report

EXAMPLE = "headset status corpus/"


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("corpus")
    parser.add_argument("--picture", metavar="PNG", help="draw the funnel too")


def main(options: argparse.Namespace) -> int:
    manifest = existing(options.corpus)
    report.print_status(manifest, Console())
    if options.picture:
        from pipeline.views.funnel_chart import draw_funnel

        draw_funnel(manifest, Path(options.picture))
    return 0
