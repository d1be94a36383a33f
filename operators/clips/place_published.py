"""Published clips, placed exactly on the file at hand."""

import re
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from itertools import pairwise
from pathlib import Path

from manifests.tables import Clip, Published, Source, span_id
from operators.base import Drop, Media, Operator
from operators.clips.crops import OF_LISTS, Box, within
from operators.media.containers import open_media, video_of

PIECE_S = 60  # of TalkingHead-1KH's minutes
# a span of frames begins and ends so much before a frame: what a container that knows milliseconds may round by
_MARGIN_S = 0.001


@dataclass(frozen=True)
class PlacePublished(Operator):
    """A clip of a published list as seconds and pixels of the file at hand, which nothing re-encodes or cuts before.

    Seconds are counted from the start of the file, as players and FFmpeg count them, and kept to the digit: 52.72 s
    stays 52.72 s. The clips of our own manifests are on the source's clock already.

    Frames, where the list gives no rate, are counted in the file itself by the times of its packets. At a rate r, frame
    n is time n / r after the first frame, and a frame of the file is in the clip when it is not before the first and is
    before the last, as in the loaders of the lists. The span begins at the first frame, or one millisecond before it,
    and ends so before the frame after the last, so that it holds exactly the frames meant, and a render of it at the
    file's own rate has each of them once.

    TalkingHead-1KH counts frames in minutes that FFmpeg's segment muxer made by stream copy. It can cut only at key
    frames: piece n + 1 begins with the first key frame at least 60 (n + 1) s after the first frame
    (libavformat/segment.c), so that pieces of a file with a key frame every 10 s are 60 s long, and of one with a key
    frame every 8.33 s, 66.7, 58.3 and so on. `true_time` finds those key frames and maps the tube to the moment that
    the authors saw in their piece, as far as the file at hand has its key frames where theirs had.

    Boxes follow the list's own rule, see `crops.OF_LISTS`, in the displayed frame of the file.

    Drops: `source_gone`, `frame_size_unknown` (the source is not measured), `beyond_end` (the video is shorter),
    `frame_unknown` (the minute has fewer frames), `no_frames`, `box_outside_frame`, `box_empty`, `rule_unknown`.
    """

    # of TalkingHead-1KH's tubes; False takes each minute for 60 s, as if they had been cut by time
    true_time: bool = True
    short_s: float = 0.5  # that a clip may lose where the video ends before it does: lists round to seconds
    slack_px: float = 1.0  # by which rounding may let a box leave the frame; it is cut to it
    # a box that leaves the frame is cut to it, as the script of video-preprocessing does, and not given up
    cut_boxes: bool = False

    def __call__(self, published: Published, sources: list[Source], media: Media) -> Iterator[Clip]:
        if not sources:
            raise Drop("source_gone")
        source = sources[0]
        if not source.width or not source.height:
            raise Drop("frame_size_unknown", detail="ProbeSource comes before")
        start_s, end_s = self._span(published, source, media.path)
        left, top, right, bottom = self._box(published, source)
        name = re.sub(r"[^A-Za-z0-9_-]", "-", published.name)
        yield Clip(
            source.source_id, f"{span_id(source.source_id, start_s, end_s)}/{name}", "", "", published.identity,
            start_s, end_s, left, top, right, bottom, published_id=published.published_id,
            sound_late_s=published.sound_late_s,
        )  # fmt: skip

    def _span(self, published: Published, source: Source, path: Path) -> tuple[float, float]:
        if published.start_s is not None and published.end_s is not None:
            zero = Fraction(0) if published.source_sha256 else _starts(path)
            # Summed exactly, so that the time of a frame stays that of the frame.
            start_s, end_s = (float(Fraction(repr(time_s)) + zero) for time_s in (published.start_s, published.end_s))
            if start_s >= source.end_s or end_s > source.end_s + self.short_s:
                raise Drop("beyond_end", detail=f"{start_s:.3f} to {end_s:.3f} s of {source.end_s:.3f} s")
            return start_s, min(end_s, source.end_s)
        if published.first_frame is None or published.last_frame is None:
            raise Drop("frame_unknown", detail="the list gives neither seconds nor frames")
        wanted = published.first_frame, published.last_frame
        frames = _frames_of(path)
        if not frames.times_s:
            raise Drop("no_frames", detail="no packet of the video has a time")
        if published.piece is not None:
            first, last = self._in_piece(wanted, published.piece, frames)
        elif published.fps:
            first, last = self._at_rate(wanted, published.fps, source, frames)
        else:
            first, last = wanted
            if last > len(frames.times_s):
                raise Drop("beyond_end", detail=f"frames {first} to {last - 1} of {len(frames.times_s)}")
        if not 0 <= first < last:
            raise Drop("no_frames", detail=f"frames {wanted[0]} to {wanted[1] - 1}")
        return frames.edge_s(first), min(frames.edge_s(last), source.end_s)

    def _at_rate(self, wanted: tuple[int, int], fps: float, source: Source, frames: "_FileFrames") -> tuple[int, int]:
        # At equal rates a frame's number is meant, and a list's rounded rate (29.97) must not move it; at others its
        # time is.
        slack_s = 0.25 / fps if abs(source.fps / fps - 1) < 0.001 else 2 * _MARGIN_S
        start_s, end_s = (frames.times_s[0] + n / fps for n in wanted)
        if start_s >= source.end_s or end_s > source.end_s + self.short_s:
            raise Drop("beyond_end", detail=f"{start_s:.3f} to {end_s:.3f} s of {source.end_s:.3f} s")
        return bisect_left(frames.times_s, start_s - slack_s), bisect_left(frames.times_s, end_s - slack_s)

    def _in_piece(self, wanted: tuple[int, int], piece: int, frames: "_FileFrames") -> tuple[int, int]:
        pieces = frames.pieces if self.true_time else frames.minutes
        if piece >= len(pieces):
            raise Drop("beyond_end", detail=f"minute {piece} of {len(pieces)}")
        first, last = pieces[piece]
        if wanted[1] > last - first:
            raise Drop("frame_unknown", detail=f"frame {wanted[1] - 1} of minute {piece}, which has {last - first}")
        return first + wanted[0], first + wanted[1]

    def _box(self, published: Published, source: Source) -> Box:
        if published.crop not in OF_LISTS:
            raise Drop(
                "rule_unknown", detail=f"{published.crop!r}; there are {', '.join(sorted(filter(None, OF_LISTS)))}"
            )
        frame = source.width, source.height
        box = published.left, published.top, published.right, published.bottom
        box = OF_LISTS[published.crop](box, (published.frame_width, published.frame_height), frame)
        if published.source_sha256:  # our own clips may go beyond the frame, into black
            return box
        return within(box, frame, float("inf") if self.cut_boxes else self.slack_px)


