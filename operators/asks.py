"""What an operator may ask for beside its row: frames, sound, files, and rows that lie elsewhere in the corpus."""

import math
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator
from functools import cached_property
from pathlib import Path
from threading import RLock
from typing import Any, Generic, Protocol, TypeVar, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from manifests.tables import Render, Row, Source

T = TypeVar("T")
R = TypeVar("R", bound=Row)


class Frame(Protocol):
    """One decoded picture. Conversions are made when asked for, once, however many operators ask."""

    pts_s: float
    width: int  # displayed, after rotation
    height: int

    def rgb(self, height: int | None = None) -> NDArray[np.uint8]:
        """(h, w, 3), displayed orientation, read-only; scaled to `height` lines, never up, where given."""
        ...

    def gray(self, height: int | None = None) -> NDArray[np.uint8]:
        """(h, w) luma, 0 to 255, displayed orientation, read-only; scaled to `height` lines, never up, where given."""
        ...

    def luma(self, left: int, top: int, right: int, bottom: int) -> NDArray[np.uint8]:
        """(bottom - top, right - left) of `gray()`, read-only, without the cost of the rest; whole displayed pixels
        within the frame.
        """
        ...

    def crop(self, left: float, top: float, right: float, bottom: float, size: tuple[int, int]) -> NDArray[np.uint8]:
        """(size[1], size[0], 3) RGB of a box of the displayed frame, area-averaged when it shrinks; black beyond the
        frame.

        A box that shrinks costs the least where it is whole pixels with its corner on multiples of 8.
        """
        ...

    def planes(self, left: float, top: float, right: float, bottom: float, size: tuple[int, int]) -> NDArray[np.uint8]:
        """(size[1] * 3 // 2, size[0]) the planes of a box of the displayed frame as YUV 4:2:0 of BT.709 in limited
        range, as they are encoded; cheap for whole even pixels within the frame. Both sides are even.
        """
        ...

    def once(self, key: Hashable, make: Callable[[], T]) -> T:
        """What `make` gives, made for this frame once, however many operators ask for it by that key, from whatever
        thread.

        So a model that several operators of a stage build upon runs once a frame. The key names all that the answer
        depends on, such as `("faces", detector)` with a frozen dataclass; the answer must not be changed.
        """
        ...


class Frames(Protocol):
    """The frames of a row's span in order of pts: those of the whole source where the row has no span, those of its own
    file where the row is a render.
    """

    def __iter__(self) -> Iterator[Frame]: ...


class Audio(Protocol):
    """The sound of a row's source, whatever the row's span, on the source's clock; of a render, that of its own file.
    Decoded once.
    """

    @property
    def start_s(self) -> float: ...

    @property
    def end_s(self) -> float: ...

    def samples(self, start_s: float, end_s: float, hz: int = 16000) -> NDArray[np.float32]:
        """Mono, (round((end_s - start_s) * hz),), -1 to 1; zeros where the source has no sound."""
        ...


class Media(Protocol):
    """The bytes of a row's source, and the store where files made from it are kept."""

    @property
    def path(self) -> Path: ...

    @property
    def scratch(self) -> Path:
        """A folder for unfinished files of this row's source, not made yet; what a killed run left in it is there
        again.
        """
        ...

    def keep(self, made: Path, suffix: str) -> tuple[str, str]:
        """Moves a finished file into the store. Returns its place relative to the manifest, and its sha256."""
        ...


class RenderMedia(Media, Protocol):
    """Media that also has the files of renders, for operators that work on what was encoded."""

    def file_of(self, render: Render) -> Path:
        """The file of a render, checked."""
        ...


class OtherFrames(Protocol):
    """The frames of other renders than the row's, decoded once for all operators that go through the row's `Frames`
    together.
    """

    def __call__(self, render: Render, number: int) -> Frame | None:
        """A frame by its number, from 0; None where the render has ended before. Frame 0 is always there; the others
        are asked for in order, each beside the row's frame of that number.
        """
        ...


class Lookup(Generic[R]):
    """Rows of a table, in whatever shard they lie, found by the value of a column. They are read when first asked for.
    Safe to ask from several threads at once.
    """

    def __init__(self, read: Callable[[], Iterable[R]] = tuple):
        self._read, self._lock = read, RLock()
        self._by: dict[str, dict[Any, list[R]]] = {}

    @cached_property
    def _rows(self) -> tuple[R, ...]:
        return tuple(self._read())

    def get(self, row_id: str) -> R | None:
        """The row of a key; None where there is none."""
        return next(iter(self.where("row_id", row_id)), None)

    def where(self, column: str, value: Any) -> list[R]:
        """The rows that have the value in the column."""
        with self._lock:
            if column not in self._by:
                index: dict[Any, list[R]] = defaultdict(list)
                for row in self._rows:
                    index[getattr(row, column)].append(row)
                self._by[column] = dict(index)
            return self._by[column].get(value, [])


@runtime_checkable
class Noted(Protocol):
    """An operator whose answers are dear: each is noted when it is there, and is not made again for a run that was
    killed, or for rows that were chosen anew.
    """

    def made_of(self, row: Any, /, **given: Any) -> list[str]:
        """What the answer for a row depends on, beside the operator's fingerprint.

        Args:
            given: the joins and lookups of the call.
        """
        ...


@runtime_checkable
class Ending(Protocol):
    """An operator that holds from row to row what has to be given back, such as a process."""

    def end(self) -> None: ...


@runtime_checkable
class SourceFetcher(Protocol):
    """An operator that puts the files of sources into the store, and can get one again that has left it."""

    @property
    def keep_sources(self) -> bool:
        """Whether files stay in the store when the last step of their shard is done."""
        ...

    def fetch_again(self, source: Source, media: Media) -> None:
        """Puts a file that has left the store into it again, once its content is found to be that of the first time.

        Raises:
            Drop: as the first time, with `checksum_changed` where its place holds another file now.
        """
        ...


class Timed(Protocol):
    """What has a time, such as a frame."""

    @property
    def pts_s(self) -> float: ...


At = TypeVar("At", bound=Timed)


@runtime_checkable
class Sparing(Protocol):
    """Frames that come from another thread, which can leave out there what the reader does not want."""

    def only(self, wanted: Callable[[Any], bool]) -> None: ...


def every(frames: Iterable[At], rate_hz: float) -> Iterator[At]:
    """The frames to look at for `rate_hz` looks a second: of each interval of the source's clock, the first frame.

    The grid starts at time 0 of the clock, not at the span, so a span sees the same frames as the whole.
    """
    if isinstance(frames, Sparing):
        frames.only(_firsts(rate_hz))
    return filter(_firsts(rate_hz), frames)  # some were on their way before the other thread knew


def _firsts(rate_hz: float) -> Callable[[Timed], bool]:
    last = None

    def is_first(frame: Timed) -> bool:
        nonlocal last
        before, last = last, math.floor(frame.pts_s * rate_hz + 1e-6)
        return last != before

    return is_first
