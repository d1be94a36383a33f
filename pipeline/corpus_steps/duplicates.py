"""Which sources show what another one shows: a step over the whole corpus, by what pictures look like over time.

A source is compared in windows of 2.5 s. How the coarse picture changes within a window (the lowest frequencies in
time of the lowest frequencies in space, made one long) is its descriptor; the cosine of two descriptors says how alike
the changes are. It is above 0.9 for nearly every window of a copy, whatever its size, bars and bitrate, and below 0.65
for 9999 of 10000 pairs of other windows. What stands still says nothing, so that takes of one interview in one chair
differ.

A mirrored picture has the same coefficients but for the sign of those that are odd from left to right, so that its
source is asked for too, at no further decode.

Three passes. An index of the windows (faiss) proposes pairs of sources that agree, twice or more, on one offset in
time. Each proposal is measured on all windows of the overlap. Then it is decided which of them to keep.
"""

import itertools
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from manifests.errors import UsageError
from manifests.manifest import Manifest
from manifests.tables import Duplicate, Fingerprint, Source
from operators.fingerprints import COEFFICIENTS
from pipeline.corpus_steps.common import all_rows, current, digest, made_once, step_named, steps_of

GRID_HZ = 4.0  # looks a second that windows are sampled at
HARMONICS = 4  # half periods of the cosine a window is described with, from 1
SEARCHED_HARMONICS = 3
MAX_GAP_S = 0.6  # between looks: a window over a longer one cannot be compared
CUT_LEVELS = 10.0  # of luma, root mean square: faces that move change the coarse picture less, a cut more
# of the windows asked about in the source with fewer of them: a copy has at least half of them, from each side
MIN_VOTES = 0.2
VOTE_S = 0.5  # offsets that differ by less may be the same
# of a look's coefficients those that the index holds
COARSE = np.add.outer(np.arange(6), np.arange(6)).ravel()[1:] <= 5
# The DCT-II's cosines that are odd from left to right change their sign in a mirror.
MIRROR = np.tile(np.where(np.arange(6) % 2, -1, 1), 6)[1:].astype(np.float32)


class Proposal(NamedTuple):
    """Two sources that may share something, to be measured."""

    first: str
    second: str
    offset_s: float  # about: a moment t of the first is t + offset_s of the second
    mirrored: bool


class Stretch(NamedTuple):
    """What two sources share."""

    offset_s: float  # a moment t of the first is t + offset_s of the second
    overlap_s: float
    share_of_first: float  # 0 to 1, of its moments that can be compared
    share_of_second: float
    distance: float
    mirrored: bool = False  # the one shows it as the other does in a mirror


