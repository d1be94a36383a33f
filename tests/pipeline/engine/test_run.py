"""The runner on a real Ray: rows that answer, drop, fail and kill; runs that are killed; workers and orders that
differ.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from manifests.checking import add_up, faults, repair
from manifests.errors import Inconsistent
from manifests.manifest import Manifest
from manifests.tables import Clip, Dropped, Score, Shot, tables
from pipeline.engine.run import Part, run
from pipeline.listing import list_sources
from pipeline.recipe import Recipe, recipe_named
from tests.made_videos import write_video

ROOT = Path(__file__).parents[3]
TOY = str(Path(__file__).parents[1] / "toy_recipe.py")


@pytest.fixture(scope="module")
def videos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Seven good sources of 20 to 26 frames, one to drop, one to fail, one that kills its worker."""
    folder = tmp_path_factory.mktemp("videos")
    for number in range(7):
        write_video(folder / f"good{number}.mp4", [((number * 20, 90, 90), (20 + number) / 25)], size=(64, 64))
    for number, name in enumerate(("dropped", "fails", "kills")):
        write_video(folder / f"{name}.mp4", [((10, 200, number * 90), 1.0)], size=(64, 64))
    return folder


@pytest.fixture(scope="module")
def toy(ray_here: None) -> Recipe:
    return recipe_named(TOY)


def made(root: Path, arguments: list[str], recipe: Recipe, workers: int | None = None) -> Manifest:
    manifest = Manifest(str(root))
    listing = list_sources(arguments)
    manifest.add(listing.sources, listing.dropped)
    run(recipe.plan(), manifest, workers=workers)
    return Manifest(str(root))


def content(root: Path) -> dict[str, bytes]:
    """Every table's bytes by name."""
    return {
        str(path.relative_to(root)): path.read_bytes()
        for table in tables()
        for path in sorted((root / table).rglob("*.parquet"))
    }


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory, videos: Path, toy: Recipe) -> Manifest:
    return made(tmp_path_factory.mktemp("toy") / "corpus", [str(videos)], toy)


def test_every_row_ends_as_kept_dropped_or_failed(corpus: Manifest) -> None:
    drops = corpus.table(Dropped).to_pylist()
    reasons = Counter((drop["operator"], drop["reason"], drop["failed"]) for drop in drops)
    assert reasons == {
        ("CutInTwo", "no_sense", False): 1,
        ("CutInTwo", "ZeroDivisionError", True): 1,
        ("CutInTwo", "worker_died", True): 1,
        ("CountFrames", "worker_died", True): 1,
        ("CutInTwo", "never_was", False): 7,
        ("KeepEarly", "late", False): 7,
    }
    assert corpus.count_rows(Shot) == 14
    assert corpus.count_rows(Clip) == 7
    assert corpus.count_rows(Score) == 9, (
        "a neighbour's failure takes no row of another operator; only the dead worker's row is lost"
    )


def test_a_failure_is_told_with_its_text_and_place_but_no_path(corpus: Manifest) -> None:
    (failed,) = [drop for drop in corpus.table(Dropped).to_pylist() if drop["reason"] == "ZeroDivisionError"]
    assert "ZeroDivisionError: as asked" in failed["detail"]
    assert "toy_recipe.py:" in failed["detail"]
    assert "/" not in failed["detail"]


def test_frames_are_those_of_the_file(corpus: Manifest) -> None:
    counted = sorted(score["value"] for score in corpus.table(Score).to_pylist())
    assert counted == [20, 21, 22, 23, 24, 25, 25, 25, 26]


def test_a_second_run_does_nothing(corpus: Manifest, videos: Path, toy: Recipe) -> None:
    receipts = {path: path.stat().st_mtime_ns for path in Path(corpus.root, "receipts").rglob("*.json")}
    before = content(Path(corpus.root))
    made(Path(corpus.root), [str(videos)], toy)
    assert {path: path.stat().st_mtime_ns for path in Path(corpus.root, "receipts").rglob("*.json")} == receipts
    assert content(Path(corpus.root)) == before


