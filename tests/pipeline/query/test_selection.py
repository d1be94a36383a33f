"""Selections and yield curves, against counts made by hand in Python."""

from itertools import product
from pathlib import Path

import pytest

from manifests.errors import UsageError
from manifests.manifest import Manifest
from pipeline.query.predicates import normal, predicates
from pipeline.query.selection import select, selection, selections
from pipeline.query.yields import draw_yield, yields
from tests.manifests.test_media import s3, server  # noqa: F401 - fixtures
from tests.pipeline.made_corpus import clip, corpus_of, score, source

QUALITY, SIZE = (2.0, 2.5, 3.0, 3.5), (100.0, 200.0, 300.0)


def graded(root: Path | str, backwards: bool = False) -> Manifest:
    """A clip for each quality and size, each half a second longer than the last; the first has no size."""
    rows = []
    for number, (quality, size) in enumerate(product(QUALITY, SIZE)):
        made = clip(f"s{number:02d}", 0.0, 3.0 + number / 2)
        rows += [source(made.source_id), made, score(made, "dnsmos_ovrl", quality)]
        rows += [score(made, "face_width_px", size)] if number else []
    return corpus_of(root, rows[::-1] if backwards else rows)


def seconds(numbers: range | list[int]) -> float:
    return sum(3.0 + number / 2 for number in numbers)


def test_a_selection_holds_the_clips_for_which_the_condition_is_true(tmp_path: Path):
    manifest = graded(tmp_path)
    found, new = select(manifest, "dnsmos_ovrl > 2.5 and face_px >= 200", "hq")
    assert new
    rows = manifest.parquet(found.file).to_table().to_pylist()
    assert [row["source_id"] for row in rows] == ["s07", "s08", "s10", "s11"]
    assert rows[0] == {
        "source_id": "s07",
        "clip_id": "s07/000000-006500/t0",
        "seconds": 6.5,
        "dnsmos_ovrl": 3.0,
        "face_px": 200.0,
    }
    assert (found.clips, found.seconds, found.parent) == (4, seconds([7, 8, 10, 11]), "")


def test_the_same_query_is_the_same_version_however_it_is_written_and_whoever_made_the_corpus(tmp_path: Path):
    manifest = graded(tmp_path / "a")
    first, _ = select(manifest, "dnsmos_ovrl > 2.5 and face_px >= 200", "hq")
    files = {path: path.read_bytes() for path in tmp_path.rglob("selections/*/*")}
    again, new = select(manifest, "dnsmos_ovrl>2.5   AND face_px >=200", "hq")
    assert (again, new) == (first, False)
    assert {path: path.read_bytes() for path in tmp_path.rglob("selections/*/*")} == files
    other, _ = select(graded(tmp_path / "b", backwards=True), "dnsmos_ovrl > 2.5 and face_px >= 200", "hq")
    assert other.version == first.version
    assert (tmp_path / "a" / first.file).read_bytes() == (tmp_path / "b" / other.file).read_bytes()


def test_versions_follow_each_other_and_are_found_by_their_first_digits(tmp_path: Path):
    manifest = graded(tmp_path)
    first, _ = select(manifest, "face_px >= 200", "hq")
    second, _ = select(manifest, "face_px >= 300", "hq")
    assert second.parent == first.version
    assert selection(manifest, "hq") == second
    assert selection(manifest, f"@hq:{first.version[:4]}") == first
    select(manifest, "face_px >= 200", "hq")  # back to what was before: no third version
    assert selection(manifest, "hq") == first
    assert {one.version for one in selections(manifest)} == {first.version, second.version}
    with pytest.raises(UsageError, match=f"no selection 'lq'.*it has hq:.*{second.version}"):
        selection(manifest, "lq")


def test_a_selection_lies_on_s3_as_in_a_folder(s3, tmp_path: Path):  # noqa: F811
    made = clip("s1")
    manifest = corpus_of("s3://corpus/graded", [source("s1"), made, score(made, "face_width_px", 300.0)])
    found, _ = select(manifest, "face_px >= 300", "hq")
    assert selection(Manifest("s3://corpus/graded"), "hq") == found
    assert manifest.parquet(found.file).to_table()["clip_id"].to_pylist() == [made.clip_id]


@pytest.mark.parametrize(
    ("where", "said"),
    [
        ("dnsmos_ovr > 3", r"no column 'dnsmos_ovr'; did you mean dnsmos_ovrl"),
        ("face_px >", "is no condition in SQL: syntax error"),
        ("face_px > 1 order by 1", "is no condition in SQL"),
        ("face_px > 1); select (1", "is no condition in SQL"),
        ("clip_id > 3 + nofunction(1)", "nofunction"),
    ],
)
def test_a_bad_condition_is_told_plainly(tmp_path: Path, where: str, said: str):
    manifest = graded(tmp_path)
    with pytest.raises(UsageError, match=said) as raised:
        select(manifest, where, "hq")
    assert "Traceback" not in str(raised.value)
    assert not (tmp_path / "selections").exists()
    with pytest.raises(UsageError, match="no name"):
        select(manifest, "face_px > 1", "../hq")


