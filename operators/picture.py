"""One picture, and what is made of it once however many ask."""

import threading
from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

T = TypeVar("T")


class Picture:
    """One frame of one video: RGB, (h, w, 3), 0 to 255. Safe to ask from several threads at once."""

    def __init__(self, rgb: NDArray[np.uint8]):
        self.rgb = rgb
        self._made: dict[Any, Any] = {}
        self._lock = threading.RLock()

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels."""
        return self.rgb.shape[1], self.rgb.shape[0]

    @property
    def luma(self) -> NDArray[np.float64]:
        """(h, w): 0.299 R + 0.587 G + 0.114 B, 0 to 255, rounded to whole numbers, as published values of Y metrics are
        made.
        """
        return self.once(
            "luma", lambda picture: np.round(picture.rgb.astype(np.float64) @ np.array([0.299, 0.587, 0.114]))
        )

    def once(self, name: Any, make: Callable[["Picture"], T]) -> T:
        """What `make` gives for this picture, made by the first that asks under this name."""
        with self._lock:
            if name not in self._made:
                self._made[name] = make(self)
            return self._made[name]
