"""An operator is a typed function of rows. Its signature is its declaration.

    def __call__(self, shot: Shot, tracks: list[Track], turns: list[Turn], frames: Frames) -> Iterator[Clip]: ...

reads one `Shot` a call, with the `Track`s of that shot, the `Turn`s of its source and the shot's frames, and writes
`Clip`s. A parameter that is a row is the table read; it comes first. A `list` of rows is a join: on the column that is
the key of the row read where the joined table has it, else on the source; one with a default is made where some step
writes that table, or the corpus has it whole, as it has `reviews`. A `Lookup` of rows finds them by id wherever in the
corpus they lie, for steps beside a recipe (`pipeline/engine/beside.py`). `Frames`, `Audio` and `Media` ask for what the
row's source holds. `Iterator[A | B]` writes two tables. An operator that writes a table it reads or joins refines it:
what it yields replaces what it was given.
"""

import hashlib
import inspect
import json
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from types import UnionType
from typing import Any, ClassVar, Self, Union, get_args, get_origin, get_type_hints

from manifests.tables import Row
from operators.asks import (
    Audio,
    Ending,
    Frame,
    Frames,
    Lookup,
    Media,
    Noted,
    OtherFrames,
    RenderMedia,
    SourceFetcher,
    Sparing,
    every,
)
from operators.limits import limits_of
from operators.weights import Weight

__all__ = [
    "Audio", "Drop", "Ending", "Frame", "Frames", "Lookup", "Measure", "Media", "Noted", "Operator", "OtherFrames",
    "RenderMedia", "Resources", "Signature", "SourceFetcher", "Sparing", "every", "with_field",
]  # fmt: skip


class Drop(Exception):
    """A row given up, with a reason to count.

    Raised, it gives up the row being read, and nothing else the call yielded is kept: `raise Drop("no_face")`.
    Yielded with a row, it gives up that one and the call goes on: `yield Drop("too_short", clip)`.
    """

    def __init__(self, reason: str, row: Row | None = None, *, detail: str = "", retryable: bool = False):
        """
        Args:
            reason: a word to count by, in snake case.
            row: the row given up; the one being read when None.
            detail: the numbers behind the reason.
            retryable: whether another try may end otherwise.
        """
        super().__init__(reason)
        self.reason, self.row, self.detail, self.retryable = reason, row, detail, retryable


@dataclass(frozen=True)
class Resources:
    """What one unit of a stage holds. A share of a core tells the scheduler how light the work is."""

    cpus: float = 1
    gpus: float = 0


@dataclass(frozen=True)
class Measure:
    """What a score says: the one place for its unit, its range and its direction."""

    what: str  # in one line
    unit: str = ""  # "" for a share, a ratio, or a number of something
    low: float | None = None  # inclusive; None where nothing bounds it
    high: float | None = None
    better: str = ""  # higher, lower, or "" where neither is


@dataclass(frozen=True)
class Operator:
    """Subclass it as a frozen dataclass; the fields are the configuration and the provenance.

    Class variables that a subclass may set: `resources`; `version`, raised when the same parameters give other
    rows; and `measures`, the scores it gives by metric. Models are `cached_property`, loaded once a process, and named
    in `weights`.
    """

    resources: ClassVar[Resources] = Resources()
    version: ClassVar[int] = 1
    measures: ClassVar[Mapping[str, Measure]] = {}
    __call__: ClassVar[Callable[..., Iterator[Any]]]

    def __init_subclass__(cls, **kwargs: Any):
        super().__init_subclass__(**kwargs)
        if "__call__" in cls.__dict__:
            cls.signature = Signature.of(cls)

    signature: ClassVar["Signature"]

    @property
    def name(self) -> str:
        return type(self).__name__

    @property
    def weights(self) -> tuple[Weight, ...]:
        """The model files these parameters need."""
        return ()

    @property
    def lookups(self) -> Mapping[str, type[Row]]:
        """The tables that it looks rows up in, by parameter. Its step is done anew when they are made anew: where the
        parameters tell that none is asked, a subclass leaves it out.
        """
        return self.signature.lookups

    @property
    def stand_in(self) -> str:
        """What weaker thing acts in place of the model that the operator is meant for, what that costs, and how to have
        the real one.

        One line, shown by `plan`, `run`, `status` and a release's datasheet; "" where the real one acts.
        """
        return ""

    def resolved(self) -> Self:
        """The operator with every choice that depends on this machine made, so that its fingerprint tells which."""
        return self

    def parameters(self) -> dict[str, Any]:
        return asdict(self)

    def check(self, metrics: Collection[str] | None = None) -> None:
        """What a plan asks before any work. A subclass that can tell more of its fields says it too.

        Args:
            metrics: those that earlier steps of the recipe give; None where that is not known.

        Raises:
            ValueError: for a field whose value can never be meant, with what can: by the unit that its name ends in,
                see `operators/limits.py`.
        """
        for f in fields(self):
            value = getattr(self, f.name)
            if isinstance(value, Operator):
                value.check(metrics)
            elif (
                isinstance(value, int | float)
                and not isinstance(value, bool)
                and not (limits := limits_of(f.name)).hold(value)
            ):
                raise ValueError(f"{self.name}.{f.name} is {value:g}; it must be {limits.told}")

    def fitted(self, others: Sequence["Operator"]) -> Self:
        """The operator as it is to be beside the other steps of its recipe: a field that would undo what another one
        is asked for gives way.
        """
        return self

    def fingerprint(self) -> str:
        """Names what the operator computes: its name, version, parameters and the content of its models."""
        what = [self.name, self.version, self.parameters(), sorted(weight.sha256 for weight in self.weights)]
        return hashlib.sha256(json.dumps(what, sort_keys=True).encode()).hexdigest()[:12]


