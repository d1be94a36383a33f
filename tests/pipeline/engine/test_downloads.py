"""A list of sixty lines through the runner: every line is accounted for, and what was decided is not asked for
again.
"""

from collections import Counter, defaultdict
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from manifests.manifest import Manifest
from manifests.tables import Dropped, Fetch, Shot, Source
from operators.sources.download_video import DownloadVideo
from operators.sources.sites import Site
from pipeline.engine.run import run
from pipeline.listing import list_sources
from pipeline.recipe import Recipe, Stage, recipe_named
from pipeline.views.funnel import funnel
from tests.made_videos import write_video
from tests.site import serve
from tests.site_cases import CASES, listed

LATE = ("timeout", "too_slow")
RECIPE = Recipe(
    "downloads",
    "sources, at hand",
    (
        Stage(
            DownloadVideo(
                tries=3, timeout_s=0.7, backoff_s=0.05, patience_s=3, gap_s=0, at_once=4, max_bytes=2**26,
                max_seconds=20, allow_private=True
            )
        ),
    ),
)  # fmt: skip


@pytest.mark.slow
def test_a_second_run_fetches_nothing_again_and_everything_is_accounted_for(ray_here: None, tmp_path: Path):
    with serve(tmp_path / "site") as site, serve(tmp_path / "other-site") as limited:
        for address in (site.address, limited.address):  # an earlier site at this port is another one
            Site(urlsplit(address).netloc, 1, 0).forget()
        lines = [
            line.replace(site.address, limited.address) if line.endswith("/status/429") else line
            for line in listed(site.address)
        ]
        (tmp_path / "list.txt").write_text("\n".join(lines))
        listing = list_sources([str(tmp_path / "list.txt")])
        manifest = Manifest(str(tmp_path / "corpus"))
        manifest.add(listing.sources, listing.dropped)
        run(RECIPE.plan(), manifest, workers=2)
        asked = Counter(site.asked)
        sources, drops, fetches = (manifest.table(table).to_pylist() for table in (Source, Dropped, Fetch))
        run(RECIPE.plan(), manifest, workers=2)
        assert site.asked == asked
        funnel(manifest)  # raises where a row is unaccounted for
        assert [manifest.table(table).to_pylist() for table in (Source, Dropped, Fetch)] == [sources, drops, fetches]

    entries = [line for line in lines if line and not line.startswith("#")]
    assert len(sources) + len(drops) == len(entries)
    ended = {row["source_id"]: "ok" for row in sources} | {row["subject"]: row["reason"] for row in drops}
    path_of = {
        source.source_id: source.uri.removeprefix(site.address).removeprefix(limited.address)
        for source in listing.sources
    }
    truth = {path: ended[source_id] for source_id, path in path_of.items()}
    assert truth == {case.path: case.outcome for case in CASES}
    attempts: dict[str, list[str]] = defaultdict(list)
    for row in fetches:
        attempts[path_of[row["source_id"]]].append(row["outcome"])
    for case in CASES:
        # A machine that stands still makes a request late, which is asked again: no fault of what is tried here.
        late = sum(outcome in LATE for outcome in attempts.get(case.path, []))
        assert case.tries <= len(attempts.get(case.path, [])) <= case.tries + late, case
    assert not any(row["failed"] for row in drops)
    assert all((tmp_path / "corpus" / row["media"]).is_file() for row in sources)


@pytest.mark.slow
def test_sources_leave_the_store_when_a_shard_is_done_and_come_back_by_need(ray_here: None, tmp_path: Path):
    crawl = recipe_named(str(Path(__file__).parents[1] / "crawl_recipe.py")).set("DownloadVideo.keep_sources=false")

    def media() -> list[Path]:
        return [path for path in (tmp_path / "corpus" / "media").rglob("*") if path.is_file()]

    with serve(tmp_path / "site") as site:
        Site(urlsplit(site.address).netloc, 1, 0).forget()
        own = write_video(tmp_path / "own.mp4", [("red", 1.0)], size=(64, 64))
        listing = list_sources([f"{site.address}/good0.mp4", f"{site.address}/good1.mp4", str(own)])
        manifest = Manifest(str(tmp_path / "corpus"))
        manifest.add(listing.sources, listing.dropped)
        run(crawl.plan(), manifest)
        first = Manifest(manifest.root)
        assert (first.count_rows(Source), first.count_rows(Shot), media()) == (3, 6, [])
        assert own.is_file()
        assert site.asked == {"/good0.mp4": 1, "/good1.mp4": 1}

        run(crawl.set("CutInTwo.at_s=0.2").plan(), manifest)
        again = Manifest(manifest.root)
        assert {row["end_s"] for row in again.table(Shot).to_pylist() if row["start_s"] == 0} == {0.2}
        assert site.asked == {"/good0.mp4": 2, "/good1.mp4": 2}, "once each, and none for the step that was done"
        assert media() == []

        site.files["good0"] = site.files["good2"]
        run(crawl.set("CutInTwo.at_s=0.3").plan(), manifest)
        changed = Manifest(manifest.root)
        funnel(changed)
        (drop,) = [row for row in changed.table(Dropped).to_pylist() if row["subject_table"] == "sources"]
        assert (drop["operator"], drop["reason"], drop["failed"]) == ("CutInTwo", "checksum_changed", False)
        assert changed.count_rows(Shot) == 4
        assert media() == []
