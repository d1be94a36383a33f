"""The page in a real browser: opened from disk without a network, and served."""

import json
import re
import shutil
import subprocess
import threading
from base64 import b64decode, b64encode
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from manifests.manifest import Manifest
from manifests.tables import Review
from pipeline.__main__ import main
from pipeline.query.selection import select
from pipeline.views.explorer.server import PageServer
from tests.pipeline.views.explorer.browser import Seen, address_of, opened, ready, until
from tests.pipeline.views.explorer.made import CLIPS, HOSTILE, LENGTH_S, SOURCES, WORDS, explored

pytestmark = pytest.mark.slow
ALL = SOURCES * CLIPS
PAGE = Path(__file__).parents[4] / "pipeline" / "views" / "explorer" / "page"


def passing(page: Any) -> int:
    return int(page.inner_text(".tally b"))


def said_of(page: Any) -> list[str]:
    """The tally of reviews, without its marks."""
    return [" ".join(text.split()[1:]) for text in page.locator(".menu > button > span").all_text_contents()]


def brush(page: Any, column: str, low: float, high: float) -> None:
    """Drags over a part of a histogram, 0 to 1 of its width."""
    box = page.locator(f'section.facet[aria-label="{column}"] .histogram').bounding_box()
    y = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + low * box["width"] + 0.5, y)
    page.mouse.down()
    page.mouse.move(box["x"] + (low + high) / 2 * box["width"], y)
    page.mouse.move(box["x"] + high * box["width"] + 0.5, y)
    page.mouse.up()


def test_it_opens_from_disk_without_a_network(seen: Seen) -> None:
    assert passing(seen.page) == ALL
    assert seen.page.locator(".card").count() == ALL
    assert seen.page.evaluate("navigator.onLine") is False
    assert seen.page.evaluate("location.protocol") == "file:"


def test_a_brush_leaves_the_clips_that_select_would_choose(seen: Seen, corpus: Manifest) -> None:
    page = seen.page
    brush(page, "face_width_px", 0.5, 0.99)
    until(page, f"Number(document.querySelector('.tally b').textContent) < {ALL}")
    page.wait_for_timeout(300)
    left = passing(page)
    assert 8 <= left <= 14
    # The other histograms hold the same clips: those of the least values are gone from this one too.
    page.click("text=copy as headset select")
    command = page.get_attribute(".shelf button.quiet", "title")
    where = re.search(r'--where "(.*)" --name', command)
    assert where
    assert select(corpus, where[1], "brushed")[0].clips == left
    brush(page, "dnsmos_ovrl", 0.0, 0.75)
    page.wait_for_timeout(300)
    assert passing(page) < left
    page.locator(".chip button").first.click()
    page.locator(".chip button").first.click()
    until(page, f"document.querySelector('.tally b').textContent === '{ALL}'")


def test_a_word_and_a_search_let_through_what_they_name(seen: Seen) -> None:
    page = seen.page
    page.click('section.facet[aria-label="channel"] button.word >> nth=0')
    until(page, f"document.querySelector('.tally b').textContent === '{ALL // 2}'")
    page.fill("#search", "s1/")
    until(page, "['0', '6'].includes(document.querySelector('.tally b').textContent)")


def test_sorting_puts_the_largest_first(seen: Seen) -> None:
    page = seen.page
    page.select_option(".shelf select", "face_width_px")
    until(page, "document.querySelector('.card').dataset.row === '23'")
    page.click('.shelf button[aria-label="largest first"]')
    until(page, "document.querySelector('.card').dataset.row === '0'")


MARKED = """() => { const c = document.querySelector('.screen canvas');
  const d = c.getContext('2d').getImageData(0, 0, c.width, c.height).data;
  let n = 0; for (let i = 3; i < d.length; i += 4) n += d[i] > 0; return n; }"""


def test_a_clip_plays_with_what_was_seen_above_it(seen: Seen) -> None:
    page = seen.page
    page.click('.card[data-row="1"]')
    until(page, "document.querySelector('.screen video')?.currentTime > 0.3")
    assert page.evaluate(MARKED) > 200
    page.keyboard.press("1")  # no boxes, no speaker, no words: then nothing is drawn
    page.keyboard.press("3")
    page.keyboard.press("4")
    page.wait_for_timeout(200)
    assert page.evaluate(MARKED) == 0
    page.keyboard.press("2")
    page.wait_for_timeout(300)
    assert page.evaluate(MARKED) > 100


