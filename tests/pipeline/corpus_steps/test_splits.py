"""Splits that share nobody and nothing, and stay where they are."""

import hashlib
import random
from collections import Counter, defaultdict
from pathlib import Path

import pytest

from manifests.errors import UsageError
from manifests.manifest import Manifest
from manifests.tables import Annotation, Duplicate, Identity, Published, Split
from pipeline.corpus_steps.splits import SPLITS, groups_of, shared_out, split_clips, split_of
from pipeline.query.clip_view import select_rows as rows_of
from pipeline.query.selection import select
from tests.pipeline.made_corpus import clip, corpus_of, score, source

SHARES = (0.6, 0.2, 0.2)


def links(seed: int, sources: int = 400) -> list[tuple[str, str, str]]:
    """Channels of some sources, identities of some, and some copies."""
    pick = random.Random(seed)
    found = []
    for number in range(sources):
        if pick.random() < 0.5:
            found.append((f"s{number}", "channel", f"c{pick.randrange(sources)}"))
        if pick.random() < 0.4:
            found.append((f"s{number}", "identity", f"p{pick.randrange(sources)}"))
        if pick.random() < 0.1:
            found.append((f"s{number}", "source", f"s{pick.randrange(sources)}"))
    return found


def test_groups_are_the_connected_components():
    import networkx

    sources, joined = [f"s{number}" for number in range(400)], links(1)
    graph = networkx.Graph()
    graph.add_nodes_from(f"source:{one}" for one in sources)
    graph.add_edges_from((f"source:{one}", f"{kind}:{name}") for one, kind, name in joined)
    groups = defaultdict(set)
    for one, key in groups_of(sources, joined).items():
        groups[key].add(f"source:{one}")
    components = [
        {node for node in component if node.startswith("source:")} for component in networkx.connected_components(graph)
    ]
    assert sorted(map(sorted, groups.values())) == sorted(map(sorted, components))
    assert 50 < len(groups) < 400


def test_order_does_not_matter():
    sources, joined = [f"s{number}" for number in range(400)], links(2)
    again = groups_of(sources[::-1], random.Random(3).sample(joined, len(joined)))
    assert again == groups_of(sources, joined)


def test_a_channel_keeps_its_group_in_place_whichever_of_its_sources_disappears():
    sources = [f"s{number}" for number in range(40)]
    joined = [(one, "channel", "news") for one in sources]
    for gone in sources:
        left = [one for one in sources if one != gone]
        assert set(groups_of(left, [link for link in joined if link[0] != gone]).values()) == {"channel:news"}


def test_what_disappears_moves_only_what_it_held_together_or_gave_its_name():
    sources, joined = [f"s{number}" for number in range(400)], links(4)
    before = groups_of(sources, joined)
    pick = random.Random(5)
    left = [one for one in sources if pick.random() < 0.8]
    after = groups_of(left, [link for link in joined if link[0] in left])
    for key in set(after.values()):
        members = {one for one in left if after[one] == key}
        if (former := {before[one] for one in members}) != {key}:
            (name,) = former  # a group never gets members of another one by losing some
            whole = {one for one in sources if before[one] == name}
            assert whole - members  # something of it is gone, or fell off when what joined it went
    moved = sum(split_of(before[one], SHARES) != split_of(after[one], SHARES) for one in left)
    assert 0 < moved < 0.1 * len(left)


def test_a_new_source_moves_no_other_group():
    sources, joined = [f"s{number}" for number in range(400)], links(6)
    before = groups_of(sources, joined)
    after = groups_of([*sources, "new"], [*joined, ("new", "channel", "a new channel")])
    assert {one: key for one, key in after.items() if one != "new"} == before


def test_when_two_groups_merge_one_of_them_stays_and_no_third_one_moves():
    sources, joined = [f"s{number}" for number in range(400)], links(7)
    before = groups_of(sources, joined)
    first, second = sorted(set(before.values()))[:2]
    bridge = next(one for one in sources if before[one] == first), next(one for one in sources if before[one] == second)
    after = groups_of(
        sources,
        [*joined, (bridge[0], "identity", "both"), (bridge[1], "identity", "both"), (bridge[0], "source", bridge[1])],
    )
    merged = {after[one] for one in sources if before[one] in (first, second)}
    assert len(merged) == 1
    plain = groups_of(sources, [*joined, (bridge[0], "source", bridge[1])])
    assert {plain[one] for one in sources if before[one] in (first, second)} <= {first, second}
    assert all(plain[one] == before[one] for one in sources if before[one] not in (first, second))


