"""The page by its keys, in a real browser."""

import pytest

from tests.pipeline.views.explorer.browser import Seen, until
from tests.pipeline.views.explorer.test_page import ALL, said_of

pytestmark = pytest.mark.slow


def test_keys_act_on_the_first_card_from_the_start(seen: Seen) -> None:
    page = seen.page
    until(page, "document.activeElement.dataset.row === '0'")
    page.keyboard.press("k")
    page.wait_for_selector('.card.keep[data-row="0"]')
    page.keyboard.press("ArrowRight")
    page.keyboard.press("x")
    page.wait_for_selector('.card.reject[data-row="1"]')
    page.click(".tally")  # nobody has the keyboard now
    until(page, "document.activeElement === document.body")
    page.keyboard.press("ArrowRight")
    until(page, "document.activeElement.dataset.row === '1'")
    page.keyboard.press("Enter")
    page.wait_for_selector('.card[data-row="1"][aria-current]')


def test_the_keyboard_is_taken_from_nobody(seen: Seen) -> None:
    page = seen.page
    page.focus("#search")
    page.keyboard.type("s1/")
    until(page, "['0', '6'].includes(document.querySelector('.tally b').textContent)")
    page.keyboard.press("ArrowLeft")
    assert page.evaluate("document.activeElement.id") == "search"


def test_one_key_takes_a_flag_back_with_its_reason(seen: Seen) -> None:
    page = seen.page
    page.click('.card[data-row="0"]')
    page.keyboard.press("f")
    until(page, "document.activeElement.id === 'reason'")
    page.keyboard.type("out of sync")
    page.keyboard.press("Enter")
    page.wait_for_selector('.card[data-row="1"][aria-current]')
    assert said_of(page) == ["0 keep", "0 reject", "1 flag"]
    page.keyboard.press("u")
    page.wait_for_selector('.card[data-row="0"][aria-current]')
    assert said_of(page) == ["0 keep", "0 reject", "0 flag"]


def test_the_menu_closes_and_asks_for_a_name_from_the_first_verdict(seen: Seen) -> None:
    page = seen.page
    assert page.locator(".reviewer").count() == 0
    page.click('.card[data-row="0"]')
    page.keyboard.press("k")
    page.wait_for_selector(".reviewer input")
    page.keyboard.press("x")  # the field asks for nothing: keys go on
    page.wait_for_selector('.card.reject[data-row="1"]')
    page.click(".menu > button")
    assert "No reviewer is named" in page.inner_text(".menu .drop")
    page.keyboard.press("Escape")
    page.wait_for_selector(".menu .drop", state="detached")
    assert page.locator(".player").count() == 1  # one key closes one thing
    page.fill(".reviewer input", "ada")
    page.click(".menu > button")
    assert "No reviewer" not in page.inner_text(".menu .drop")
    page.click("nav.views >> text=Drops")
    page.wait_for_selector(".cards article")
    assert page.locator(".menu .drop").count() == 0


def test_the_keyboard_alone_does(seen: Seen) -> None:
    page = seen.page
    page.focus(".shelf select")
    for _ in range(12):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.classList.contains('card')"):
            break
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowDown")
    page.wait_for_timeout(200)
    row = page.evaluate("document.activeElement.dataset.row")
    assert int(row) > 1
    page.keyboard.press("Enter")
    page.wait_for_selector(f'.card[data-row="{row}"][aria-current]')
    page.keyboard.press("n")
    page.wait_for_selector(f'.card[data-row="{int(row) + 1}"][aria-current]')
    page.keyboard.press("Escape")
    page.wait_for_selector(".player", state="detached")
    until(page, f"document.activeElement.dataset.row === '{int(row) + 1}'")
    page.focus('[aria-label="face_width_px, from"]')
    page.keyboard.press("PageUp")
    until(page, f"Number(document.querySelector('.tally b').textContent) < {ALL}")
    page.keyboard.press("Escape")
    until(page, f"document.querySelector('.tally b').textContent === '{ALL}'")
