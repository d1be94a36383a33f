"""Find out which tracks show the same person, within sources and across them."""

import argparse

from pipeline.session import as_json, existing
from pipeline.views.console import answer

EXAMPLE = "headset identities corpus/"
GROUP = "choose"


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("corpus")
    as_json(parser)


def main(options: argparse.Namespace) -> int:
    from pipeline.corpus_steps.identities import find_identities
    from pipeline.views.copies import people

    manifest = existing(options.corpus)
    answer(people(manifest, find_identities(manifest)), options.json)
    return 0
