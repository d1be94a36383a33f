"""The clips that are most like one, to look at."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from pipeline.corpus_steps.likeness import Near
from pipeline.views.facts import Fact, Grid, Part
from pipeline.views.players import Player, Players


class Shown(Protocol):
    """What is asked of a clip: `KeptClip`."""

    @property
    def root(self) -> str: ...
    @property
    def clip_id(self) -> str: ...
    @classmethod
    def of(cls, root: str, clip_id: str) -> "Shown": ...
    def player(self, caption: str) -> Player: ...


@dataclass(frozen=True)
class SimilarClips(Fact):
    """Clips by how much their face, or voice, is like that of `clip`; what shows itself is a player each."""

    clip: Shown
    by: str  # face or voice
    near: tuple[Near, ...]  # the most alike first
    same: float | None = None  # the cosine from which on two faces are taken for one person; None of voices

    @property
    def title(self) -> str:
        scale = f"; one person from a cosine of {self.same:.3f} on" if self.same is not None else ""
        return f"{len(self.near)} clips by how much their {self.by} is like that of {self.clip.clip_id}{scale}"

    def parts(self) -> Iterator[Part]:
        yield Grid.of(("clip", ">cosine"), ((one.clip_id, f"{one.cosine:.3f}") for one in self.near), self.title)

    def __len__(self) -> int:
        return len(self.near)

    def __iter__(self) -> Iterator[Shown]:
        return (self.clip.of(self.clip.root, one.clip_id) for one in self.near)

    def _repr_html_(self) -> str:
        players = (
            clip.player(f"{one.clip_id}\ncosine {one.cosine:.3f}") for clip, one in zip(self, self.near, strict=True)
        )
        return Players(self.title, tuple(players))._repr_html_()
