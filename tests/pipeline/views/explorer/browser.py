"""The system's Chromium, without a network, for tests of pages; they skip where there is none."""

import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

NAMES = ("chromium", "chromium-browser", "google-chrome")
FLAGS = ("--no-sandbox", "--autoplay-policy=no-user-gesture-required", "--allow-file-access-from-files=false")


@dataclass
class Seen:
    """A page, and what it complained of and asked for elsewhere."""

    page: Any
    complaints: list[str] = field(default_factory=list)
    elsewhere: list[str] = field(default_factory=list)


@contextmanager
def chromium() -> Iterator[Any]:
    program = next((path for name in NAMES if (path := shutil.which(name))), None)
    if program is None:
        pytest.skip(f"none of {', '.join(NAMES)} is installed")
    api = pytest.importorskip("playwright.sync_api")
    with api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=list(FLAGS))
        yield browser
        browser.close()


@contextmanager
def opened(browser: Any, address: str, *, theme: str = "light", offline: bool = True) -> Iterator[Seen]:
    """A page that is ready. Whatever it asks of another host is refused and noted."""
    context = browser.new_context(
        viewport={"width": 1440, "height": 900}, offline=offline, color_scheme=theme, accept_downloads=True
    )
    seen = Seen(context.new_page())
    home = address.partition("/")[0] + "//" + address.split("/")[2]
    context.on(
        "request", lambda asked: asked.url.startswith((home, "blob:", "data:")) or seen.elsewhere.append(asked.url)
    )
    seen.page.on("console", lambda said: said.type == "error" and seen.complaints.append(said.text))
    seen.page.on("response", lambda got: got.status >= 400 and seen.complaints.append(f"{got.status} {got.url}"))
    seen.page.on("pageerror", lambda error: seen.complaints.append(str(error)))
    seen.page.goto(address)
    ready(seen.page)
    yield seen
    context.close()


def until(page: Any, expression: str, longest_s: float = 30.0) -> None:
    """Waits for what a program in the page says to be true. The page's own policy lets no text be a program, so the
    browser is asked from outside, again and again.
    """
    end = time.monotonic() + longest_s
    while not page.evaluate(expression):
        assert time.monotonic() < end, f"never true: {expression}"
        page.wait_for_timeout(40)


def ready(page: Any) -> None:
    page.wait_for_selector("html[data-ready=true]", timeout=60_000)


def address_of(page: Path) -> str:
    return (page / "index.html").resolve().as_uri()
