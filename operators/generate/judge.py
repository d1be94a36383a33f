"""What a system made, judged by its file alone, its quirks undone, and encoded as recordings are, with the driving
sound, or with what a system that is driven by text speaks.
"""

import os
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from operators.base import Drop
from operators.generate.cards import Output
from operators.generate.supervisor import Casualty
from operators.media.containers import open_media, video_of
from operators.media.decoding import Tally, decodable
from operators.media.encoding import Encoder
from operators.media.frames import VideoFrames
from operators.media.sound import SourceAudio

SPARE_FRAMES = 3  # by which a video may be shorter than its driving: its last frame is held
MUCH_LONGER = 1.5  # times as many frames as expected answer something else
FPS_TOLERANCE = 0.01  # share
FLAT_LEVELS = 8  # of 255: a video none of whose frames spans more shows nothing


@dataclass(frozen=True)
class Expected:
    """What the video of a pair must be like."""

    fps: Fraction  # of the driving recording, and of the render
    frames: int


@dataclass(frozen=True)
class Finished:
    """A render's file, and what is to be known of it."""

    frames_sha256: str
    width: int
    height: int
    frames: int
    encoder: str


def named_file(answer: Mapping[str, Any], folder: Path, key: str = "video") -> Path:
    """The file that an answer names.

    Raises:
        Casualty: bad_answer, for one that is not there, is no plain file, or lies outside the folder.
    """
    named = answer.get(key)
    if not isinstance(named, str) or not named or "\0" in named:
        raise Casualty("bad_answer", f"`{key}` is {str(named)[:100]!r}; it names the file that was made")
    path = folder / named
    inside = Path(os.path.realpath(path)).is_relative_to(os.path.realpath(folder)) and os.path.realpath(
        path.parent
    ) == os.path.abspath(path.parent)
    if not inside:
        raise Casualty("bad_answer", f"{named[:200]!r} lies outside the folder of the request")
    try:
        seen = os.lstat(path)
    except OSError:
        raise Casualty("bad_answer", f"there is no {path.name!r} in the folder of the request") from None
    if not stat.S_ISREG(seen.st_mode) or seen.st_nlink != 1:
        raise Casualty("bad_answer", f"{path.name!r} is a link or no plain file")
    return path


def check(path: Path, answer: Mapping[str, Any], output: Output, expected: Expected) -> int:
    """How many frames a video has, which decodes to its end, at the rate and of the length and size that are due.

    Raises:
        Casualty: bad_video, short, or bad_answer where the answer says another number of frames.
    """
    count, widths, span, stated = 0, set(), 0, 0.0
    try:
        tally = Tally()
        with open_media(path) as container:
            if (stream := video_of(container)) is None:
                raise Casualty("bad_video", "no video stream")
            stated = float(stream.average_rate or 0)
            for frame in decodable(container.demux(stream), tally):
                count, widths = count + 1, widths | {(frame.width, frame.height)}
                if span < FLAT_LEVELS:
                    luma = frame.to_ndarray(format="gray")
                    panel = luma[:, _panel(output, luma.shape[1])]
                    span = max(span, int(panel.max()) - int(panel.min()))
    except Drop as drop:
        raise Casualty("bad_video", f"{drop.reason}: {drop.detail}") from None
    if not count or tally.lost:
        raise Casualty("bad_video", f"{tally.lost} of {tally.packets} packets cannot be decoded")
    if "frames" in answer and answer["frames"] != count:
        raise Casualty("bad_answer", f"it says {str(answer['frames'])[:20]} frames; the file has {count}")
    _check_picture(widths, span, output)
    _check_rate(stated, output, expected)
    due = round(expected.frames / expected.fps * true_fps(output, expected)) - output.dropped_head - output.dropped_tail
    if count < due - SPARE_FRAMES:
        raise Casualty("short", f"{count} frames; {due} are due")
    if count > MUCH_LONGER * max(due, 1) + SPARE_FRAMES:
        raise Casualty("bad_video", f"{count} frames; {due} are due")
    return count


