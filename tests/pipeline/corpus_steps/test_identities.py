"""Who is who in made corpora, whatever order their sources come in."""

import random
import zlib
from pathlib import Path

import numpy as np
import pytest

from manifests.errors import UsageError
from manifests.ledger import Receipt
from manifests.manifest import LISTED, Manifest, RunRecord, StepRecord
from manifests.tables import FaceEmbedding, Identity, Row, Source, Track
from operators.identities import Member, members_of
from pipeline.commands.identities import main
from pipeline.corpus_steps.identities import FindIdentities, find_identities
from pipeline.corpus_steps.splits import split_clips
from pipeline.query.clip_view import select_rows as rows_of
from tests.pipeline.made_corpus import clip, corpus_of, source

PEOPLE = np.linalg.qr(np.random.default_rng(5).normal(size=(512, 6)))[0].T  # who have nothing in common
STEP_S = 0.5


def views(who: int, count: int, seed: int) -> np.ndarray:
    """(count, 512): looks at a person, pairs of which have a cosine of about 0.7."""
    made = PEOPLE[who] + np.random.default_rng(seed).normal(0, 0.029, (count, 512))
    return made / np.linalg.norm(made, axis=1, keepdims=True)


def track(source_id: str, number: int, start_s: float = 0.0, end_s: float = 5.0) -> Track:
    """A face 100 px wide in a column of its own."""
    times_s = np.arange(start_s, end_s - 1e-6, STEP_S).tolist()
    looks = len(times_s)
    shot = f"{source_id}/{round(start_s * 1000):06d}-{round(end_s * 1000):06d}"
    left = 200.0 * number
    return Track(
        source_id, f"{shot}/t{number}", shot, start_s, end_s, times_s,
        [left] * looks, [50.0] * looks, [left + 100] * looks, [150.0] * looks, [0.9] * looks,
    )  # fmt: skip


def looks(tracks: list[Track], who: dict[str, int], every: int = 2) -> list[FaceEmbedding]:
    """What `EmbedFaces` says of the tracks of one source: who each is, once a second."""
    rows = []
    for at_s in sorted({at_s for one in tracks for at_s in one.times_s[::every]}):
        there = [one for one in tracks if at_s in one.times_s]
        found = np.concatenate(
            [views(who[one.track_id], 1, zlib.crc32(f"{one.track_id} {at_s}".encode())) for one in there]
        )
        left, top, right, bottom = (
            [getattr(one, side)[0] for one in there] for side in ("left_px", "top_px", "right_px", "bottom_px")
        )
        place = f"{tracks[0].source_id}/{round(at_s * 1000):06d}"
        rows.append(
            FaceEmbedding(
                tracks[0].source_id, place, at_s, left, top, right, bottom, found.astype("<f2").tobytes(), "made"
            )
        )
    return rows


def films() -> tuple[list[Row], dict[str, int]]:
    """Three sources: who is in which track."""
    a = [track("a", 0, 0, 5), track("a", 1, 0, 5), track("a", 0, 5, 10)]
    b = [track("b", 0, 0, 5), track("b", 1, 0, 5)]
    c = [track("c", 0, 0, 1)]
    who = {one.track_id: person for one, person in zip([*a, *b, *c], [0, 1, 0, 2, 1, 3], strict=True)}
    rows: list[Row] = [Source(name, name, end_s=10.0) for name in "abc"]
    for tracks in (a, b, c):
        rows += [*tracks, *looks(tracks, who)]
    return rows, who


def corpus(root: Path, rows: list[Row], shuffled: int | None = None) -> Manifest:
    """A manifest as a run of two steps would leave it."""
    manifest = Manifest(str(root))
    listed = [row for row in rows if isinstance(row, Source)]
    if shuffled is not None:
        for one in random.Random(shuffled).sample(listed, len(listed)):  # a shard each
            manifest.add([one])
    else:
        manifest.add(listed)
    steps = [("EmbedFaces-made", FaceEmbedding), ("TrackFaces-made", Track)]
    records = [
        StepRecord(version, version, number, "sources", [table.table], [], {"sources": [LISTED]}, {}, [])
        for number, (version, table) in enumerate(steps)
    ]
    manifest.remember(RunRecord("made", records))
    for shard in manifest.shards():
        mine = {one.source_id for one in manifest.read(Source, [LISTED], shard)}
        for version, table in steps:
            manifest.write(
                table, version, shard, [row for row in rows if isinstance(row, table) and row.source_id in mine]
            )
            manifest.commit(version, shard, Receipt("X", inputs={"sources": [LISTED]}))
    return Manifest(str(root))


def test_one_person_is_one_identity_across_shots_and_sources(tmp_path):
    rows, who = films()
    manifest = corpus(tmp_path, rows)
    found = find_identities(manifest)
    named: dict[int, set[str]] = {}
    for row in found:
        named.setdefault(who[row.track_id], set()).add(row.identity_id)
        assert row.member_id == f"{row.track_id}={row.identity_id}"
        assert who[row.identity_id] == who[row.track_id], "an identity is called by a track of its own"
        assert 0.7 < row.cosine <= 1
        assert row.model == "made"
    assert sorted(named) == [0, 1, 2], "one look at a track is too little"
    assert all(len(names) == 1 for names in named.values())
    assert len(set.union(*named.values())) == 3
    assert {row.track_id: row.looks for row in found}["a/000000-005000/t0"] == 5
    query = "select count(distinct source_id) from identities group by identity_id order by 1"
    assert rows_of(Manifest(str(tmp_path)), query).fetchall() == [(1,), (1,), (2,)]


