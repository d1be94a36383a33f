"""Which tracks of a corpus show the same person: a step over the whole corpus, by the face embeddings of its faces.

A track is the mean of its looks. Tracks are joined by average linkage on the cosine of their means, up to `same`; two
that are to be seen at once are never one person. Pairs are proposed by an index (faiss), so that the pairs of a large
corpus need not all be held.
"""

import hashlib
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import asdict, dataclass

import numpy as np

from manifests.errors import UsageError
from manifests.manifest import Manifest
from manifests.tables import FaceEmbedding, Identity, Track
from operators.identities import Member, groups_of, members_of
from operators.models.face_identity import cosine_of
from pipeline.corpus_steps.common import all_rows, current, digest, made_once, step_named, steps_of


@dataclass(frozen=True)
class FindIdentities:
    """Finds the people of a corpus. Equal face embeddings and tracks give equal rows, in whatever order and shards they
    come.
    """

    same: float = 0.5  # mean likeness of two groups of tracks from which on they are one person; see `IdentityNetwork`
    min_looks: int = 2  # at a track: with fewer it has no identity
    together_s: float = 0.3  # two tracks of a source that share more than this are two people
    version: int = 1

    def step(self, manifest: Manifest) -> str:
        """The name of the step: it changes with the parameters, the face embeddings and the tracks there are.

        Raises:
            UsageError: when there are none.
        """
        if not manifest.count_rows(FaceEmbedding):
            raise UsageError(
                f"{manifest.root} holds no face embeddings: its recipe has no EmbedFaces, or that ran without its"
                " network. Run the recipe again with --set EmbedFaces.network=dlib_resnet, which fetches it, and ask"
                " again"
            )
        tracks = digest(sorted(row.track_id for row in all_rows(manifest, Track)))
        return step_named(type(self).__name__, asdict(self), steps_of(manifest, FaceEmbedding, Track), tracks)

    def __call__(self, manifest: Manifest) -> list[Identity]:
        """The rows of the table `identities`, sorted by track."""
        members = []
        for shard in manifest.shards():
            tracks = defaultdict(list)
            for track in current(manifest, Track, shard):
                tracks[track.source_id].append(track)
            face_embeddings = defaultdict(list)
            for row in current(manifest, FaceEmbedding, shard):
                face_embeddings[row.source_id].append(row)
            for source_id, mine in tracks.items():
                members += members_of(mine, face_embeddings[source_id])
        return self.decide(members)

    def decide(self, members: Iterable[Member]) -> list[Identity]:
        """Who is who, sorted by track."""
        rows = []
        by_model: dict[str, list[Member]] = defaultdict(list)
        for member in sorted(members, key=lambda member: member.track_id):
            if member.looks >= self.min_looks:
                by_model[member.model].append(member)
        for model, known in sorted(by_model.items()):
            for group in groups_of(known, cosine_of(self.same, model), self.together_s):
                whole = np.sum([known[n].views for n in group], axis=0)
                centre = whole / np.linalg.norm(whole)
                name = min((known[n].track_id for n in group), key=_place)
                for n in group:
                    member = known[n]
                    cosine = round(float(member.mean @ centre), 6)
                    rows.append(
                        Identity(
                            member.source_id,
                            f"{member.track_id}={name}",
                            name,
                            member.track_id,
                            cosine,
                            member.looks,
                            model,
                        )
                    )
        return sorted(rows, key=lambda row: row.track_id)


def _place(track_id: str) -> tuple[bytes, str]:
    return hashlib.sha256(track_id.encode()).digest(), track_id


def find_identities(manifest: Manifest, finder: FindIdentities | None = None) -> list[Identity]:
    """Makes the table `identities` of a corpus, unless it is there already for these tracks, face embeddings and
    parameters.

    Raises:
        UsageError: when the corpus holds no face embeddings.
    """
    finder = finder or FindIdentities()
    return made_once(manifest, Identity, finder.step(manifest), finder)
