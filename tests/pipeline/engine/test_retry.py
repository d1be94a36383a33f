"""Another try for what was dropped, and for nothing else: over a site that refuses once, and over rows that were given
up.
"""

import shutil
from collections import Counter
from dataclasses import asdict, replace
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from manifests.checking import faults
from manifests.manifest import LISTED, Manifest
from manifests.tables import Clip, Dropped, Fetch, Score, Shot, Source
from operators.sources.sites import Site
from pipeline.__main__ import main
from pipeline.engine.retry import retry
from pipeline.engine.run import run
from pipeline.recipe import Recipe, recipe_named
from pipeline.views.funnel import funnel
from tests.made_videos import write_video
from tests.site import serve

CRAWL = str(Path(__file__).parents[1] / "crawl_recipe.py")


@pytest.fixture(scope="module")
def crawled(
    tmp_path_factory: pytest.TempPathFactory, ray_here: None
) -> tuple[Path, dict[str, Counter[str]], list[str]]:
    """A corpus of four sources, of which a site served one only when it was asked again, after `headset retry`."""
    folder = tmp_path_factory.mktemp("crawled")
    with serve(folder / "site") as site:
        Site(urlsplit(site.address).netloc, 1, 0).forget()  # an earlier site at this port is another one
        paths = ("/good0.mp4", "/good1.mp4", "/once/503", "/status/404")
        (folder / "videos.csv").write_text("url,duration\n" + "".join(f"{site.address}{path},3600\n" for path in paths))
        out = str(folder / "corpus")
        assert main(["run", CRAWL, str(folder / "videos.csv"), "--out", out, "--set", "CutInTwo.at_s=0.3"]) == 0
        shutil.copytree(out, folder / "before")
        asked = Counter(site.asked)
        assert main(["retry", out, "--reason", "http_503", "--recipe", CRAWL]) == 0
        return folder, {"before": asked, "after": Counter(site.asked)}, [site.address + path for path in paths]


def reasons(manifest: Manifest) -> Counter[str]:
    return Counter(drop["reason"] for drop in manifest.table(Dropped).to_pylist() if drop["subject_table"] == "sources")


def test_what_was_refused_once_is_had_and_all_steps_behind_it_are_done(crawled: tuple) -> None:
    folder, _, _ = crawled
    before, after = Manifest(str(folder / "before")), Manifest(str(folder / "corpus"))
    assert reasons(before) == {"http_503": 1, "http_404": 1}
    assert reasons(after) == {"http_404": 1}
    assert (before.count_rows(Source), after.count_rows(Source)) == (2, 3)
    assert (before.count_rows(Shot), after.count_rows(Shot)) == (4, 6)
    assert (before.count_rows(Score), after.count_rows(Score)) == (2, 3)
    assert [step.parameters["at_s"] for step in after.run.steps if step.operator == "CutInTwo"] == [0.3]  # type: ignore[union-attr]


def test_no_other_source_is_asked_for_again(crawled: tuple) -> None:
    _, asked, _ = crawled
    assert asked["after"] - asked["before"] == {"/once/503": 1}


def test_the_sums_add_up_and_the_rows_of_the_others_are_the_same(crawled: tuple) -> None:
    folder, _, _ = crawled
    before, after = Manifest(str(folder / "before")), Manifest(str(folder / "corpus"))
    funnel(after)
    assert list(faults(after, deep=True)) == []
    for table in (Source, Shot, Score, Fetch):
        rows = after.table(table).to_pylist()
        assert all(row in rows for row in before.table(table).to_pylist()), (
            "what was there is there, the ledger's old lines too"
        )
    assert Counter(row["outcome"] for row in after.table(Fetch).to_pylist()) == {"ok": 3, "http_503": 1, "http_404": 1}
    assert not [path for path in Path(after.root, "retries").rglob("*.json")]


