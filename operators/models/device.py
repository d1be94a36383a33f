"""Where models run, and what the libraries that run them need of the system."""

import ctypes
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import islice
from typing import Any


def device() -> str:
    """`cuda` where this process holds a GPU of NVIDIA's, which Ray shows to those actors alone whose stage asks for
    one; else `cpu`.
    """
    try:
        # without its driver there is none, and torch, which takes seconds to import, need not be asked
        ctypes.CDLL("libcuda.so.1")
    except OSError:
        return "cpu"
    import torch

    return "cuda" if torch.cuda.is_available() else "cpu"


def one_thread() -> None:
    """Has torch give the same numbers on every machine, and pyannote.audio keep to itself: before it is imported."""
    # pyannote.audio reads it when imported and reports each use to its makers otherwise.
    os.environ["PYANNOTE_METRICS_ENABLED"] = "0"
    # oneDNN keeps what it prepared for each shape, and each voice of a window is of another length: 1 GB in 5 minutes
    # of speech.
    os.environ.setdefault("ONEDNN_PRIMITIVE_CACHE_CAPACITY", "64")
    import torch

    torch.set_num_threads(1)  # the sums of a convolution come in another order on another number of threads


def batches(frames: Iterable[Any], size: int) -> Iterator[list[Any]]:
    """The frames in groups of `size`; the last may be smaller."""
    rest = iter(frames)
    while batch := list(islice(rest, size)):
        yield batch


@contextmanager
def system_libraries() -> Iterator[None]:
    """Names the apt packages when MediaPipe or OpenCV cannot be loaded for want of a system library.

    Raises:
        ImportError: from the error that named the missing library.
    """
    try:
        yield
    except (ImportError, OSError) as error:
        if any(name in str(error) for name in ("libGL", "libEGL", "libgthread", "libglib")):
            packages = "libgl1 libegl1 libgles2 libglib2.0-0"
            raise ImportError(
                f"{error}. MediaPipe and OpenCV need system libraries; on Debian or Ubuntu: apt-get install {packages}"
            ) from error
        raise
