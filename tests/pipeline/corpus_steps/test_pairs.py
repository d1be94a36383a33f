import json
import random
from pathlib import Path

import pytest

from manifests.errors import UsageError
from manifests.manifest import Manifest
from manifests.tables import Clip, Pair, Split
from operators.metrics.references import has_target
from pipeline.corpus_steps.common import all_rows
from pipeline.corpus_steps.pairs import PROTOCOLS, build_pairs, lines_of, make_pairs
from tests.pipeline.scored_corpus import clips_of, made_corpus


def clip(source: str, number: int, speaker: str = "speaker0") -> Clip:
    clip_id = f"{source}/{number:06d}-{number + 1:06d}/t0"
    return Clip(source, clip_id, "", "", speaker, number, number + 1, 0, 0, 1, 1)


CLIPS = [clip(f"s{source}", number) for source in range(6) for number in range(3)]
PERSONS = {one.clip_id: f"person{int(one.source_id[1:]) // 2}" for one in CLIPS}  # two sources of each


def test_every_protocol_keeps_its_rule() -> None:
    pairs = build_pairs(CLIPS, PERSONS, {CLIPS[0].clip_id}, {}, per_clip=2)
    by = {protocol: [pair for pair in pairs if pair.protocol == protocol] for protocol in PROTOCOLS}
    assert {protocol: len(found) for protocol, found in by.items()} == {
        "same_identity": 18, "cross_identity": 36, "audio_driven": 18, "text_driven": 1,
    }  # fmt: skip
    for pair in by["cross_identity"]:
        assert PERSONS[pair.source_clip_id] != PERSONS[pair.driving_clip_id]
        assert not has_target(pair)
    assert all(
        pair.source_clip_id == pair.driving_clip_id and has_target(pair)
        for pair in by["same_identity"] + by["audio_driven"]
    )
    assert not has_target(by["text_driven"][0])
    assert all(pair.source_id == pair.driving_clip_id.partition("/")[0] for pair in pairs)


def test_the_order_does_not_matter_and_the_seed_does() -> None:
    shuffled = random.Random(0).sample(CLIPS, len(CLIPS))
    assert build_pairs(shuffled, PERSONS, set(), {}) == build_pairs(CLIPS, PERSONS, set(), {})
    assert build_pairs(CLIPS, PERSONS, set(), {}, seed=1) != build_pairs(CLIPS, PERSONS, set(), {})


def test_a_clip_more_changes_few_pairs() -> None:
    before = {pair.pair_id for pair in build_pairs(CLIPS[:-1], PERSONS, set(), {}, protocols=("cross_identity",))}
    after = {pair.pair_id for pair in build_pairs(CLIPS, PERSONS, set(), {}, protocols=("cross_identity",))}
    assert len(before - after) <= 4


def test_nobody_of_the_training_share_is_paired() -> None:
    splits = {
        one.clip_id: Split(
            one.source_id,
            f"{one.clip_id}/x",
            one.clip_id,
            "test" if one.source_id >= "s2" else "train",
            PERSONS[one.clip_id],
        )
        for one in CLIPS
    }
    pairs = build_pairs(CLIPS, PERSONS, set(), splits)
    named = {PERSONS[clip_id] for pair in pairs for clip_id in (pair.source_clip_id, pair.driving_clip_id)}
    assert named == {"person1", "person2"}
    assert {pair.split for pair in pairs} == {"test"}
    assert build_pairs(CLIPS, PERSONS, set(), splits, split="validation") == []


def test_the_table_is_the_whole_corpus_s(tmp_path: Path) -> None:
    manifest = made_corpus(tmp_path)
    pairs = make_pairs(manifest, protocols=["cross_identity"])
    step = manifest.whole(Pair)
    assert step is not None
    assert Manifest(manifest.root).read_whole(Pair, step) == pairs
    assert len(pairs) == len(clips_of(manifest))
    assert make_pairs(manifest, protocols=["cross_identity"]) == pairs
    assert manifest.whole(Pair) == step
    with pytest.raises(UsageError, match="cross_identity"):
        make_pairs(manifest, protocols=["cross"])


def test_pairs_of_other_protocols_stay_where_their_clips_do(tmp_path: Path) -> None:
    manifest = made_corpus(tmp_path)
    across, same = (make_pairs(manifest, protocols=[protocol]) for protocol in ("cross_identity", "same_identity"))
    assert {pair.pair_id for pair in all_rows(manifest, Pair)} == {pair.pair_id for pair in across + same}
    clips = [clip.clip_id for clip in clips_of(manifest)]
    shares = [Split(clip.partition("/")[0], f"{clip}/x", clip, "train", "x") for clip in clips[:1]]
    shares += [Split(clip.partition("/")[0], f"{clip}/x", clip, "test", "x") for clip in clips[1:]]
    manifest.write_whole(Split, "Splits-1", shares)
    made = make_pairs(manifest, protocols=["same_identity"])
    assert {pair.pair_id for pair in all_rows(manifest, Pair)} == {pair.pair_id for pair in made}, (
        "those across identities are of no split"
    )
    assert len(made) == len(clips) - 1


def test_a_release_names_the_pairs_whose_clips_it_holds(tmp_path: Path) -> None:
    manifest = made_corpus(tmp_path)
    clips = [clip.clip_id for clip in clips_of(manifest)]
    assert lines_of(manifest, clips) == b""
    pairs = make_pairs(manifest)
    assert [json.loads(line)["pair_id"] for line in lines_of(manifest, clips).splitlines()] == [
        pair.pair_id for pair in pairs
    ]
    held = [json.loads(line) for line in lines_of(manifest, clips[:2]).splitlines()]
    assert held
    assert {clip for row in held for clip in (row["source_clip_id"], row["driving_clip_id"])} == set(clips[:2])


def test_a_corpus_without_clips_says_so(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="holds no clips"):
        make_pairs(Manifest(str(tmp_path)))
