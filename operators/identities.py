"""Which tracks show one person, by what `EmbedFaces` saw of them: for a source, and for a whole corpus."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from manifests.boxes import Box, box_at, iou
from manifests.tables import FaceEmbedding, Track

MIN_OVERLAP = 0.5  # of an embedded face and the box it belongs to, intersection over union
NEVER = 1e6  # distance of two tracks that are to be seen at once
LARGEST = 4000  # tracks that are compared each with each: 128 MB
STEP = 0.1  # of what is left to 1


def embeddings_of(row: FaceEmbedding) -> NDArray[np.float64]:
    """(faces, numbers of the network): the numbers of a row."""
    return np.frombuffer(row.embeddings, "<f2").reshape(len(row.left_px), -1).astype(np.float64)


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
    views: dict[tuple[str, str], list[NDArray[np.float64]]] = defaultdict(list)
    for row in face_embeddings:
        there = [(track.track_id, box) for track in tracks if (box := box_at(track, row.pts_s)) and box.confidence > 0]
        edges = zip(row.left_px, row.top_px, row.right_px, row.bottom_px, strict=True)
        for corners, view in zip(edges, embeddings_of(row), strict=True):
            near = max(((iou(box, Box(*corners, 1.0, 0.0)), track_id) for track_id, box in there), default=(0.0, ""))
            if near[0] >= MIN_OVERLAP:
                views[near[1], row.model].append(view / np.linalg.norm(view))
    return dict(views)


def groups_of(members: Sequence[Member], same: float, together_s: float) -> list[list[int]]:
    """The tracks of each person, as numbers of members, which are looks of one network.

    Args:
        same: the mean cosine of two groups from which on they are one person.
        together_s: two tracks of a source that share more than this are two people.
    """
    from scipy.cluster.hierarchy import average, fcluster
    from scipy.spatial.distance import squareform

    means = np.stack([member.mean for member in members])
    groups: list[list[int]] = []
    for part in _parts(means, same):
        if len(part) == 1:
            groups.append(part)
            continue
        distances = 1 - means[part] @ means[part].T
        for a, one in enumerate(part):
            for b in range(a):
                if _together(members[one], members[part[b]], together_s):
                    distances[a, b] = distances[b, a] = NEVER
        np.fill_diagonal(distances, 0.0)
        labels = fcluster(average(squareform(np.maximum(distances, 0.0), checks=False)), 1 - same, "distance")
        groups += [
            [one for one, other in zip(part, labels, strict=True) if other == label]
            for label in sorted(set(labels.tolist()))
        ]
    return groups


def _together(one: Member, other: Member, together_s: float) -> bool:
    shared_s = min(one.end_s, other.end_s) - max(one.start_s, other.start_s)
    return one.source_id == other.source_id and shared_s > together_s


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