def test_two_workers_and_another_order_give_the_same_bytes(
    corpus: Manifest, videos: Path, toy: Recipe, tmp_path: Path
) -> None:
    shuffled = sorted((str(path) for path in videos.iterdir()), key=lambda name: hash(name) % 7)
    made(tmp_path / "two", shuffled, toy, workers=2)
    assert content(tmp_path / "two") == content(Path(corpus.root))


@pytest.mark.slow
def test_parts_of_any_size_give_the_same_bytes(corpus: Manifest, videos: Path, toy: Recipe, tmp_path: Path) -> None:
    """A third of the shards, then halves of what there is: jobs that know nothing of each other, whose number changes
    on the way.
    """
    manifest = Manifest(str(tmp_path / "parts"))
    listing = list_sources([str(videos)])
    manifest.add(listing.sources, listing.dropped)
    plan = toy.plan()
    run(plan, manifest, part=Part(2, 3))
    done = set.intersection(*(manifest.committed(step.version) for step in plan.steps))
    assert done == {shard for shard in manifest.shards() if shard % 3 == 1}
    for part in (Part(1, 2), Part(2, 2)):
        run(plan, manifest, part=part)
    assert content(tmp_path / "parts") == content(Path(corpus.root))


def test_a_run_ends_with_a_check_of_what_it_did(videos: Path, toy: Recipe, tmp_path: Path) -> None:
    first = replace(toy, stages=toy.stages[:1])
    made(tmp_path / "corpus", [str(videos / "good0.mp4")], first)
    (receipt,) = (tmp_path / "corpus" / "receipts" / first.plan().steps[0].version).glob("*.json")
    told = json.loads(receipt.read_text())
    receipt.write_text(json.dumps({**told, "rows": {"shots": told["rows"]["shots"] + 1}}))
    with pytest.raises(Inconsistent):
        made(tmp_path / "corpus", [str(videos / "good0.mp4")], toy)


def test_another_parameter_redoes_only_what_depends_on_it(videos: Path, toy: Recipe, tmp_path: Path) -> None:
    good = [str(path) for path in sorted(videos.glob("good*"))]
    corpus = made(tmp_path / "corpus", good, toy)
    assert corpus.count_rows(Clip) == 7
    late = toy.set("KeepEarly.before_s=9")
    assert [a.version == b.version for a, b in zip(toy.plan().steps, late.plan().steps, strict=True)] == [
        True,
        True,
        True,
        False,
    ]
    corpus = made(tmp_path / "corpus", good, late)
    assert corpus.count_rows(Clip) == 14
    cut = toy.set("CutInTwo.at_s=0.2")
    assert [a.version == b.version for a, b in zip(toy.plan().steps, cut.plan().steps, strict=True)] == [
        False,
        True,
        False,
        False,
    ]


@pytest.mark.slow
def test_sources_added_later_are_new_shards(videos: Path, toy: Recipe, tmp_path: Path) -> None:
    first, second = str(videos / "good0.mp4"), str(videos / "good1.mp4")
    made(tmp_path / "corpus", [first], toy)
    before = content(tmp_path / "corpus")
    corpus = made(tmp_path / "corpus", [first, second], toy)
    assert corpus.shards() == [0, 1]
    assert {name: data for name, data in content(tmp_path / "corpus").items() if name in before} == before


def test_a_lost_row_is_told_and_made_again_and_nothing_else(corpus: Manifest, toy: Recipe, tmp_path: Path) -> None:
    shutil.copytree(corpus.root, tmp_path / "copy")
    copy = Manifest(str(tmp_path / "copy"))
    assert list(faults(copy, deep=True)) == []
    step = toy.plan().steps[-1]
    shard = next(shard for shard in copy.shards() if copy.read(Clip, [step.version], shard))
    copy.write(Clip, step.version, shard, [])
    (fault,) = faults(copy)
    assert fault.told() == f"clips/{step.version}/{shard:05d}.parquet: 0 rows, but its receipt says 1"
    assert repair(copy, [fault]) == []
    kept = {path: path.stat().st_mtime_ns for path in Path(copy.root, "receipts").rglob("*.json")}
    run(toy.plan(), Manifest(copy.root))
    assert content(Path(copy.root)) == content(Path(corpus.root))
    assert list(faults(Manifest(copy.root), deep=True)) == []
    assert {path: path.stat().st_mtime_ns for path in kept} == kept
    assert len(list(Path(copy.root, "receipts").rglob("*.json"))) == len(kept) + 1


