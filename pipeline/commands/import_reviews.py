"""Take what people said of clips in the page of `headset explore`, so that selections can choose by it.

The file is the one that the page hands over. A reviewer's later word on a clip replaces the earlier one; words of
several reviewers stand beside each other in the table `reviews`. The clip view has the columns `review`, disputed where
they do not agree, and `review_reason`.
"""

import argparse
from dataclasses import asdict
from pathlib import Path

from manifests.errors import UsageError
from pipeline.session import as_json, driving, existing, may_wait
from pipeline.views.console import console, print_json
from pipeline.views.facts import by_number

EXAMPLE = "headset import-reviews corpus/ reviews.json"
GROUP = "choose"


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("corpus")
    parser.add_argument("file", metavar="JSON", type=Path)
    parser.add_argument("--reviewer", default="", help="whose they are (default: as the file says)")
    as_json(parser)
    may_wait(parser)


def main(options: argparse.Namespace) -> int:
    from pipeline.corpus_steps.reviews import MOST_NAME, import_reviews, read_reviews

    out, manifest = console(), existing(options.corpus)
    named, said = read_reviews(options.file)
    reviewer = options.reviewer or named
    if len(reviewer) > MOST_NAME:
        raise UsageError(f"--reviewer: a name has up to {MOST_NAME} letters")
    with driving(manifest, "headset import-reviews", options.wait, out):
        found = import_reviews(manifest, said, reviewer)
    if options.json:
        print_json(asdict(found))
        return 0
    new = by_number(found.verdicts) or "nothing new"
    elsewhere = f", {found.unknown} of clips that are not here" if found.unknown else ""
    out.print(f"{new}; {found.taken_back} taken back, {found.as_before} as before{elsewhere}.")
    out.print(f"The table reviews: {by_number(found.table) or 'empty'}.")
    if found.table:
        out.print(
            f"""Choose by it: headset select {options.corpus} --where "review = 'keep'" --name NAME""", soft_wrap=True
        )
    return 0
