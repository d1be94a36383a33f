"""remove a source or a person from the tables, the media, the selections and the releases, now and in later runs"""

import argparse
import json
import os
from dataclasses import asdict
from pathlib import Path

from rich.console import Console

from pipeline.session import driving, existing, waiting

EXAMPLE = "headset takedown corpus/ --source yt-3fk2h1Qab0c"


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("corpus")
    waiting(parser)
    who = parser.add_mutually_exclusive_group(required=True)
    who.add_argument("--source", metavar="ID", help="a source, whole")
    who.add_argument("--identity", metavar="NAME", help="a person, by the name that lists or annotations have for them")
    who.add_argument("--like", metavar="PICTURE", help="a person, by a picture of their face")
    parser.add_argument("--min-cosine", type=float, default=0.4, help="with --like: how alike two faces must be, -1 to 1 (default: 0.4)")
    parser.add_argument("--format", choices=("table", "json"), default="table")


def main(options: argparse.Namespace) -> int:
    from pipeline.takedown.takedown import takedown_identity, takedown_like, takedown_source

    manifest = existing(options.corpus)
    with driving(manifest, "headset takedown", options.wait, Console(stderr=True)):
        if options.source:
            found = takedown_source(manifest, options.source)
        elif options.identity:
            found = takedown_identity(manifest, options.identity)
        else:
            from pipeline.engine.worker import WORKER_ENVIRONMENT

            os.environ.update(WORKER_ENVIRONMENT)  # the libraries say nothing, and compute on one thread
            found = takedown_like(manifest, Path(options.like), options.min_cosine)
    if options.format == "json":
        print(json.dumps(asdict(found), indent=1))
    else:
        for line in found.lines():
            Console(soft_wrap=True, highlight=False).print(line, markup=False)
    return 1 if found.unreachable else 0
