"""What a corpus gave up: counted, and some of it to look at."""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from manifests.boxes import box_at
from manifests.manifest import Manifest
from manifests.media import MediaStore
from manifests.tables import Clip, Dropped, Track
from pipeline.corpus.frames import to_pandas, to_polars
from pipeline.query.source_rows import SourceRows

if TYPE_CHECKING:
    from pipeline.views.pictures import Marks, Still, Stills
    from pipeline.views.reason_counts import ReasonCounts

EXAMPLES = 8  # that a notebook is shown unasked
SPAN = re.compile(r"/(\d+)-(\d+)(?:/(t\d+))?")
WAIT_S = 2.0  # for a frame after the wanted time


@dataclass(frozen=True)
class Drops:
    """Rows that were given up, of one reason or of all; a name of a failure's error is a reason too."""

    root: str
    reason: str = ""

    def table(self) -> pa.Table:
        """`drops` as in `manifests/tables.py`."""
        import pyarrow.dataset as dataset

        rows = Manifest(self.root).table(Dropped)
        return rows.filter(dataset.field("reason") == self.reason) if self.reason else rows

    def pandas(self) -> Any:
        return to_pandas(self.table())

    def polars(self) -> Any:
        """
        Raises:
            UsageError: where polars is not installed.
        """
        return to_polars(self.table())

    def __len__(self) -> int:
        return self.table().num_rows

    def __iter__(self) -> Iterator[Dropped]:
        for row in self.table().to_pylist():
            yield Dropped(**row)

    def counts(self) -> "ReasonCounts":
        """How often each reason was given, by the table that it was given for."""
        from pipeline.views.reason_counts import reason_counts

        return reason_counts(Counter((row.subject_table, row.operator, row.reason) for row in self))

    def examples(self, count: int = EXAMPLES) -> "Stills":
        """Some of them, spread over the sources: a frame from the middle of each, with its face's box and its crop.

        A source that is not on this machine has no picture.
        """
        from pipeline.views.pictures import Still, Stills

        shown, stills = _spread(list(self), count), list[Still]()
        manifest = Manifest(self.root)
        sources: dict[str, SourceRows] = {}
        for drop in shown:
            if drop.source_id and drop.source_id not in sources:
                sources[drop.source_id] = SourceRows.of(manifest, drop.source_id)
            stills.append(_still(sources.get(drop.source_id), drop))
        return Stills(
            f"{len(shown)} of {len(self)} rows given up{f' as {self.reason}' if self.reason else ''}", tuple(stills)
        )

    def _repr_html_(self) -> str:
        return f'<div class="headset">{self.counts()._repr_html_()}{self.examples()._repr_html_()}</div>'


def _spread(drops: list[Dropped], count: int) -> list[Dropped]:
    """Evenly chosen, each subject once."""
    once = list({drop.subject: drop for drop in drops}.values())
    return [once[i * len(once) // min(count, len(once))] for i in range(min(count, len(once)))]


def _still(rows: SourceRows | None, drop: Dropped) -> "Still":
    from operators.base import Drop
    from operators.media.frames import VideoFrames
    from pipeline.views.pictures import Still, jpeg_of

    detail = f"\n{drop.detail}" if drop.detail else ""
    caption = f"{drop.subject}\n{drop.operator}: {drop.reason}{detail}"
    path = MediaStore(rows.manifest.root).source_file(rows.source) if rows else None
    if rows is None or path is None:
        return Still(caption, b"")
    span = SPAN.search(drop.subject)
    middle_s = (int(span[1]) + int(span[2])) / 2000 if span else (rows.source.start_s + rows.source.end_s) / 2
    try:
        frame = next(iter(VideoFrames(path, middle_s, middle_s + WAIT_S)), None)
    except Drop as no:
        return Still(f"{caption}\nno picture: {no.reason}", b"")
    if frame is None:
        return Still(caption, b"")
    rgb = frame.rgb(360)
    scale = rgb.shape[0] / rows.source.height if rows.source.height else 1.0
    return Still(caption, jpeg_of(rgb, _marks(rows, drop, middle_s, scale), 280))


def _marks(rows: SourceRows, drop: Dropped, at_s: float, scale: float) -> "list[Marks]":
    """The crop of a proposed clip, and the face that it, or the dropped row, is about."""
    from pipeline.views.pictures import SILENT, UNKNOWN, Marks

    clip = next((one for one in rows.ever(Clip) if one.clip_id == drop.subject), None)
    made = []
    if clip:
        made.append(
            Marks([edge * scale for edge in (clip.left_px, clip.top_px, clip.right_px, clip.bottom_px)], "#ffffff")
        )
    wanted = {clip.track_id} if clip else {drop.subject}
    for track in rows.ever(Track):
        is_its_own = track.track_id in wanted
        if (is_its_own or track.shot_id == drop.subject) and (box := box_at(track, at_s)):
            made += [Marks([edge * scale for edge in box[:4]], SILENT if is_its_own else UNKNOWN)]
    return made