def test_predicates_are_the_parts_of_a_conjunction():
    parts = predicates("a > 3 and (b <= -2.5 or c = 'x and y') and 7 > d and e between 1 and 2 and f = g")
    assert [(part.column, part.sign, part.threshold) for part in parts if part.column] == [
        ("a", ">", 3),
        ("d", "<", 7),
        ("e", ">=", 1),
        ("e", "<=", 2),
    ]
    assert [part.text for part in parts if not part.column] == ["(b <= -2.5) OR (c = 'x and y')", "f = g"]
    assert normal(normal("a>3 and b<1")) == normal("a > 3 AND b < 1") == "(a > 3) AND (b < 1)"


def test_a_yield_tells_what_each_cut_costs_alone_and_with_the_others(tmp_path: Path):
    found = yields(graded(tmp_path), "dnsmos_ovrl > 2.5 and face_px >= 200")
    assert (found.clips, found.seconds) == (12, seconds(range(12)))
    assert (found.left_clips, found.left_seconds) == (4, seconds([7, 8, 10, 11]))
    quality, size = found.cuts  # that which costs most first
    assert (quality.predicate, quality.clips, quality.seconds, quality.unknown) == (
        "dnsmos_ovrl > 2.5",
        6,
        seconds(range(6, 12)),
        0,
    )
    assert (quality.joint_cost, quality.joint_cost_seconds) == (4, seconds([1, 2, 4, 5]))
    assert (size.predicate, size.clips, size.unknown, size.joint_cost) == ("face_px >= 200", 8, 1, 2)
    by_threshold = {point.threshold: (point.clips, point.joint_clips) for point in quality.curve}
    assert by_threshold == {2.0: (9, 6), 2.5: (6, 4), 3.0: (3, 2), 3.5: (0, 0)}
    assert [point.joint_seconds for point in quality.curve if point.threshold == 3.0] == [seconds([10, 11])]


@pytest.mark.parametrize(
    ("where", "curve"),
    [
        ("face_px < 200", {100.0: (0, 0), 200.0: (3, 3), 300.0: (7, 6)}),
        ("face_px <= 200", {100.0: (3, 3), 200.0: (7, 6), 300.0: (11, 9)}),
        ("face_px > 200", {100.0: (8, 6), 200.0: (4, 3), 300.0: (0, 0)}),
        ("face_px >= 200", {100.0: (11, 9), 200.0: (8, 6), 300.0: (4, 3)}),
    ],
)
def test_a_curve_counts_on_the_side_that_the_condition_keeps(
    tmp_path: Path, where: str, curve: dict[float, tuple[int, int]]
):
    """Of eleven clips with a size, alone, and of those whose quality is above 2."""
    (cut,) = [cut for cut in yields(graded(tmp_path), f"{where} and dnsmos_ovrl > 2").cuts if cut.column == "face_px"]
    assert {point.threshold: (point.clips, point.joint_clips) for point in cut.curve} == curve
    assert cut.clips == curve[200.0][0]


def test_a_column_is_swept_without_a_condition(tmp_path: Path):
    (cut,) = yields(graded(tmp_path), "", "face_px").cuts
    assert {point.threshold: point.clips for point in cut.curve} == {100.0: 11, 200.0: 8, 300.0: 4}


def test_a_yield_is_drawn(tmp_path: Path):
    manifest = graded(tmp_path / "corpus")
    draw_yield(yields(manifest, "dnsmos_ovrl > 2.5 and face_px >= 200"), tmp_path / "yield.png")
    assert (tmp_path / "yield.png").read_bytes().startswith(b"\x89PNG")
    with pytest.raises(UsageError, match="nothing to draw"):
        draw_yield(yields(manifest, "language = 'en'"), tmp_path / "none.png")


@pytest.mark.parametrize("sign", ["<", "<=", ">", ">="])
def test_each_point_of_a_curve_is_what_its_threshold_leaves(tmp_path: Path, sign: str):
    """In either direction, and strict or not: clips and seconds, alone and with the other cut."""
    found = yields(graded(tmp_path), f"dnsmos_ovrl {sign} 2.5 and face_px < 250")
    (cut,) = (cut for cut in found.cuts if cut.column == "dnsmos_ovrl")
    passes = {"<": float.__lt__, "<=": float.__le__, ">": float.__gt__, ">=": float.__ge__}[sign]
    clips = list(enumerate(product(QUALITY, SIZE)))
    assert [point.threshold for point in cut.curve] == list(QUALITY)
    for point in cut.curve:
        left = [number for number, (quality, _) in clips if passes(quality, point.threshold)]
        both = [number for number in left if number and clips[number][1][1] < 250]  # the first clip has no size
        assert (point.clips, point.seconds) == (len(left), seconds(left))
        assert (point.joint_clips, point.joint_seconds) == (len(both), seconds(both))
