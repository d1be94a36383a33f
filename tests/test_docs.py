"""The pages: every link and every page that the code names is there."""

import importlib.util
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

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


def made_pages() -> ModuleType:
    spec = importlib.util.spec_from_file_location("make_reference", ROOT / "docs" / "make_reference.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("page", made_pages().PAGES)
def test_the_reference_is_as_the_code_is(page: str) -> None:
    made = made_pages().PAGES[page]()
    assert (ROOT / "docs" / "reference" / page).read_text() == made, "make it anew: python docs/make_reference.py"


def test_every_page_is_in_the_site() -> None:
    config = tomllib.loads((ROOT / "zensical.toml").read_text())["project"]

    def pages(part: dict | list) -> Iterator[str]:
        for one in part.values() if isinstance(part, dict) else part:
            if isinstance(one, str):
                yield one
            else:
                yield from pages(one)

    there = {str(path.relative_to(ROOT / "docs")) for path in (ROOT / "docs").rglob("*.md")}
    assert sorted(pages(config["nav"])) == sorted(there)


@pytest.mark.slow
def test_the_site_is_built_without_a_warning_and_asks_nothing_of_elsewhere(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "docs", tmp_path / "docs")
    shutil.copy(ROOT / "zensical.toml", tmp_path)
    subprocess.run([sys.executable, "-m", "zensical", "build", "--strict"], cwd=tmp_path, check=True, timeout=300)
    pages = sorted((tmp_path / "site").rglob("*.html"))
    assert len(pages) > len(list((ROOT / "docs").rglob("*.md")))
    foreign = {
        (page.name, address)
        for page in pages
        for address in re.findall(r'<(?:script|link|img|iframe)[^>]*(?:src|href)="(https?:[^"]*)', page.read_text())
    }
    assert not foreign
