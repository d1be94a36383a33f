"""Remove a source or a person from the tables, the media, the selections and the releases, now and in later runs."""

import argparse
import os
from pathlib import Path
from typing import TYPE_CHECKING

from manifests.manifest import Manifest
from pipeline.session import as_json, driving, existing, may_wait
from pipeline.views.console import console, print_json

if TYPE_CHECKING:
    from pipeline.takedown.takedown import Report

EXAMPLE = "headset takedown corpus/ --source yt-3fk2h1Qab0c"
GROUP = "choose"


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("corpus")
    who = parser.add_mutually_exclusive_group(required=True)
    who.add_argument("--source", metavar="ID", help="a source, whole")
    who.add_argument("--identity", metavar="NAME", help="a person, by the name that lists or annotations have for them")
    who.add_argument("--like", metavar="PICTURE", help="a person, by a picture of their face")
    parser.add_argument("--min-cosine", type=float, default=0.4, help="with --like: how alike two faces must be, -1 to 1 (default: 0.4)")
    as_json(parser)
    may_wait(parser)


def main(options: argparse.Namespace) -> int:
    manifest = existing(options.corpus)
    with driving(manifest, "headset takedown", options.wait, console(stderr=True)):
        found = _taken_down(manifest, options)
    if options.json:
        print_json(found)
    else:
        for line in found.lines():
            console().print(line)
    return 1 if found.unreachable else 0


def _taken_down(manifest: Manifest, options: argparse.Namespace) -> "Report":
    from pipeline.takedown.takedown import takedown_identity, takedown_like, takedown_source

    if options.source:
        found = takedown_source(manifest, options.source)
    elif options.identity:
        found = takedown_identity(manifest, options.identity)
    else:
        from pipeline.engine.worker import WORKER_ENVIRONMENT

        os.environ.update(WORKER_ENVIRONMENT)  # the libraries say nothing, and compute on one thread
        found = takedown_like(manifest, Path(options.like), options.min_cosine)
    return found
