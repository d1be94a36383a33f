"""Differences between selections and corpora, clip by clip, with the reasons."""

import json
from pathlib import Path

import pytest

from manifests.errors import UsageError
from manifests.tables import Dropped
from pipeline.__main__ import main
from pipeline.query.diff import Side, as_json, differ, lines
from pipeline.query.selection import select
from tests.pipeline.made_corpus import clip, corpus_of, score, source


def rows(count: int, quality: float = 3.0) -> list:
    found = []
    for number in range(count):
        one = clip(f"s{number}")
        found += [
            source(one.source_id),
            one,
            score(one, "dnsmos_ovrl", quality),
            score(one, "face_width_px", 100.0 * number),
        ]
    return found


def test_two_selections_differ_by_the_predicates_that_clips_fail(tmp_path: Path):
    manifest = corpus_of(tmp_path, rows(6))
    first, _ = select(manifest, "dnsmos_ovrl > 2 and face_px >= 100 and face_px < 400", "hq")
    select(manifest, "dnsmos_ovrl > 2 and face_px >= 300", "hq")
    found = differ(Side.of(f"{tmp_path}/@hq:{first.version[:5]}"), Side.of(f"{tmp_path}/@hq"), 20)
    assert (found.both, found.added, found.removed, found.changed) == (1, 2, 2, 0)
    assert found.why_removed == {"face_px >= 300": 2}
    assert found.why_added == {"face_px < 400": 2}
    assert [line.split("  ") for line in lines(found)] == [
        ["+ s4/000000-005000/t0", "face_px < 400 (face_px is 400.0)"],
        ["+ s5/000000-005000/t0", "face_px < 400 (face_px is 500.0)"],
        ["- s1/000000-005000/t0", "face_px >= 300 (face_px is 100.0)"],
        ["- s2/000000-005000/t0", "face_px >= 300 (face_px is 200.0)"],
    ]
    assert json.loads(as_json(found))["removed"] == 2


def test_a_condition_may_name_the_clip_and_its_source(tmp_path: Path):
    manifest = corpus_of(tmp_path, rows(3))
    select(manifest, "face_px >= 0", "all")
    select(manifest, "source_id != 's0' and clip_id not like 's1/%'", "some")
    found = differ(Side.of(f"{tmp_path}/@all"), Side.of(f"{tmp_path}/@some"), 5)
    assert found.removed == 2
    assert found.why_removed == {"source_id != 's0'": 1, "clip_id !~~ 's1/%'": 1}


def test_two_corpora_differ_by_values_and_by_what_was_dropped(tmp_path: Path):
    corpus_of(tmp_path / "a", rows(5))
    changed = rows(3, quality=2.5)
    gone, without = clip("s3"), source("s3")
    drops = [
        Dropped(
            "s3", f"{gone.clip_id}@PlanClips", gone.clip_id, "clips", "PlanClips", "face_small", "90 px", False, False
        )
    ]
    corpus_of(tmp_path / "b", [*changed, without, *drops])
    found = differ(Side.of(str(tmp_path / "a")), Side.of(str(tmp_path / "b")), 1)
    assert (found.both, found.added, found.removed, found.changed) == (3, 0, 2, 3)
    assert found.columns == {"dnsmos_ovrl": 3}
    assert found.why_removed == {"PlanClips: face_small": 1, "its source is not in the corpus": 1}
    assert list(lines(found)) == [
        f"- {gone.clip_id}  PlanClips: face_small (90 px)",
        "~ s0/000000-005000/t0  dnsmos_ovrl: 3.0 -> 2.5",
    ]


def test_what_is_equal_differs_in_nothing(tmp_path: Path):
    corpus_of(tmp_path / "a", rows(3))
    corpus_of(tmp_path / "b", rows(3)[::-1])
    found = differ(Side.of(str(tmp_path / "a")), Side.of(str(tmp_path / "b")), 5)
    assert (found.both, found.added, found.removed, found.changed, found.changes) == (3, 0, 0, 0, [])


def test_the_command_line_tells_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    manifest = corpus_of(tmp_path, rows(4))
    select(manifest, "face_px >= 200", "hq")
    assert main(["diff", str(tmp_path), f"{tmp_path}/@hq", "--most", "1"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "2 clips in both, 0 added, 2 removed, 0 changed",
        "  2 removed: face_px >= 200",
        "- s0/000000-005000/t0  face_px >= 200 (face_px is 0.0)",
    ]
    with pytest.raises(UsageError, match="no selection 'lq'"):
        Side.of(f"{tmp_path}/@lq")
