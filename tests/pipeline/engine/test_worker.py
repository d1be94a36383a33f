"""A worker's promises, one by one, in this process and without Ray."""

import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from manifests.errors import StorageError
from manifests.manifest import LISTED, Manifest
from manifests.media import MediaStore
from manifests.tables import Clip, Dropped, Score, Shot, Source
from manifests.takedowns import FILE
from operators.base import Drop, Operator
from pipeline.engine.row_media import RowMedia
from pipeline.recipe import Recipe, Stage
from tests.made_videos import write_video
from tests.pipeline.engine.in_process import do

CALLS: Counter[str] = Counter()


def score(source: Source, name: str) -> Score:
    return Score(source.source_id, f"{source.source_id}#{name}", source.source_id, name, name, 1.0)


@dataclass(frozen=True)
class Twice(Operator):
    """The same row two times."""

    def __call__(self, source: Source) -> Iterator[Score]:
        CALLS["Twice"] += 1
        yield score(source, "twice")
        yield score(source, "twice")


@dataclass(frozen=True)
class GiveUp(Operator):
    """A row, and then a change of mind."""

    def __call__(self, source: Source) -> Iterator[Score]:
        CALLS["GiveUp"] += 1
        yield score(source, "given_up")
        raise Drop("no_sense")


@dataclass(frozen=True)
class Cut(Operator):
    def __call__(self, source: Source) -> Iterator[Shot]:
        for number in range(2):
            yield Shot(source.source_id, f"{source.source_id}/{number}", number * 10.0, number * 10.0 + 10)


@dataclass(frozen=True)
class Propose(Operator):
    def __call__(self, shot: Shot) -> Iterator[Clip]:
        yield Clip(
            shot.source_id, f"{shot.shot_id}/c", shot.shot_id, "", "", shot.start_s, shot.end_s, 0.0, 0.0, 1.0, 1.0
        )


@dataclass(frozen=True)
class CountClips(Operator):
    def __call__(self, shot: Shot, clips: list[Clip]) -> Iterator[Score]:
        yield Score(shot.source_id, f"{shot.shot_id}#clips", shot.shot_id, "clips", "clips", float(len(clips)))


PLAN = Recipe("r", "", (Stage(Twice(), GiveUp()),)).plan()
TWICE, GIVE_UP = (step.version for step in PLAN.steps)


@pytest.fixture
def listed(tmp_path: Path) -> Manifest:
    manifest = Manifest(str(tmp_path / "corpus"))
    manifest.write(Dropped, LISTED, 0, [])
    manifest.write(Source, LISTED, 0, [Source("s", "", end_s=20.0)])
    CALLS.clear()
    return manifest


def test_a_second_row_of_one_key_is_a_failure_and_one_is_kept(listed: Manifest) -> None:
    corpus = do(PLAN, listed)
    assert [row.score_id for row in corpus.read(Score, [TWICE], 0)] == ["s#twice"]
    assert [(drop.subject, drop.reason, drop.failed) for drop in corpus.read(Dropped, [TWICE], 0)] == [
        ("s#twice", "duplicate_key", True)
    ]


def test_nothing_is_kept_of_a_row_that_is_given_up(listed: Manifest) -> None:
    corpus = do(PLAN, listed)
    assert corpus.read(Score, [GIVE_UP], 0) == []
    assert [(drop.subject, drop.reason) for drop in corpus.read(Dropped, [GIVE_UP], 0)] == [("s", "no_sense")]


def test_a_receipt_comes_after_all_its_tables(listed: Manifest) -> None:
    Path(listed.root, "drops", TWICE).mkdir(parents=True)
    Path(listed.root, "drops", TWICE, "00000.parquet").mkdir()  # where the last table should go
    with pytest.raises(StorageError):
        do(PLAN, listed)
    assert Path(listed.root, "scores", TWICE, "00000.parquet").is_file()
    assert listed.receipt(TWICE, 0) is None


def test_of_a_stage_only_what_has_no_receipt_is_done_again(listed: Manifest) -> None:
    corpus = do(PLAN, listed)
    assert CALLS == {"Twice": 1, "GiveUp": 1}
    Path(corpus.root, "receipts", GIVE_UP, "00000.json").unlink()
    do(PLAN, corpus)
    assert CALLS == {"Twice": 1, "GiveUp": 2}


def test_a_join_is_on_the_key_where_the_joined_table_has_it(listed: Manifest) -> None:
    plan = Recipe("r", "", (Stage(Cut()), Stage(Propose()), Stage(CountClips()))).plan()
    corpus = do(plan, listed)
    assert [row["value"] for row in corpus.table(Score).to_pylist()] == [1.0, 1.0]


def test_the_frames_of_a_row_are_those_of_its_span(tmp_path: Path) -> None:
    film = write_video(tmp_path / "film.mp4", [("red", 1.0)], size=(64, 64))  # 25 frames a second
    source, store = Source("s", str(film), end_s=1.0), MediaStore(str(tmp_path))
    media = RowMedia(Shot("s", "s/0", 0.2, 0.6), source, store)
    seen = [frame.pts_s for frame in media.frames]
    assert seen == pytest.approx([0.2 + number / 25 for number in range(10)])
    assert (media.length_s, media.done_s) == pytest.approx((0.4, 0.36))
    assert len(list(RowMedia(source, source, store).frames)) == 25


def test_what_was_taken_down_is_not_made_again(listed: Manifest) -> None:
    listed.save(FILE, [{"takedown_id": "source:s", "at": "2026", "sources": {"s": ""}, "regions": [], "clips": []}])
    corpus = do(PLAN, listed)
    assert corpus.read(Score, [TWICE], 0) == []
    assert {drop.reason for drop in corpus.read(Dropped, [TWICE], 0)} == {"taken_down"}


def test_a_receipt_is_not_taken_back_before_it_is_noted_why(listed: Manifest) -> None:
    corpus = do(PLAN, listed)
    Path(corpus.root, "retries").mkdir()
    Path(corpus.root, "retries", TWICE).symlink_to("nowhere")  # a note can be looked for there, but not be written
    with pytest.raises(StorageError):
        corpus.take_back(TWICE, 0, ["s"])
    assert corpus.receipt(TWICE, 0) is not None


def test_a_worker_computes_on_one_thread_and_reads_nothing() -> None:
    code = (
        "from pipeline.engine.worker import prepare_worker; prepare_worker(); import os, sys, torch;"
        " print(os.environ['OMP_NUM_THREADS'], os.environ['OPENBLAS_NUM_THREADS'], torch.get_num_threads(),"
        " repr(sys.stdin.read()))"
    )
    told = subprocess.run([sys.executable, "-c", code], input="a terminal", capture_output=True, text=True, check=True)
    assert told.stdout.split() == ["1", "1", "1", "''"]