def test_the_order_of_sources_changes_no_row(tmp_path):
    rows, _ = films()
    told = [find_identities(corpus(tmp_path / str(n), rows, n)) for n in range(3)]
    assert told[0] == told[1] == told[2]


def test_it_is_made_anew_when_tracks_are_others(tmp_path):
    rows, _ = films()
    manifest = corpus(tmp_path, rows)
    find_identities(manifest)
    step = manifest.whole(Identity)
    find_identities(manifest)
    assert manifest.whole(Identity) == step
    assert find_identities(manifest, FindIdentities(same=0.99)) != []
    assert manifest.whole(Identity) != step


def test_who_is_to_be_seen_twice_at_once_is_two(tmp_path):
    """A mirror, or twins: they look the same, and one cannot be the other."""
    pair = [track("a", 0), track("a", 1)]
    who = {one.track_id: 0 for one in pair}
    again = track("b", 0)
    members = [*members_of(pair, looks(pair, who)), *members_of([again], looks([again], {again.track_id: 0}))]
    found = FindIdentities().decide(members)
    assert len({row.identity_id for row in found}) == 2
    assert len({row.identity_id for row in FindIdentities(together_s=9.0).decide(members)}) == 1


def test_networks_are_not_mixed():
    one, other = (
        Member(name, f"{name}/t0", 0.0, 5.0, views(0, 4, 1).sum(axis=0), 4, model)
        for name, model in (("a", "faceplugin"), ("b", "arcface"))
    )
    assert len({row.identity_id for row in FindIdentities().decide([one, other])}) == 2


def test_a_look_belongs_to_the_box_it_lies_on():
    one = track("a", 0)
    (row,) = looks([one], {one.track_id: 0}, every=99)
    aside = FaceEmbedding(**{**vars(row), "left_px": [90.0], "right_px": [190.0]})
    hidden = Track(**{**vars(one), "confidence": [0.0] * len(one.times_s)})
    assert [member.looks for member in members_of([one], [row])] == [1]
    assert members_of([one], [aside]) == []
    assert members_of([hidden], [row]) == [], "where the face is hidden its box is interpolated"
    assert members_of([one], [FaceEmbedding(**{**vars(row), "pts_s": 9.0})]) == []


def test_many_tracks_of_many_people():
    """300 tracks of 60 people, each group found whole."""
    rng = np.random.default_rng(8)
    people = np.linalg.qr(rng.normal(size=(512, 60)))[0].T
    members, who = [], {}
    for number in range(300):
        seen = people[number % 60] + rng.normal(0, 0.02, (4, 512))
        name = f"s{number:03d}/000000-005000/t0"
        who[name] = number % 60
        members.append(Member(name[:4], name, 0.0, 5.0, seen.sum(axis=0), 4, "made"))
    found = FindIdentities().decide(members)
    assert len(found) == 300
    assert len({row.identity_id for row in found}) == 60
    assert all(who[row.identity_id] == who[row.track_id] for row in found)


def test_says_what_to_run_where_there_are_no_appearances(tmp_path):
    rows, _ = films()
    manifest = corpus(tmp_path, [row for row in rows if not isinstance(row, FaceEmbedding)])
    with pytest.raises(UsageError, match=r"holds no face embeddings.*EmbedFaces\.network=dlib_resnet"):
        find_identities(manifest)


def test_the_command_names_the_people_and_how_to_get_their_clips(tmp_path, capsys):
    import argparse

    rows, _ = films()
    corpus(tmp_path, rows)
    assert main(argparse.Namespace(corpus=str(tmp_path), wait=False, json=False)) == 0
    told = " ".join(capsys.readouterr().out.split())
    assert "5 tracks show 3 people, 1 of them in several sources; of 1 tracks too little was seen." in told
    assert "from identities join clips using (track_id)" in told


def test_a_split_keeps_a_person_together(tmp_path):
    """Two sources that share nothing but a face are in one split."""
    names = [f"s{number}" for number in range(12)]
    rows: list[Row] = [row for name in names for row in (source(name), clip(name))]
    manifest = corpus_of(tmp_path, rows)

    def groups() -> dict[str, str]:
        split_clips(manifest, (0.4, 0.3, 0.3))
        found = rows_of(Manifest(str(tmp_path)), "select source_id, group_id from splits").fetchall()
        return dict(found)

    before = groups()
    assert len(set(before.values())) == 12
    person = "s3/000000-005000/t0"
    found = [Identity(name, f"{name}/x={person}", person, f"{name}/x", 0.9, 4, "made") for name in ("s3", "s7")]
    manifest.write_whole(Identity, "FindIdentities-made", found)
    after = groups()
    assert after["s3"] == after["s7"] in (before["s3"], before["s7"])
    assert {name: key for name, key in after.items() if name not in ("s3", "s7")} == {
        name: key for name, key in before.items() if name not in ("s3", "s7")
    }
