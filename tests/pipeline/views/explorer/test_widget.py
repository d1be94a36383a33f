"""The notebook's widget in a real browser: its program with a kernel's comm behind it, without a Jupyter."""

import json
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import headset
from manifests.manifest import Manifest
from manifests.tables import Review
from pipeline.__main__ import main
from pipeline.corpus.live import told
from pipeline.query.selection import select
from tests.pipeline.views.explorer.browser import chromium, until
from tests.pipeline.views.explorer.made import LENGTH_S, WORDS, explored
from tests.pipeline.views.explorer.test_page import PAGE

pytest.importorskip("anywidget")
pytestmark = pytest.mark.slow

# What a notebook's front end does: keeps the state, hands messages on, and draws the widget into an element.
FRONT_END = """async ([program, state]) => {
  const then = {};
  const call = (event, ...told) => (then[event] ?? []).forEach((one) => one(...told));
  const bytes = (text) => new DataView(Uint8Array.from(atob(text), (c) => c.charCodeAt(0)).buffer);
  const ask = async (data) => {
    for (const { method, state: changed, content, buffers } of await kernel(data)) {
      for (const name of method === "update" ? Object.keys(changed) : []) {
        state[name] = changed[name];
        call(`change:${name}`);
      }
      if (method === "custom") call("msg:custom", content, buffers.map(bytes));
    }
  };
  let changed = {};
  const model = {
    get: (name) => state[name],
    set: (name, value) => { state[name] = changed[name] = value; call(`change:${name}`); },
    save_changes: () => { ask({ method: "update", state: changed, buffer_paths: [] }); changed = {}; },
    send: (content) => ask({ method: "custom", content }),
    on: (event, one) => (then[event] ??= []).push(one),
    off: (event, one) => (then[event] = (then[event] ?? []).filter((other) => other !== one)),
  };
  window.notebook = 0;
  addEventListener("keydown", () => window.notebook++);  // a notebook's own keys
  const el = (document.querySelector(".output") ?? document.body).appendChild(document.createElement("div"));
  const { default: widget } = await import(URL.createObjectURL(new Blob([program], { type: "text/javascript" })));
  window.end = widget.render({ model, el });
}"""


def attached(page: Any, widget: Any) -> None:
    """Shows a widget in a page. What the kernel's side publishes is the answer to what the page sends."""
    from comm.base_comm import BaseComm

    sent: list[dict[str, Any]] = []

    class PageComm(BaseComm):
        def publish_msg(
            self, msg_type: str, data: Any = None, metadata: Any = None, buffers: Any = None, **_: Any
        ) -> None:
            if msg_type == "comm_msg":
                packed = [b64encode(bytes(one)).decode() for one in buffers or []]
                sent.append({**(data or {}), "buffers": packed})

    widget.comm = PageComm()

    def kernel(data: dict[str, Any]) -> list[dict[str, Any]]:
        sent.clear()
        widget.comm.handle_msg({"content": {"data": data}, "buffers": []})
        return json.loads(json.dumps(sent))

    page.expose_function("kernel", kernel)
    state = {name: getattr(widget, name) for name in ("clips", "triage", "said", "kept")}
    page.evaluate(FRONT_END, [widget._esm, state])
    page.wait_for_selector(".widget")


def timeline_of(corpus: Manifest) -> Any:
    from pipeline.views.widget import ClipWidget

    clip = headset.open(corpus.root).clips[7]
    return ClipWidget([clip.clip_id], lambda _: told(clip))


# A notebook's cells, as JupyterLab names them: the second one is about to show a widget.
CELLS = """(active) => {
  document.body.innerHTML = `<div class="jp-Notebook" tabindex="-1">
    <div class="jp-Cell" tabindex="0"><div class="editor" contenteditable="true">import headset</div></div>
    <div class="jp-Cell own" tabindex="0"><div class="output"></div></div></div>`;
  document.querySelector(active).focus();
  document.querySelector(active).closest(".jp-Cell").classList.add("jp-mod-active");
}"""
HAS_KEYS = "document.activeElement.shadowRoot?.activeElement?.className === 'widget'"


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with chromium() as made:
        yield made


@pytest.fixture
def page(browser: Any) -> Iterator[Any]:
    context = browser.new_context(viewport={"width": 900, "height": 800}, offline=True)
    shown, complaints = context.new_page(), []
    shown.on("console", lambda said: said.type == "error" and complaints.append(said.text))
    shown.on("pageerror", lambda error: complaints.append(str(error)))
    shown.goto("about:blank")
    yield shown
    context.close()
    assert complaints == []


