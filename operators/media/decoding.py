"""Packets into frames, with a count of those that are lost."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from av.error import BugError, InvalidDataError, PatchWelcomeError

from operators.base import Drop

UNDECODABLE = (InvalidDataError, BugError, PatchWelcomeError)  # what FFmpeg's decoders say of a damaged packet


@dataclass
class Tally:
    packets: int = 0
    lost: int = 0  # packets that raise, frames marked as damaged or out of order
    kept: int = 0

    def check(self, reason: str) -> None:
        if self.packets and (self.lost * 10 > self.packets or not self.kept):
            raise Drop(reason, detail=f"{self.lost} of {self.packets} packets undecodable")


def decodable(container, stream, tally: Tally) -> Iterator[Any]:
    """The frames of the packets that can be decoded; the others are counted."""
    for packet in container.demux(stream):
        tally.packets += packet.size > 0
        try:
            frames = stream.codec_context.decode(packet)
        except UNDECODABLE:
            tally.lost += 1
        else:
            yield from frames
