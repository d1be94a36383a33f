"""Names that files hold are input: each is held to a pattern, and no path that is made of one leaves its root.

A corpus, a release or a selection may come from anybody. What it names (a step, a shard, a recipe, a place of media)
becomes a path that is read, rewritten or deleted, so every such path is made by `inside`, and every record is read by
`record`.
"""

import os
import re
import types
from dataclasses import MISSING, fields
from itertools import accumulate
from pathlib import Path
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

from manifests.errors import OutsideRoot, StorageError

T = TypeVar("T")

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")  # of a selection, a release, a split, a version
_UNFIT = re.compile(r"[\x00-\x1f\x7f\\]")


def relative(name: str, root: object = "") -> str:
    """A name as it is, where it leads down from a root: parts between slashes, none empty, `.` or `..`, without control
    characters.

    Args:
        root: what the name is of, to be told.

    Raises:
        OutsideRoot: for any other.
    """
    if _UNFIT.search(name) or any(part in ("", ".", "..") for part in name.split("/")):
        raise OutsideRoot(
            f"{root}: {name!r} is no name of a file in it; the folder was not made by headset, or is damaged"
        )
    return name


def inside(root: str | Path, name: str) -> Path:
    """The path of a name under a folder of this machine.

    Raises:
        OutsideRoot: for a name that leads elsewhere, or to a link that does. The root itself may be one.
    """
    path = Path(root, relative(name, root))
    if not any(map(os.path.islink, accumulate([os.fspath(root), *name.split("/")], os.path.join))):
        return path
    real = os.path.realpath(root)
    if not os.path.realpath(path).startswith(os.path.join(real, "")):
        raise OutsideRoot(
            f"{path} is a link out of {root}, and such links are not followed; put the files there, or link the whole"
            " folder"
        )
    return path


def plain(name: object, what: str) -> str:
    """A name of letters, digits, - and _.

    Args:
        what: is named, to be told.

    Raises:
        OutsideRoot: for any other, and for what is no text.
    """
    if not isinstance(name, str) or not NAME.fullmatch(name):
        raise OutsideRoot(f"{what} is named {name!r}, which is no name of ours: letters, digits, - and _")
    return name


def record(kind: type[T], value: object, where: str) -> T:
    """A dataclass of text, numbers and lists of these, from what a JSON file holds.

    Raises:
        StorageError: where the file holds something else, with the field.
    """
    known = {field.name: field for field in fields(kind)}  # pyright: ignore[reportArgumentType]
    if not isinstance(value, dict):
        raise StorageError(f"{where} is damaged: it holds no record")
    missing = [name for name, field in known.items() if field.default is MISSING and field.default_factory is MISSING]
    hints = get_type_hints(kind)
    wrong = [*(set(value) - set(known)), *(set(missing) - set(value))]
    wrong += [name for name in known.keys() & value.keys() if not _fits(value[name], hints[name])]
    if wrong:
        raise StorageError(f"{where} is damaged: its {', '.join(map(repr, sorted(wrong)))} is not as headset writes it")
    return kind(**value)


def _fits(value: object, hint: Any) -> bool:
    origin, inner = get_origin(hint), get_args(hint)
    if origin is list:
        return isinstance(value, list) and all(_fits(one, inner[0]) for one in value)
    if isinstance(hint, types.UnionType):
        return any(_fits(value, one) for one in inner)
    if hint is float:
        return isinstance(value, (int, float)) and not isinstance(value, bool)
    return isinstance(value, hint) and (hint is bool or not isinstance(value, bool))
