"""Say why rows are given up: every reason, what to set, and whether another try can help."""

import argparse
from pathlib import Path

from manifests.errors import NotFound
from pipeline.session import as_json
from pipeline.views.console import answer

EXAMPLE = "headset reasons face_small"
GROUP = "look"


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("reason", nargs="?", default="", help="only this one (default: all)")
    parser.add_argument("--out", type=Path, metavar="MD", help="write them as Markdown")
    as_json(parser)


def main(options: argparse.Namespace) -> int:
    from pipeline.views.dictionary import reasons

    found = reasons(options.reason)
    if not found.reasons:
        raise NotFound(
            f"no reason {options.reason!r}; `headset reasons` lists them. The name of an error, such as ValueError, is"
            " a failure: see `headset explain`"
        )
    if options.out:
        options.out.parent.mkdir(parents=True, exist_ok=True)
        options.out.write_text(found.markdown())
    else:
        answer(found, options.json)
    return 0