def test_a_step_that_loses_a_row_ends_the_run(corpus: Manifest, toy: Recipe, tmp_path: Path) -> None:
    shutil.copytree(corpus.root, tmp_path / "copy")
    copy, step = Manifest(str(tmp_path / "copy")), toy.plan().steps[-1]
    for shard, receipt in copy.receipts(step.version).items():
        if receipt.calls["read"]:
            copy.commit(step.version, shard, replace(receipt, calls=dict.fromkeys(receipt.calls, 0)))
    with pytest.raises(Inconsistent, match="rows to read, but the receipt says 0"):
        add_up(copy, [step.record() for step in toy.plan().steps], {step.version: copy.shards()})


@pytest.mark.slow
def test_a_killed_run_goes_on_where_it_stopped(videos: Path, tmp_path: Path) -> None:
    """kill -9 of everything in the middle, then the same command: equal bytes, and nothing done twice that was
    committed.
    """
    good = [str(path) for path in sorted(videos.glob("good*"))]
    command = [sys.executable, "-m", "pipeline", "run", TOY, *good, "--cpus", "2"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "TOY_LOG": str(tmp_path / "log")}
    subprocess.run([*command, "--out", str(tmp_path / "calm")], cwd=ROOT, env=environment, check=True, timeout=300)
    (tmp_path / "log").unlink()
    running = subprocess.Popen(
        [*command, "--out", str(tmp_path / "hit")],
        cwd=ROOT,
        env={**environment, "TOY_SLEEP_S": "1.5"},
        start_new_session=True,
    )
    deadline = time.monotonic() + 120
    while len(list((tmp_path / "hit").glob("receipts/CountFrames*/*.json"))) < 2:
        assert time.monotonic() < deadline
        assert running.poll() is None
        time.sleep(0.05)
    os.killpg(running.pid, signal.SIGKILL)
    running.wait()
    committed = {
        path.relative_to(tmp_path / "hit"): path.read_bytes()
        for path in (tmp_path / "hit" / "receipts").rglob("*.json")
    }
    assert 2 <= len([path for path in committed if "CountFrames" in str(path)]) < 7
    time.sleep(3)  # orphaned workers see that their driver is gone
    again = subprocess.run(
        [*command, "--out", str(tmp_path / "hit")],
        cwd=ROOT,
        env=environment,
        check=True,
        timeout=300,
        capture_output=True,
        text=True,
    )
    assert content(tmp_path / "hit") == content(tmp_path / "calm")
    assert {path: (tmp_path / "hit" / path).read_bytes() for path in committed} == committed
    looked = Counter((tmp_path / "log").read_text().split())
    done_before = len([path for path in committed if "CountFrames" in str(path)])
    assert sum(looked.values()) <= 7 + (7 - done_before)
    assert "14 shots" in again.stdout


@pytest.mark.slow
def test_ctrl_c_says_how_to_go_on(videos: Path, tmp_path: Path) -> None:
    command = [
        sys.executable,
        "-m",
        "pipeline",
        "run",
        TOY,
        str(videos / "good0.mp4"),
        "--out",
        str(tmp_path / "corpus"),
        "--cpus",
        "1",
    ]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "TOY_SLEEP_S": "60", "TOY_LOG": str(tmp_path / "log")}
    running = subprocess.Popen(
        command, cwd=ROOT, env=environment, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    deadline = time.monotonic() + 120
    while not (tmp_path / "log").exists():
        assert time.monotonic() < deadline
        time.sleep(0.05)
    running.send_signal(signal.SIGINT)
    _, told = running.communicate(timeout=30)  # the row in work sleeps for 60 s
    assert running.returncode == 130
    assert "run the same command again" in told
    assert not list((tmp_path / "corpus" / "receipts").rglob("CountFrames*/*.json"))