def test_frames_are_stepped_by_their_own_times(seen: Seen) -> None:
    page = seen.page
    page.click('.card[data-row="2"]')
    until(page, "document.querySelector('.screen video')?.readyState > 2")
    page.keyboard.press(" ")
    shown = []
    for key in (".", ".", ".", ","):
        page.keyboard.press(key)
        page.wait_for_timeout(350)
        shown.append(int(page.inner_text(".controls output").split("frame")[1]))
    assert [b - a for a, b in pairwise(shown)] == [1, 1, -1]
    assert page.evaluate("document.querySelector('.screen video').paused") is True


def test_in_its_source_the_clip_goes_round(seen: Seen) -> None:
    page = seen.page
    page.click('.card[data-row="3"]')
    until(page, "document.querySelector('.screen video')?.readyState > 2")
    page.keyboard.press("s")
    page.wait_for_selector(".screen.source video")
    page.keyboard.press("=")
    page.keyboard.press("=")
    page.keyboard.press("=")
    assert page.evaluate("document.querySelector('.screen video').playbackRate") == 2
    times = []
    for _ in range(14):
        page.wait_for_timeout(150)
        times.append(page.evaluate("document.querySelector('.screen video').currentTime"))
    start_s = 1.0 + 3 * 2.0
    assert min(times) >= start_s - 0.05
    assert max(times) <= start_s + LENGTH_S + 0.25
    assert any(b < a for a, b in pairwise(times)), times


def test_twenty_verdicts_outlive_a_reload_and_become_a_table(browser: Any, tmp_path: Path) -> None:
    corpus = explored(tmp_path / "made")
    assert main(["explore", corpus.root, "--html", str(tmp_path / "page")]) == 0
    with opened(browser, address_of(tmp_path / "page")) as seen:
        page = seen.page
        page.click('.card[data-row="0"]')
        page.wait_for_selector(".triage")
        for number in range(20):
            page.wait_for_selector(f'.card[data-row="{number}"][aria-current]')
            if number % 5 == 4:
                page.keyboard.press("f")
                until(page, "document.activeElement.id === 'reason'")
                page.keyboard.type(f"<i>look</i> {number}")
                page.keyboard.press("Enter")
            else:
                page.keyboard.press("x" if number % 2 else "k")
        page.wait_for_selector('.card[data-row="20"][aria-current]')
        assert said_of(page) == ["8 keep", "8 reject", "4 flag"]
        page.keyboard.press("k")
        page.keyboard.press("u")  # taken back
        page.reload()
        ready(page)
        assert said_of(page) == ["8 keep", "8 reject", "4 flag"]
        assert page.locator(".card.keep").count() == 8
        page.click('section.facet[aria-label="review"] .word.flag')
        until(page, "document.querySelector('.tally b').textContent === '4'")
        page.click(".menu > button")
        page.fill(".menu input", "ada")
        with page.expect_download() as handed:
            page.click("text=Download reviews.json")
        handed.value.save_as(tmp_path / "reviews.json")
        assert seen.complaints == []
    said = json.loads((tmp_path / "reviews.json").read_text())["reviews"]
    assert sum(one["verdict"] != "" for one in said) == 20
    assert main(["import-reviews", corpus.root, str(tmp_path / "reviews.json")]) == 0
    rows = Manifest(corpus.root).table(Review).to_pylist()
    assert {row["reviewer"] for row in rows} == {"ada"}
    assert [row["reason"] for row in rows if row["verdict"] == "flag"] == [f"<i>look</i> {n}" for n in (4, 9, 14, 19)]
    assert select(Manifest(corpus.root), "review = 'keep'", "kept")[0].clips == 8
    assert select(Manifest(corpus.root), "review is null", "left")[0].clips == ALL - 20


def test_titles_of_strangers_are_text(seen: Seen) -> None:
    page = seen.page
    for number in range(SOURCES):
        page.click(f'.card[data-row="{number * CLIPS}"]')
        until(page, f"document.querySelector('.player code')?.textContent.startsWith('s{number}/')")
        title = page.evaluate("document.querySelector('.player h2').textContent")
        assert title == HOSTILE[number]
    page.wait_for_timeout(200)
    page.click("text=Drops")
    page.wait_for_selector(".cards article")
    assert page.inner_text(".cards .detail >> nth=0") == "<b>0</b> of 4"
    assert page.evaluate("window.hacked") is None
    assert page.evaluate("document.querySelectorAll('#page img, #page script, #page b:not(.tally b)').length") == 0
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_words_lie_on_the_timeline_as_they_were_said(seen: Seen) -> None:
    page = seen.page
    page.click('.card[data-row="7"]')
    page.wait_for_selector(".lane.words .span")
    assert page.locator(".lane.words .span").all_text_contents() == list(WORDS)
    names = page.locator(".timeline .names li").all_text_contents()
    assert {"shots", "sound", "words", "clips"} <= set(names)


