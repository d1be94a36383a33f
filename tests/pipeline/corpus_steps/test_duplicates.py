"""Which made fingerprints are copies, whatever order they are listed in."""

import numpy as np
import pyarrow.parquet as pq
import pytest

from manifests.errors import UsageError
from manifests.manifest import Manifest
from manifests.tables import Duplicate, Fingerprint, Source
from operators.fingerprints import COEFFICIENTS, coefficients
from pipeline.corpus_steps.duplicates import FindDuplicates, Stretch, find_duplicates
from pipeline.query.clip_view import select_rows as rows_of
from tests.pipeline.corpus_steps.fingerprinted import corpus_of


def made(name: str, looks: np.ndarray, width: int = 640) -> tuple[Source, Fingerprint]:
    times_s = (np.arange(len(looks)) / 4).tolist()
    source = Source(name, name, width=width, height=360, end_s=len(looks) / 4)
    return source, Fingerprint(name, f"{name}/looks", times_s, np.rint(looks).astype("<i2").tobytes())


def moving(seed: int, seconds: float = 20.0) -> np.ndarray:
    return np.cumsum(np.random.default_rng(seed).normal(0, 100, (round(seconds * 4), COEFFICIENTS)), axis=0)


def corpus_rows() -> list[tuple[Source, Fingerprint]]:
    noise = np.random.default_rng(9).normal(0, 5, (80, COEFFICIENTS))
    still = np.full((80, COEFFICIENTS), 500.0)
    first = moving(1)
    return [
        made("a", first),
        made("b", (first + noise)[12:], width=1280),  # a copy with more pixels, without its first 3 s
        made("c", moving(2)),
        made("d", still),
        made("e", still),  # what stands still is no evidence
        made("f", np.concatenate([moving(3, 40.0), first[:20]])),  # shares 5 s of 20 only
        made("g", np.tile([800.0], (80, COEFFICIENTS)) + moving(4)),
        made("h", np.tile([800.0], (80, COEFFICIENTS)) + moving(5)),  # the same set, another take
    ]


def test_finds_the_copy_its_offset_and_keeps_the_larger(tmp_path):
    manifest = corpus_of(tmp_path, corpus_rows())
    (row,) = find_duplicates(manifest)
    assert (row.source_id, row.duplicate_of) == ("a", "b")
    assert row.offset_s == pytest.approx(-3.0, abs=0.07)
    assert row.overlap_s == pytest.approx(17.0, abs=0.6)
    assert 0.8 < row.share < 0.9
    assert rows_of(Manifest(str(tmp_path)), "select duplicate_of from duplicates").fetchall() == [("b",)]
    left = rows_of(
        Manifest(str(tmp_path)), "select source_id from sources anti join duplicates using (source_id) order by 1"
    ).fetchall()
    assert [name for (name,) in left] == list("bcdefgh")


@pytest.mark.parametrize(("larger", "offset_s"), [("a", 3.0), ("b", -3.0)])
def test_a_moment_of_the_copy_plus_the_offset_is_that_of_the_kept(larger: str, offset_s: float):
    """A moment t of a is t - 3 s of b. Whichever is kept, the row is about the other: by its name, its share and its
    offset.
    """
    shared = {("a", "b"): Stretch(-3.0, 17.0, 0.85, 1.0, 0.01)}
    worth = {name: (640 * 360 * (2 if name == larger else 1), 20.0) for name in "ab"}
    (row,) = FindDuplicates().decide(shared, worth)
    assert (row.duplicate_of, row.offset_s) == (larger, offset_s)
    assert row.share == (0.85 if row.source_id == "a" else 1.0)


def test_the_order_of_sources_changes_no_byte(tmp_path):
    written = []
    for number, rows in enumerate([corpus_rows(), corpus_rows()[::-1]]):
        root = tmp_path / str(number)
        corpus_of(root, rows[:3])
        manifest = corpus_of(root, rows) if number else corpus_of(tmp_path / "whole", rows)
        find_duplicates(manifest)
        files = (tmp_path / "whole" if not number else root).rglob("duplicates/*/*.parquet")
        (held,) = [(file.parent.name, file.read_bytes()) for file in files if pq.read_metadata(file).num_rows]
        written.append(held)
    assert written[0] == written[1]


def test_says_what_to_run_where_there_are_no_fingerprints(tmp_path):
    manifest = Manifest(str(tmp_path))
    manifest.add([Source("a", "a")])
    with pytest.raises(UsageError, match="FingerprintSource"):
        find_duplicates(manifest)
    assert Duplicate.table not in manifest.current(0)


def test_a_mirrored_copy_is_found_and_marked(tmp_path):
    """The looks of a mirrored picture, from the picture itself: nothing here knows which coefficients change their
    sign.
    """
    shapes = np.random.default_rng(3).integers(0, 255, (2, 6, 7))
    weights = np.linspace(0, 1, 48)[:, None, None] + np.random.default_rng(4).normal(0, 0.2, (48, 1, 1))
    pictures = np.kron(shapes[0] * (1 - weights) + shapes[1] * weights, np.ones((12, 12))).clip(0, 255).astype(np.uint8)

    def looks(of: np.ndarray) -> np.ndarray:
        box = (0, 0, of.shape[2], of.shape[1])
        return np.array([coefficients(np.ascontiguousarray(picture), box) for picture in of])

    rows = [
        made("a", looks(pictures), width=1280),
        made("b", looks(pictures[4:, :, ::-1])),
        made("c", looks(pictures[:, ::-1])),
        made("d", moving(2)),
    ]
    (row,) = find_duplicates(corpus_of(tmp_path, rows))
    assert (row.source_id, row.duplicate_of, row.mirrored) == ("b", "a", True)
    assert row.offset_s == pytest.approx(1.0, abs=0.07)
    assert row.distance < 0.01


def test_what_fits_both_ways_is_a_plain_copy(tmp_path):
    looks = moving(6) * (np.tile([1, 0], 18)[1:])  # nothing odd from left to right: its own mirror
    (row,) = find_duplicates(corpus_of(tmp_path, [made("a", looks, width=1280), made("b", looks)]))
    assert (row.source_id, row.mirrored) == ("b", False)


def test_a_film_shorter_than_a_window_is_no_copy_and_no_error(tmp_path):
    rows = [made("a", moving(1)), made("b", moving(1)[:3]), made("c", moving(1), width=1280)]
    assert [row.source_id for row in find_duplicates(corpus_of(tmp_path, rows))] == ["a"]


def test_the_offset_is_of_the_copy_to_the_one_kept_whichever_is_first_by_name(tmp_path):
    """A moment t of the copy is t + offset_s of the one kept."""
    first = moving(1)
    manifest = corpus_of(tmp_path, [made("a", first, width=1280), made("b", first[12:])])
    (row,) = find_duplicates(manifest)
    assert (row.source_id, row.duplicate_of) == ("b", "a")
    assert row.offset_s == pytest.approx(3.0, abs=0.07)
    assert row.share == pytest.approx(1.0, abs=0.05), "all of the copy is in the one kept"