ASKS = (Frames, Audio, Media, RenderMedia, OtherFrames)


@dataclass(frozen=True)
class Signature:
    """What an operator's `__call__` declares."""

    reads: type[Row]
    joins: dict[str, type[Row]]  # by parameter name
    writes: tuple[type[Row], ...]
    asks: dict[str, type]  # by parameter name: one of ASKS
    optional: frozenset[str] = frozenset()  # joins with a default, for recipes in which nothing writes that table
    lookups: Mapping[str, type[Row]] = field(default_factory=dict)  # by parameter name

    @property
    def refines(self) -> tuple[type[Row], ...]:
        """The tables it writes whose rows it was given: its answer replaces them."""
        given = {self.reads, *self.joins.values()}
        return tuple(table for table in self.writes if table in given)

    @classmethod
    def of(cls, operator: type[Operator]) -> "Signature":
        """Reads the declaration.

        Raises:
            TypeError: naming the class, what is wrong with it, and what to write instead.
        """
        where = f"{operator.__module__}.{operator.__qualname__}.__call__"
        hints = get_type_hints(operator.__call__)
        given = inspect.signature(operator.__call__).parameters
        names = list(given)[1:]
        if missing := [name for name in names if name not in hints]:
            raise TypeError(
                f"{where}: parameter {missing[0]!r} has no type; write e.g. `{missing[0]}: Shot` or `frames: Frames`"
            )
        if not names or not _is_row(hints[names[0]]):
            raise TypeError(f"{where}: the first parameter is the row it reads; write e.g. `shot: Shot` first")
        joins: dict[str, type[Row]] = {}
        asks: dict[str, type] = {}
        lookups: dict[str, type[Row]] = {}
        for name in names[1:]:
            hint = hints[name]
            if hint in ASKS:
                asks[name] = hint
            elif get_origin(hint) is Lookup and _is_row(get_args(hint)[0]):
                lookups[name] = get_args(hint)[0]
            elif get_origin(hint) is list and _is_row(get_args(hint)[0]):
                joins[name] = get_args(hint)[0]
            elif _is_row(hint):
                raise TypeError(
                    f"{where}: reads one table a call; write `{name}: list[{hint.__name__}]` to join {hint.__name__}s"
                )
            else:
                raise TypeError(
                    f"{where}: {name!r} is {hint}; write a list of rows, Frames, Audio or Media, or make it a field of"
                    " the class"
                )
        returns = hints.get("return")
        if get_origin(returns) is not Iterator or not (writes := _rows_of(get_args(returns)[0])):
            raise TypeError(f"{where}: returns {returns}; write `-> Iterator[Clip]`, or `-> Iterator[Clip | Drop]`")
        optional = frozenset(name for name in joins if given[name].default is not inspect.Parameter.empty)
        return cls(hints[names[0]], joins, writes, asks, optional, lookups)


def _is_row(hint: Any) -> bool:
    return isinstance(hint, type) and issubclass(hint, Row)


def _rows_of(hint: Any) -> tuple[type[Row], ...]:
    """The row types of `Clip`, `Clip | Score` or `Clip | Drop`; none where anything else is among them."""
    parts = get_args(hint) if get_origin(hint) in (Union, UnionType) else (hint,)
    rows = tuple(part for part in parts if part is not Drop)
    return rows if all(_is_row(part) for part in rows) else ()


def with_field(operator: Operator, name: str, value: Any) -> Operator:
    """The operator with one field set.

    Raises:
        ValueError: for a field it does not have, naming those it has, or a value of another type.
    """
    known = {f.name: getattr(operator, f.name) for f in fields(operator)}
    if name not in known:
        raise ValueError(f"{operator.name} has no field {name!r}; it has {', '.join(known) or 'none'}")
    old = known[name]
    if isinstance(old, float) and isinstance(value, int) and not isinstance(value, bool):
        value = float(value)
    if isinstance(old, tuple) and isinstance(value, list):
        value = tuple(value)
    if old is not None and type(value) is not type(old):
        raise ValueError(
            f"{operator.name}.{name} is {type(old).__name__}, as in {old!r}; {value!r} is {type(value).__name__}"
        )
    return type(operator)(**{**known, name: value})
