"""remove a source or a person from the tables, the media, the selections and the releases, now and in later runs"""

import argparse
import json
import os
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console

from manifests.errors import UsageError
from pipeline.session import existing

if TYPE_CHECKING:
    from pipeline.takedown.report import Report

EXAMPLE = "headset takedown corpus/ --source yt-3fk2h1Qab0c --dry-run"


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("corpus")
    who = parser.add_mutually_exclusive_group(required=True)
    who.add_argument("--source", metavar="ID", help="a source, whole")
    who.add_argument("--identity", metavar="NAME", help="a person, by the name that lists or annotations have for them")
    who.add_argument("--like", metavar="PICTURE", help="a person, by a picture of their face")
    parser.add_argument("--min-cosine", type=float, default=0.4, help="with --like: how alike two faces must be, -1 to 1 (default: 0.4)")
    how = parser.add_mutually_exclusive_group()
    how.add_argument("--dry-run", action="store_true", help="say what would be taken out, and change nothing")
    how.add_argument("--yes", action="store_true", help="do not ask: what is taken out cannot be had back")
    parser.add_argument("--format", choices=("table", "json"), default="table")


def main(options: argparse.Namespace) -> int:
    from pipeline.takedown.takedown import go_ahead, only_plan, takedown_identity, takedown_like, takedown_source

    if not (options.dry_run or options.yes or sys.stdin.isatty()):
        raise UsageError(
            "a takedown deletes for good, and nobody is here to be asked: give --yes to go on, or --dry-run to see what would go"
        )
    agree = only_plan if options.dry_run else go_ahead if options.yes else _asked
    manifest = existing(options.corpus)
    if options.source:
        found = takedown_source(manifest, options.source, agree)
    elif options.identity:
        found = takedown_identity(manifest, options.identity, agree)
    else:
        from pipeline.engine.worker import WORKER_ENVIRONMENT

        os.environ.update(WORKER_ENVIRONMENT)  # the libraries say nothing, and compute on one thread
        found = takedown_like(manifest, Path(options.like), options.min_cosine, agree)
    if options.format == "json":
        print(json.dumps(asdict(found), indent=1))
    elif not found.planned or options.dry_run:
        _tell(found, Console(soft_wrap=True, highlight=False))
    if options.dry_run:
        return 1 if found.errors else 0
    return 0 if found.done else 1


def _tell(report: "Report", console: Console) -> None:
    for line in report.lines():
        console.print(line, markup=False)


def _asked(report: "Report") -> bool:
    console = Console(stderr=True, soft_wrap=True, highlight=False)
    _tell(report, console)
    try:
        answer = console.input("Delete all this for good? Nothing of it can be had back. Type yes to go on: ")
    except EOFError:
        answer = ""
    if answer.strip().lower() != "yes":
        console.print("Nothing was changed.")
        return False
    return True
