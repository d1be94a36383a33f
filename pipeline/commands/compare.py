"""Compare what systems made with each other and with recordings: means, intervals, refusals."""

import argparse
from pathlib import Path

from manifests.errors import UsageError
from pipeline.session import as_json, existing
from pipeline.views.console import answer

EXAMPLE = "headset compare corpus/ --out report.html --out table.tex"
GROUP = "judge"
FORMS = {".md": "markdown", ".tex": "latex", ".html": "page"}


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("corpus")
    parser.add_argument("--protocol", default="", metavar="TEXT", help="only values whose protocol holds this text")
    parser.add_argument("--resamples", type=int, default=1000, help="of the clips, for each interval; 0 for no intervals (default: 1000)")
    parser.add_argument("--set-resamples", type=int, default=50, help="the same for metrics of sets, which cost more (default: 50)")
    parser.add_argument("--seed", type=int, default=0, help="of the resamples")
    parser.add_argument(
        "--out", metavar="FILE", type=Path, action="append", default=[],
        help="write the table: .md for Markdown, .tex for a paper, .html for a page with plots; may be given again",
    )  # fmt: skip
    as_json(parser)


def main(options: argparse.Namespace) -> int:
    from pipeline.scoring import compare
    from pipeline.views.comparison import ComparisonView

    for path in options.out:
        if path.suffix not in FORMS:
            raise UsageError(f"--out {path}: its name ends in none of {', '.join(FORMS)}, which say what to write")
    found = compare.compare(
        existing(options.corpus),
        protocol=options.protocol,
        resamples=options.resamples,
        set_resamples=options.set_resamples,
        seed=options.seed,
    )
    answer(ComparisonView(found), options.json)
    for path in options.out:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(getattr(compare, FORMS[path.suffix])(found))
    return 0