def test_larger_shares_for_test_and_validation_only_take_from_training():
    keys = [f"channel:c{number}" for number in range(2000)]
    small = {key: split_of(key, (0.9, 0.05, 0.05)) for key in keys}
    large = {key: split_of(key, (0.6, 0.2, 0.2)) for key in keys}
    assert all(large[key] == split for key, split in small.items() if split != "train")
    for shares, found in (((0.9, 0.05, 0.05), small), ((0.6, 0.2, 0.2), large)):
        for name, share in zip(("train", "validation", "test"), shares, strict=True):
            assert sum(split == name for split in found.values()) / 2000 == pytest.approx(
                share, abs=4 * (share * (1 - share) / 2000) ** 0.5
            )


@pytest.mark.slow
def test_each_share_is_that_of_its_own_split(tmp_path: Path):
    """Three shares that differ, and each that is nothing: told by the name that the table holds."""
    keys = [f"channel:c{number}" for number in range(2000)]
    sizes = Counter(split_of(key, (0.6, 0.3, 0.1)) for key in keys)
    assert [sizes[name] / 2000 for name in ("train", "validation", "test")] == pytest.approx([0.6, 0.3, 0.1], abs=0.05)
    for number, (shares, names) in enumerate(
        [
            ((0.5, 0.5, 0.0), {"train", "validation"}),
            ((0.5, 0.0, 0.5), {"train", "test"}),
            ((0.0, 1.0, 0.0), {"validation"}),
        ]
    ):
        assert split_clips(corpus(tmp_path / str(number)), shares).clips.keys() == names
        assert {row["split"] for row in Manifest(str(tmp_path / str(number))).table(Split).to_pylist()} == names


def test_a_face_that_was_recognised_holds_sources_together_and_names_no_group():
    found = groups_of(["s1", "s2", "s3"], [("s1", "face", "f"), ("s2", "face", "f"), ("s3", "face", "g")])
    assert found["s1"] == found["s2"] != found["s3"]
    assert {key.partition(":")[0] for key in found.values()} == {"source"}


def corpus(root: Path, backwards: bool = False) -> Manifest:
    rows = []
    for number in range(30):
        one, other = clip(f"s{number:02d}"), clip(f"s{number:02d}", 10.0, 12.0)
        rows += [
            source(one.source_id, channel=f"c{number // 3}" if number < 15 else ""),
            one,
            other,
            score(one, "face_width_px", float(number)),
        ]
    rows.append(Annotation("s20", "1", "s20/000000-005000/t0", "identity", "Ada", "list"))
    rows.append(Annotation("s21", "2", "s21/000000-005000/t0", "identity", "Ada", "list"))
    for one in ("s22", "s23"):
        rows.append(
            Published(
                one,
                f"l/{one}",
                "l",
                one,
                0.0,
                1.0,
                None,
                None,
                0.0,
                None,
                0.0,
                0.0,
                1.0,
                1.0,
                1.0,
                1.0,
                "",
                "id00012",
                "",
            )
        )
    manifest = corpus_of(root, rows[::-1] if backwards else rows)
    manifest.write_whole(Duplicate, "made", [Duplicate("s24", "s24=s25", "s25", 5.0, 0.0, 1.0, 0.0)])
    return Manifest(str(root))


def test_no_two_splits_share_a_source_a_channel_an_identity_or_a_copy(tmp_path: Path):
    manifest = corpus(tmp_path)
    told = split_clips(manifest, (0.4, 0.3, 0.3))
    assert sum(told.clips.values()) == 60
    assert len(told.clips) == 3
    rows = rows_of(Manifest(str(tmp_path)), "select source_id, channel, split, group_id from wide").fetchall()
    assert len(rows) == 60
    of: dict[str, set[str]] = defaultdict(set)
    for source_id, channel, split, _ in rows:
        of[source_id].add(split)
        of[channel or source_id].add(split)
    assert all(len(splits) == 1 for splits in of.values())
    group = {source_id: key for source_id, _, _, key in rows}
    assert (
        (group["s20"], group["s22"])
        == (group["s21"], group["s23"])
        == tuple(f"identity:{hashlib.sha256(name).hexdigest()[:12]}" for name in (b"Ada", b"l/id00012"))
    )
    assert group["s24"] == group["s25"]
    assert group["s00"] == "channel:c0"


