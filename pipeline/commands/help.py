"""Say more of a command, or of the environment: variables, exit status, completion."""

import argparse

from manifests.errors import NotFound
from pipeline.views.console import answer

EXAMPLE = "headset help environment"
GROUP = "look"


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("topic", nargs="?", default="", help="a command, or environment")


def main(options: argparse.Namespace) -> int:
    from pipeline.__main__ import commands, parser_of_all
    from pipeline.environment import ENVIRONMENT

    if options.topic == "environment":
        answer(ENVIRONMENT, False)
    elif not options.topic:
        parser_of_all().print_help()
    elif options.topic in commands():
        parser_of_all().parse_args([options.topic, "--help"])
    else:
        raise NotFound(f"no command {options.topic!r}; there are {', '.join(commands())}, and environment")
    return 0
