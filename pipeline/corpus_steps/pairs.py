"""Which clip drives which: what generation systems are given, as rows, so that two systems are given the same."""

import hashlib
import json
from collections.abc import Collection, Sequence
from dataclasses import asdict

from manifests.errors import UsageError
from manifests.manifest import Manifest
from manifests.tables import TEXT_DRIVEN, Annotation, Clip, Pair, Published, Split, Word
from pipeline.corpus_steps.common import all_rows, step_named

PROTOCOLS = ("same_identity", "cross_identity", "audio_driven", TEXT_DRIVEN)
TRANSCRIPT = "transcript"  # the annotation that says what is said in a clip


def build_pairs(
    clips: Sequence[Clip],
    identities: dict[str, str],
    transcribed: set[str],
    splits: dict[str, Split],
    *,
    protocols: Sequence[str] = PROTOCOLS,
    split: str = "test",
    per_clip: int = 1,
    seed: int = 0,
) -> list[Pair]:
    """Pairs of clips, sorted by id. They depend on the seed and the ids of the clips alone, never on their order.

    - `same_identity`: every clip drives its own first frame, as papers measure reconstruction.
    - `cross_identity`: every clip drives `per_clip` others of other persons and other sources, which of them by the
      hash of seed and ids. A clip that has none is left out.
    - `audio_driven`: the sound of every clip drives its own first frame.
    - `text_driven`: its words do, for the clips of `transcribed`.

    Args:
        identities: who is seen in each clip.
        splits: by clip; where there are any, only clips of `split` are paired, so that nobody of the training share is
            among them.
    """
    if splits:
        clips = [clip for clip in clips if clip.clip_id in splits and splits[clip.clip_id].split == split]
    found = []
    for driving in clips:
        group = splits[driving.clip_id].group_id if splits else ""
        for protocol in protocols:
            if protocol == "cross_identity":
                others = [
                    other
                    for other in clips
                    if other.source_id != driving.source_id
                    and identities[other.clip_id] != identities[driving.clip_id]
                    and (not splits or splits[other.clip_id].group_id != group)
                ]
                others.sort(key=lambda other: (_rank(seed, driving.clip_id, other.clip_id), other.clip_id))
                sources = others[:per_clip]
            else:
                sources = [driving] if protocol != TEXT_DRIVEN or driving.clip_id in transcribed else []
            for source in sources:
                pair_id = f"{protocol}/{source.clip_id}/{driving.clip_id}"
                found.append(
                    Pair(driving.source_id, pair_id, protocol, source.clip_id, driving.clip_id, split if splits else "")
                )
    return sorted(found, key=lambda pair: pair.pair_id)


def make_pairs(
    manifest: Manifest, *, protocols: Sequence[str] = PROTOCOLS, split: str = "test", per_clip: int = 1, seed: int = 0
) -> list[Pair]:
    """Makes the pairs of some protocols and returns them. Those of other protocols stay where their clips are there.

    Who is seen in a clip is what its published list says, else the speaker of the source.

    Raises:
        UsageError: for a protocol that is not known, and when no clip is left to pair.
    """
    if unknown := sorted(set(protocols) - set(PROTOCOLS)):
        raise UsageError(f"no protocol {unknown[0]!r}; there are {', '.join(PROTOCOLS)}")
    clips = list(all_rows(manifest, Clip))
    published = {row.published_id: row.identity for row in all_rows(manifest, Published)}
    identities = {
        clip.clip_id: published.get(clip.published_id or "") or f"{clip.source_id}/{clip.speaker}" for clip in clips
    }
    said = {row.subject for row in all_rows(manifest, Annotation) if row.name == TRANSCRIPT}
    said |= {row.subject for row in all_rows(manifest, Word)}
    splits = {row.clip_id: row for row in all_rows(manifest, Split)}
    pairs = build_pairs(clips, identities, said, splits, protocols=protocols, split=split, per_clip=per_clip, seed=seed)
    if not pairs:
        why = f"none of its {len(clips)} clips is in the split {split!r}" if splits else "it holds no clips"
        raise UsageError(f"{manifest.root}: nothing to pair, since {why}")
    others = [
        pair
        for pair in all_rows(manifest, Pair)
        if pair.protocol not in protocols and _holds(pair, identities.keys(), splits)
    ]
    table = sorted(pairs + others, key=lambda pair: pair.pair_id)
    manifest.write_whole(Pair, step_named("Pairs", 2, [(pair.pair_id, pair.split) for pair in table]), table)
    return pairs


def lines_of(manifest: Manifest, clips: Collection[str]) -> bytes:
    """What a release says of its pairs: a line of JSON for each whose two clips are both in it, sorted by id; b"" where
    there are none.

    Args:
        clips: those in the release.
    """
    held = [pair for pair in all_rows(manifest, Pair) if pair.source_clip_id in clips and pair.driving_clip_id in clips]
    return "".join(json.dumps(asdict(pair)) + "\n" for pair in sorted(held, key=lambda pair: pair.pair_id)).encode()


def _holds(pair: Pair, clips: Collection[str], splits: dict[str, Split]) -> bool:
    """Whether a pair that was made before is still one: its clips are there, and of the split that it names."""
    return all(
        clip in clips and (splits[clip].split if clip in splits else "") == pair.split
        for clip in (pair.source_clip_id, pair.driving_clip_id)
    )


def _rank(seed: int, *ids: str) -> str:
    return hashlib.sha256("\n".join((str(seed), *ids)).encode()).hexdigest()