@dataclass(frozen=True)
class _FileFrames:
    """The frames of a file, by its packets."""

    times_s: tuple[float, ...]  # in the order they are shown
    end_s: float
    # first frame of each stream-copied minute, and the first one that is no more in it
    pieces: tuple[tuple[int, int], ...]
    minutes: tuple[tuple[int, int], ...]  # the same of minutes by time

    def edge_s(self, frame: int) -> float:
        """When a span begins or ends that begins with a frame, or ends before it."""
        if frame == 0:
            return self.times_s[0]
        if frame >= len(self.times_s):
            return self.end_s
        before_s, time_s = self.times_s[frame - 1], self.times_s[frame]
        return time_s - min(_MARGIN_S, (time_s - before_s) / 2)


def _starts(path: Path) -> Fraction:
    """Where on the source's clock players and FFmpeg begin to count: where its first stream does."""
    with open_media(path) as container:
        known = [
            s.start_time * s.time_base
            for s in container.streams
            if s.type in ("video", "audio") and s.start_time is not None and s.time_base
        ]
        return min(known, default=Fraction(0))


def _frames_of(path: Path) -> _FileFrames:
    found = path.stat()
    return _frames(path, found.st_size, found.st_mtime_ns)


@lru_cache(maxsize=1)  # the clips of a video come one after the other
def _frames(path: Path, size: int, changed_ns: int) -> _FileFrames:
    times: list[Fraction] = []
    keys: list[Fraction] = []  # in the order they are stored, as the muxer meets them
    end = Fraction(0)
    with open_media(path) as container:
        stream = video_of(container)
        if stream is None:
            raise Drop("no_video_stream")
        for packet in container.demux(stream):
            pts = packet.pts if packet.pts is not None else packet.dts
            if not packet.size or packet.is_discard or pts is None:
                continue
            assert packet.time_base is not None
            time = pts * packet.time_base
            times.append(time)
            end = max(end, time + (packet.duration or 0) * packet.time_base)
            if packet.is_keyframe:
                keys.append(time)
    if not times:
        return _FileFrames((), 0.0, (), ())
    times.sort()
    cuts = [times[0]]
    for key in keys:
        if key - times[0] >= PIECE_S * len(cuts):
            cuts.append(key)
    minutes = [times[0] + PIECE_S * n for n in range(int((times[-1] - times[0]) // PIECE_S) + 1)]
    return _FileFrames(
        tuple(map(float, times)), float(max(end, times[-1])), _spans(times, cuts), _spans(times, minutes)
    )


def _spans(times: list[Fraction], begins: list[Fraction]) -> tuple[tuple[int, int], ...]:
    return tuple(pairwise([*(bisect_left(times, begin) for begin in begins), len(times)]))
