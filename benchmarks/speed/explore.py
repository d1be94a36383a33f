"""How long the page of `headset explore` takes to show a corpus, and to follow a brush, as the corpus grows.

python -m benchmarks.speed.explore 100000 1000000

Rows are those of `benchmarks.speed.selection`: clips with a render and 25 scores, no videos. The page is written as by
`--html` but for drops, details and the pictures of most clips, and opened from disk by the system's Chromium without a
network. A brush of a tenth of a histogram is moved 40 times by one bin; what is told is the time from asking the worker
to its answer, and of this what the worker itself took.
"""

import argparse
import json
import shutil
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.speed.selection import make
from manifests.manifest import Manifest
from pipeline.views.explorer.explorer import Explorer
from pipeline.views.explorer.written import WrittenPlaces

MOVES = 40
BINS = 64
SHEETS = 4
PROGRAMS = ("chromium", "chromium-browser", "google-chrome")


def written(root: Path, out: Path, scratch: Path) -> dict[str, Any]:
    """Writes a page without details, and says what that cost."""
    began, cpu = time.monotonic(), time.process_time()
    explorer = Explorer(Manifest(str(root)), WrittenPlaces(str(root), out, "renders"), scratch)
    bytes_written = 0
    for name in explorer.names():
        if (
            name.startswith("data/clips/")
            or "losses" in name
            or (name.startswith("sprites/") and name > f"sprites/{SHEETS}")
        ):
            continue
        content = explorer.content(name)
        place = out / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content)
        bytes_written += len(content)
    return {"write_s": time.monotonic() - began, "write_cpu_s": time.process_time() - cpu, "mb": bytes_written / 1e6}


def shown(page_folder: Path) -> dict[str, Any]:
    """Opens it, and brushes the first histogram that has many values."""
    from playwright.sync_api import sync_playwright

    program = next(path for name in PROGRAMS if (path := shutil.which(name)))
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        page = browser.new_context(viewport={"width": 1440, "height": 900}, offline=True).new_page()
        page.goto((page_folder / "index.html").resolve().as_uri())
        page.wait_for_selector("html[data-ready=true]", timeout=600_000)
        marks = dict(page.evaluate("performance.getEntriesByType('mark').map((one) => [one.name, one.startTime])"))
        box = page.locator(".histogram").nth(2).bounding_box()
        assert box is not None
        middle = box["y"] + box["height"] / 2
        bin_px = box["width"] / BINS
        page.mouse.move(box["x"] + 10 * bin_px, middle)
        page.mouse.down()
        page.mouse.move(box["x"] + 16 * bin_px, middle)
        page.mouse.up()
        page.wait_for_timeout(1500)
        page.evaluate("performance.clearMeasures()")
        page.mouse.move(box["x"] + 13 * bin_px, middle)
        page.mouse.down()
        for move in range(MOVES):
            page.mouse.move(box["x"] + (13 + move + 1) * bin_px, middle)
            page.wait_for_timeout(120)
        page.mouse.up()
        page.wait_for_timeout(1500)
        measures = page.evaluate(
            "performance.getEntriesByName('brush').map((one) => [one.duration, one.detail.worker])"
        )
        browser.close()
    trip, worker = (np.array(column) for column in zip(*measures, strict=True))
    spread = lambda times: [round(float(one), 1) for one in (times.min(), np.median(times), times.max())]  # noqa: E731
    first, ready = round(marks["first-cards"]), round(marks["ready"])
    times = {"moves": len(trip), "answer_ms": spread(trip), "worker_ms": spread(worker)}
    return {"first_cards_ms": first, "all_histograms_ms": ready, **times}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("clips", type=int, nargs="+")
    parser.add_argument("--keep", type=Path, help="a folder that the pages are left in")
    options = parser.parse_args()
    for clips in options.clips:
        with tempfile.TemporaryDirectory() as folder:
            root, out = Path(folder, "corpus"), (options.keep or Path(folder)) / f"page{clips}"
            make(root, clips)
            print(json.dumps({"clips": clips, **written(root, out, Path(folder)), **shown(out)}), flush=True)


if __name__ == "__main__":
    main()
