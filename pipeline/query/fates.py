"""What became of every second that came in: of each face in view, and of each shot or film in which none was found.

A span is a part of a track that was kept or dropped for one reason, so that the spans of a track add up to its length,
and a face that was given up early counts by its own size as much as one that was kept.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple, TypeVar

import numpy as np

from manifests.errors import UsageError
from manifests.manifest import LISTED, Manifest, StepRecord
from manifests.tables import Clip, Dropped, Face, Published, Row, Shot, Source, Track

R = TypeVar("R", bound=Row)
CHAIN = tuple(table.table for table in (Source, Published, Shot, Track, Clip))  # what a step must write to be a filter
NOT_PROPOSED = "not_proposed"  # a face that was seen, and of which no clip was proposed: silent, or not the one heard
_SPAN = re.compile(r"/(\d+)-(\d+)/([^/]+)$")


@dataclass(frozen=True, order=True)
class Fate:
    """What a filter did to rows. `order` is how far they had come: the step's number, and its judgement within."""

    order: tuple[int, int]
    operator: str
    reason: str


KEPT = Fate((1_000_000, 0), "", "kept")


class Seen(NamedTuple):
    """A face through a shot: medians over the looks in which it was seen. NaN where none tells."""

    track_id: str
    face_px: float
    yaw_deg: float  # of the detector, away from the camera: 0 to 180


class Span(NamedTuple):
    """Seconds of one face that share a fate; of a shot or film without a face, its own; of a published clip, its."""

    source: Source
    seconds: float
    fate: Fate
    face: Seen | None = None
    subject: str = ""  # the clip's id; "" for none
    listed: str = ""  # the published clip's; "" for none


def proposes_clips(manifest: Manifest) -> bool:
    """Whether there was a run, whose recipe proposes clips."""
    return any(Clip.table in step.writes for _, step in _filters(manifest))


def done_shards(manifest: Manifest) -> list[int]:
    """The shards that every filter of the last run is through with.

    Raises:
        UsageError: where nothing ran, or the last run's recipe proposes no clips.
    """
    steps = [step for _, step in _filters(manifest)]
    if not proposes_clips(manifest):
        raise UsageError(f"the last run of {manifest.root} proposes no clips, so that nothing was kept or dropped")
    return sorted(set(manifest.shards()).intersection(*(manifest.done(step.version) for step in steps)))


def spans(manifest: Manifest, shard: int) -> Iterator[Span]:
    """All that came into a shard that is done, by what became of it."""
    return _Shard(manifest, shard).spans()


def _filters(manifest: Manifest) -> list[tuple[int, StepRecord]]:
    steps = manifest.run.steps if manifest.run else []
    return [(number, step) for number, step in enumerate(steps) if {*step.writes} & {*CHAIN}]


