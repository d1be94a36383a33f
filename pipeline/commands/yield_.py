"""say what each part of a condition costs, alone and jointly, and what other thresholds would leave"""

import argparse
import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from manifests.errors import UsageError
from manifests.manifest import Manifest
from pipeline.session import existing

EXAMPLE = 'headset yield corpus/ --where "dnsmos_ovrl > 3 and face_px >= 256" --picture yield.png'


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("corpus")
    parser.add_argument("--where", default="", help="a condition in SQL on the columns of `wide`")
    parser.add_argument("--metric", default="", help="a column to sweep over its deciles, beside those that the condition compares")
    parser.add_argument("--picture", metavar="PNG", help="draw the curves too")
    parser.add_argument("--format", choices=("table", "json"), default="table")


def main(options: argparse.Namespace) -> int:

    if not options.where and not options.metric:
        raise UsageError("name a condition by --where, or a column by --metric")
    console = Console(soft_wrap=True, highlight=False)
    picture = Path(options.picture) if options.picture else None
    show(existing(options.corpus), options.where, options.metric, picture, console, options.format)
    return 0


def show(manifest: Manifest, where: str, metric: str, picture: Path | None, console: Console, form: str = "table") -> None:
    from pipeline.query.yields import draw_yield, yields
    from pipeline.views.report import clock

    found = yields(manifest, where, metric)
    if form == "json":
        plain: Any = asdict(found)
        for cut in plain["cuts"]:
            cut["threshold"] = cut["threshold"] if cut["column"] and cut["threshold"] != float("-inf") else None
        print(json.dumps(plain, indent=1))
    else:
        of = max(found.clips, 1)
        if where:
            left = f"{found.left_clips} clips, {clock(found.left_seconds)}"
            console.print(
                f"{found.clips} clips, {clock(found.seconds)} -> {left}. Each cut alone, and what only it takes of what the others leave:"
            )
            cuts = _table("cut", "left by it alone", "share", "length", "no value", "only it takes", "length ")
            for cut in found.cuts:
                if cut.predicate:
                    alone = (str(cut.clips), f"{cut.clips / of:.1%}", clock(cut.seconds))
                    cuts.add_row(cut.predicate, *alone, str(cut.unknown), str(cut.joint_cost), clock(cut.joint_cost_seconds))
            console.print(cuts)
        for cut in found.cuts:
            if not cut.curve:
                continue
            curve = _table(f"{cut.column} {cut.sign}", "clips alone", "length", "clips with all others", "length ")
            for point in cut.curve:
                here = point.threshold == cut.threshold
                numbers = (point.clips, clock(point.seconds), point.joint_clips, clock(point.joint_seconds))
                curve.add_row(f"{point.threshold:.6g}" + (" <-" if here else ""), *map(str, numbers))
            console.print()
            console.print(curve)
    if picture:
        draw_yield(found, picture)


def _table(*names: str) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim")
    for number, name in enumerate(names):
        table.add_column(name, justify="right" if number else "left", overflow="fold")
    return table
