"""A list of sixty lines through the runner: every line is accounted for, and what was decided is not asked for again."""

from collections import Counter
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from manifests.manifest import Manifest
from manifests.tables import Dropped, Fetch, Source
from operators.download_video import DownloadVideo
from operators.sites import Site
from pipeline.listing import list_sources
from pipeline.recipe import Recipe, Stage
from pipeline.report import balance, funnel
from pipeline.run import run
from tests.site import CASES, listed, serve

RECIPE = Recipe(
    "downloads",
    "sources, at hand",
    (
        Stage(
            DownloadVideo(
                tries=3, timeout_s=0.7, backoff_s=0.05, patience_s=3, gap_s=0, at_once=4, max_bytes=2**26, max_seconds=20, allow_private=True
            )
        ),
    ),
)  # fmt: skip


@pytest.mark.slow
def test_a_second_run_fetches_nothing_again_and_everything_is_accounted_for(ray_here: None, tmp_path: Path):
    with serve(tmp_path / "site") as site, serve(tmp_path / "other-site") as limited:
        for address in (site.address, limited.address):  # an earlier site at this port is another one
            Site(urlsplit(address).netloc, 1, 0).forget()
        lines = [line.replace(site.address, limited.address) if line.endswith("/status/429") else line for line in listed(site.address)]
        (tmp_path / "list.txt").write_text("\n".join(lines))
        listing = list_sources([str(tmp_path / "list.txt")])
        manifest = Manifest(str(tmp_path / "corpus"))
        manifest.add(listing.sources, listing.dropped)
        run(RECIPE, manifest, workers=2)
        asked = Counter(site.asked)
        sources, drops, fetches = (manifest.table(table).to_pylist() for table in (Source, Dropped, Fetch))
        run(RECIPE, manifest, workers=2)
        assert site.asked == asked
        balance(manifest, funnel(manifest))  # raises where a row is unaccounted for
        assert [manifest.table(table).to_pylist() for table in (Source, Dropped, Fetch)] == [sources, drops, fetches]

    entries = [line for line in lines if line and not line.startswith("#")]
    assert len(sources) + len(drops) == len(entries)
    ended = {row["source_id"]: "ok" for row in sources} | {row["subject"]: row["reason"] for row in drops}
    truth = {source.uri.removeprefix(site.address).removeprefix(limited.address): ended[source.source_id] for source in listing.sources}
    assert truth == {case.path: case.outcome for case in CASES}
    assert Counter(row["source_id"] for row in fetches).total() == sum(case.tries for case in CASES)
    assert not any(row["failed"] for row in drops)
    assert all((tmp_path / "corpus" / row["media"]).is_file() for row in sources)