class _Shard:
    def __init__(self, manifest: Manifest, shard: int):
        self.manifest, self.shard, self.filters = manifest, shard, _filters(manifest)
        self.owners: dict[str, str] = {}  # by id of a row that was given up, its source
        self.fates = self._fates()
        self.sources = {row.source_id: row for row in self._ever(Source)}
        self.clips = {row.row_id: row for row in self._ever(Clip)}
        number, step = next((number, step) for number, step in self.filters if Clip.table in step.writes)
        self.not_proposed = Fate((number, 1), step.operator, NOT_PROPOSED)

    def _fates(self) -> dict[tuple[str, str], Fate]:
        """By table and id of the row that was given up, what gave it up first."""
        found = {
            (Source.table, drop.source_id or drop.subject): Fate((-1, 0), LISTED, drop.reason)
            for drop in self.manifest.read(Dropped, [LISTED], self.shard)
            if drop.subject_table == Source.table
        }
        for number, step in self.filters:
            for drop in self.manifest.read(Dropped, [step.version], self.shard):
                level = 0 if drop.subject_table == step.reads else 2
                fate = Fate((number, level), drop.operator, drop.reason)
                found.setdefault((drop.subject_table, drop.subject), fate)
                self.owners[drop.subject] = drop.source_id
        return found

    def _ever(self, table: type[R]) -> list[R]:
        """The rows that were listed or that any filter wrote, each as the last filter left it."""
        steps = [step.version for _, step in self.filters if table.table in step.writes]
        found = [row for step in (LISTED, *steps) for row in self.manifest.read(table, [step], self.shard)]
        return list({row.row_id: row for row in found}.values())

    def _current(self, table: type[R]) -> list[R]:
        return self.manifest.read(table, self.manifest.current(self.shard).get(table.table, []), self.shard)

    def spans(self) -> Iterator[Span]:
        refused = [name for table, name in self.fates if table == Source.table and name not in self.sources]
        for name in refused:
            yield Span(Source(name, ""), 0.0, self.fates[Source.table, name])
        if any(step.reads == Published.table and Clip.table in step.writes for _, step in self.filters):
            yield from self._published()
            return
        shots, tracks, proposals = self._by_source(Shot), self._by_source(Track), self._proposals()
        for name, source in self.sources.items():
            lost = self.fates.get((Source.table, name), self.not_proposed)
            if not shots[name] and not proposals[name]:
                yield Span(source, max(source.end_s - source.start_s, 0.0), lost)
                continue
            left = list(proposals[name])
            for shot in shots[name]:
                fate = self.fates.get((Shot.table, shot.shot_id), lost)
                mine = [track for track in tracks[name] if track.shot_id == shot.shot_id]
                if not mine:
                    yield Span(source, shot.end_s - shot.start_s, fate)
                for track in mine:
                    own = [one for one in left if one.shows(track, shot)]
                    left = [one for one in left if one not in own]
                    yield from _of_track(source, track, self._seen(track), own, fate)
            for one in left:
                yield Span(source, one.end_s - one.start_s, one.fate, None, one.clip_id)
        for (table, name), fate in self.fates.items():
            if table == Track.table:  # which has no row: how long and how large it was is not known
                yield Span(self.sources[self.owners[name]], 0.0, fate, Seen(name, np.nan, np.nan))

    def _published(self) -> Iterator[Span]:
        """Of a recipe that takes the clips of a list, nothing else came in."""
        kept, made = {clip.row_id for clip in self._current(Clip)}, defaultdict[str, list[Clip]](list)
        for clip in self.clips.values():
            if clip.row_id in kept or (Clip.table, clip.row_id) in self.fates:  # else it was divided
                made[clip.published_id].append(clip)
        tracks = {track.track_id: track for track in self._current(Track)}
        listed = self._ever(Published)
        of_list = {row.source_id for row in listed}
        for row in listed:
            source = self.sources.get(row.source_id, Source(row.source_id, ""))
            if not made[row.row_id]:
                lost = self.fates.get((Source.table, row.source_id), self.not_proposed)
                yield Span(
                    source, _listed_s(row), self.fates.get((Published.table, row.row_id), lost), None, row.row_id
                )
            for clip in made[row.row_id]:
                fate = KEPT if clip.row_id in kept else self.fates[Clip.table, clip.row_id]
                face = self._seen(tracks[clip.track_id]) if clip.track_id in tracks else None
                yield Span(source, clip.end_s - clip.start_s, fate, face, clip.row_id, row.row_id)
        for name, source in self.sources.items():
            if name not in of_list:
                lost = self.fates.get((Source.table, name), self.not_proposed)
                yield Span(source, max(source.end_s - source.start_s, 0.0), lost)

    def _by_source(self, table: type[R]) -> dict[str, list[R]]:
        found: dict[str, list[R]] = defaultdict(list)
        for row in self._current(table):
            found[row.source_id].append(row)
        return found

    def _proposals(self) -> "dict[str, list[_Proposal]]":
        """Every clip that ended, as kept or dropped; of those that were divided, the parts."""
        found: dict[str, list[_Proposal]] = defaultdict(list)
        for clip in self._current(Clip):
            found[clip.source_id].append(_Proposal(clip.row_id, clip.start_s, clip.end_s, clip.track_id, KEPT))
        current = {one.clip_id for some in found.values() for one in some}
        for (table, name), fate in self.fates.items():
            if table != Clip.table or name in current:
                continue
            if clip := self.clips.get(name):
                one = _Proposal(name, clip.start_s, clip.end_s, clip.track_id, fate)
            elif at := _SPAN.search(name):
                one = _Proposal(name, int(at[1]) / 1000, int(at[2]) / 1000, at[3], fate)
            else:  # counted, without seconds
                one = _Proposal(name, 0.0, 0.0, "", fate)
            found[self.owners[name]].append(one)
        return found

    def _seen(self, track: Track) -> Seen:
        wide, turned = list[float](), list[float]()
        for at_s, left, top, right, sure in zip(
            track.times_s, track.left_px, track.top_px, track.right_px, track.confidence, strict=True
        ):
            if sure <= 0:
                continue
            wide.append(right - left)
            if face := self._faces.get((track.source_id, round(at_s * 1000))):
                away = np.abs(np.array(face.left_px) - left) + np.abs(np.array(face.top_px) - top)
                if len(away):
                    turned.append(abs(face.yaw_deg[int(np.argmin(away))]))
        known = [value for value in turned if not np.isnan(value)]
        return Seen(
            track.track_id,
            float(np.median(wide)) if wide else np.nan,
            float(np.median(known)) if known else np.nan,
        )

    @cached_property
    def _faces(self) -> dict[tuple[str, int], Face]:
        return {(face.source_id, round(face.pts_s * 1000)): face for face in self._current(Face)}


class _Proposal(NamedTuple):
    clip_id: str
    start_s: float
    end_s: float
    track: str  # its id, or its last part where the proposal has no row
    fate: Fate

    def shows(self, track: Track, shot: Shot) -> bool:
        if "/" in self.track:
            return self.track == track.track_id
        middle_s = (self.start_s + self.end_s) / 2
        return shot.start_s <= middle_s < shot.end_s and track.track_id.endswith(f"/{self.track}")


def _of_track(source: Source, track: Track, face: Seen, own: Iterable[_Proposal], lost: Fate) -> Iterator[Span]:
    """The track in parts. Where two proposals overlap, the one that came further has the seconds."""
    taken = list[tuple[float, float]]()
    for one in sorted(own, key=lambda one: one.fate, reverse=True):
        yield Span(source, _free_s(one.start_s, one.end_s, taken), one.fate, face, one.clip_id)
        taken.append((one.start_s, one.end_s))
    if (rest_s := _free_s(track.start_s, track.end_s, taken)) > 0:
        yield Span(source, rest_s, lost, face)


def _free_s(start_s: float, end_s: float, taken: Iterable[tuple[float, float]]) -> float:
    """Seconds of a span outside all others."""
    free_s, at_s = 0.0, start_s
    for begin, end in sorted(taken):
        free_s += max(min(begin, end_s) - at_s, 0.0)
        at_s = max(at_s, end)
    return free_s + max(end_s - at_s, 0.0)


def _listed_s(row: Published) -> float:
    """How long a list says a clip is; 0 where it does not say."""
    if row.start_s is not None and row.end_s is not None:
        return row.end_s - row.start_s
    if row.first_frame is not None and row.last_frame is not None and row.fps:
        return (row.last_frame - row.first_frame) / row.fps
    return 0.0
