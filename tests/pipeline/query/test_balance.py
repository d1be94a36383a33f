"""What became of every second, by group: a corpus whose sums are known, and chance that must not be told as a cost."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from manifests.errors import UsageError
from manifests.ledger import Receipt, ended
from manifests.manifest import LISTED, Manifest, RunRecord, StepRecord
from manifests.tables import Annotation, Clip, Dropped, Face, Published, Row, Score, Shot, Source, Track
from pipeline.query.balance import MEASURED, Balance, Groups, _summed, balance, skin_class
from pipeline.query.fates import KEPT, Fate, Span
from tests.pipeline.made_corpus import clip, source

# By operator: what it reads, what it writes, whether it refines that.
STEPS = {"DetectShots": ("sources", Shot, False), "DetectFaces": ("sources", Face, False),
         "TrackFaces": ("shots", Track, False), "PlanClips": ("shots", Clip, False),
         "PlacePublished": ("published", Clip, False), "Annotate": ("clips", Annotation, False),
         "ScoreClips": ("clips", Score, False),
         "KeepClips": ("clips", Clip, True)}  # fmt: skip


def made(
    root: Path,
    sources: Sequence[Source],
    wrote: dict[str, list[Row]],
    drops: Sequence[Dropped],
    given: Sequence[Row] = (),
) -> Manifest:
    """A corpus as a run leaves it, of the operators that are named: the rows of each."""
    manifest = Manifest(str(root))
    manifest.add(sources, given=given)
    where: dict[str, list[str]] = {"sources": [LISTED], "published": [LISTED]}
    records = []
    for number, (name, (reads, table, refines)) in enumerate((name, STEPS[name]) for name in wrote):
        writes = [table.table]
        records.append(StepRecord(name, f"{name}-made", number, reads, writes, writes if refines else [],
                                  {reads: where[reads]}, {}, []))  # fmt: skip
        where[table.table] = [f"{name}-made"]
    manifest.remember(RunRecord("made", records))
    for shard in manifest.shards():
        mine = {row.source_id for row in manifest.read(Source, [LISTED], shard)}
        for record in records:
            table = STEPS[record.operator][1]
            rows = [row for row in wrote[record.operator] if row.source_id in mine]
            gone = [one for one in drops if one.operator == record.operator and one.source_id in mine]
            read = mine if record.reads == "sources" else {one.subject for one in gone}
            calls, given_up = ended(gone, record.reads, read)
            receipt = Receipt(record.operator, calls, {table.table: len(rows)}, len(gone), given_up,
                              Counter(one.reason for one in gone), record.reads, record.inputs)  # fmt: skip
            manifest.finish(record.version, shard, {table: rows}, gone, receipt)
    return Manifest(str(root))


def shot(of: str, start_s: float, end_s: float) -> Shot:
    return Shot(of, f"{of}/{round(start_s * 1000):06d}-{round(end_s * 1000):06d}", start_s, end_s)


def face_of(where: Shot, name: str, end_s: float, wide: float, left: float = 10.0) -> Track:
    times = [where.start_s, where.start_s + 1.0, where.start_s + 2.0]
    right = [left + wide, left + 10 * wide, left + 10 * wide]
    return Track(where.source_id, f"{where.shot_id}/{name}", where.shot_id, where.start_s, end_s, times, [left] * 3,
                 [20.0] * 3, right, [20 + wide] * 3, [1.0, 0.0, 0.0])  # fmt: skip


def drop(of: str, subject: str, table: str, operator: str, reason: str) -> Dropped:
    return Dropped(of, f"{subject}@{operator}", subject, table, operator, reason, "", False, False)


@pytest.fixture
def corpus(tmp_path: Path) -> Manifest:
    """Two films of a minute. In `a`, a large face of 20 s: 8 s kept, 4 s too quiet, 4 s of two voices of which 3 s lie
    in those; and a small one of 10 s that never speaks. A shot of 40 s without a face. In `b`, a shot with a face of
    30 s in which nobody is heard, and a moment's face.
    """
    one, two, other = shot("a", 0, 20), shot("a", 20, 60), shot("b", 0, 60)
    large, small, third = face_of(one, "t0", 20, 200), face_of(one, "t1", 10, 70, 400), face_of(other, "t0", 30, 70)
    kept, quiet = (clip("a", *at, shot_id=one.shot_id, track_id=large.track_id) for at in ((0.0, 8.0), (8.0, 12.0)))
    seen = [
        Face("a", "a/000000", 0.0, [400.0, 10.5], [20.0, 20.0], [470.0, 210.0], [90.0, 220.0], [1, 1], [-50.0, -20.0])
    ]
    wrote: dict[str, list[Row]] = {
        "DetectShots": [one, two, other], "DetectFaces": [*seen], "TrackFaces": [large, small, third],
        "PlanClips": [kept, quiet],
        "Annotate": [Annotation("a", f"{it.clip_id}#gender", it.clip_id, "gender", said, "list")
                     for it, said in ((kept, "female"), (quiet, "male"))],
        "ScoreClips": [Score("a", f"{kept.clip_id}#s", kept.clip_id, "skin_ita_deg", "mesh", 30.0)],
        "KeepClips": [kept],
    }  # fmt: skip
    lost = [
        drop("a", two.shot_id, "shots", "TrackFaces", "no_face"),
        drop("a", two.shot_id, "shots", "PlanClips", "no_face"),
        drop("a", "a/009000-013000/t0", "clips", "PlanClips", "two_voices"),
        drop("b", other.shot_id, "shots", "PlanClips", "no_speech"),
        drop("b", f"{other.shot_id}/t1", "tracks", "TrackFaces", "track_too_short"),
        drop("a", quiet.clip_id, "clips", "KeepClips", "dnsmos_ovrl_low"),
        drop("a", quiet.clip_id, "clips", "ScoreClips", "mouth_still"),  # a score that is missing takes nothing away
    ]  # fmt: skip
    films = [replace(source(name), language=said) for name, said in (("a", "en-US"), ("b", "hi"))]
    return made(tmp_path / "corpus", films, wrote, lost)


def of(found: Balance, name: str) -> Groups:
    return next(one for one in found.by if one.grouping.name == name)


def test_every_second_has_one_fate(corpus: Manifest) -> None:
    found = balance(corpus)
    assert (found.seconds, found.kept_seconds) == (20 + 10 + 40 + 30, 8)
    english, hindi = of(found, "language").groups
    assert (english.name, english.seconds, english.sources, english.faces, english.clips) == ("en", 70, 1, 2, 1)
    assert english.dropped == {
        "TrackFaces: no_face": 40.0, "PlanClips: not_proposed": 7 + 10.0, "KeepClips: dnsmos_ovrl_low": 4.0,
        "PlanClips: two_voices": 1.0,
    }  # fmt: skip
    assert hindi.dropped == {"PlanClips: no_speech": 30.0}
    assert hindi.faces == 2  # the moment's face has no length, and is counted
    for groups in found.by:
        assert sum(group.seconds for group in groups.groups) == found.seconds
        assert all(group.kept_seconds + sum(group.dropped.values()) == group.seconds for group in groups.groups)


def test_a_face_that_was_given_up_early_counts_by_its_own_size_and_pose(corpus: Manifest) -> None:
    found = balance(corpus)
    sizes = {group.name: group for group in of(found, "face_px").groups}
    # The looks in which it was not seen are 700 px wide, and do not count.
    assert [*sizes] == ["64 to 96 px", "192 to 256 px", "not measured"]
    assert (sizes["64 to 96 px"].seconds, sizes["64 to 96 px"].kept_seconds) == (40, 0)
    assert (sizes["192 to 256 px"].seconds, sizes["192 to 256 px"].kept_share) == (20, 0.4)
    assert sizes["not measured"].seconds == 40
    turned = {group.name: group.seconds for group in of(found, "yaw").groups}
    assert turned == {"15 to 30 deg": 20, "45 to 60 deg": 10, "not measured": 70}


def test_what_was_said_and_measured_of_clips_groups_them_alone(corpus: Manifest) -> None:
    found = balance(corpus)
    said = {group.name: (group.seconds, group.kept_seconds) for group in of(found, "gender").groups}
    assert said == {"female": (8, 8), "male": (4, 0), "not annotated": (88, 0)}
    tones = {group.name: group.seconds for group in of(found, "skin_tone").groups}
    assert tones == {"intermediate": 8, "not measured": 92}
    assert [one.grouping.name for one in balance(corpus, ["gender"]).by] == ["gender"]
    assert "height" not in {one.grouping.name for one in found.by}  # all are of one
    with pytest.raises(UsageError, match="no grouping 'sex'; there are language"):
        balance(corpus, ["sex"])


def test_a_shard_that_is_not_done_is_not_counted(corpus: Manifest) -> None:
    shard = next(one for one in corpus.shards() if corpus.read(Source, [LISTED], one)[0].source_id == "a")
    corpus.forget("KeepClips-made", shard)
    found = balance(Manifest(corpus.root))
    assert (found.shards, found.shards_done, found.seconds) == (2, 1, 30)


def listed(of: str, name: str, start_s: float, end_s: float) -> Published:
    box = (0.0, 0.0, 1.0, 1.0, 1.0, 1.0)
    return Published(of, f"set/{name}", "set", name, start_s, end_s, None, None, 0.0, None, *box, "", "", "")


def test_of_a_published_list_its_clips_came_in(tmp_path: Path) -> None:
    rows = [listed("a", "one", 0, 5), listed("a", "two", 10, 14), listed("b", "three", 0, 3)]
    clips = [clip("a", 0, 5, published_id="set/one"), clip("a", 10, 14, published_id="set/two")]
    said = [Annotation(row.source_id, f"{row.row_id}#age", row.row_id, "age", "young", "list") for row in rows[1:]]
    wrote: dict[str, list[Row]] = {"PlacePublished": [*clips], "Annotate": [*said], "KeepClips": [clips[0]]}
    lost = [drop("b", "set/three", "published", "PlacePublished", "source_gone"),
            drop("a", clips[1].clip_id, "clips", "KeepClips", "psnr_low")]  # fmt: skip
    found = balance(made(tmp_path / "corpus", [source("a"), source("b")], wrote, lost, given=rows))
    assert (found.seconds, found.kept_seconds) == (12, 5)
    young, unknown = of(found, "age").groups
    assert young.dropped == {"KeepClips: psnr_low": 4.0, "PlacePublished: source_gone": 3.0}
    assert (unknown.name, unknown.seconds) == ("not annotated", 5)


def chance(seed: int, times: float = 1.0, sources: int = 30) -> Balance:
    """Sources of three languages, of which each loses a share of its own; `l0` so many times more."""
    rng, found, said = np.random.default_rng(seed), list[Span](), list[str]()
    early, late = Fate((1, 0), "Early", "gone"), Fate((2, 0), "Late", "gone")
    for number in range(sources):
        group, share, all_gone = int(rng.integers(3)), float(rng.beta(1, 8)), bool(rng.random() < 0.15)
        for _ in range(int(rng.integers(2, 8))):
            lost = late if rng.random() < share * (times if group == 0 else 1) else KEPT
            found.append(Span(Source(f"s{number}", ""), float(rng.lognormal(2, 0.8)), early if all_gone else lost))
            said.append(f"l{group}")
    return _summed(found, {MEASURED[0]: said}, 1, 1)


def test_chance_is_not_told_as_a_cost() -> None:
    reports = [chance(seed) for seed in range(40)]
    assert all(report.comparisons for report in reports)
    assert sum(any(cost.is_sure for cost in report.costs) for report in reports) <= 4  # 1 in 20 is promised at most


def test_a_filter_that_costs_one_group_more_is_told() -> None:
    cost = chance(1, times=8, sources=90).costs[0]
    assert (cost.is_sure, cost.operator, cost.grouping, cost.group) == (True, "Late", "language", "l0")
    assert cost.low < cost.times < cost.high
    assert cost.share > 3 * cost.others


@pytest.mark.parametrize(
    ("ita_deg", "name"),
    [(56, "very light"), (55, "light"), (41, "intermediate"), (28, "tan"), (10, "brown"), (-30, "dark"), (np.nan, "")],
)
def test_classes_are_those_of_del_bino(ita_deg: float, name: str) -> None:
    assert skin_class(ita_deg) == name