@dataclass(frozen=True)
class FindDuplicates:
    """Finds the copies in a corpus. Equal fingerprints give equal rows, in whatever order and shards they come.

    Of what shows the same, the source with most pixels is kept, then the longest, then the first by id; but one of
    which most is shown by a longer source, and that shows little of that one, is always the copy. Each copy is
    compared with the kept source itself, so that a compilation does not make copies of each other out of what it is
    made of.

    A still picture, or less than 2.5 s of one that moves, is never called a copy; nor is what is played at another
    speed or cut to a part of the picture. What is mirrored is asked for as well; a pair that fits both ways is called
    a plain copy.
    """

    window_s: float = 2.5
    min_change: float = 0.4  # levels of luma, 0 to 255, root mean square: a window that changes less says nothing
    max_distance: float = 0.06  # one minus the cosine, 0 to 2: up to it two windows show the same
    max_cut_distance: float = 0.15  # the same for windows with a cut, which looks place to an eighth of a second
    noise: float = 0.2  # levels that encoders add to the change: their share of it, squared, is allowed on top
    min_share: float = 0.5  # of the windows of a copy that must show the same
    min_overlap_s: float = 2.75
    neighbours: int = 16  # windows that the index answers with
    min_found_cosine: float = 0.7  # of those answers: the windows of a copy begin up to an eighth of a second beside
    version: int = 2

    def step(self, manifest: Manifest) -> str:
        """The name of the step: it changes with the parameters, and with the fingerprints there are.

        Raises:
            UsageError: when there are none.
        """
        if not (seen := steps_of(manifest, Fingerprint)):
            raise UsageError(
                f"{manifest.root} holds no fingerprints yet: run a recipe with FingerprintSource in it, such as"
                " talking_head, and ask again"
            )
        sources = digest(sorted(row.source_id for row in all_rows(manifest, Fingerprint)))
        return step_named(type(self).__name__, asdict(self), seen, sources)

    def __call__(self, manifest: Manifest) -> list[Duplicate]:
        """The rows of the table `duplicates`, sorted by source."""
        shard_of = {
            row.source_id: shard for shard in manifest.shards() for row in current(manifest, Fingerprint, shard)
        }
        worth = {
            source.source_id: (source.width * source.height, source.end_s - source.start_s)
            for source in all_rows(manifest, Source)
            if source.source_id in shard_of
        }
        proposed = self.proposals(all_rows(manifest, Fingerprint))
        # By shard, so that each is read once for the first of a pair, and the fingerprints of two are held at a time.
        by_shards: dict[tuple[int, int], list[Proposal]] = defaultdict(list)
        for proposal in proposed:
            by_shards[shard_of[proposal.first], shard_of[proposal.second]].append(proposal)
        shared: dict[tuple[str, str], Stretch] = {}
        held: dict[int, dict[str, Moments]] = {}
        for shards, pairs in sorted(by_shards.items()):
            held = {shard: held[shard] if shard in held else self._moments(manifest, shard) for shard in shards}
            for first, second, offset_s, mirrored in pairs:
                if (first, second) in shared:
                    continue
                other = held[shards[1]][second]
                stretch = self.compare(held[shards[0]][first], other.mirrored if mirrored else other, offset_s)
                if stretch:
                    shared[first, second] = stretch._replace(mirrored=mirrored)
        return self.decide(shared, worth)

    def proposals(self, fingerprints: Iterable[Fingerprint]) -> list["Proposal"]:
        """Pairs of sources, the smaller id first, with the offset in time at which most of their windows are alike,
        sorted.
        """
        import faiss

        found = sorted((row.source_id, *self._searched(Moments.of(row))) for row in fingerprints)
        found = [(source_id, starts_s, vectors) for source_id, starts_s, vectors in found if len(starts_s)]
        if len(found) < 2:
            return []
        owner = np.repeat(np.arange(len(found)), [len(starts_s) for _, starts_s, _ in found])
        starts_s = np.concatenate([starts_s for _, starts_s, _ in found])
        ids = [source_id for source_id, _, _ in found]
        vectors = np.concatenate([vectors for _, _, vectors in found])
        del found
        lists = max(1, round(2 * len(vectors) ** 0.5)) if len(vectors) > 20_000 else 1  # one list is searched exactly
        faiss.omp_set_num_threads(1)  # sums keep their order
        index: Any = faiss.index_factory(vectors.shape[1], f"IVF{lists},SQ8", faiss.METRIC_INNER_PRODUCT)
        index.cp.seed, index.cp.niter, index.cp.max_points_per_centroid, index.cp.min_points_per_centroid = 1, 10, 64, 1
        index.nprobe = min(8, lists)
        index.train(vectors[:: max(1, len(vectors) // (64 * lists + 1000))].astype(np.float32))
        for at in range(0, len(vectors), 65536):
            index.add(vectors[at : at + 65536].astype(np.float32))
        # once a second, of what is indexed four times a second
        asking = np.flatnonzero(np.isclose(starts_s % 1.0, 0.0))
        asked = np.bincount(owner[asking], minlength=len(ids))
        votes: Counter[tuple[int, int, int, bool]] = Counter()
        mirror = np.tile(MIRROR[COARSE], SEARCHED_HARMONICS)
        for at, mirrored in itertools.product(range(0, len(asking), 65536), (False, True)):
            part = asking[at : at + 65536]
            wanted = vectors[part].astype(np.float32) * (mirror if mirrored else 1)
            cosine, near = index.search(wanted, self.neighbours)
            here = np.broadcast_to(part[:, None], near.shape)
            good = (near >= 0) & (cosine >= self.min_found_cosine) & (owner[near] != owner[here])
            one, other = here[good], near[good]
            first, second = np.where(owner[one] < owner[other], (one, other), (other, one))
            late = np.rint((starts_s[second] - starts_s[first]) / VOTE_S).astype(int)
            pairs = zip(owner[first].tolist(), owner[second].tolist(), late.tolist(), strict=True)
            votes.update((*pair, mirrored) for pair in pairs)
        best: dict[tuple[int, int, bool], tuple[int, int]] = {}
        for (first, second, late, mirrored), count in votes.items():
            # an offset between two bins gives its votes to both
            total = count + votes.get((first, second, late + 1, mirrored), 0)
            if total >= max(2, MIN_VOTES * min(asked[first], asked[second])):
                pair = first, second, mirrored
                best[pair] = max(best.get(pair, (0, 0)), (total, -late))
        found_pairs = (
            Proposal(ids[one], ids[other], -late * VOTE_S, how) for (one, other, how), (_, late) in best.items()
        )
        return sorted(found_pairs, key=lambda pair: (pair.first, pair.second, pair.mirrored))

    def compare(self, first: "Moments", second: "Moments", offset_s: float) -> Stretch | None:
        """What two sources share at about this offset; None where it is too little to be a copy of anything."""
        starts_s = first.starts_s(self.window_s)
        both = starts_s[(starts_s >= second.times_s[0] - offset_s) & (starts_s <= second.times_s[-1] - offset_s)]
        few = both[:: max(1, len(both) // 200)]
        near = [offset_s + late / 8 * VOTE_S for late in range(-8, 17)]  # the vote may belong to the bin above
        alike = [float(np.maximum(1 - self._distances(first, second, few, late)[0], 0.0).sum()) for late in near]
        offset_s = max(zip(alike, near, strict=True))[1]
        distance, same = self._distances(first, second, starts_s, offset_s)
        if not same.any():
            return None
        matched_s = starts_s[same]
        overlap_s = float(np.minimum(np.diff(matched_s), self.window_s).sum() + self.window_s)
        shares = [min(1.0, float(same.sum()) / max(1, self._worth_comparing(moments))) for moments in (first, second)]
        if overlap_s < self.min_overlap_s or max(shares) < self.min_share:
            return None
        return Stretch(offset_s, overlap_s, shares[0], shares[1], float(np.median(distance[same])))

    def decide(self, shared: dict[tuple[str, str], Stretch], worth: dict[str, tuple[int, float]]) -> list[Duplicate]:
        """Which sources to leave out.

        Args:
            shared: by pair of ids, the smaller first.
            worth: pixels and seconds of each source.
        """
        links: dict[str, dict[str, Stretch]] = defaultdict(dict)
        for (first, second), stretch in shared.items():
            links[first][second] = stretch
            links[second][first] = Stretch(
                -stretch.offset_s,
                stretch.overlap_s,
                stretch.share_of_second,
                stretch.share_of_first,
                stretch.distance,
                stretch.mirrored,
            )
        within = {
            one
            for one, others in links.items()
            if any(s.share_of_first >= self.min_share > s.share_of_second for s in others.values())
        }
        kept: set[str] = set()
        rows = []
        for one in sorted(
            links,
            key=lambda one: (
                one in within,
                -worth[one][1] if one in within else 0,
                -worth[one][0],
                -worth[one][1],
                one,
            ),
        ):
            shown = [
                (s.share_of_first, s.overlap_s, other)
                for other, s in links[one].items()
                if other in kept and s.share_of_first >= self.min_share
            ]
            if not shown:
                kept.add(one)
                continue
            other = max(shown)[2]
            s = links[one][other]
            rows.append(
                Duplicate(
                    one, f"{one}={other}", other, s.overlap_s, s.offset_s, s.share_of_first, s.distance, s.mirrored
                )
            )
        return sorted(rows, key=lambda row: row.source_id)

    def _moments(self, manifest: Manifest, shard: int) -> dict[str, "Moments"]:
        return {row.source_id: Moments.of(row) for row in current(manifest, Fingerprint, shard)}

    @cached_property
    def _waves(self) -> NDArray[np.float32]:
        """(harmonics, looks of a window): orthonormal cosines, none of them constant."""
        count = round(self.window_s * GRID_HZ)
        angles = np.pi * np.outer(np.arange(1, HARMONICS + 1), np.arange(count) + 0.5) / count
        return (np.cos(angles) * np.sqrt(2 / count)).astype(np.float32)

    def described(
        self, moments: "Moments", starts_s: NDArray[np.float64]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """(windows, harmonics, 35) descriptors, not normalised, and (windows,) change in levels of luma; -1 where a
        window has no looks.
        """
        count = self._waves.shape[1]
        looks, there = moments.at(starts_s[:, None] + np.arange(count) / GRID_HZ)
        change = np.einsum("kn,snc->skc", self._waves, looks)
        levels = np.sqrt((change**2).sum(axis=(1, 2)) / count) / 32
        return change, np.where(there.all(axis=1), levels, -1.0).astype(np.float32)

    def _searched(self, moments: "Moments") -> tuple[NDArray[np.float64], NDArray[np.float16]]:
        """The starts and descriptors, of length 1, that the index holds: the coarser part, of what moves."""
        starts_s = moments.starts_s(self.window_s)
        change, levels = self.described(moments, starts_s)
        vectors = change[:, :SEARCHED_HARMONICS, COARSE].reshape(len(starts_s), SEARCHED_HARMONICS * COARSE.sum())
        length = np.linalg.norm(vectors, axis=1)
        use = (levels >= self.min_change) & (length > 0)
        return starts_s[use], (vectors[use] / length[use, None]).astype(np.float16)

    def _distances(
        self, first: "Moments", second: "Moments", starts_s: NDArray[np.float64], offset_s: float
    ) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
        """(windows,) one minus the cosine at an offset, 1 where nothing can be said, and whether they show the same."""
        (one, levels), (other, others) = self.described(first, starts_s), self.described(second, starts_s + offset_s)
        comparable = (levels >= 0) & (others >= 0) & (np.maximum(levels, others) >= self.min_change)
        lengths = np.linalg.norm(one, axis=(1, 2)) * np.linalg.norm(other, axis=(1, 2))
        cosine = np.einsum("skc,skc->s", one, other) / np.maximum(lengths, 1e-6)
        distance = np.where(comparable, 1 - cosine, 1.0).astype(np.float32)
        least = np.clip(np.minimum(levels, others), self.min_change, None)
        allowed = np.where(least < CUT_LEVELS, self.max_distance, self.max_cut_distance) + (self.noise / least) ** 2
        return distance, distance <= allowed

    def _worth_comparing(self, moments: "Moments") -> int:
        return int((self.described(moments, moments.starts_s(self.window_s))[1] >= self.min_change).sum())


@dataclass(frozen=True)
class Moments:
    """The looks of a source: (n,) times in seconds and (n, 35) coefficients."""

    times_s: NDArray[np.float64]
    looks: NDArray[np.float32]

    @classmethod
    def of(cls, row: Fingerprint) -> "Moments":
        looks = np.frombuffer(row.looks, "<i2").reshape(-1, COEFFICIENTS).astype(np.float32)
        return cls(np.asarray(row.times_s), looks)

    @property
    def mirrored(self) -> "Moments":
        """The looks of the same pictures with left and right exchanged."""
        return Moments(self.times_s, self.looks * MIRROR)

    def starts_s(self, window_s: float) -> NDArray[np.float64]:
        """Where windows begin: on a grid of a quarter of a second."""
        first, last = (
            np.ceil((self.times_s[0] - 0.1) * GRID_HZ),
            np.floor((self.times_s[-1] - window_s + 1 / GRID_HZ + 0.1) * GRID_HZ),
        )
        return np.arange(first, last + 1) / GRID_HZ

    def at(self, times_s: NDArray[np.float64]) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
        """(..., 35) looks between looks, and (...,) whether there are looks near enough to say."""
        if len(self.times_s) < 2:
            return np.zeros((*times_s.shape, COEFFICIENTS), np.float32), np.zeros(times_s.shape, bool)
        after = np.clip(np.searchsorted(self.times_s, times_s), 1, len(self.times_s) - 1)
        before_s, after_s = self.times_s[after - 1], self.times_s[after]
        weight = np.clip((times_s - before_s) / (after_s - before_s), 0.0, 1.0).astype(np.float32)[..., None]
        inside = (times_s >= self.times_s[0] - 0.13) & (times_s <= self.times_s[-1] + 0.13)
        between = self.looks[after - 1] * (1 - weight) + self.looks[after] * weight
        return between.astype(np.float32), inside & (after_s - before_s <= MAX_GAP_S)


def find_duplicates(manifest: Manifest, finder: FindDuplicates | None = None) -> list[Duplicate]:
    """Makes the table `duplicates` of a corpus, unless it is there already for these fingerprints and parameters.

    Raises:
        UsageError: when the corpus holds no fingerprints.
    """
    finder = finder or FindDuplicates()
    return made_once(manifest, Duplicate, finder.step(manifest), finder)
