"""Find the sources that show what another one shows, copies by any name."""

import argparse

from pipeline.session import as_json, existing
from pipeline.views.console import answer

EXAMPLE = "headset duplicates corpus/"
GROUP = "choose"


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("corpus")
    as_json(parser)


def main(options: argparse.Namespace) -> int:
    from pipeline.corpus_steps.duplicates import find_duplicates
    from pipeline.views.copies import copies

    manifest = existing(options.corpus)
    answer(copies(manifest, find_duplicates(manifest)), options.json)
    return 0
