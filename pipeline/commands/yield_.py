"""Say what each part of a condition costs, alone and jointly, and what other thresholds would leave."""

import argparse
from pathlib import Path

from manifests.errors import UsageError
from manifests.manifest import Manifest
from pipeline.session import as_json, existing
from pipeline.views.console import answer

EXAMPLE = 'headset yield corpus/ --where "dnsmos_ovrl > 3 and face_px >= 256" --out yield.png'
GROUP = "choose"


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("corpus")
    parser.add_argument(
        "--where", default="", help="a condition in SQL on the columns that `headset columns CORPUS` lists"
    )
    parser.add_argument(
        "--metric", default="", help="a column to sweep over its deciles, beside those that the condition compares"
    )
    parser.add_argument("--out", metavar="PNG", type=Path, help="draw the curves too")
    as_json(parser)


def main(options: argparse.Namespace) -> int:
    if not options.where and not options.metric:
        raise UsageError("name a condition by --where, or a column by --metric")
    show(existing(options.corpus), options.where, options.metric, options.out, options.json)
    return 0


def show(manifest: Manifest, where: str, metric: str, picture: Path | None, in_json: bool = False) -> None:
    """Prints what a condition costs, and draws it where a file is named."""
    from pipeline.query.yields import draw_yield, yields
    from pipeline.views.yields import YieldView

    found = yields(manifest, where, metric)
    answer(YieldView(found), in_json)
    if picture:
        draw_yield(found, picture)