def test_status_tells_the_share_that_was_had_of_the_list(crawled: tuple, capsys: pytest.CaptureFixture[str]) -> None:
    folder, _, _ = crawled
    assert main(["status", str(folder / "before")]) == 0
    before = capsys.readouterr().out
    assert main(["status", str(folder / "corpus")]) == 0
    after = capsys.readouterr().out
    assert "videos.csv: 2 of 4 videos, 2.0 h of 4.0 h; 1 http_404, 1 http_503. Subset " in before
    assert "videos.csv: 3 of 4 videos, 3.0 h of 4.0 h; 1 http_404. Subset " in after
    assert before.rpartition("Subset ")[2] != after.rpartition("Subset ")[2]


def test_nothing_to_try_again_is_told_with_what_is_dropped_for_good(
    crawled: tuple, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, _, _ = crawled
    capsys.readouterr()
    assert main(["retry", str(folder / "corpus"), "--recipe", CRAWL]) == 0
    assert "Nothing to try again. Dropped for good: never_was 3, http_404 1." in " ".join(
        capsys.readouterr().out.split()
    )


def test_a_recipe_that_is_another_now_is_not_run(crawled: tuple, capsys: pytest.CaptureFixture[str]) -> None:
    folder, _, _ = crawled
    capsys.readouterr()
    assert (
        main(["retry", str(folder / "corpus"), "--reason", "http_404", "--recipe", CRAWL, "--set", "CutInTwo.at_s=0.2"])
        == 2
    )
    assert "would now do other steps" in " ".join(capsys.readouterr().err.split())


@pytest.fixture(scope="module")
def toy() -> Recipe:
    return recipe_named(str(Path(__file__).parents[1] / "toy_recipe.py"))


@pytest.fixture(scope="module")
def toyed(tmp_path_factory: pytest.TempPathFactory, ray_here: None, toy: Recipe) -> Path:
    """Three sources of one shard: a good one, one that is dropped, one that fails."""
    folder = tmp_path_factory.mktemp("toyed")
    manifest = Manifest(str(folder / "corpus"))
    videos = {
        name: write_video(folder / f"{name}.mp4", [("red", 1.0)], size=(64, 64))
        for name in ("good", "dropped", "fails")
    }
    manifest.write(Dropped, LISTED, 0, [])
    manifest.write(Source, LISTED, 0, [Source(name, str(path)) for name, path in videos.items()])
    run(toy.plan(), manifest)
    return folder / "corpus"


@pytest.fixture
def corpus(toyed: Path, tmp_path: Path) -> Manifest:
    return Manifest(str(shutil.copytree(toyed, tmp_path / "corpus")))


def test_only_the_steps_behind_a_drop_lose_their_receipts(corpus: Manifest, toy: Recipe) -> None:
    cut, count, propose, keep = (step.version for step in toy.plan().steps)
    found = retry(corpus)
    assert [drop.reason for drop in found.drops] == ["ZeroDivisionError"]
    assert found.others == {"no_sense": 1, "never_was": 1, "late": 1}
    assert [version for version in (cut, count, propose, keep) if corpus.committed(version)] == [count]
    assert all(corpus.retries(version)[0]["sources"] == ["fails"] for version in (cut, propose, keep))
    assert retry(corpus).left == 1, "a retry that was stopped is known"


def test_named_reasons_are_tried_again_whether_retryable_or_not(corpus: Manifest) -> None:
    assert [drop.source_id for drop in retry(corpus, reasons=("no_sense",)).drops] == ["dropped"]
    assert not retry(corpus, reasons=("late",), operator="CutInTwo").drops


def mend(corpus: Manifest) -> None:
    """The file of the source that fails gets another name, which is what the toy operator looks at."""
    sources = {source.source_id: source for source in corpus.read(Source, [LISTED], 0)}
    corpus.write(Source, LISTED, 0, [sources["good"], sources["dropped"], Source("fails", sources["good"].uri)])


def test_a_source_that_fails_again_leaves_all_as_it_was(corpus: Manifest, toy: Recipe) -> None:
    def receipts() -> dict[str, dict[str, object]]:
        found = {step.version: asdict(Manifest(corpus.root).receipts(step.version)[0]) for step in toy.plan().steps}
        return {
            version: {name: one for name, one in told.items() if "cpu_s" not in name and name != "seconds"}
            for version, told in found.items()
        }

    before = receipts()
    retry(corpus)
    run(toy.plan(), corpus)
    assert receipts() == before


def test_a_mended_source_counts_once_and_the_others_as_before(corpus: Manifest, toy: Recipe) -> None:
    mend(corpus)
    retry(corpus)
    run(toy.plan(), corpus)
    done = Manifest(corpus.root)
    funnel(done)
    cut = done.receipts(toy.plan().steps[0].version)[0]
    assert cut.calls == {"read": 3, "answered": 2, "dropped": 1, "failed": 0}
    assert cut.given_up == {"shots": 2}
    assert done.count_rows(Shot) == 4
    assert done.count_rows(Clip) == 2


@pytest.mark.parametrize("stop", [1, 2, 4, 5])  # of six writes: three steps, each a note and a receipt
def test_a_retry_that_is_killed_goes_on(
    stop: int, corpus: Manifest, toy: Recipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Wherever it stops, a run ends in sums that add up, and one more retry in what the first was to give."""
    mend(corpus)
    left = stop

    def until_killed(method: str) -> None:
        real = getattr(Manifest, method)

        def write(self: Manifest, *arguments: object) -> None:
            nonlocal left
            if left == 0:
                raise InterruptedError
            left -= 1
            real(self, *arguments)

        patched.setattr(Manifest, method, write)

    with monkeypatch.context() as patched:
        until_killed("save")
        until_killed("delete")
        with pytest.raises(InterruptedError):
            retry(corpus)
    run(toy.plan(), Manifest(corpus.root))  # raises where what a step read and wrote does not add up
    there = Manifest(corpus.root)
    funnel(there)
    retry(there)
    run(toy.plan(), there)
    there = Manifest(corpus.root)
    funnel(there)
    assert there.count_rows(Clip) == 2


def test_a_worker_killed_while_it_writes_leaves_the_retry_to_the_next(corpus: Manifest, toy: Recipe) -> None:
    """Some tables of a step are already new, its receipt is not written: the next run does the same sources once
    more.
    """
    retry(corpus)
    cut = toy.plan().steps[0].version
    half = [*corpus.read(Shot, [cut], 0), Shot("fails", "fails/000000-000100", 0.0, 0.1)]
    corpus.write(Shot, cut, 0, half)
    run(toy.plan(), corpus)
    done = Manifest(corpus.root)
    assert done.count_rows(Shot) == 2, "what the killed one had written of the source is written anew"
    funnel(done)


def test_steps_of_another_setting_are_taken_back_too(corpus: Manifest, toy: Recipe) -> None:
    other = toy.set("KeepEarly.before_s=9")
    run(other.plan(), corpus)
    first = toy.plan().steps[-1].version
    retry(Manifest(corpus.root))
    assert not corpus.committed(first), "or its old rows would be taken for those of the sources as they are now"
    run(other.plan(), Manifest(corpus.root))
    retry(Manifest(corpus.root), reasons=("no_sense",))
    assert corpus.retries(first)[0]["sources"] == [
        "dropped",
        "fails",
    ], "what has no receipt any more is still told of later retries"
    run(other.plan(), Manifest(corpus.root))
    run(toy.plan(), Manifest(corpus.root))


def test_receipts_are_checked_against_the_files_after_a_retry(corpus: Manifest, toy: Recipe) -> None:
    retry(corpus)
    run(toy.plan(), corpus)
    cut = toy.plan().steps[0].version
    receipt = corpus.receipts(cut)[0]
    corpus.commit(cut, 0, replace(receipt, drops=receipt.drops + 1))
    assert [fault.name for fault in faults(Manifest(corpus.root))] == [f"drops/{cut}/00000.parquet"]
