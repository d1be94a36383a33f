"""One running clock for files whose own clock starts anew: transport streams and recordings of a browser that were put
one behind the other.

Players show the parts one after the other, and so does this: to the times of each part is added what makes it begin
where the one before has ended. Picture and sound of a part move together, by the same amount, whatever of them a reader
asks for.
"""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import islice
from pathlib import Path

import av
from av.container import InputContainer
from av.stream import Stream

from operators.base import Drop
from operators.media.containers import open_media, packets_of
from operators.media.headers import stated_bytes

# Demuxers that go on where a second file begins. An index (MP4, AVI) or one clock of the container's own knows no
# second part.
MAY_RESTART = frozenset({"mpegts", "mpeg", "matroska,webm", "ogg", "flv"})
MAY_JUMP = frozenset({"mpegts", "mpeg"})  # each piece may have a clock of its own, which may be ahead of the last one's
# a time so much ahead begins a new part, where no stream has anything between: as in FFmpeg's `dts_delta_threshold`
FORWARD_S = 10.0
# a decoding time so much before an earlier one of its stream begins a new part; B-frames and jitter stay well below
BACK_S = 0.5
STAYS = 3  # packets that must stay behind: one stray time is damage
# of packets that a stream may still have in a part when another stream has begun the next: what muxers interleave
TOGETHER_S = 2.0


@dataclass(frozen=True)
class Clock:
    """What to add to the times of a file's packets.

    Attributes:
        begins: by number of the stream the ordinal, among its packets, of the first one of each part after the first
        that it takes part in. added_s: by number of the stream what is added from each of these on, in seconds. parts:
        how many there are.
    """

    begins: dict[int, list[int]] = field(default_factory=dict)
    added_s: dict[int, list[float]] = field(default_factory=dict)
    parts: int = 1

    def added(self, stream: int, ordinal: int) -> float:
        """Seconds to add to the times of one packet."""
        before = bisect_right(self.begins.get(stream, ()), ordinal)
        return self.added_s[stream][before - 1] if before else 0.0


class RunningPackets:
    """The packets of some streams of a file, from its start on, with times of the running clock. It costs nothing until
    a clock starts anew.

    Attributes:
        clock: as far as read, that of the file.

    Raises, when iterated:
        Drop: those of `packets_of` and `clock_of`.
    """

    def __init__(self, container: InputContainer, path: Path, streams: Sequence[Stream]):
        self.clock = Clock()
        self._container, self._path, self._streams = container, path, streams

    def __iter__(self) -> Iterator[av.Packet]:
        jumps = self._container.format.name in MAY_JUMP
        ticks = {stream.index: BACK_S / float(stream.time_base) for stream in self._streams if stream.time_base}
        seen, latest = dict.fromkeys(ticks, 0), dict.fromkeys(ticks, float("-inf"))
        is_known = False
        for packet in packets_of(self._container, self._streams):
            number = packet.stream_index
            if packet.size and number in seen:
                time = packet.dts if packet.dts is not None else packet.pts
                if not is_known and time is not None:
                    ahead = time - latest[number]
                    if ahead < -ticks[number] or (jumps and FORWARD_S / BACK_S * ticks[number] < ahead < float("inf")):
                        self.clock, is_known = clock_of(self._path), True
                    elif ahead > 0:
                        latest[number] = time
                if self.clock.parts > 1 and (added_s := self.clock.added(number, seen[number])):
                    _move(packet, added_s)
                seen[number] += 1
            yield packet


def may_restart(container: InputContainer, path: Path) -> bool:
    """Whether the clock of an open file may start anew, by its first bytes: the packets may still say that it does
    not.
    """
    if container.format.name == "matroska,webm" and stated_bytes(path) == path.stat().st_size:
        return False  # one segment to the end
    return container.format.name in MAY_RESTART


def clock_of(path: Path) -> Clock:
    """The clock of a file, by all packets of picture and sound in it; the last few files are remembered.

    Raises:
        Drop: `clock_restarts`, with the seconds had until then, where picture and sound do not agree where it does;
            those of `packets_of`.
    """
    told = path.stat()
    return _clock_of(path, told.st_size, told.st_mtime_ns)


@dataclass(frozen=True)
class _Time:
    order: int  # of the packet among all in the file
    decoded_s: float
    shown_s: float
    end_s: float


