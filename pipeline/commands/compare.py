"""Compare what systems made with each other and with recordings: means, intervals, refusals."""

import argparse
from pathlib import Path

from rich.console import Console

from pipeline.session import existing

EXAMPLE = "headset compare corpus/ --html report.html"


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("corpus")
    parser.add_argument("--protocol", default="", metavar="TEXT", help="only values whose protocol holds this text")
    parser.add_argument("--resamples", type=int, default=1000, help="of the clips, for each interval; 0 for no intervals (default: 1000)")
    parser.add_argument("--set-resamples", type=int, default=50, help="the same for metrics of sets, which cost more (default: 50)")
    parser.add_argument("--seed", type=int, default=0, help="of the resamples")
    parser.add_argument("--markdown", metavar="FILE", help="write the table in Markdown")
    parser.add_argument("--latex", metavar="FILE", help="write it for a paper")
    parser.add_argument("--html", metavar="FILE", help="write one page with the table and plots")


def main(options: argparse.Namespace) -> int:
    from pipeline.scoring.compare import compare, footnotes, latex, markdown, page, rows_of

    console = Console(highlight=False)
    found = compare(
        existing(options.corpus),
        protocol=options.protocol,
        resamples=options.resamples,
        set_resamples=options.set_resamples,
        seed=options.seed,
    )
    head, *rows = rows_of(found)
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="dim", leading=1)
    for number, name in enumerate(head):
        table.add_column(name, justify="right" if number else "left", overflow="fold")
    for row in rows:
        table.add_row(*(cell.replace(" [", "\n[", 1).replace(" (", "\n(", 1) for cell in row))
    console.print(table)
    console.print()
    for note in [footnotes(found)[0], *found.notes]:
        console.print(note, markup=False, soft_wrap=True)
    for path, write in ((options.markdown, markdown), (options.latex, latex), (options.html, page)):
        if path:
            Path(path).parent.mkdir(parents=True, exist_ok=True)
            Path(path).write_text(write(found))
    return 0
