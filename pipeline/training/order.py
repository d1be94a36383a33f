"""In which order clips are given, a function of seed, epoch and place alone."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np


@dataclass
class ClipOrder:
    """A sampler: yields `(epoch, index)` of the clips of one rank, of one epoch.

    An epoch's order is one permutation for all ranks; place p of it is of rank p mod `ranks`. So that ranks stay in
    step, the last places that do not fill a row of all ranks are left out: others in each epoch where it is shuffled.
    """

    clips: int
    seed: int = 0
    shuffle: bool = True
    rank: int = 0
    ranks: int = 1
    epoch: int = 0
    place: int = 0  # in the epoch's order, of all ranks together, where it goes on

    def __post_init__(self) -> None:
        if not 0 <= self.rank < self.ranks:
            raise ValueError(f"rank {self.rank} of {self.ranks}: ranks count from 0")

    def __len__(self) -> int:
        """Clips that this rank is still given in this epoch."""
        return (self.clips - self.clips % self.ranks - self.place) // self.ranks

    def __iter__(self) -> Iterator[tuple[int, int]]:
        places = np.arange(self.clips)
        if self.shuffle:
            places = np.random.default_rng([self.seed, self.epoch]).permutation(self.clips)
        for at in range(self.place + self.rank, self.clips - self.clips % self.ranks, self.ranks):
            yield self.epoch, int(places[at])
