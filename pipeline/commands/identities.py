"""Find out which tracks show the same person, within sources and across them."""

import argparse

from pipeline.session import as_json, driving, existing, may_wait
from pipeline.views.console import answer, console

EXAMPLE = "headset identities corpus/"
GROUP = "choose"


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("corpus")
    as_json(parser)
    may_wait(parser)


def main(options: argparse.Namespace) -> int:
    from pipeline.corpus_steps.identities import find_identities
    from pipeline.views.copies import people

    manifest = existing(options.corpus)
    with driving(manifest, "headset identities", options.wait, console(stderr=options.json)):
        found = find_identities(manifest)
    answer(people(manifest, found), options.json)
    return 0
