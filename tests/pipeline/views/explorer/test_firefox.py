"""The page in Firefox, from disk: what the other browser is asked in `test_page.py`, in short."""

from pathlib import Path

import pytest

from tests.pipeline.views.explorer.browser import address_of
from tests.pipeline.views.explorer.firefox import firefox
from tests.pipeline.views.explorer.made import CLIPS, HOSTILE, SOURCES

pytestmark = pytest.mark.slow
TALLY = "Number(document.querySelector('.tally b').textContent)"
SAID = "[...document.querySelectorAll('.menu > button > span')].map((one) => one.textContent.split(/\\s+/)[1]).join()"


def test_it_opens_brushes_plays_and_remembers(pages: Path, tmp_path: Path) -> None:
    with firefox(tmp_path) as page:
        page.go(address_of(pages))
        page.until("document.documentElement.dataset.ready === 'true'")
        assert page.value(TALLY) == SOURCES * CLIPS
        page.value("document.querySelector('[aria-label=\"face_width_px, from\"]').focus()")
        page.press("\ue00e")  # Page Up
        page.until(f"{TALLY} < {SOURCES * CLIPS}")
        page.press("\ue00c")  # Escape
        page.until(f"{TALLY} === {SOURCES * CLIPS}")
        page.until("document.querySelector('.card[data-row=\"0\"]') !== null")
        page.value("document.querySelector('.card[data-row=\"0\"]').click()")
        page.until("document.querySelector('.screen video')?.currentTime > 0.2")
        assert page.value("document.querySelector('.player h2').textContent") == HOSTILE[0]
        page.press("k", "x")
        page.until(f"{SAID} === '1,1,0'")
        page.reload()
        page.until("document.documentElement.dataset.ready === 'true'")
        page.until(f"{SAID} === '1,1,0'")
        assert page.value("window.hacked === undefined") is True