def test_verdicts_are_in_the_file_as_they_are_said(page: Any, tmp_path: Path) -> None:
    corpus = headset.open(explored(tmp_path / "made").root)
    file = tmp_path / "reviews.json"
    triage = corpus.clips.where("source_id = 's1'").triage(file, reviewer="ada")
    attached(page, triage.widget)
    ids = list(triage.widget.clips)
    assert page.inner_text(".widget header code") == ids[0]
    until(page, "document.querySelector('div').shadowRoot.querySelector('video')?.currentTime > 0.2")
    until(page, HAS_KEYS)  # nobody else has
    page.keyboard.press("k")
    page.wait_for_selector(f'code[title="{ids[1]}"]')
    page.keyboard.press("x")
    page.wait_for_selector(f'code[title="{ids[2]}"]')
    page.keyboard.press("f")
    page.keyboard.type("<i>bk x</i>")  # letters of a reason are no keys
    page.keyboard.press("Enter")
    page.wait_for_selector(f'code[title="{ids[3]}"]')
    page.keyboard.press("f")
    page.keyboard.type("to be taken back with its flag")
    page.keyboard.press("Enter")
    page.wait_for_selector(f'code[title="{ids[4]}"]')
    page.keyboard.press("u")
    page.wait_for_selector(f'code[title="{ids[3]}"]')
    until(page, "document.querySelector('div').shadowRoot.querySelector('.kept').textContent.includes('reviews.json')")
    assert "4 of 6, 3 reviewed" in page.inner_text(".widget header")
    assert page.evaluate("window.notebook") == 0
    said = {one["clip_id"]: (one["verdict"], one["reason"]) for one in json.loads(file.read_text())["reviews"]}
    assert said == {ids[0]: ("keep", ""), ids[1]: ("reject", ""), ids[2]: ("flag", "<i>bk x</i>")}
    assert main(["import-reviews", corpus.root, str(file)]) == 0
    rows = Manifest(corpus.root).table(Review).to_pylist()
    assert {(row["clip_id"], row["reviewer"], row["verdict"]) for row in rows} == {
        (ids[0], "ada", "keep"), (ids[1], "ada", "reject"), (ids[2], "ada", "flag")
    }  # fmt: skip
    assert select(Manifest(corpus.root), "review = 'keep'", "kept")[0].clips == 1


def test_a_widget_takes_the_keys_of_the_cell_that_it_is_in(page: Any, corpus: Manifest, tmp_path: Path) -> None:
    page.evaluate(CELLS, ".own")
    triage = headset.open(corpus.root).clips.triage(tmp_path / "reviews.json")
    attached(page, triage.widget)
    until(page, HAS_KEYS)
    rim = page.evaluate("getComputedStyle(document.activeElement.shadowRoot.activeElement).borderTopColor")
    assert "x reject" in page.inner_text(".hint")
    page.keyboard.press("x")
    page.wait_for_selector(f'code[title="{triage.widget.clips[1]}"]')
    assert page.evaluate("window.notebook") == 0
    page.keyboard.press("Escape")  # back to the notebook
    until(page, "document.activeElement.className.includes('own')")
    assert page.inner_text(".hint") == "Click here, then use the keys"
    assert page.locator(".widget").evaluate("(one) => getComputedStyle(one).borderTopColor") != rim
    page.keyboard.press("x")
    assert page.evaluate("window.notebook") == 1
    page.click(".hint")
    until(page, HAS_KEYS)
    page.keyboard.press("x")
    page.wait_for_selector(f'code[title="{triage.widget.clips[2]}"]')
    assert page.evaluate("window.notebook") == 1


@pytest.mark.parametrize("active", [".editor", ".jp-Cell"])
def test_a_widget_leaves_the_keys_to_who_has_them(page: Any, corpus: Manifest, active: str) -> None:
    page.evaluate(CELLS, active)
    attached(page, timeline_of(corpus))
    page.wait_for_selector(".timeline")
    page.wait_for_timeout(300)
    assert page.evaluate("(one) => document.activeElement === document.querySelector(one)", active)
    assert page.inner_text(".hint") == "Click here, then use the keys"
    page.click(".hint")
    until(page, HAS_KEYS)
    assert "overlays" in page.inner_text(".hint")


def test_triage_goes_on_with_a_file(page: Any, corpus: Manifest, tmp_path: Path) -> None:
    clips, file = headset.open(corpus.root).clips.where("source_id = 's2'"), tmp_path / "reviews.json"
    first = clips.triage(file)
    first.widget.said = {
        clip: {"verdict": "keep", "reason": "", "at": "2026-11-27T12:00:00Z"} for clip in first.widget.clips[:2]
    }
    attached(page, clips.triage(file).widget)
    assert "3 of 6, 2 reviewed" in page.inner_text(".widget header")
    page.click('button[aria-label="clip before"]')
    page.wait_for_selector('.triage .keep[aria-pressed="true"]')


def test_a_timeline_waits_and_is_clicked_on(page: Any, corpus: Manifest) -> None:
    attached(page, timeline_of(corpus))
    page.wait_for_selector(".lane.words .span")
    assert page.locator(".lane.words .span").all_text_contents() == list(WORDS)
    assert {"shots", "sound", "words", "clips"} <= set(page.locator(".timeline .names li").all_text_contents())
    video = "document.querySelector('div').shadowRoot.querySelector('video')"
    until(page, f"{video}.readyState > 1")
    assert page.evaluate(f"[{video}.paused, {video}.videoWidth]") == [True, 128]
    box = page.locator(".lanes").bounding_box()
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + 20)  # the middle of the clip, and of the axis
    until(page, f"Math.abs({video}.currentTime - {LENGTH_S / 2}) < 0.06")
    page.evaluate("window.end()")
    assert page.locator(".widget").count() == 0


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_serious_in_the_widget(page: Any, corpus: Manifest, tmp_path: Path, theme: str) -> None:
    program = PAGE / "node_modules" / "axe-core" / "axe.min.js"
    if not program.is_file():
        pytest.skip("axe-core is not here: npm ci in pipeline/views/explorer/page")
    page.emulate_media(color_scheme=theme)
    attached(page, headset.open(corpus.root).clips.head(3).triage(tmp_path / "reviews.json").widget)
    page.wait_for_selector(".timeline")
    page.evaluate(program.read_text())
    found = page.evaluate("axe.run('.widget, div').then((found) => found.violations)")
    serious = [one for one in found if one["impact"] in ("serious", "critical")]
    assert [(one["id"], [node["html"][:160] for node in one["nodes"][:3]]) for one in serious] == []
