"""All that a page shows of one clip: its videos with the time of every frame, what was seen and heard, its numbers."""

from base64 import b64encode
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any, Protocol, TypeVar

import numpy as np

from manifests.cache import media_cache
from manifests.errors import StorageError
from manifests.manifest import LISTED, Manifest
from manifests.media import MediaStore
from manifests.tables import ActiveSpeaker, Clip, FaceLandmarks, Render, Row, Shot, Source, Track, Turn, Word
from operators.base import Drop
from operators.media.containers import open_media, packets_of, shown_when_decoded, video_of
from operators.media.sound import SourceAudio
from operators.models.face_geometry import landmarks_of
from pipeline.corpus_steps.likeness import KINDS, MOST, Likeness, likeness
from pipeline.views.explorer.columns import ClipColumns

R = TypeVar("R", bound=Row)

AROUND_S = 3.0  # of the source that are drawn before and after the clip
PEAK_S = 0.02  # between two values of the sound's envelope
PER_PX = 4  # landmarks are told in quarters of a pixel
UNSEEN = -32768
RECORDING = "recording"


class Places(Protocol):
    """Where a page finds videos, relative to itself; "" for one that it does not have."""

    def render(self, render: Render) -> str: ...

    def source(self, source: Source) -> str: ...


@dataclass
class _Shard:
    """The current rows of a shard by table and source: the clips of a shard follow each other."""

    manifest: Manifest
    number: int = -1

    def __post_init__(self) -> None:
        self._rows: dict[str, dict[str, list[Any]]] = {}

    def of(self, shard: int, table: type[R], source_id: str) -> list[R]:
        if shard != self.number:
            self.number = shard
            self._rows.clear()
        if table.table not in self._rows:
            by_source: dict[str, list[Any]] = {}
            for row in self.manifest.read(table, self.manifest.current(shard).get(table.table, []), shard):
                by_source.setdefault(row.source_id, []).append(row)
            self._rows[table.table] = by_source
        return self._rows[table.table].get(source_id, [])


class Details:
    """Tells of the clips of a manifest, one at a time."""

    def __init__(self, manifest: Manifest, columns: ClipColumns, places: Places):
        self.manifest, self.columns, self.places = manifest, columns, places
        self._shard = _Shard(manifest)
        self._shard_of = {source: shard for shard in manifest.shards() for source in manifest.listed(Source, [shard])}

    def has(self, source_id: str) -> bool:
        """Whether there is such a source."""
        return source_id in self._shard_of

    def rows(self, source_id: str, table: type[R]) -> list[R]:
        """The current rows of a source."""
        return self._shard.of(self._shard_of[source_id], table, source_id)

    def source(self, source_id: str) -> Source | None:
        """A source as it is now; None for what never became one, and for one that was given up."""
        return next(iter(self.rows(source_id, Source)), None) if self.has(source_id) else None

    def listed(self, source_id: str) -> Source | None:
        """A source as it was listed: its row is there where a step gave the source up, too."""
        there = self.manifest.read(Source, [LISTED], self._shard_of[source_id]) if self.has(source_id) else ()
        return next((row for row in there if row.source_id == source_id), None)

    def of(self, number: int) -> dict[str, Any]:
        """What the page shows of the clip in a row, as JSON has it."""
        wide = self.columns.row(number)
        source_id, clip_id = wide["source_id"], wide["clip_id"]
        rows = lambda table: self.rows(source_id, table)  # noqa: E731 - a name for one expression
        clip = next(row for row in rows(Clip) if row.clip_id == clip_id)
        span = clip.start_s - AROUND_S, clip.end_s + AROUND_S
        render = next((one for one in rows(Render) if (one.clip_id, one.made_by) == (clip_id, RECORDING)), None)
        facts = [[name, wide[name]] for name in self.columns.names if wide[name] is not None and wide[name] != ""]
        return {
            **around(clip, rows),
            "media": [one for one in (self._render(clip, render), self._source(rows(Source)[0], span)) if one],
            "facts": [[name, _plain(value)] for name, value in facts],
            "similar": {by: self._similar(clip_id, by) for by in KINDS},
            "same": {by: self._likeness[by][0].same(clip_id) for by in KINDS},
        }

    def _similar(self, clip_id: str, by: str) -> list[tuple[int, float]]:
        """The rows of the page whose face, or voice, is most like a clip's, with the cosine, the most alike first."""
        known, rows = self._likeness[by]
        if clip_id not in rows:
            return []
        near = known.nearest(clip_id, MOST)
        return [(rows[one.clip_id], one.cosine) for one in near]

    @cached_property
    def _likeness(self) -> dict[str, tuple[Likeness, dict[str, int]]]:
        """By face and by voice what is known of the clips of the page, and their rows."""
        made = {}
        for by in KINDS:
            known = likeness(self.manifest, by)
            rows = self.columns.places_of(known.clip_ids)
            made[by] = known.only(rows), rows
        return made

    def path_of(self, row: Render | Source) -> Path | None:
        """The file of a render or a source on this machine; None where it is not to be had."""
        if isinstance(row, Source) and not row.media:
            path = Path(row.uri)
            return path if "://" not in row.uri and path.is_file() else None
        try:
            return MediaStore(self.manifest.root).fetch(row.media, row.sha256, media_cache())
        except StorageError:
            return None

    def _render(self, clip: Clip, render: Render | None) -> dict[str, Any] | None:
        file = self.places.render(render) if render else ""
        if not render or not file or (path := self.path_of(render)) is None:
            return None
        return told_render(clip, render, path, file)

    def _source(self, source: Source, span: tuple[float, float]) -> dict[str, Any] | None:
        file = self.places.source(source)
        if not file or (path := self.path_of(source)) is None:
            return None
        return {"name": "source", "file": file, "width": source.width, "height": source.height, "offset": 0.0,
                "times": _frame_times(path, span), "peaks": ""}  # fmt: skip


