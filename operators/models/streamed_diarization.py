"""pyannote.audio's `SpeakerDiarization` for sound of any length: it hears windows one after the other, and keeps of
each what it needs later.

What is kept of an hour: who is heard in each 17 ms of each window, a byte each, 6 MB; an embedding of each voice of
each window, 8 MB. Importing this module imports torch and pyannote.audio.
"""

import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from pyannote.audio.pipelines import SpeakerDiarization
from pyannote.audio.pipelines.clustering import AgglomerativeClustering
from pyannote.audio.utils.reproducibility import fix_reproducibility
from pyannote.core import Annotation, Segment, SlidingWindow, SlidingWindowFeature
from scipy.cluster.hierarchy import fcluster
from scipy.spatial.distance import cdist

from operators.base import Audio

SAMPLE_HZ = 16000
AT_ONCE = 4000  # embeddings whose distances are held at once, 64 MB twice: those of 22 minutes and more


@dataclass(frozen=True)
class Windows:
    """Sound in windows of one length, one step apart; the last one is filled up with zeros.

    `speech` are the spans, in samples from the start of the sound, in which there is speech; None where that is not
    known.
    """

    audio: Audio
    size: int  # samples
    step: int
    speech: list[tuple[int, int]] | None = None

    def __len__(self) -> int:
        rest = round((self.audio.end_s - self.audio.start_s) * SAMPLE_HZ) - self.size
        return 1 if rest <= 0 else 1 + math.ceil(rest / self.step)

    def __getitem__(self, number: int) -> torch.Tensor:
        """(1, size) samples of a window."""
        start_s = self.audio.start_s + number * self.step / SAMPLE_HZ
        return torch.from_numpy(self.audio.samples(start_s, start_s + self.size / SAMPLE_HZ, SAMPLE_HZ)[None])

    def heard(self) -> list[int]:
        """The numbers of the windows with speech in them."""
        if self.speech is None:
            return list(range(len(self)))
        found: set[int] = set()
        for begin, end in self.speech:
            found.update(
                range(max(0, (begin - self.size) // self.step + 1), min(len(self), (end - 1) // self.step + 1))
            )
        return sorted(found)


class StreamedDiarization(SpeakerDiarization):
    """Gives what `SpeakerDiarization` gives, from sound that it reads window by window."""

    def listen(self, uri: str, audio: Audio, speech: list[tuple[int, int]] | None, **bounds: Any) -> Annotation:
        """Who speaks when, in seconds from the start of the sound.

        A window without speech is neither segmented nor embedded: nobody is in it.

        Args:
            speech: spans in samples at 16 kHz from the start of the sound; None where it is not known.
            bounds: `min_speakers` and `max_speakers`.
        """
        fix_reproducibility(self._segmentation.device)
        size, step = round(self._segmentation.duration * SAMPLE_HZ), round(self._segmentation.step * SAMPLE_HZ)
        found: Any = self.apply({"uri": uri, "windows": Windows(audio, size, step, speech)}, **bounds)
        return found.speaker_diarization

    def get_segmentations(self, file: Any, hook: Any = None) -> SlidingWindowFeature:
        """Who of its voices speaks in each window, 0 or 1: (windows, frames, voices) uint8."""
        windows: Windows = file["windows"]
        model: Any = self._segmentation.model
        said = np.zeros((len(windows), model.num_frames(windows.size), len(model.specifications.classes)), np.uint8)
        heard = iter(windows.heard())
        while batch := list(itertools.islice(heard, self.segmentation_batch_size)):
            said[batch] = self._segmentation.infer(torch.stack([windows[number] for number in batch]))
        return SlidingWindowFeature(
            said, SlidingWindow(start=0.0, duration=self._segmentation.duration, step=self._segmentation.step)
        )

    def get_embeddings(
        self, file: Any, binary_segmentations: SlidingWindowFeature, exclude_overlap: bool = False, hook: Any = None
    ) -> NDArray[np.float32]:
        """(windows, voices, dimension), NaN for a voice that does not speak in that window."""
        windows: Windows = file["windows"]
        said: NDArray[np.uint8] = binary_segmentations.data
        count, frames, voices = said.shape
        # As in pyannote.audio: alone, where that is long enough for the network, else with what others say at the time.
        least = math.ceil(frames * self._embedding.min_num_samples / windows.size) if exclude_overlap else -1
        embeddings = np.full((count, voices, self._embedding.dimension), np.nan, np.float32)
        for number in range(count):
            speaking = np.flatnonzero(said[number].any(axis=0))
            if not len(speaking):
                continue
            masks = said[number].T[speaking]
            alone = masks * (said[number].sum(axis=1) < 2) if exclude_overlap else masks
            masks = np.where(alone.sum(axis=1, keepdims=True) > least, alone, masks).astype(np.float32)
            waveforms = windows[number].expand(len(speaking), 1, windows.size)
            embeddings[number, speaking] = self._embedding(waveforms, masks=torch.from_numpy(masks))
        return embeddings

    def reconstruct(
        self, segmentations: SlidingWindowFeature, hard_clusters: NDArray[Any], count: SlidingWindowFeature
    ) -> SlidingWindowFeature:
        """(frames, clusters) of the whole sound, 0 or 1. `SpeakerDiarization` makes (windows, frames, clusters) float64
        at once on the way.
        """
        clustered: Any = _Clustered(segmentations, hard_clusters)
        return self.to_diarization(clustered, count)


class _Clustered:
    """What `Inference.aggregate` reads of a SlidingWindowFeature: its shape, its window, and its windows, which are
    made one at a time.
    """

    def __init__(self, segmentations: SlidingWindowFeature, clusters: NDArray[Any]):
        self.data = self
        self.sliding_window = segmentations.sliding_window
        self.shape = (*segmentations.data.shape[:2], int(clusters.max()) + 1)
        self._said, self._clusters = segmentations, clusters

    def __iter__(self) -> Iterator[tuple[Segment, NDArray[np.float32]]]:
        for clusters, (span, voices) in zip(self._clusters, self._said, strict=True):
            window = np.full(self.shape[1:], np.nan, np.float32)
            for cluster in set(clusters.tolist()) - {-2}:  # the mark of who does not speak
                window[:, cluster] = voices[:, clusters == cluster].max(axis=1)
            yield span, window


class LongClustering(AgglomerativeClustering):
    """Agglomerative clustering whose memory grows with the sound and not with its square.

    Up to `AT_ONCE` embeddings, and with other linkages than "average", it is pyannote.audio's own. Beyond,
    `average_linkage` merges without a table of distances, to the same clusters.
    """

    # Declared as ranges to search, numbers once the pipeline is set up.
    threshold: Any
    min_cluster_size: Any
    metric: Any

    def cluster(
        self,
        embeddings: NDArray[Any],
        min_clusters: int | None = None,
        max_clusters: int | None = None,
        num_clusters: int | None = None,
    ) -> NDArray[np.integer[Any]]:
        """(embeddings,) numbers of clusters from 0 on. A cluster below `min_cluster_size` goes to the nearest that is
        not.

        Where that leaves more clusters than `max_clusters` or fewer than `min_clusters`, the cut is moved to the merge
        nearest to the threshold that does not, or comes closest to it.
        """
        if len(embeddings) <= AT_ONCE or self.method != "average":
            return super().cluster(embeddings, min_clusters, max_clusters, num_clusters)
        merges = average_linkage(embeddings)
        clusters, large = self._cut(merges, int((merges[:, 2] <= self.threshold).sum()))
        least, most = num_clusters or min_clusters or 1, num_clusters or max_clusters or len(embeddings)
        if (wanted := min(max(len(large), least), most)) != len(large):
            missed = math.inf
            for n in np.argsort(np.abs(merges[:, 2] - self.threshold)):
                if merges[n, 3] < self.min_cluster_size:
                    continue
                other = self._cut(merges, int(n) + 1)
                if abs(len(other[1]) - wanted) < missed:
                    (clusters, large), missed = other, abs(len(other[1]) - wanted)
                if not missed:
                    break
        if not len(large):
            return np.zeros(len(embeddings), np.int64)
        small = np.setdiff1d(clusters, large)
        if len(small):
            centres = [
                np.stack([embeddings[clusters == cluster].mean(axis=0) for cluster in those])
                for those in (large, small)
            ]
            nearest = cdist(centres[0], centres[1], metric=self.metric).argmin(axis=0)
            for cluster, other in zip(small, large[nearest], strict=True):
                clusters[clusters == cluster] = other
        return np.unique(clusters, return_inverse=True)[1]

    def _cut(self, merges: NDArray[np.float64], made: int) -> tuple[NDArray[Any], NDArray[Any]]:
        """The cluster of each embedding after so many merges, and the clusters that are large enough."""
        order = merges.copy()
        order[:, 2] = np.arange(1, len(merges) + 1)
        clusters = fcluster(order, made, criterion="distance")
        found, sizes = np.unique(clusters, return_counts=True)
        return clusters, found[sizes >= self.min_cluster_size]


def average_linkage(embeddings: NDArray[Any]) -> NDArray[np.float64]:
    """The merges of `scipy.cluster.hierarchy.linkage(embeddings, "average", "cosine")`, in its format, without a table
    of distances.

    The mean cosine distance between two groups of unit vectors is one minus the product of their means, so that sums
    and counts tell all. Chains of nearest neighbours (D. Müllner, "Modern hierarchical, agglomerative clustering
    algorithms", 2011): time grows with the square of the number of embeddings, memory does not.

    Args:
        embeddings: (n, dimension), n of 2 or more.

    Returns:
        (n - 1, 4): the two that are merged, their distance, how many embeddings they hold together; in the order of
        distance.
    """
    means = np.asarray(embeddings, np.float64)
    means = means / np.linalg.norm(means, axis=1, keepdims=True)
    sizes, names = np.ones(len(means)), np.arange(len(means))
    merged: list[tuple[int, int, float]] = []  # two embeddings, one of each group
    chain: list[int] = []
    gone = np.zeros(len(means), bool)
    left = len(means)
    while left > 1:
        if not chain:
            if 2 * left < len(means):  # what is merged need not be looked at any more
                means, sizes, names, gone = means[~gone], sizes[~gone], names[~gone], np.zeros(left, bool)
            chain.append(int(np.flatnonzero(~gone)[0]))
        last = chain[-1]
        distances = 1 - means @ means[last]
        distances[gone] = distances[last] = np.inf
        nearest = int(distances.argmin())
        if len(chain) > 1 and distances[chain[-2]] <= distances[nearest]:
            other = chain[-2]
            merged.append((int(names[other]), int(names[last]), max(0.0, float(distances[other]))))
            means[other] = (means[other] * sizes[other] + means[last] * sizes[last]) / (sizes[other] + sizes[last])
            sizes[other] += sizes[last]
            gone[last] = True
            left -= 1
            del chain[-2:]
        else:
            chain.append(nearest)
    return _named(sorted(merged, key=lambda merge: merge[2]), len(embeddings))


def _named(merged: list[tuple[int, int, float]], count: int) -> NDArray[np.float64]:
    """Merges of embeddings as merges of what these are part of by then: the n-th merge makes the group `count + n`."""
    group_of = np.arange(2 * count - 1)
    size = np.ones(2 * count - 1)

    def group(one: int) -> int:
        while group_of[one] != one:
            group_of[one] = group_of[group_of[one]]
            one = group_of[one]
        return one

    merges = np.zeros((count - 1, 4))
    for n, (one, other, distance) in enumerate(merged):
        pair = sorted((group(one), group(other)))
        size[count + n] = size[pair[0]] + size[pair[1]]
        group_of[pair] = count + n
        merges[n] = (*pair, distance, size[count + n])
    return merges
