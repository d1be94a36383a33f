"""Compare what systems made with each other and with recordings: means, intervals, refusals.

With a protocol of the pairs, such as cross_identity, the board of that protocol: a system a row, and --out FOLDER/ for
its page with players.
"""

import argparse
from pathlib import Path

from manifests.errors import UsageError
from pipeline.session import as_json, existing, positive
from pipeline.views.console import answer, console

EXAMPLE = "headset compare corpus/ --protocol cross_identity --out board/"
GROUP = "judge"
FORMS = {".md": "markdown", ".tex": "latex", ".html": "page"}


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("corpus")
    parser.add_argument(
        "--protocol", default="", metavar="TEXT",
        help="of the pairs, such as cross_identity, for its board; else only values whose protocol holds this text",
    )  # fmt: skip
    parser.add_argument(
        "--resamples",
        type=int,
        default=1000,
        help="of the clips, for each interval; 0 for no intervals (default: 1000)",
    )
    parser.add_argument(
        "--set-resamples", type=int, default=50, help="the same for metrics of sets, which cost more (default: 50)"
    )
    parser.add_argument("--seed", type=int, default=0, help="of the resamples")
    parser.add_argument(
        "--out", metavar="PATH", type=Path, action="append", default=[],
        help="write the table: .md for Markdown, .tex for a paper, .html for a page with plots; a folder for"
             " the board; may be given again",
    )  # fmt: skip
    parser.add_argument(
        "--players",
        type=positive,
        default=24,
        help="pairs that the board shows, those that differ most first (default: 24)",
    )
    parser.add_argument("--random", action="store_true", help="show systems with random weights on the board")
    as_json(parser)


def main(options: argparse.Namespace) -> int:
    from pipeline.corpus_steps.pairs import PROTOCOLS

    if options.protocol in PROTOCOLS:
        return _board(options)
    from pipeline.scoring import comparison_text
    from pipeline.scoring.compare import compare
    from pipeline.views.comparison import ComparisonView

    for path in options.out:
        if path.suffix not in FORMS:
            raise UsageError(f"--out {path}: its name ends in none of {', '.join(FORMS)}, which say what to write")
    found = compare(
        existing(options.corpus),
        protocol=options.protocol,
        resamples=options.resamples,
        set_resamples=options.set_resamples,
        seed=options.seed,
    )
    answer(ComparisonView(found), options.json)
    for path in options.out:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(getattr(comparison_text, FORMS[path.suffix])(found))
    return 0


def _board(options: argparse.Namespace) -> int:
    """The board of a protocol, and its page."""
    from rich.table import Table
    from rich.text import Text

    from pipeline.scoring.board import board
    from pipeline.views.board import board_lines, write_board
    from pipeline.views.console import print_json

    if wrong := [path for path in options.out if path.suffix in FORMS]:
        raise UsageError(
            f"--out {wrong[0]}: the board of a protocol is a folder, as in `--out board/`; without --protocol the table"
            " is a file"
        )
    found = board(
        existing(options.corpus),
        options.protocol,
        random=options.random,
        resamples=options.resamples,
        seed=options.seed,
    )
    out = console(stderr=options.json)
    head, *rows = board_lines(found)
    if options.json:
        print_json([dict(zip(head, row, strict=True)) for row in rows])
    else:
        table = Table(box=None, pad_edge=False, header_style="dim")
        for number, name in enumerate(head):
            table.add_column(Text(name), justify="right" if number else "left", overflow="fold")
        for row in rows:
            table.add_row(*map(Text, row))
        out.print(table)
        out.print(f"\n{len(found.pairs)} pairs of {found.persons} persons.")
        for note in [*found.notes, *(f"{variant} is withheld: {why}" for variant, why in found.withheld.items())]:
            out.print(note, soft_wrap=True)
    for folder in options.out:
        out.print(f"Look: {write_board(found, folder, options.players)}", soft_wrap=True)
    return 0
