"""Print what makes a shell complete commands and options.

bash: eval "$(headset completion bash)". zsh: put it into a file _headset of a folder of fpath. tcsh: eval it.
"""

import argparse
import sys

EXAMPLE = 'eval "$(headset completion bash)"'
GROUP = "look"


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("shell", choices=("bash", "zsh", "tcsh"))


def main(options: argparse.Namespace) -> int:
    import shtab

    from pipeline.__main__ import parser_of_all

    sys.stdout.write(shtab.complete(parser_of_all(listed=True), options.shell) + "\n")
    return 0