def test_the_splits_are_equal_bytes_whoever_made_the_corpus(tmp_path: Path):
    for name, backwards in (("a", False), ("b", True)):
        split_clips(corpus(tmp_path / name, backwards), SHARES)
    files = [sorted((tmp_path / name).glob("splits/*/*.parquet")) for name in "ab"]
    assert [path.parent.name for path in files[0]] == [path.parent.name for path in files[1]]
    assert [path.read_bytes() for path in files[0]] == [path.read_bytes() for path in files[1]]


def test_a_clip_is_in_the_same_split_in_every_selection(tmp_path: Path):
    manifest = corpus(tmp_path)
    split_clips(manifest, SHARES)
    whole = {row["clip_id"]: row["split"] for row in Manifest(str(tmp_path)).table(Split).to_pylist()}
    chosen, _ = select(manifest, "face_px >= 21", "hq")
    split_clips(manifest, SHARES, chosen)
    part = {row["clip_id"]: row["split"] for row in Manifest(str(tmp_path)).table(Split).to_pylist()}
    assert len(part) == chosen.clips == 9
    assert part.items() <= whole.items()


def test_shares_that_are_none_are_refused(tmp_path: Path):
    with pytest.raises(UsageError, match="name three from 0 to 1 that make 1"):
        split_clips(corpus(tmp_path), (0.9, 0.1, 0.1))


def test_sources_that_show_one_recognised_face_are_in_one_split(tmp_path: Path):
    """Without a name, a channel or a copy in common: only `headset identities` has seen that they show one person."""
    names = [f"s{number}" for number in range(40)]
    manifest = corpus_of(tmp_path, [row for name in names for row in (source(name), clip(name))])
    shown = [
        Identity(name, f"{name}/t0=p{number // 4}", f"p{number // 4}", f"{name}/t0", 0.9, 5, "network")
        for number, name in enumerate(names)
    ]
    manifest.write_whole(Identity, "Identities-made", shown)
    split_clips(Manifest(str(tmp_path)), SHARES)
    found = {
        row["source_id"]: (row["split"], row["group_id"]) for row in Manifest(str(tmp_path)).table(Split).to_pylist()
    }
    for person in range(10):
        assert len({found[name] for name in names[4 * person : 4 * person + 4]}) == 1
    assert len({group for _, group in found.values()}) == 10
    assert len({split for split, _ in found.values()}) > 1
    assert not any("p" in group.partition(":")[2] for _, group in found.values()), (
        "a recognised face never gives the name"
    )


def test_validation_and_test_have_the_shares_that_are_given_for_them():
    keys = [f"source:{number}" for number in range(20000)]
    shares = (0.7, 0.2, 0.1)
    found = [split_of(key, shares) for key in keys]
    for name, share in zip(("train", "validation", "test"), shares, strict=True):
        assert found.count(name) / len(keys) == pytest.approx(share, abs=0.015)
    assert {split_of(key, (0.0, 1.0, 0.0)) for key in keys[:100]} == {"validation"}
    assert {split_of(key, (0.0, 0.0, 1.0)) for key in keys[:100]} == {"test"}


@pytest.mark.parametrize("groups", [1, 2, 3, 4, 40])
@pytest.mark.parametrize("shares", [(0.9, 0.05, 0.05), (1.0, 0.0, 0.0), (0.5, 0.0, 0.5), (0.0, 0.5, 0.5)])
def test_a_small_corpus_has_every_share_that_is_asked_for(groups: int, shares: tuple[float, float, float]) -> None:
    asked = [name for name, share in zip(SPLITS, shares, strict=True) if share]
    for seed in range(20):
        keys = [f"source:{seed}-{number}" for number in range(groups)]
        found = shared_out(keys, shares)
        assert set(found.values()) <= set(asked)
        assert len(set(found.values())) == min(groups, len(asked))
        assert shared_out(reversed(keys), shares) == found


def test_a_large_corpus_is_split_by_the_hash_alone() -> None:
    keys = [f"source:{number}" for number in range(2000)]
    assert shared_out(keys, (0.9, 0.05, 0.05)) == {key: split_of(key, (0.9, 0.05, 0.05)) for key in keys}
