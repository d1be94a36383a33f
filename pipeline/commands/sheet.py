"""Draw a contact sheet of the kept clips."""

import argparse
from pathlib import Path

from pipeline.session import existing, positive
from pipeline.views.console import console

EXAMPLE = "headset sheet corpus/ --out clips.png"
GROUP = "look"


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("corpus")
    parser.add_argument("--out", metavar="PNG", type=Path, required=True)
    parser.add_argument("--most", type=positive, default=40, help="clips to draw, evenly chosen (default: 40)")


def main(options: argparse.Namespace) -> int:
    from pipeline.views.contact_sheet import draw_sheet

    drawn = draw_sheet(existing(options.corpus), options.out, options.most)
    console().print(f"{drawn} clips on {options.out}")
    return 0
