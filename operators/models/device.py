"""Where models run, and what the libraries that run them need of the system."""

import ctypes
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
