"""One decode, many readers."""

from collections.abc import Callable, Iterable, Iterator
from queue import Empty, Full, Queue
from threading import Event, Thread
from typing import Any, Generic, TypeVar

T = TypeVar("T")
R = TypeVar("R")

AHEAD = 4  # items that may wait for a reader: so far, and one more, is the first before the last
_END = object()


def fan_out(items: Iterable[T], readers: list[Callable[[Iterator[T]], R]], ahead: int = AHEAD) -> list[R]:
    """Calls every `reader(items)` over one shared pass of `items`, and returns what each returned.

    The slowest reader paces the pass, so at most `ahead` items wait for each. A reader that stops early is given no
    more; when all have stopped, so does the pass. An error in `items` is raised in every reader that is still reading.
    Readers answer for their own errors: one that raises ends the call when the others are done.
    """
    if len(readers) == 1:
        return [readers[0](iter(items))]
    lanes = [_Lane(reader, ahead) for reader in readers]
    for lane in lanes:
        lane.thread.start()
    for item in _errors_last(items):
        for lane in lanes:
            lane.give(item)
        if all(lane.stopped.is_set() for lane in lanes):
            break
    for lane in lanes:
        lane.give(_END)
    for lane in lanes:
        lane.thread.join()
    return [lane.result() for lane in lanes]


class _Lane(Generic[T, R]):
    """One reader in a thread of its own, fed through a short queue."""

    def __init__(self, reader: Callable[[Iterator[T]], R], ahead: int):
        self.reader = reader
        self.queue: Queue[Any] = Queue(ahead)
        self.wanted: Callable[[T], bool] = lambda _: True
        self.stopped = Event()
        self.thread = Thread(target=self._read, daemon=True)
        self.outcome: list[R] = []
        self.error: BaseException | None = None

    def _read(self) -> None:
        try:
            self.outcome.append(self.reader(_Items(self)))
        except BaseException as error:  # noqa: BLE001 - carried to the caller's thread, which raises it
            self.error = error
        finally:
            self.stopped.set()

    def give(self, item: Any) -> None:
        if item is not _END and not isinstance(item, _Raised) and not self.wanted(item):
            return
        while not self.stopped.is_set():
            try:
                self.queue.put(item, timeout=0.05)
                return
            except Full:
                continue
        try:  # frames a stopped reader left behind would stay in memory
            while True:
                self.queue.get_nowait()
        except Empty:
            return

    def result(self) -> R:
        if self.error is not None:
            raise self.error
        return self.outcome[0]


class _Items(Iterator[T]):
    """What a reader is given; it may say what it wants of it (`operators.base.Sparing`), and need not be woken for the
    rest.
    """

    def __init__(self, lane: _Lane[T, Any]):
        self._lane, self._ended = lane, False

    def __next__(self) -> T:
        if self._ended:
            raise StopIteration
        item = self._lane.queue.get()
        if item is _END or isinstance(item, _Raised):
            self._ended = True
        if item is _END:
            raise StopIteration
        if isinstance(item, _Raised):
            raise item.error
        return item

    def only(self, wanted: Callable[[T], bool]) -> None:
        self._lane.wanted = wanted


class _Raised:
    def __init__(self, error: Exception):
        self.error = error


def _errors_last(items: Iterable[T]) -> Iterator[T | _Raised]:
    try:
        yield from items
    except Exception as error:  # noqa: BLE001 - handed on to every reader, which raises it
        yield _Raised(error)
