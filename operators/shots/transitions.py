"""How the shots of a source are joined, and what is left between the joins."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from statistics import median

from manifests.tables import Shot, Source, Transition, span_id


@dataclass(frozen=True, order=True)
class Join:
    """A transition found, before it is known what is found beside it. Seconds on the source's clock; see
    `Transition`.
    """

    start_s: float
    end_s: float
    kind: str
    detector: str
    score: float

    @property
    def gradual(self) -> bool:
        return self.kind != "cut"


def shown(source: Source, times_s: Sequence[float]) -> tuple[float, float]:
    """When a source's pictures begin and end, from the times of its frames: as the source says, or a median gap after
    the last frame where it says less.
    """
    gap_s = median(after - before for before, after in pairwise(times_s)) if len(times_s) > 1 else 0.04
    return times_s[0], source.end_s if source.end_s > times_s[-1] else times_s[-1] + gap_s


def settled(joins: Iterable[Join], start_s: float, end_s: float, min_shot_s: float) -> list[Join]:
    """The joins of a source that starts and ends there, in order, with `min_shot_s` of a shot or more between any two.

    A cut sooner after another join is left out. A gradual one that begins sooner takes in what it follows: a cut is its
    beginning, and two gradual ones are one. One that begins so soon after the source's start, or ends so soon before
    its end, reaches to it.
    """
    kept: list[Join] = []
    for join in sorted(joins):
        if join.gradual:
            if join.start_s - start_s < min_shot_s:
                join = replace(join, start_s=start_s)
            if end_s - join.end_s < min_shot_s:
                join = replace(join, end_s=end_s)
        last = kept[-1] if kept else None
        if last and join.start_s - last.end_s < min_shot_s:
            if join.gradual:
                kept[-1] = _one(last, join)
        elif join.gradual or join.start_s - start_s >= min_shot_s:
            kept.append(join)
    return kept


def _one(before: Join, after: Join) -> Join:
    if not before.gradual:
        return replace(after, start_s=before.start_s)
    kind = (
        before.kind
        if before.kind == after.kind
        else "fade"
        if "fade" in before.kind and "fade" in after.kind
        else "dissolve"
    )
    return Join(before.start_s, max(before.end_s, after.end_s), kind, before.detector, max(before.score, after.score))


def rows(source: Source, joins: Iterable[Join], start_s: float, end_s: float) -> Iterator[Shot | Transition]:
    """The joins as rows, and the shots between them: shots and gradual transitions tile [start_s, end_s)."""
    for join in joins:
        if join.start_s > start_s:
            yield Shot(source.source_id, span_id(source.source_id, start_s, join.start_s), start_s, join.start_s)
        transition_id = span_id(source.source_id, join.start_s, join.end_s)
        yield Transition(
            source.source_id, transition_id, join.start_s, join.end_s, join.kind, join.detector, join.score
        )
        start_s = join.end_s
    if end_s > start_s:
        yield Shot(source.source_id, span_id(source.source_id, start_s, end_s), start_s, end_s)
