"""Remove a source or a person from the tables, the media, the selections and the releases, now and in later runs."""

import argparse
import os
import sys
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

from manifests.errors import UsageError
from manifests.manifest import Manifest
from pipeline.session import as_json, driving, existing, may_wait
from pipeline.views.console import console, print_json

if TYPE_CHECKING:
    from rich.console import Console

    from pipeline.takedown.report import Report

EXAMPLE = "headset takedown corpus/ --source yt-3fk2h1Qab0c --dry-run"
GROUP = "choose"


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("corpus")
    who = parser.add_mutually_exclusive_group(required=True)
    who.add_argument("--source", metavar="ID", help="a source, whole")
    who.add_argument("--identity", metavar="NAME", help="a person, by the name that lists or annotations have for them")
    who.add_argument("--like", metavar="PICTURE", help="a person, by a picture of their face")
    parser.add_argument(
        "--min-cosine", type=float, default=0.4, help="with --like: how alike two faces must be, -1 to 1 (default: 0.4)"
    )
    how = parser.add_mutually_exclusive_group()
    how.add_argument("--dry-run", action="store_true", help="say what would be taken out, and change nothing")
    how.add_argument("--yes", action="store_true", help="do not ask: what is taken out cannot be had back")
    as_json(parser)
    may_wait(parser)


def main(options: argparse.Namespace) -> int:
    if not (options.dry_run or options.yes or sys.stdin.isatty()):
        raise UsageError(
            "a takedown deletes for good, and nobody is here to be asked: give --yes to go on, or --dry-run to see what"
            " would go"
        )
    manifest = existing(options.corpus)
    # A dry run changes nothing, so it waits for nobody either.
    with (
        nullcontext() if options.dry_run else driving(manifest, "headset takedown", options.wait, console(stderr=True))
    ):
        found = _taken_down(manifest, options)
    if options.json:
        print_json(found)
    elif not found.planned or options.dry_run:
        _tell(found, console())
    if options.dry_run:
        return 1 if found.errors else 0
    return 0 if found.done else 1


def _taken_down(manifest: Manifest, options: argparse.Namespace) -> "Report":
    from pipeline.takedown.takedown import go_ahead, only_plan, takedown_identity, takedown_like, takedown_source

    agree = only_plan if options.dry_run else go_ahead if options.yes else _asked
    if options.source:
        return takedown_source(manifest, options.source, agree)
    if options.identity:
        return takedown_identity(manifest, options.identity, agree)
    from pipeline.engine.worker import WORKER_ENVIRONMENT

    os.environ.update(WORKER_ENVIRONMENT)  # the libraries say nothing, and compute on one thread
    return takedown_like(manifest, Path(options.like), options.min_cosine, agree=agree)


def _tell(report: "Report", out: "Console") -> None:
    for line in report.lines():
        out.print(line, soft_wrap=True)


def _asked(report: "Report") -> bool:
    out = console(stderr=True)
    _tell(report, out)
    try:
        answer = out.input("Delete all this for good? Nothing of it can be had back. Type yes to go on: ")
    except EOFError:
        answer = ""
    if answer.strip().lower() != "yes":
        out.print("Nothing was changed.")
        return False
    return True
