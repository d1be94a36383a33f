"""Copies of a video as others might keep them: filtered by FFmpeg and encoded anew."""

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
import av.filter

FRAMES_FROM_ZERO = "setpts=PTS-STARTPTS"


def copy_of(path: Path, made: Path, filters: str, crf: int) -> Path:
    """The pictures of a file through FFmpeg filters, as H.264. `{tenth}` is a tenth of its length, `{other_fps}` 25 or
    30.
    """
    with av.open(str(path)) as source, av.open(str(made), "w") as target:
        stream = source.streams.video[0]
        frames = list(source.decode(stream))
        first, last = (frames[n].time or 0.0 for n in (0, -1))
        fps = (len(frames) - 1) / (last - first)
        other = 30 if abs(fps - 25) < 2 else 25
        text = filters.format(tenth=first + (last - first) / 10, other_fps=other)
        graph = av.filter.Graph()
        nodes = [graph.add_buffer(template=stream, time_base=frames[0].time_base)]
        for part in text.split(","):
            name, _, arguments = part.partition("=")
            nodes.append(graph.add(name, arguments or None))
        nodes.append(graph.add("buffersink"))
        graph.link_nodes(*nodes).configure()
        written: av.VideoStream | None = None
        for frame in _filtered(graph, frames):
            if written is None:
                written = target.add_stream("libx264", rate=Fraction(round(fps) if "fps=" not in text else other))
                written.width, written.height, written.pix_fmt = frame.width, frame.height, "yuv420p"
                written.codec_context.time_base = Fraction(1, 90000)
                written.codec_context.options = {"crf": str(crf), "preset": "veryfast", "threads": "1"}
            shown = frame.reformat(format="yuv420p")
            shown.pts, shown.time_base = round((frame.time or 0.0) * 90000), Fraction(1, 90000)
            target.mux(written.encode(shown))
        assert written is not None
        target.mux(written.encode(None))
    return made


def _filtered(graph: av.filter.Graph, frames: list[av.VideoFrame]) -> Iterator[av.VideoFrame]:
    for frame in [*frames, None]:
        graph.push(frame)
        while True:
            try:
                shown = graph.pull()
            except (BlockingIOError, EOFError):
                break
            assert isinstance(shown, av.VideoFrame)
            yield shown
