"""What an operator can ask of a row's source: its bytes, its frames, its sound."""

import hashlib
import os
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from threading import Lock
from typing import Any, cast

from manifests.cache import cache_folder, media_cache
from manifests.errors import Inconsistent, MissingMedia
from manifests.media import MediaStore
from manifests.names import inside
from manifests.tables import Render, Row, Source
from operators.base import Audio, Frame, Media, OtherFrames, SourceFetcher
from operators.media.frames import VideoFrames
from operators.media.sound import SourceAudio
from pipeline.engine.fan_out import AHEAD


def span_of(row: Row) -> tuple[float, float] | None:
    """`[start_s, end_s)` of a row; None where it has none."""
    start_s, end_s = getattr(row, "start_s", None), getattr(row, "end_s", None)
    return None if start_s is None or end_s is None else (start_s, end_s)


@dataclass
class RowMedia:
    """What an operator can ask of a row's source. Opened when asked for."""

    row: Row
    source: Source | None
    store: MediaStore
    fetcher: SourceFetcher | None = None  # to get again what has left the store
    on_gpu: bool = False  # whether to decode there
    at_s: float | None = field(default=None, init=False)  # pts of the last frame that was looked at
    # operators that share a decode ask from threads of their own
    _one_at_a_time: Any = field(default_factory=Lock, repr=False)
    _others: dict[str, "_Others"] = field(default_factory=dict, init=False, repr=False)  # by place in the store

    @cached_property
    def path(self) -> Path:
        with self._one_at_a_time:
            return self._path()

    def _path(self) -> Path:
        if isinstance(self.row, Render):
            return self.file_of(self.row)
        if self.source is None:
            raise Inconsistent(f"{self.row.row_id}: its source {self.row.source_id} is not among the sources")
        if not self.source.media:
            return Path(self.source.uri)
        try:
            return self.store.fetch(self.source.media, self.source.sha256, media_cache())
        except MissingMedia:
            if self.fetcher is None or "://" not in self.source.uri:
                raise
            self.fetcher.fetch_again(self.source, cast(Media, self))
            return self.store.fetch(self.source.media, self.source.sha256, media_cache())

    def keep(self, made: Path, suffix: str) -> tuple[str, str]:
        return self.store.put(made, suffix)

    def file_of(self, render: Render) -> Path:
        return self.store.fetch(render.media, render.sha256, media_cache())

    @property
    def scratch(self) -> Path:
        """A folder of the source's own on this machine that outlives a killed run: partial downloads wait there."""
        corpus = hashlib.sha256(os.path.abspath(self.store.root).encode()).hexdigest()[:12]
        return inside(cache_folder() / "scratch" / corpus, self.row.source_id)

    @property
    def length_s(self) -> float:
        """Seconds of media the row spans; 0.0 where that is not known."""
        span = span_of(self.row)
        return max(span[1] - span[0], 0.0) if span else 0.0

    @property
    def done_s(self) -> float:
        """Of these, the seconds whose frames were looked at; 0.0 where none was."""
        span = span_of(self.row)
        return 0.0 if self.at_s is None else max(self.at_s - (span[0] if span else 0.0), 0.0)

    @property
    def frames(self) -> Iterator[Any]:
        start_s, end_s = (None, None) if isinstance(self.row, Source) else span_of(self.row) or (None, None)
        for frame in VideoFrames(self.path, start_s, end_s, on_gpu=self.on_gpu):
            self.at_s = frame.pts_s
            yield frame

    @cached_property
    def audio(self) -> Audio:
        of_source = self.source is not None and not isinstance(self.row, Render)
        return _audio(self.path, self.source.audio_track if self.source is not None and of_source else None)

    def frame_of(self, render: Render, number: int) -> Frame | None:
        """See `operators.asks.OtherFrames`."""
        with self._one_at_a_time:
            if render.media not in self._others:
                self._others[render.media] = _Others(iter(VideoFrames(self.file_of(render))))
            return self._others[render.media].frame(number)

    def of(self, kind: type) -> Any:
        return self.audio if kind is Audio else self.frame_of if kind is OtherFrames else self


class _Others:
    """The frames of another file, gone through once by operators that share a pass and are never further apart in it
    than a lane of `fan_out` is long.
    """

    def __init__(self, frames: Iterator[Frame]):
        self.frames, self.count = frames, 0
        self.first: Frame | None = None
        self.last: deque[Frame] = deque(maxlen=AHEAD + 4)

    def frame(self, number: int) -> Frame | None:
        while self.count <= number and (frame := next(self.frames, None)) is not None:
            self.first = self.first or frame
            self.last.append(frame)
            self.count += 1
        if number >= self.count:
            return None
        behind = self.count - number
        if number and behind > len(self.last):
            raise Inconsistent(f"frame {number} of another render is asked for, {behind} frames behind its last reader")
        return self.last[-behind] if number else self.first


_last_audio: list[tuple[tuple[Path, int | None], SourceAudio]] = []


def _audio(path: Path, track: int | None) -> SourceAudio:
    """The sound of a file, kept for the next row: rows of one source follow each other."""
    if not _last_audio or _last_audio[0][0] != (path, track):
        _last_audio[:] = [((path, track), SourceAudio(path, track))]
    return _last_audio[0][1]
