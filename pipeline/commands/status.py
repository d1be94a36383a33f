"""Say where a corpus stands, with its funnel and the share that was had of each list."""

import argparse
from pathlib import Path

from pipeline.session import as_json, existing
from pipeline.views.console import answer
from pipeline.views.status import status

EXAMPLE = "headset status corpus/ --out funnel.png"
GROUP = "look"


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("corpus")
    parser.add_argument("--out", metavar="PNG", type=Path, help="draw the funnel too")
    as_json(parser)


def main(options: argparse.Namespace) -> int:
    manifest = existing(options.corpus)
    answer(status(manifest), options.json)
    if options.out:
        from pipeline.views.funnel_chart import draw_funnel

        draw_funnel(manifest, options.out)
    return 0
