import itertools
import threading
from collections.abc import Callable, Iterator

import pytest

from operators.base import Sparing, every
from pipeline.engine.fan_out import fan_out


def test_all_readers_see_all_items_once() -> None:
    made = []

    def items() -> Iterator[int]:
        for number in range(1000):
            made.append(number)
            yield number

    assert fan_out(items(), [sum, list, lambda _: 7]) == [499500, list(range(1000)), 7]
    assert made == list(range(1000))


def test_the_slowest_paces_the_pass() -> None:
    """No more items than `ahead` wait, so memory stays flat in the length of the source."""
    alive = 0
    most = 0
    lock = threading.Lock()

    class Item:
        def __init__(self) -> None:
            nonlocal alive, most
            with lock:
                alive += 1
                most = max(most, alive)

        def __del__(self) -> None:
            nonlocal alive
            with lock:
                alive -= 1

    def slow(items: Iterator[Item]) -> int:
        count = 0
        for _ in items:
            threading.Event().wait(0.001)
            count += 1
        return count

    assert fan_out((Item() for _ in range(200)), [slow, lambda items: sum(1 for _ in items)], ahead=4) == [200, 200]
    assert most < 20


def test_a_reader_that_looks_now_and_then_is_not_given_the_rest() -> None:
    class Numbered:
        def __init__(self, number: int) -> None:
            self.number, self.pts_s = number, number / 25

    waited: list[int] = []

    def sparing(frames: Iterator[Numbered]) -> list[int]:
        class Watched(Iterator[Numbered]):
            def __next__(self) -> Numbered:
                frame = next(frames)
                waited.append(frame.number)
                return frame

            def only(self, wanted: Callable[[Numbered], bool]) -> None:
                assert isinstance(frames, Sparing)
                frames.only(wanted)

        return [frame.number for frame in every(Watched(), 5)]

    def all_of(frames: Iterator[Numbered]) -> list[int]:
        return [frame.number for frame in frames]

    looked, whole = fan_out(map(Numbered, range(500)), [sparing, all_of])
    assert looked == list(range(0, 500, 5))
    assert whole == list(range(500))
    assert len(waited) < 130, "a hundred, and those on their way before it said so"


def test_when_all_readers_have_stopped_the_pass_stops() -> None:
    drawn = []

    def endless() -> Iterator[int]:
        for number in itertools.count():
            drawn.append(number)
            yield number

    assert fan_out(endless(), [lambda items: next(items), lambda items: [next(items), next(items)]]) == [0, [0, 1]]
    assert len(drawn) < 100


def test_an_error_of_the_items_reaches_every_reader() -> None:
    def broken() -> Iterator[int]:
        yield 1
        raise OSError("moov atom not found")

    seen = []

    def reader(items: Iterator[int]) -> str:
        try:
            return str(sum(items))
        except OSError as error:
            seen.append(str(error))
            return "told"

    assert fan_out(broken(), [reader, reader]) == ["told", "told"]
    assert seen == ["moov atom not found"] * 2


def test_a_readers_own_error_is_the_callers() -> None:
    def gives_up(items: Iterator[int]) -> int:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fan_out(range(100), [gives_up, sum])