def around(clip: Clip, rows: Callable[[type[Any]], list[Any]]) -> dict[str, Any]:
    """What was seen and heard from `AROUND_S` before a clip to as long behind it, as JSON has it.

    Args:
        rows: the current rows of the clip's source, by table.
    """
    source, span = rows(Source)[0], (clip.start_s - AROUND_S, clip.end_s + AROUND_S)
    rim = [round(side, 1) for side in (clip.left_px, clip.top_px, clip.right_px, clip.bottom_px)]
    tracks = [track for track in rows(Track) if track.start_s < span[1] and track.end_s > span[0]]
    ids = {track.track_id for track in tracks}
    marks = next((row for row in rows(FaceLandmarks) if row.clip_id == clip.clip_id), None)
    return {
        "clip": {
            "id": clip.clip_id,
            "start": clip.start_s,
            "end": clip.end_s,
            "speaker": clip.speaker,
            "track": clip.track_id,
            "box": rim,
        },
        "source": {
            "id": source.source_id,
            "uri": source.uri,
            "title": source.title,
            "width": source.width,
            "height": source.height,
        },
        "lanes": _lanes(rows, span),
        "tracks": [_track(track, span) for track in tracks],
        "active": [_active(row) for row in rows(ActiveSpeaker) if row.track_id in ids],
        "landmarks": _landmarks(marks) if marks else None,
        "words": _words(rows(Word), clip, span),
    }


def told_render(clip: Clip, render: Render, path: Path, file: str) -> dict[str, Any]:
    """The video of a clip, as JSON has it: the time of every frame, and the envelope of its sound.

    Args:
        path: where it lies.
        file: where the page finds it.
    """
    return {"name": "render", "file": file, "width": render.width, "height": render.height, "offset": clip.start_s,
            "times": _frame_times(path, None), "peaks": _peaks(path, render.duration_s)}  # fmt: skip


def _lanes(rows: Callable[[type[Any]], list[Any]], span: tuple[float, float]) -> list[dict[str, Any]]:
    """Spans of the source around the clip, by kind."""

    def spans(table: type[Row], name: Callable[[Any], str]) -> list[list[Any]]:
        return [
            [round(row.start_s, 3), round(row.end_s, 3), name(row)]
            for row in rows(table)
            if row.start_s < span[1] and row.end_s > span[0]
        ]

    last = lambda row_id: row_id.rsplit("/", 1)[-1]  # noqa: E731 - a name for one expression
    return [
        {"kind": "shots", "spans": spans(Shot, lambda row: last(row.shot_id))},
        {"kind": "faces", "spans": spans(Track, lambda row: last(row.track_id))},
        {"kind": "voices", "spans": spans(Turn, lambda row: row.speaker)},
        {"kind": "clips", "spans": spans(Clip, lambda row: row.clip_id)},
    ]


