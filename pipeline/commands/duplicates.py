"""Find the sources that show what another one shows, copies by any name."""

import argparse

from pipeline.session import as_json, driving, existing, may_wait
from pipeline.views.console import answer, console

EXAMPLE = "headset duplicates corpus/"
GROUP = "choose"


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("corpus")
    as_json(parser)
    may_wait(parser)


def main(options: argparse.Namespace) -> int:
    from pipeline.corpus_steps.duplicates import find_duplicates
    from pipeline.views.copies import copies

    manifest = existing(options.corpus)
    with driving(manifest, "headset duplicates", options.wait, console(stderr=options.json)):
        found = find_duplicates(manifest)
    answer(copies(manifest, found), options.json)
    return 0
