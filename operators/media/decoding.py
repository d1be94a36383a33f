"""Packets into frames, with a count of those that are lost."""

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