def _words(words: Sequence[Word], clip: Clip, span: tuple[float, float]) -> list[list[Any]]:
    """Those of the clip where it was listened to, else those of the turns around it."""
    there = [word for word in words if word.start_s < span[1] and word.end_s > span[0]]
    own = [word for word in there if word.subject == clip.clip_id] or there
    return [[round(word.start_s, 3), round(word.end_s, 3), word.text, round(word.confidence, 2)] for word in own]


def _track(track: Track, span: tuple[float, float]) -> dict[str, Any]:
    inside = [n for n, time in enumerate(track.times_s) if span[0] <= time <= span[1]]
    sides = (track.left_px, track.top_px, track.right_px, track.bottom_px)
    boxes = [[round(side[n], 1) for side in sides] for n in inside]
    return {"id": track.track_id, "times": [round(track.times_s[n], 4) for n in inside], "boxes": boxes,
            "confidence": [round(track.confidence[n], 2) for n in inside]}  # fmt: skip


def _active(row: ActiveSpeaker) -> dict[str, Any]:
    return {
        "track": row.track_id,
        "model": row.model,
        "start": row.start_s,
        "step": row.step_s,
        "score": [round(one, 2) for one in row.score],
    }


def _landmarks(marks: FaceLandmarks) -> dict[str, Any] | None:
    """The outlines of a face: quarters of a source pixel, int16, (looks, points, 2); and which points are joined."""
    kept, edges = outlines()
    points = landmarks_of(marks)[:, kept, :2]
    packed = np.where(np.isnan(points), UNSEEN, np.clip(np.rint(points * PER_PX), UNSEEN + 1, 32767)).astype("<i2")
    return {"times": [round(time, 4) for time in marks.times_s], "count": len(kept), "edges": edges,
            "points": b64encode(packed.tobytes()).decode()}  # fmt: skip


@cache
def outlines() -> tuple[list[int], list[list[int]]]:
    """The points of lips, eyes, brows, irises and oval as MediaPipe numbers them, and which of these are joined."""
    from mediapipe.tasks.python.vision.face_landmarker import FaceLandmarksConnections as Joined

    rims = (Joined.FACE_LANDMARKS_CONTOURS, Joined.FACE_LANDMARKS_LEFT_IRIS, Joined.FACE_LANDMARKS_RIGHT_IRIS)
    pairs = sorted({(one.start, one.end) for rim in rims for one in rim})
    kept = sorted({point for pair in pairs for point in pair})
    place = {point: number for number, point in enumerate(kept)}
    return kept, [[place[one], place[other]] for one, other in pairs]


def _frame_times(path: Path, span: tuple[float, float] | None) -> list[float]:
    """The times at which frames are shown, on the file's own clock, sorted; from packets alone, nothing is decoded.

    Args:
        span: only those in it, and the one before, which is shown when it begins; None for all.
    """
    try:
        with open_media(path) as container:
            if (stream := video_of(container)) is None or stream.time_base is None:
                return []
            if span is not None:
                container.seek(max(0, int((span[0] - 1) / stream.time_base)), stream=stream)
            untimed, found = shown_when_decoded(container, stream), []
            for packet in packets_of(container, [stream]):
                ticks = packet.dts if untimed else packet.pts
                if ticks is not None and packet.size:
                    found.append(round(float(ticks * stream.time_base), 6))
                    if span is not None and found[-1] > span[1] + 1:
                        break
    except Drop:
        return []
    inside = sorted(time for time in set(found) if span is None or time < span[1])
    first = max((n for n, time in enumerate(inside) if span is None or time <= span[0]), default=0)
    return inside[first:] if span is not None else inside


def _peaks(path: Path, duration_s: float) -> str:
    """The sound's envelope: a byte every `PEAK_S`, 255 full scale, base64; "" where there is none."""
    try:
        samples = np.abs(SourceAudio(path).samples(0.0, duration_s))
    except Drop:
        return ""
    each = round(16000 * PEAK_S)
    whole = samples[: len(samples) // each * each].reshape(-1, each)
    return b64encode(np.clip(whole.max(axis=1, initial=0) * 255, 0, 255).astype(np.uint8).tobytes()).decode()


def _plain(value: Any) -> str | float | int | bool | None:
    return (
        value
        if isinstance(value, str | int | bool)
        else round(value, 6)
        if isinstance(value, float) and np.isfinite(value)
        else str(value)
    )
