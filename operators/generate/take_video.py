"""A video that a system made elsewhere, as the render of a pair: judged and encoded as those that headset had made."""

import tempfile
from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path

from manifests.tables import Pair, Render
from operators.base import Drop, RenderMedia
from operators.generate.cards import Output
from operators.generate.generate_video import RECORDING, render_of
from operators.generate.inputs import Recording
from operators.generate.judge import Expected, check, finish, stated_fps
from operators.generate.supervisor import Casualty


def take_video(pair: Pair, system: str, path: Path, renders: Sequence[Render], media: RenderMedia) -> Iterator[Render]:
    """The render. The video may have any rate, which its file states; its own sound is replaced by that of the driving
    recording.

    Drops: `missing_render`, there is no file; `no_recording`; `bad_video` and `short`.
    """
    driving = next((row for row in renders if row.made_by == RECORDING and row.clip_id == pair.driving_clip_id), None)
    if driving is None:
        raise Drop("no_recording", detail=f"{pair.driving_clip_id} is not rendered", retryable=True)
    if not path.is_file():
        raise Drop("missing_render", detail=path.name, retryable=True)
    recording = Recording(driving, media.file_of(driving))
    expected = Expected(recording.fps, driving.frames)
    with tempfile.TemporaryDirectory() as folder:
        made = Path(folder, "render.mp4")
        try:
            rate = stated_fps(path)
            output = Output(
                fps=0.0 if abs(rate - float(recording.fps)) < 0.01 else float(Fraction(rate).limit_denominator(1001))
            )
            count = check(path, {}, output, expected)
            finished = finish(path, made, count, output, expected, recording.sound(48000))
        except Casualty as lost:
            raise Drop(lost.kind, detail=lost.detail) from None
        size = made.stat().st_size
        place, sha256 = media.keep(made, ".mp4")
    yield render_of(pair, system, finished, driving.fps, (place, sha256, size))
