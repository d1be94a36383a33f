"""Tell the story of one source or clip, with the numbers."""

import argparse

from pipeline.session import as_json, existing
from pipeline.views.console import answer
from pipeline.views.story import story

EXAMPLE = "headset explain corpus/ interview.mp4"
GROUP = "look"


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("corpus")
    parser.add_argument("id", help="a source id, a clip id, a file name or an address")
    as_json(parser)


def main(options: argparse.Namespace) -> int:
    answer(story(existing(options.corpus), options.id), options.json)
    return 0
