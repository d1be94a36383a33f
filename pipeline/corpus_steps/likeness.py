"""Which clips show a face, or have a voice, like that of another one: by the cosine of their embeddings.

Of a clip's face it is the mean of the looks at its track within the clip; of its voice, the row of `EmbedVoice`. A clip
is compared with every other, so that nothing near is missed: a hundred thousand faces take 205 MB, and a question about
one of them 0.08 s of a core.
"""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Container, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from manifests.boxes import Box, box_at, iou
from manifests.errors import UsageError
from manifests.manifest import Manifest
from manifests.tables import Clip, FaceEmbedding, Row, Track, VoiceEmbedding
from operators.identities import MIN_OVERLAP, embeddings_of
from operators.models.face_identity import cosine_of
from pipeline.corpus_steps.common import current
from pipeline.corpus_steps.identities import FindIdentities

# By what clips are alike: the table that tells, and the operator that makes it.
KINDS: dict[str, tuple[type[Row], str]] = {
    "face": (FaceEmbedding, "EmbedFaces"),
    "voice": (VoiceEmbedding, "EmbedVoice"),
}
MOST = 12


@dataclass(frozen=True)
class Near:
    """A clip that is like another one."""

    clip_id: str
    cosine: float  # -1 to 1


@dataclass(frozen=True)
class Likeness:
    """The faces, or the voices, of clips: each as numbers of one network, of length 1."""

    by: str  # one of `KINDS`
    clip_ids: tuple[str, ...]  # sorted
    models: tuple[str, ...]  # parallel; two are never compared
    vectors: NDArray[np.float32]  # (clips, numbers)

    def only(self, clip_ids: Container[str]) -> "Likeness":
        """Of those clips alone."""
        kept = [n for n, clip in enumerate(self.clip_ids) if clip in clip_ids]
        ids, models = (tuple(some[n] for n in kept) for some in (self.clip_ids, self.models))
        return Likeness(self.by, ids, models, self.vectors[kept])

    def nearest(self, clip_id: str, count: int = MOST) -> list[Near]:
        """The clips that are most like one, itself left out, the most alike first.

        Raises:
            UsageError: where nothing is known of its face, or voice.
        """
        if (place := _place(self.clip_ids, clip_id)) is None:
            raise UsageError(
                f"no {self.by} of {clip_id} was embedded: its recipe has no {KINDS[self.by][1]}, or that found too"
                " little of it"
            )
        cosines = self.vectors @ self.vectors[place]
        cosines[[place, *(n for n, model in enumerate(self.models) if model != self.models[place])]] = -np.inf
        best = np.argpartition(-cosines, min(count, len(cosines) - 1))[:count]
        near = [Near(self.clip_ids[n], round(float(cosines[n]), 4)) for n in best if np.isfinite(cosines[n])]
        return sorted(near, key=lambda one: (-one.cosine, one.clip_id))

    def same(self, clip_id: str) -> float | None:
        """The cosine from which on `FindIdentities` takes two faces for one person, by the network of that clip; None
        where nothing is known of it, and of voices, by which nobody is joined.
        """
        if self.by != "face" or (place := _place(self.clip_ids, clip_id)) is None:
            return None
        return round(cosine_of(FindIdentities.same, self.models[place]), 4)


def likeness(manifest: Manifest, by: str) -> Likeness:
    """What is known of the clips there are now; read again only when it has changed.

    Args:
        by: face or voice.

    Raises:
        UsageError: for another word.
    """
    if by not in KINDS:
        raise UsageError(f"clips are alike by {' or '.join(KINDS)}, not by {by!r}")
    files = (file for table in (Clip, Track, KINDS[by][0]) for file in manifest.files(table))
    return _likeness(manifest.root, by, (*files, *(one.takedown_id for one in manifest.takedowns().all)))


@lru_cache(maxsize=4)
def _likeness(root: str, by: str, made_of: tuple[str, ...]) -> Likeness:
    manifest, found = Manifest(root), []
    for shard in manifest.shards():
        found += _faces(manifest, shard) if by == "face" else _voices(manifest, shard)
    found.sort(key=lambda one: one[0])
    vectors = np.zeros((len(found), max((len(vector) for _, _, vector in found), default=1)), np.float32)
    for row, (_, _, vector) in zip(vectors, found, strict=True):
        row[: len(vector)] = vector  # another network has another number of numbers
    ids, models = tuple(clip for clip, _, _ in found), tuple(model for _, model, _ in found)
    return Likeness(by, ids, models, vectors)


def _voices(manifest: Manifest, shard: int) -> Iterator[tuple[str, str, NDArray[np.float64]]]:
    from operators.speech.embed_voice import voice_of

    there = {clip.clip_id for clip in current(manifest, Clip, shard)}
    for row in current(manifest, VoiceEmbedding, shard):
        if row.clip_id in there:
            yield row.clip_id, row.model, voice_of(row)


def _faces(manifest: Manifest, shard: int) -> Iterator[tuple[str, str, NDArray[np.float64]]]:
    rows: dict[str, list[FaceEmbedding]] = defaultdict(list)
    for row in current(manifest, FaceEmbedding, shard):
        rows[row.source_id].append(row)
    tracks = {track.track_id: track for track in current(manifest, Track, shard)} if rows else {}
    for clip in current(manifest, Clip, shard) if rows else ():
        track = tracks.get(clip.track_id)
        looks = [row for row in rows[clip.source_id] if clip.start_s <= row.pts_s < clip.end_s] if track else []
        for model in sorted({row.model for row in looks})[:1]:
            views = [view for row in looks if row.model == model and track and (view := _view(row, track)) is not None]
            if views:
                mean = np.mean(views, axis=0)
                yield clip.clip_id, model, mean / np.linalg.norm(mean)


def _view(row: FaceEmbedding, track: Track) -> NDArray[np.float64] | None:
    """(numbers,) of length 1: the face of a look that is the track's; None where none is."""
    if (box := box_at(track, row.pts_s)) is None:
        return None
    sides = zip(row.left_px, row.top_px, row.right_px, row.bottom_px, strict=True)
    overlaps = [iou(box, Box(*corners, 1.0, 0.0)) for corners in sides]
    best = int(np.argmax(overlaps)) if overlaps else -1
    if best < 0 or overlaps[best] < MIN_OVERLAP:
        return None
    view = embeddings_of(row)[best]
    return view / np.linalg.norm(view)


def _place(ids: Sequence[str], wanted: str) -> int | None:
    place = bisect_left(ids, wanted)
    return place if place < len(ids) and ids[place] == wanted else None
