"""Clips in the layout that a trainer's loader reads.

A layout is one file of `pipeline/export/layouts`, found by its name. The first line of its docstring says whose loader
reads it, at which commit, the rest what the loader is given and what is written. It defines one class:

    class PIRender(Layout):
        version = 1                              # raised when the same clips make other files
        needs = {"coeff_3dmm": "..."}            # what it cannot do without: what it is, where it comes from
        substitutes = {"coeff_3dmm": "..."}      # what headset can write in its place, where it can
        takes = {"caption": "..."}               # what is better given, and made by headset where it is not

        def write(self, clip: ExportClip, to: Path, given: Given) -> Note: ...           # one clip, whole or not at all
        def finish(self, written: Sequence[Written], to: Path, given: Given) -> None     # the lists, once all are there
        def validate(self, folder: Path) -> Iterator[str]                                # what its loader chokes on

`needs`, `substitutes` and `takes` may be left out. A clip that the loader cannot use is given up by `Drop`, which the
report counts. A clip may be written again over itself, since a killed export does not know whether its last clip was
whole.

Names are made of ids, never of titles: a person is `p` and ten digits of a hash, so that no person's name is part of
another's, as loaders that compare parts of paths need, and it holds none of the separators `#`, `-`, `_`, `.` and no
blank.
"""

import importlib
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

from manifests.errors import UsageError
from operators.base import Drop
from pipeline.export.clip import ExportClip
from pipeline.export.layouts import layouts


@dataclass(frozen=True)
class Given:
    """What the user gives to a layout.

    Attributes:
        folders: by need, the folder that holds it, or, for what a layout takes, the file.
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


class Layout(ABC):
    """What a file of `pipeline/export/layouts` defines; see the top of this file."""

    version: ClassVar[int]
    needs: ClassVar[Mapping[str, str]] = {}
    substitutes: ClassVar[Mapping[str, str]] = {}
    takes: ClassVar[Mapping[str, str]] = {}

    @abstractmethod
    def write(self, clip: ExportClip, to: Path, given: Given) -> Note: ...
    @abstractmethod
    def finish(self, written: Sequence[Written], to: Path, given: Given) -> None: ...
    @abstractmethod
    def validate(self, folder: Path) -> Iterator[str]: ...

    def __init_subclass__(cls, **rest: Any):
        """
        Raises:
            TypeError: for a layout that leaves out what an export calls, or substitutes what it does not ask for.
        """
        super().__init_subclass__(**rest)
        if missing := [name for name in ("write", "finish", "validate") if getattr(cls, name) is getattr(Layout, name)]:
            raise TypeError(f"{cls.__name__} does not define {', '.join(missing)}, which an export calls")
        version = getattr(cls, "version", None)
        if not isinstance(version, int) or version < 1:
            raise TypeError(
                f"{cls.__name__}.version is {version!r}: a number from 1, raised when the same clips make other files"
            )
        if strange := sorted(set(cls.substitutes) - set(cls.needs) - set(cls.takes)):
            raise TypeError(f"{cls.__name__} substitutes {strange[0]}, which it does not ask for")
        if twice := sorted(set(cls.takes) & set(cls.needs)):
            raise TypeError(f"{cls.__name__} both needs and takes {twice[0]}")


def layout_named(name: str) -> Layout:
    """
    Raises:
        UsageError: for a name that no layout has, with those there are.
        TypeError: for a file that defines no layout, or several.
    """
    if name not in (names := layouts()):
        raise UsageError(f"no layout {name!r}; there are {', '.join(names)}")
    module = importlib.import_module(f"pipeline.export.layouts.{name}")
    found = [
        made
        for made in vars(module).values()
        if isinstance(made, type) and issubclass(made, Layout) and made.__module__ == module.__name__
    ]
    if len(found) != 1:
        raise TypeError(f"pipeline/export/layouts/{name}.py defines {len(found)} layouts, not one")
    return found[0]()


def resolved(name: str, folders: Mapping[str, Path], substitutes: Iterable[str]) -> Given:
    """What the user gave, when it is what the layout asks for.

    Raises:
        UsageError: naming what is missing, what it is, and what to do.
    """
    layout = layout_named(name)
    needs, fills = layout.needs, layout.substitutes
    chosen = frozenset(substitutes)
    asked = (*needs, *layout.takes)
    if unknown := sorted((set(folders) | chosen) - set(asked)):
        raise UsageError(f"{name} does not ask for {unknown[0]}; it asks for {', '.join(asked) or 'nothing'}")
    if both := sorted(chosen & set(folders)):
        raise UsageError(f"{name}: --with {both[0]} and --substitute {both[0]} exclude each other; give one")
    if strange := sorted(chosen - set(fills)):
        what = {**needs, **layout.takes}[strange[0]]
        raise UsageError(f"{name}: headset has no substitute for {strange[0]}, {what}. Give --with {strange[0]}=DIR.")
    for need in sorted(set(needs) - chosen - set(folders)):
        other = f", or --substitute {need} to have {fills[need]} written in its place" if need in fills else ""
        raise UsageError(
            f"{name} needs {need}, which headset cannot compute: {needs[need]}. Give --with {need}=DIR{other}."
        )
    for need, folder in folders.items():
        if need in needs and not folder.is_dir():
            raise UsageError(f"--with {need}={folder}: there is no such folder")
        if not folder.exists():
            raise UsageError(f"--with {need}={folder}: there is no such file or folder")
    return Given(dict(folders), chosen)
