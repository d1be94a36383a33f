"""Who and what was taken down from a corpus, and must not come back: `<root>/takedowns.json`.

A source is taken down as a whole. A person is taken down where they are seen and heard: regions of sources, each the
boxes of one face over time and the spans of one voice. What a later run makes of a region is dropped as `taken_down`.
"""

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from statistics import median
from typing import Any

from manifests.boxes import intersection, iou
from manifests.tables import Clip, Dropped, Face, FaceEmbedding, FaceQuality, Fingerprint, Row, Source, Track, Turn

FILE = "takedowns.json"
REASON = "taken_down"
SAME_FACE = 0.4  # intersection over union of two boxes at a moment: above it they hold the same face
OF_LOOKS = (Face, FaceQuality, FaceEmbedding)  # tables of the faces of a looked-at frame, in parallel lists
# of a voice in a clip; where turns meet, their ends are no more exact than that, and it is less than a syllable
HEARD_S = 0.2
SLACK_S = 0.5  # a face is taken to stay where it was last seen


@dataclass(frozen=True)
class Region:
    """Where a person is seen and heard in a source. Lists of boxes are parallel to `times_s`; no boxes: the whole
    picture of the span.
    """

    source_id: str
    start_s: float
    end_s: float
    times_s: list[float] = field(default_factory=list)
    left_px: list[float] = field(default_factory=list)
    top_px: list[float] = field(default_factory=list)
    right_px: list[float] = field(default_factory=list)
    bottom_px: list[float] = field(default_factory=list)
    heard_s: list[list[float]] = field(default_factory=list)  # spans [start, end) of the voice in the source

    def box(self, at_s: float) -> tuple[float, float, float, float] | None:
        """The box at a moment, between looks in proportion; None where the face is not seen then."""
        if not self.times_s or not self.times_s[0] - SLACK_S <= at_s <= self.times_s[-1] + SLACK_S:
            return None
        after = bisect_right(self.times_s, at_s)
        a, b = max(after - 1, 0), min(after, len(self.times_s) - 1)
        span = self.times_s[b] - self.times_s[a]
        share = min(max((at_s - self.times_s[a]) / span, 0.0), 1.0) if span else 0.0
        left, top, right, bottom = (
            side[a] + share * (side[b] - side[a]) for side in (self.left_px, self.top_px, self.right_px, self.bottom_px)
        )
        return left, top, right, bottom

    def shows(self, clip: Clip) -> bool:
        """Whether the person is seen within the clip's crop, or heard in it."""
        if (
            sum(max(0.0, min(clip.end_s, end_s) - max(clip.start_s, start_s)) for start_s, end_s in self.heard_s)
            > HEARD_S
        ):
            return True
        if clip.start_s >= self.end_s or clip.end_s <= self.start_s:
            return False
        sides = (clip.left_px, clip.top_px, clip.right_px, clip.bottom_px)
        # rows of an older schema have no crop: all of the frame
        if not self.times_s or any(side is None for side in sides):
            return True
        moments = [
            max(clip.start_s, self.start_s),
            min(clip.end_s, self.end_s),
            *(t for t in self.times_s if clip.start_s <= t < clip.end_s),
        ]
        return any((box := self.box(moment)) is not None and intersection(box, sides) > 0 for moment in moments)

    def is_face_of(self, track: Track) -> bool:
        """Whether a track follows the same face: over the moments they share, the boxes are mostly the same."""
        alike = [
            iou(box, (track.left_px[i], track.top_px[i], track.right_px[i], track.bottom_px[i]))
            for i, at_s in enumerate(track.times_s)
            if self.start_s - SLACK_S <= at_s <= self.end_s + SLACK_S and (box := self.box(at_s)) is not None
        ]
        return bool(alike) and median(alike) > SAME_FACE

    def is_voice_of(self, turn: Turn) -> bool:
        """Whether most of a turn is the person's voice."""
        heard = sum(max(0.0, min(end_s, turn.end_s) - max(start_s, turn.start_s)) for start_s, end_s in self.heard_s)
        return heard > (turn.end_s - turn.start_s) / 2


@dataclass(frozen=True)
class Takedown:
    """One demand, and what it reached."""

    takedown_id: str  # source:<id>, identity:<name> or like:<first digits of the picture's sha256>
    at: str  # UTC, ISO 8601
    sources: dict[str, str]  # taken down as a whole: their sha256 by id; "" where it was not known
    regions: list[Region]
    clips: list[str]  # of regions: the clips that were taken out


@dataclass(frozen=True)
class Takedowns:
    """All takedowns of a corpus."""

    all: tuple[Takedown, ...]

    @classmethod
    def of(cls, found: Iterable[dict[str, Any]] | None) -> "Takedowns":
        """From what the file holds; None for no file."""
        return cls(
            tuple(
                Takedown(**{**one, "regions": [Region(**region) for region in one["regions"]]}) for one in found or []
            )
        )

    def __bool__(self) -> bool:
        return bool(self.all)

    def gone(self, source: Source) -> bool:
        """Whether a source was taken down, by its id or by its content."""
        return any(
            source.source_id in one.sources or (source.sha256 and source.sha256 in one.sources.values())
            for one in self.all
        )

    def drop_of(self, source: Source) -> Dropped:
        """What a list is answered that names a source which was taken down."""
        name = source.source_id
        return Dropped(name, f"{name}@takedown", name, Source.table, "takedown", REASON, "", False, False)

    def covers(self, row: Row) -> bool:
        """Whether a row is of a source or person that was taken down."""
        if isinstance(row, Source):
            return self.gone(row)
        if any(row.source_id in one.sources for one in self.all):
            return True
        regions = [region for one in self.all for region in one.regions if region.source_id == row.source_id]
        if isinstance(row, Track):
            return any(region.is_face_of(row) for region in regions)
        if isinstance(row, Clip):
            return any(region.shows(row) for region in regions)
        if isinstance(row, Fingerprint):  # of the whole picture, with everybody in it
            return bool(regions)
        return isinstance(row, Turn) and any(region.is_voice_of(row) for region in regions)

    def without(self, row: Row) -> Row:
        """The row without the faces of persons who were taken down."""
        if not isinstance(row, OF_LOOKS):
            return row
        regions = [region for one in self.all for region in one.regions if region.source_id == row.source_id]
        boxes = [
            box
            for region in regions
            if region.start_s - SLACK_S <= row.pts_s <= region.end_s + SLACK_S and (box := region.box(row.pts_s))
        ]
        sides = list(zip(row.left_px, row.top_px, row.right_px, row.bottom_px, strict=True))
        kept = [i for i, side in enumerate(sides) if not any(iou(box, side) > SAME_FACE for box in boxes)]
        if len(kept) == len(sides):
            return row
        fewer: dict[str, Any] = {
            name: [value[i] for i in kept] for name, value in vars(row).items() if isinstance(value, list)
        }
        for name, value in vars(row).items():
            if isinstance(value, bytes):
                each = len(value) // len(sides)
                fewer[name] = b"".join(value[i * each : (i + 1) * each] for i in kept)
        return replace(row, **fewer)
