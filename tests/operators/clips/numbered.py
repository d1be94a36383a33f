"""Videos whose every frame spells its number, so that a test can say which were shown."""

from fractions import Fraction
from pathlib import Path

import av
import av.error
import numpy as np
from numpy.typing import NDArray

BITS, SIZE = 13, (208, 64)


def bars(number: int) -> NDArray[np.uint8]:
    """A picture whose vertical bars spell a number in black and white."""
    spelled = np.repeat([16 + 219 * (number >> bit & 1) for bit in range(BITS)], SIZE[0] // BITS)
    return np.ascontiguousarray(np.broadcast_to(spelled.astype(np.uint8), SIZE[::-1]))


def number_of(gray: NDArray[np.uint8]) -> int:
    wide = SIZE[0] // BITS
    return sum(int(gray[:, bit * wide + 4 : (bit + 1) * wide - 4].mean() > 127) << bit for bit in range(BITS))


def write_numbered(path: Path, count: int, fps: Fraction, gop: int = 250) -> Path:
    """Frame n shows n. A key frame every `gop` frames and nowhere else, with B-frames between."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=fps)
        assert isinstance(stream, av.VideoStream)
        stream.width, stream.height = SIZE
        stream.pix_fmt = "yuv420p"
        stream.codec_context.thread_count = 1
        stream.options = {
            "crf": "30",
            "preset": "veryfast",
            "x264-params": f"keyint={gop}:min-keyint={gop}:scenecut=0:open-gop=0",
        }
        flat = np.full((SIZE[1] // 2, SIZE[0]), 128, np.uint8)
        for n in range(count):
            frame = av.VideoFrame.from_ndarray(np.concatenate([bars(n), flat]), format="yuv420p")
            frame.pts, frame.time_base = n, 1 / fps
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path
