"""The pages: every link and every page that the code names is there."""

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
LINK = re.compile(r"\]\(([^)\s]+)\)")
NAMED = re.compile(r"\bdocs/[\w./]+\.(?:md|png)\b")


def tracked(*patterns: str) -> list[Path]:
    listed = subprocess.run(["git", "ls-files", *patterns], cwd=ROOT, capture_output=True, text=True, check=True)
    return [ROOT / line for line in listed.stdout.splitlines()]


def anchors(page: Path) -> set[str]:
    """The headings of a page, as browsers are pointed at them."""
    heads = re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}


@pytest.mark.parametrize("page", tracked("*.md"), ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    for target in LINK.findall(page.read_text()):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        there = (page.parent / path).resolve() if path else page
        assert there.exists(), f"{target} is not there"
        assert not anchor or anchor in anchors(there), f"{target}: {sorted(anchors(there))}"


def test_pages_that_files_name_are_there() -> None:
    gone = {
        f"{path.relative_to(ROOT)}: {name}"
        for path in tracked("*.py", "*.md", "*.yaml", "*.yml", "*.toml", "Makefile", "*.html")
        if path.name != "CHANGELOG.md" and path != Path(__file__)
        for name in NAMED.findall(path.read_text(errors="replace"))
        if not (ROOT / name).is_file()
    }
    assert not gone