@lru_cache(maxsize=8)
def _clock_of(path: Path, size: int, changed: int) -> Clock:
    times: dict[int, list[_Time]] = {}
    ordinals: dict[int, list[int]] = {}
    with open_media(path) as container:
        streams = [stream for stream in container.streams if stream.type in ("video", "audio") and stream.time_base]
        seen = dict.fromkeys((stream.index for stream in streams), 0)
        for order, packet in enumerate(packets_of(container, streams)):
            if not packet.size or packet.time_base is None:
                continue
            number, base = packet.stream_index, float(packet.time_base)
            seen[number] += 1
            decoded = packet.dts if packet.dts is not None else packet.pts
            if decoded is None:
                continue
            shown = packet.pts if packet.pts is not None else decoded
            times.setdefault(number, []).append(
                _Time(order, decoded * base, shown * base, (shown + (packet.duration or 0)) * base)
            )
            ordinals.setdefault(number, []).append(seen[number] - 1)
        forward_s = FORWARD_S if container.format.name in MAY_JUMP else float("inf")
    jumps = sorted((times[number][at].order, number, at) for number in times for at in _jumps(times, number, forward_s))
    return _joined(times, ordinals, jumps) if jumps else Clock()


def _jumps(times: dict[int, list[_Time]], number: int, forward_s: float) -> list[int]:
    """Where in a stream's packets its clock starts anew."""
    found, latest_s = [], times[number][0].decoded_s
    for at, time in enumerate(times[number]):
        if latest_s - BACK_S <= time.decoded_s <= latest_s + forward_s:
            latest_s = max(latest_s, time.decoded_s)
            continue
        next_few = [later.decoded_s for later in islice(times[number], at, at + STAYS)]
        if max(next_few) < latest_s - BACK_S or (
            min(next_few) > latest_s + forward_s and _is_empty(times, latest_s, time.decoded_s)
        ):
            found.append(at)
            latest_s = time.decoded_s
        else:
            latest_s = max(latest_s, time.decoded_s)
    return found


def _is_empty(times: dict[int, list[_Time]], from_s: float, to_s: float) -> bool:
    """Whether no stream has anything between two times."""
    return not any(
        from_s + TOGETHER_S < time.decoded_s < to_s - TOGETHER_S for stream in times.values() for time in stream
    )


def _joined(times: dict[int, list[_Time]], ordinals: dict[int, list[int]], jumps: list[tuple[int, int, int]]) -> Clock:
    """The clock of a file whose streams jump back there: at (number among all packets, stream, number among the
    stream's times).
    """
    part_of, last = dict.fromkeys(times, 0), 0
    pieces: dict[int, dict[int, list[_Time]]] = {0: {}}  # by part and stream
    begun: dict[int, dict[int, int]] = {number: {0: 0} for number in times}  # by stream and part
    for _, number, at in jumps:
        # A stream that is behind catches up with the part that another one has begun.
        part_of[number] = last if part_of[number] < last else last + 1
        last = max(last, part_of[number])
        begun[number][part_of[number]] = at
    for number, starts in begun.items():
        bounds = [*sorted(starts.values()), len(times[number])]
        for part, at in starts.items():
            end = bounds[bounds.index(at) + 1]
            pieces.setdefault(part, {})[number] = times[number][at:end]
    added_s = {0: 0.0}
    for part in range(1, last + 1):
        before = [time for stream in pieces[part - 1].values() for time in stream]
        end_s = max(_end_s(stream) for stream in pieces[part - 1].values() if stream)
        first = min(stream[0].order for stream in pieces[part].values() if stream)
        if late := [time for time in before if time.order > first]:
            lag_s = max(time.decoded_s for time in late) - min(time.decoded_s for time in late)
            if lag_s > TOGETHER_S:
                had = [time for time in before if time.order < first]
                had_s = max(time.end_s for time in had) - min(time.shown_s for time in had)
                raise Drop(
                    "clock_restarts",
                    detail=f"{had_s:.2f} s were had, then picture and sound have clocks {lag_s:.2f} s apart",
                )
        start_s = min(time.shown_s for stream in pieces[part].values() for time in stream)
        added_s[part] = end_s + added_s[part - 1] - start_s
    begins = {
        number: [ordinals[number][at] for part, at in sorted(starts.items()) if part]
        for number, starts in begun.items()
    }
    added = {number: [added_s[part] for part in sorted(starts) if part] for number, starts in begun.items()}
    return Clock(begins, added, last + 1)


def _end_s(stream: list[_Time]) -> float:
    """When the last packet of a part ends; one that states no duration lasts as long as the one before it, on
    average.
    """
    last = max(time.end_s for time in stream)
    shown = max(time.shown_s for time in stream)
    step_s = (shown - min(time.shown_s for time in stream)) / (len(stream) - 1) if len(stream) > 1 else 0.0
    return last if last > shown else shown + step_s


def _move(packet: av.Packet, added_s: float) -> None:
    ticks = round(added_s / float(packet.time_base))
    if packet.pts is not None:
        packet.pts += ticks
    if packet.dts is not None:
        packet.dts += ticks
