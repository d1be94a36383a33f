"""The pictures of a clip in a file, with their sound."""

import shutil
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from operators.base import Drop
from pipeline.export.checks import video_facts
from pipeline.export.clip import ExportClip
from pipeline.export.files import Picture, write_mp4

HZ = 48000


def put_video(clip: ExportClip, path: Path, fps: int) -> None:
    """The render itself where it has the rate already, which loses nothing; else its pictures at the rate, with their
    sound.

    Raises:
        Drop: `frames_differ` where the file holds another number of frames than the manifest says, and those of the
            decoder.
    """
    if clip.fps != fps:
        pictures = (frame.crop(0, 0, clip.width, clip.height, (clip.width, clip.height)) for frame in clip.shown(fps))
        write_mp4(path, pictures, fps, clip.samples(HZ), HZ)
        return
    facts = video_facts(clip.path)
    if isinstance(facts, str) or facts[0] != clip.frames:
        found = facts if isinstance(facts, str) else f"{facts[0]} in the file"
        raise Drop("frames_differ", detail=f"{found}, {clip.frames} in the manifest")
    shutil.copyfile(clip.path, path)


def cut(
    pictures: Iterator[Picture], samples: NDArray[np.float32], piece: tuple[int, int], fps: int, hz: int
) -> tuple[Iterator[Picture], NDArray[np.float32]]:
    """The pictures of a piece, the next of those that are left, and its sound.

    Args:
        samples: (channels, n) or (n,), from the clip's first frame on.
        piece: its first frame, and the one after its last.
    """
    first, end = piece
    return islice(pictures, end - first), samples[..., round(first * hz / fps) : round(end * hz / fps)]
