"""Clips in the layout that a trainer's loader reads.

A layout is one module of `pipeline/export/layouts`, found by its name. The first line of its docstring says whose
loader reads it, at which commit, the rest what the loader is given and what is written. It defines

    VERSION = 1                                 # raised when the same clips make other files
    NEEDS = {"coeff_3dmm": "..."}               # what it cannot do without and headset cannot compute: what it is,
    where it comes from SUBSTITUTES = {"coeff_3dmm": "..."}         # what headset can write in its place, where it can
    def write(clip: ExportClip, to: Path, given: Given) -> Note: ...          # one clip, whole or not at all def
    finish(written: Sequence[Written], to: Path, given: Given) -> None    # the lists, once all clips are there def
    validate(folder: Path) -> Iterator[str]                               # what the loader would choke on, by the
    loader's own rules

`NEEDS` and `SUBSTITUTES` may be left out. A clip that the loader cannot use is given up by `Drop`, which the report
counts. A clip may be written again over itself, since a killed export does not know whether its last clip was whole.

Names are made of ids, never of titles: a person is `p` and ten digits of a hash, so that no person's name is part of
another's, as loaders that compare parts of paths need, and it holds none of the separators `#`, `-`, `_`, `.` and no
blank.
"""

import importlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, cast

from manifests.errors import UsageError
from operators.base import Drop
from pipeline.export.clip import ExportClip
from pipeline.export.layouts import layouts


@dataclass(frozen=True)
class Given:
    """What the user gives to a layout.

    Attributes:
        folders: by need, the folder that holds it.
        substitutes: the needs that headset fills in its own way.
    """

    folders: Mapping[str, Path] = field(default_factory=dict)
    substitutes: frozenset[str] = frozenset()

    def file(self, need: str, *names: str) -> Path:
        """The first of the named files that the folder given for a need holds.

        Raises:
            Drop: `<need>_missing`.
        """
        for name in names:
            if (path := self.folders[need] / name).is_file():
                return path
        raise Drop(f"{need}_missing", detail=" or ".join(names))


Note = dict[str, Any]


@dataclass(frozen=True)
class Written:
    """A clip that is in the export. `note` is what the layout tells of it: names, frames, what was filled."""

    clip_id: str
    sha256: str  # of the render
    number: int
    person: str
    split: str
    licence: str
    note: Note


@dataclass(frozen=True)
class Refused:
    """A clip that the loader could not use."""

    clip_id: str
    sha256: str
    number: int
    reason: str
    detail: str


class Layout(Protocol):
    """What a module of `pipeline/export/layouts` gives; see the top of this file."""

    VERSION: int
    NEEDS: dict[str, str]
    SUBSTITUTES: dict[str, str]

    def write(self, clip: ExportClip, to: Path, given: Given) -> Note: ...
    def finish(self, written: Sequence[Written], to: Path, given: Given) -> None: ...
    def validate(self, folder: Path) -> Iterator[str]: ...


def layout_named(name: str) -> Layout:
    """
    Raises:
        UsageError: for a name that no layout has, with those there are.
    """
    if name not in (names := layouts()):
        raise UsageError(f"no layout {name!r}; there are {', '.join(names)}")
    return cast(Layout, importlib.import_module(f"pipeline.export.layouts.{name}"))


def settled(name: str, folders: Mapping[str, Path], substitutes: Iterable[str]) -> Given:
    """What the user gave, when it is what the layout asks for.

    Raises:
        UsageError: naming what is missing, what it is, and what to do.
    """
    layout = layout_named(name)
    needs, fills = getattr(layout, "NEEDS", {}), getattr(layout, "SUBSTITUTES", {})
    chosen = frozenset(substitutes)
    if unknown := sorted((set(folders) | chosen) - set(needs)):
        raise UsageError(f"{name} does not ask for {unknown[0]}; it asks for {', '.join(needs) or 'nothing'}")
    for need, what in needs.items():
        if need in chosen and need not in fills:
            raise UsageError(f"{name}: headset has no substitute for {need}, {what}. Give --with {need}=DIR.")
        if need in chosen and need in folders:
            raise UsageError(f"{name}: --with {need} and --substitute {need} exclude each other; give one")
        if need not in chosen and need not in folders:
            other = f", or --substitute {need} to have {fills[need]} written in its place" if need in fills else ""
            raise UsageError(
                f"{name} needs {need}, which headset cannot compute: {what}. Give --with {need}=DIR{other}."
            )
    for need, folder in folders.items():
        if not folder.is_dir():
            raise UsageError(f"--with {need}={folder}: there is no such folder")
    return Given(dict(folders), chosen)
