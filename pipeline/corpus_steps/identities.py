"""Which tracks of a corpus show the same person: a step over the whole corpus, by the face embeddings of its faces.

A track is the mean of its looks. Tracks are joined by average linkage on the cosine of their means, up to `same`; two
that are to be seen at once are never one person. Pairs are proposed by an index (faiss), so that the pairs of a large
corpus need not all be held.
"""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray

from manifests.errors import UsageError
from manifests.manifest import Manifest
from manifests.tables import FaceEmbedding, Identity, Track
from operators.models.face_identity import cosine_of
from pipeline.corpus_steps.common import all_rows, current, digest, made_once, step_named, steps_of

NEVER = 1e6  # distance of two tracks that are to be seen at once
LARGEST = 4000  # tracks that are compared each with each: 128 MB
STEP = 0.1  # of what is left to 1


@dataclass(frozen=True)
class Member:
    """What is known of a track."""

    source_id: str
    track_id: str
    start_s: float
    end_s: float
    views: NDArray[np.float64]  # (numbers,): sum of the looks, each of length 1
    looks: int
    model: str

    @property
    def mean(self) -> NDArray[np.float64]:
        """(numbers,), of length 1."""
        return self.views / np.linalg.norm(self.views)


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
            means = np.stack([member.mean for member in known])
            for group in self._groups(known, means, cosine_of(self.same, model)):
                whole = np.sum([known[n].views for n in group], axis=0)
                centre = whole / np.linalg.norm(whole)
                name = min((known[n].track_id for n in group), key=_place)
                for n in group:
                    member, cosine = known[n], round(float(means[n] @ centre), 6)
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

    def _groups(self, members: Sequence[Member], means: NDArray[np.float64], same: float) -> list[list[int]]:
        from scipy.cluster.hierarchy import average, fcluster
        from scipy.spatial.distance import squareform

        groups: list[list[int]] = []
        for part in _parts(means, same):
            if len(part) == 1:
                groups.append(part)
                continue
            distances = 1 - means[part] @ means[part].T
            for a, one in enumerate(part):
                for b in range(a):
                    if self._together(members[one], members[part[b]]):
                        distances[a, b] = distances[b, a] = NEVER
            np.fill_diagonal(distances, 0.0)
            labels = fcluster(average(squareform(np.maximum(distances, 0.0), checks=False)), 1 - same, "distance")
            groups += [
                [one for one, other in zip(part, labels, strict=True) if other == label]
                for label in sorted(set(labels.tolist()))
            ]
        return groups

    def _together(self, one: Member, other: Member) -> bool:
        shared_s = min(one.end_s, other.end_s) - max(one.start_s, other.start_s)
        return one.source_id == other.source_id and shared_s > self.together_s


def members_of(tracks: Sequence[Track], face_embeddings: Sequence[FaceEmbedding]) -> list[Member]:
    """The tracks of one source of which something was embedded, sorted."""
    span = {track.track_id: track for track in tracks}
    made = []
    for (track_id, model), views in sorted(views_of(tracks, face_embeddings).items()):
        track = span[track_id]
        made.append(
            Member(track.source_id, track_id, track.start_s, track.end_s, np.sum(views, axis=0), len(views), model)
        )
    return made


def views_of(
    tracks: Sequence[Track], face_embeddings: Sequence[FaceEmbedding]
) -> dict[tuple[str, str], list[NDArray[np.float64]]]:
    """By track and network: the looks at the tracks of one source, each (numbers,) and of length 1.

    An embedded face is that of the track whose box overlaps it most at that time, by half or more.
    """
    from manifests.boxes import Box, box_at, iou
    from operators.faces.embed_faces import embeddings_of
    from operators.faces.track_faces import MIN_OVERLAP

    views: dict[tuple[str, str], list[NDArray[np.float64]]] = defaultdict(list)
    for row in face_embeddings:
        there = [(track.track_id, box) for track in tracks if (box := box_at(track, row.pts_s)) and box.confidence > 0]
        edges = zip(row.left_px, row.top_px, row.right_px, row.bottom_px, strict=True)
        for corners, view in zip(edges, embeddings_of(row), strict=True):
            near = max(((iou(box, Box(*corners, 1.0, 0.0)), track_id) for track_id, box in there), default=(0.0, ""))
            if near[0] >= MIN_OVERLAP:
                views[near[1], row.model].append(view / np.linalg.norm(view))
    return dict(views)


def _parts(means: NDArray[np.float64], same: float) -> list[list[int]]:
    """Groups that no pair of `same` or more joins; where one is too large to be compared each with each, by more than
    that.
    """
    import faiss
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    faiss.omp_set_num_threads(1)  # sums keep their order
    vectors = means.astype(np.float32)
    index = faiss.IndexFlatIP(vectors.shape[1])
    index.add(vectors)  # pyright: ignore[reportCallIssue]
    limits, _, near = index.range_search(vectors, same)  # pyright: ignore[reportCallIssue]
    here = np.repeat(np.arange(len(means)), np.diff(limits.astype(np.int64)))
    graph = coo_array((np.ones(len(here), np.int8), (here, near.astype(np.int64))), shape=(len(means), len(means)))
    _, labels = connected_components(graph, directed=False)
    order = np.argsort(labels, kind="stable")
    parts = [part.tolist() for part in np.split(order, np.flatnonzero(np.diff(labels[order])) + 1)]
    small = [part for part in parts if len(part) <= LARGEST]
    for part in parts:
        if len(part) > LARGEST:
            small += [[part[n] for n in inner] for inner in _parts(means[part], same + STEP * (1 - same))]
    return sorted(small)


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
