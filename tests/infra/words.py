"""Command lines that stand in files, held to what headset takes."""

import shlex
from collections.abc import Iterator
from pathlib import Path

from pipeline.__main__ import parser_of_all

ROOT = Path(__file__).parents[2]
INFRA = ROOT / "infra"
# What a shell puts in; a number where one is asked for.
VARIABLES = {"$SLURM_ARRAY_TASK_ID/$parts": "3/64", "$SLURM_CPUS_PER_TASK": "8", "$@": ""}


def commands_of(text: str) -> Iterator[list[str]]:
    """The words of every `headset COMMAND ...` of a text, those of comments too."""
    joined = text.replace("\\\n", " ")
    for line in joined.splitlines():
        for part in line.split("&&"):
            _, found, after = part.partition("headset ")
            if not found or after.split(" ")[0] not in NAMES:
                continue
            words = shlex.split(after.partition(" [")[0].partition(" ; ")[0], comments=True)
            yield [VARIABLES.get(word, word) for word in words if VARIABLES.get(word, word)]


def check(words: list[str]) -> None:
    """
    Raises:
        AssertionError: for words that headset does not take.
    """
    try:
        parser_of_all().parse_args(words)
    except SystemExit as stop:
        raise AssertionError(f"headset does not take: {shlex.join(words)}") from stop


NAMES = frozenset(
    name for action in parser_of_all()._actions if isinstance(action.choices, dict) for name in action.choices
)
