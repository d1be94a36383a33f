"""Under which protocol a score was measured: what two values must share to be averaged or set beside each other."""

from collections.abc import Iterable
from dataclasses import dataclass, fields, replace
from typing import Self

_APART = "; "


@dataclass(frozen=True)
class Protocol:
    """What was looked at, and how. A metric declares what is its own; scoring adds the last three.

    A field is a few words without `;` and `=`, and "" where it says nothing. Two protocols are one where all fields are
    equal; `str` gives the text that tables hold, `read` the protocol of such a text, `label` the words for people.
    """

    crop: str = ""  # what of the picture: whole frame, face, mouth
    align: str = ""  # by what it is put upright
    input: str = ""  # pixels that a network is given, as 112x112
    colour: str = ""  # channels and range, as RGB 0..255
    points: str = ""  # whose landmarks, in which scheme
    unit: str = ""  # of lengths: pixels of 256, distance of the irises
    sound: str = ""
    published: str = ""  # the script that is followed, with its settings
    deviates: str = ""  # in what it is not as published
    size: str = ""  # of the pictures compared, as 256x256; with `scaled` where they were brought to it
    fps: str = ""
    pairing: str = ""  # which frame is compared with which; "" where a metric compares with nothing

    def __post_init__(self) -> None:
        for name, value in self._stated():
            if _APART[0] in value or "=" in value or value != value.strip():
                raise ValueError(f"Protocol.{name} is {value!r}; write it without ';' and '=', and no blank about it")

    def _stated(self) -> Iterable[tuple[str, str]]:
        return [(one.name, value) for one in fields(self) if (value := getattr(self, one.name))]

    def __str__(self) -> str:
        """`key=value; ...`, sorted by key: equal protocols are equal texts."""
        return _APART.join(f"{name}={value}" for name, value in sorted(self._stated()))

    @classmethod
    def read(cls, text: str) -> Self:
        """The protocol of a text that a table holds; an English sentence, as older headsets wrote it, is
        taken for the name of something published.
        """
        known = {one.name for one in fields(cls)}
        parts = dict(part.split("=", 1) for part in text.split(_APART) if "=" in part)
        if len(parts) == len(text.split(_APART)) and parts.keys() <= known:
            return cls(**parts)
        return cls(published=text.replace(";", ",").replace("=", ":").strip())

    @property
    def label(self) -> str:
        """For people: the values in the order of the fields."""
        words = {"size": "{} px", "fps": "{} fps", "align": "by {}", "deviates": "not as published: {}"}
        return ", ".join(words.get(name, "{}").format(value) for name, value in self._stated())

    def measured(self, *, size: str, fps: float, pairing: str) -> Self:
        """The protocol of a value, with what only its files tell."""
        return replace(self, size=size, fps=f"{fps:g}", pairing=pairing)


def apart(protocols: Iterable[Protocol]) -> dict[str, list[str]]:
    """The fields in which protocols differ, each with the values there are, "" for none, sorted."""
    found = list(protocols)
    values = {one.name: sorted({getattr(protocol, one.name) for protocol in found}) for one in fields(Protocol)}
    return {name: some for name, some in values.items() if len(some) > 1}