def test_similar_voices_are_shown_beside_a_clip_and_by_a_key(seen: Seen) -> None:
    page = seen.page
    page.click('.card[data-row="1"]')
    page.wait_for_selector(".similar .near")
    near = page.locator('section[aria-label="similar voices"] .near')
    assert near.all_text_contents() == ["1.00"] * 3 + ["0.87"] * 3
    assert page.locator('section[aria-label="similar faces"]').count() == 0  # no face was embedded
    page.keyboard.press("v")
    until(page, "document.querySelector('.tally b').textContent === '13'")
    page.keyboard.press("v")
    until(page, f"document.querySelector('.tally b').textContent === '{ALL}'")
    near.first.click()
    page.wait_for_selector('.card[data-row="7"][aria-current]')


def test_the_scale_of_likeness_stands_beside_the_faces(browser: Any, pages: Path, tmp_path: Path) -> None:
    shutil.copytree(pages, tmp_path / "page")
    file = tmp_path / "page" / "data" / "clips" / "0" / "1.js"
    call, name, _, content, end = file.read_text().split('"')
    detail = json.loads(b64decode(content))
    detail["similar"]["face"], detail["same"]["face"] = [[2, 0.9912], [3, 0.951], [4, 0.92]], 0.945
    file.write_text('"'.join((call, name, ",", b64encode(json.dumps(detail).encode()).decode(), end)))
    with opened(browser, address_of(tmp_path / "page")) as seen:
        seen.page.click('.card[data-row="1"]')
        seen.page.wait_for_selector(".similar .near")
        assert seen.page.locator(".scale").all_text_contents() == ["one person: ≥ 0.945"]  # none of voices
        faces = seen.page.locator('section[aria-label="similar faces"]')
        assert faces.locator(".near.same").all_text_contents() == ["0.99", "0.95"]
        assert faces.locator(".near").count() == 3
        assert seen.complaints == []


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_serious(browser: Any, pages: Path, theme: str) -> None:
    program = PAGE / "node_modules" / "axe-core" / "axe.min.js"
    if not program.is_file():
        pytest.skip("axe-core is not here: npm ci in pipeline/views/explorer/page")
    with opened(browser, address_of(pages), theme=theme) as seen:
        page = seen.page
        page.evaluate(program.read_text())
        for step in ("", '.card[data-row="2"]', ".menu > button", "text=Drops"):
            if step:
                page.click(step)
                page.wait_for_timeout(600)
            found = page.evaluate("axe.run().then((found) => found.violations)")
            serious = [one for one in found if one["impact"] in ("serious", "critical")]
            assert [(one["id"], [node["html"][:160] for node in one["nodes"][:3]]) for one in serious] == [], step


def test_served_it_answers_in_sql_and_shows_the_clips(browser: Any, corpus: Manifest, tmp_path: Path) -> None:
    with PageServer(corpus, tmp_path) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        with opened(browser, server.address, offline=False) as seen:
            page = seen.page
            assert passing(page) == ALL
            page.click("nav.views >> text=SQL")
            page.fill("#query", "select clip_id, title from wide where face_width_px >= 300")
            page.click("text=Run")
            page.click("text=Show these 4 clips")
            until(page, "document.querySelector('.tally b').textContent === '4'")
            page.click(".card")
            until(page, "document.querySelector('.screen video')?.currentTime > 0.2")
            page.click("nav.views >> text=SQL")
            page.fill("#query", "select * from read_csv('/etc/passwd')")
            page.click("text=Run")
            page.wait_for_selector(".sql [role=alert]")
            assert seen.complaints == []
            assert seen.elsewhere == []
        server.shutdown()


def test_the_built_page_is_that_of_its_source(tmp_path: Path) -> None:
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip("npm is not installed")
    here = tmp_path / "page"
    shutil.copytree(PAGE, here, ignore=shutil.ignore_patterns("node_modules"))
    got = subprocess.run(
        [npm, "ci", "--no-audit", "--no-fund"], cwd=here, check=False, capture_output=True, text=True, timeout=300
    )
    if got.returncode and re.search(r"ENOTFOUND|ECONNREFUSED|ETIMEDOUT|EAI_AGAIN|ECONNRESET", got.stderr):
        pytest.skip("npm cannot reach the packages that the page is built with")
    assert got.returncode == 0, got.stderr[-1000:]
    for command in ("check", "test"):
        subprocess.run([npm, "run", command], cwd=here, check=True, capture_output=True, timeout=300)
    subprocess.run(
        ["node", "build.mjs", str(tmp_path / "built")], cwd=here, check=True, capture_output=True, timeout=300
    )
    for name in ("explorer.js", "explorer.css", "widget.js"):
        assert (tmp_path / "built" / name).read_bytes() == (PAGE.parent / "built" / name).read_bytes(), name
