"""Packets into frames, with a count of those that are lost."""

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import av
from av.error import FFmpegError

from operators.base import Drop


@dataclass
class Tally:
    packets: int = 0
    lost: int = 0  # packets that raise, frames marked as damaged or out of order
    kept: int = 0

    def check(self, reason: str) -> None:
        if self.packets and (self.lost * 10 > self.packets or not self.kept):
            raise Drop(reason, detail=f"{self.lost} of {self.packets} packets undecodable")


def decodable(packets: Iterable[av.Packet], tally: Tally) -> Iterator[Any]:
    """The frames of the packets that can be decoded; the others are counted."""
    for packet in packets:
        tally.packets += packet.size > 0
        try:
            frames = packet.stream.codec_context.decode(packet)
        except FFmpegError:  # whatever its number: decoders say ENOMEM and EPERM of damaged packets too
            tally.lost += 1
        else:
            yield from frames


def shown(packets: Iterable[av.Packet], tally: Tally, when_decoded: bool) -> Iterator[tuple[av.VideoFrame, float]]:
    """Pictures that can be shown, in the order of their times, and these times in seconds; the others are counted.

    Args:
        when_decoded: the file knows no other times than those of decoding.
    """
    last_s, step_s = -math.inf, 0.0
    for frame in decodable(packets, tally):
        ticks = frame.dts if when_decoded or frame.pts is None else frame.pts
        # What a decoder still holds when the file ends comes without a decoding time.
        untimed_s = last_s + step_s if when_decoded else -math.inf
        pts_s = float(ticks * frame.time_base) if ticks is not None else untimed_s
        if frame.is_corrupt or not frame.height or pts_s <= last_s:
            tally.lost += 1
            continue
        step_s, last_s = pts_s - last_s, pts_s
        tally.kept += 1
        yield frame, pts_s
