"""What the README and the docs tell people to type can be typed, and the README's blocks run in order on the demo
corpus.
"""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.__main__ import parser_of_all
from tests.demo_corpus import typed

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
FOREIGN = "yt-3fk2h1Qab0c"  # stands for a source of the reader's


def told(page: Path, heading: str = "") -> Iterator[list[str]]:
    """The commands of a page's blocks, below a heading or everywhere, as a shell would split them."""
    text = page.read_text()
    if heading:
        text = text.split(f"## {heading}\n")[1].split("\n## ")[0]
    fenced = "\n".join(re.findall(r"^```[^\n]*\n(.*?)^```", text, re.MULTILINE | re.DOTALL))
    indented = "\n".join(re.findall(r"^    (headset .*)$", text, re.MULTILINE))
    for line in f"{fenced}\n{indented}".replace("\\\n", " ").splitlines():
        for command in re.split(r" ; | && ", line):
            if command.strip().startswith("headset "):
                # some blocks have what it does in a column of its own
                typed = re.split(r"\s{2,}(?=[\w.])", command.strip())[0]
                yield shlex.split(typed, comments=True)[1:]


def every_command() -> list[tuple[str, list[str]]]:
    return [(str(page.relative_to(ROOT)), command) for page in PAGES for command in told(page)]


@pytest.mark.parametrize(
    ("page", "command"), every_command(), ids=lambda one: one if isinstance(one, str) else " ".join(one)[:60]
)
def test_what_is_told_can_be_typed(page: str, command: list[str]) -> None:
    if ">" in command:
        command = command[: command.index(">")]
    parser_of_all().parse_args(command)


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_the_block_from_a_corpus_to_training_runs_in_order_on_the_demo(demo: Path) -> None:
    source = (
        typed(demo, "pipeline", "sql", "corpus", "select source_id from clips limit 1", "--csv")
        .splitlines()[-1]
        .strip('"')
    )
    commands = list(told(ROOT / "README.md", "From a corpus to training and back"))
    assert len(commands) >= 9
    for command in commands:
        agreed = ["--yes"] if command[0] == "takedown" else []  # nobody is here to be asked
        typed(demo, "pipeline", *(source if word == FOREIGN else word for word in command), *agreed)
    assert (demo / "yield.png").stat().st_size > 1000
    assert (demo / "wav2lip" / "filelists" / "train.txt").read_text()
    assert "<table>" in (demo / "report.html").read_text()