def spoken(answer: Mapping[str, Any], folder: Path, seconds: float, hz: int) -> NDArray[np.float32]:
    """What a system that is driven by text says, mono: the sound that its answer names, cut or with silence behind it
    so that it is as long as the picture.

    Raises:
        Casualty: bad_answer, for a file that is not as a video's must be, is no sound, or is silent.
    """
    path = named_file(answer, folder, "audio")
    try:
        samples = SourceAudio(path).samples(0.0, seconds, hz)
    except Drop as drop:
        raise Casualty("bad_answer", f"its sound: {drop.reason} {drop.detail}".strip()) from None
    if not samples.any():
        raise Casualty("bad_answer", "its sound is silent")
    return samples


def stated_fps(path: Path) -> float:
    """Frames a second, as the file says.

    Raises:
        Casualty: bad_video.
    """
    try:
        with open_media(path) as container:
            if (stream := video_of(container)) is None or not stream.average_rate:
                raise Casualty("bad_video", "no video stream, or none that says its rate")
            return float(stream.average_rate)
    except Drop as drop:
        raise Casualty("bad_video", f"{drop.reason}: {drop.detail}") from None


def _check_picture(sizes: set[tuple[int, int]], span: int, output: Output) -> None:
    if len(sizes) > 1:
        raise Casualty("bad_video", f"frames of {len(sizes)} sizes")
    ((width, height),) = sizes
    if width % output.panels or min(width // output.panels, height) < 16:
        raise Casualty("bad_video", f"{width}x{height} px are not {output.panels} pictures side by side")
    if output.px and (width // output.panels, height) != (output.px, output.px):
        raise Casualty("bad_video", f"{width}x{height} px; {output.px * output.panels}x{output.px} are due")
    if span < FLAT_LEVELS:
        raise Casualty("bad_video", "every frame is of one colour")


def _check_rate(stated: float, output: Output, expected: Expected) -> None:
    due = output.stated_fps or float(true_fps(output, expected))
    if abs(stated - due) > FPS_TOLERANCE * due:
        raise Casualty("bad_video", f"{stated:g} frames a second; {due:g} are due")


def true_fps(output: Output, expected: Expected) -> Fraction:
    """Frames a second of what the system made, whatever its file says."""
    return Fraction(output.fps).limit_denominator(1001) if output.fps else expected.fps


def pictures(path: Path, count: int, output: Output, expected: Expected) -> Iterator[NDArray[np.uint8]]:
    """The frames of the render, one for each driving frame: of several panels the right one, dropped frames held, the
    rate that of the driving.

    Args:
        count: frames in the file.
    """
    rate = true_fps(output, expected)
    frames = iter(VideoFrames(path))
    at, shown = -1, None
    for k in range(expected.frames):
        wanted = min(max(int(k / expected.fps * rate + Fraction(1, 1000)) - output.dropped_head, 0), count - 1)
        while at < wanted:
            frame, at = next(frames), at + 1
            if at == wanted:
                rgb = frame.rgb()
                rgb = rgb[:, _panel(output, rgb.shape[1])]
                shown = rgb[: rgb.shape[0] // 2 * 2, : rgb.shape[1] // 2 * 2]
        assert shown is not None
        yield shown


def _panel(output: Output, width: int) -> slice:
    side = width // output.panels
    return slice(output.panel * side, (output.panel + 1) * side)


def finish(
    path: Path, made: Path, count: int, output: Output, expected: Expected, samples: NDArray[np.float32] | None
) -> Finished:
    """Encodes what a system made as recordings are, into `made`, with this sound."""
    first = next(pictures(path, count, output, expected))
    height, width = first.shape[:2]
    encoder = Encoder()
    frames_sha256, frames = encoder.write(
        made, pictures(path, count, output, expected), samples, width=width, height=height, fps=expected.fps
    )
    return Finished(frames_sha256, width, height, frames, encoder.told(expected.fps))
