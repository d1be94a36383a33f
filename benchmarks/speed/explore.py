"""How long the page of `headset explore` takes to show a corpus, and to follow a brush, as the corpus grows.

python -m benchmarks.speed.explore 100000 1000000

Rows are made: a clip view with 25 scores and the columns that cards show, no videos. (What the clip view itself costs,
`benchmarks.speed.selection` measures.) The page is written as by `--html` but for drops, details and the pictures of
most clips, and opened from disk by the system's Chromium without a network. A brush of a tenth of a histogram is moved
40 times by one bin; what is told is the time from asking the worker to its answer, and of this what the worker itself
took: least, median, most.
"""

import argparse
import json
import shutil
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from manifests.manifest import Manifest
from pipeline.views.explorer import posters
from pipeline.views.explorer.columns import ClipColumns
from pipeline.views.explorer.explorer import Explorer
from pipeline.views.explorer.written import WrittenPlaces

MOVES = 40
BINS = 64
SHEETS = 4  # of pictures, which the first cards show
SCORES = 25
PROGRAMS = ("chromium", "chromium-browser", "google-chrome")


def make(path: Path, clips: int) -> ClipColumns:
    """A clip view of so many clips."""
    rng, numbers = np.random.default_rng(1), np.arange(clips)
    clip_ids = [f"yt-{n // 16:011d}/{n % 16 * 10000:06d}-{n % 16 * 10000 + 9000:06d}/t0" for n in numbers]
    columns: dict[str, Any] = {
        "clip_id": clip_ids,
        "source_id": [clip[:14] for clip in clip_ids],
        "uri": [f"https://www.youtube.com/watch?v={clip[3:14]}" for clip in clip_ids],
        "media": [f"media/{n % 256:02x}/{n:064x}.mp4" for n in numbers],
        "language": np.array(["en", "de", "fr", "es", "zh"])[rng.integers(0, 5, clips)],
        "seconds": rng.gamma(4.0, 2.0, clips),
    }
    columns |= {f"score_{n}": rng.normal(n, 1.0 + n / 5, clips) for n in range(SCORES)}
    pq.write_table(pa.table(columns), path, row_group_size=50_000)
    return ClipColumns(path, {}, {name: "scores" for name in columns if name.startswith("score")})


def written(columns: ClipColumns, out: Path, scratch: Path) -> dict[str, Any]:
    """Writes a page without details, and says what that cost."""
    began, cpu = time.monotonic(), time.process_time()
    explorer = Explorer(Manifest(str(scratch)), WrittenPlaces(str(scratch), out, "renders"), scratch)
    explorer.__dict__["columns"] = columns  # what it would lay down of the corpus
    bytes_written = 0
    for name in explorer.names():
        if name.startswith("data/clips/") or "losses" in name or name.startswith("sprites/"):
            continue
        content = explorer.content(name)
        place = out / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content)
        bytes_written += len(content)
    picture = np.full((posters.SIDE, posters.SIDE, 3), 90, np.uint8)
    (out / "sprites").mkdir(exist_ok=True)
    for number in range(SHEETS):
        (out / "sprites" / f"{number}.jpg").write_bytes(posters.sheet([picture] * posters.SHEET))
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
            out = (options.keep or Path(folder)) / f"page{clips}"
            columns = make(Path(folder, "clips.parquet"), clips)
            print(json.dumps({"clips": clips, **written(columns, out, Path(folder)), **shown(out)}), flush=True)


if __name__ == "__main__":
    main()
