"""The clips as columns that a page can brush: numbers in 65,535 levels, words as codes, texts in parts.

A page from disk can neither open Parquet nor run a database, so it is given arrays: two bytes a clip and column. Levels
round down: with `step = (high - low) / LEVELS` a level k stands for values in [low + k * step, low + (k + 1) * step),
so that brushing levels is comparing values.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute
import pyarrow.parquet as pq
from numpy.typing import NDArray

from pipeline.views.dictionary import ColumnTold

pc: Any = pyarrow.compute  # its functions are made when it is imported, where no type checker sees them

LEVELS = 65535  # of a number: 0 to LEVELS - 1
MISSING = LEVELS  # stands for no value
BINS = 64  # of a histogram: a bin is 1024 levels
PART_ROWS = 100_000  # of a file of levels or codes
TEXT_ROWS = 10_000  # of a file of texts
MOST_WORDS = 2_000  # different ones in a column that is counted by word; one with more is text
TAIL = 0.005  # share of the clips at either end that may lie beyond the axis, where they would stretch it
STRETCH = 4.0  # how much longer the axis would be with them
SAME = 1e-9  # of numbers that differ by less, in shares of the larger, nothing is told apart
VERDICTS = ("none", "keep", "reject", "flag")  # codes of the column `review`
REVIEW = "review"
_TEXT = ("clip_id", "media", "description")  # never counted by word
ASKED = (*_TEXT, "title", "uri", "channel")  # texts that cards show, and that are searched; others stand in the details


@dataclass(frozen=True)
class PageColumn:
    """A column as the page's catalogue describes it."""

    name: str
    kind: str  # number, word or text
    group: str  # score, clip, source, render, annotation ...: what it is a fact of
    unit: str = ""
    range: str = ""
    better: str = ""  # higher, lower or "" where neither is
    meaning: str = ""
    low: float = 0.0  # of a number: the ends of its axis
    high: float = 0.0
    clipped_low: bool = False  # some values lie before the axis: its first level holds them
    clipped_high: bool = False
    missing: int = 0  # clips without a value
    counts: list[int] = field(default_factory=list)  # of a number by bin, of a word by code
    words: list[str] = field(
        default_factory=list
    )  # by code, the most frequent first; the code behind the last is no word


@dataclass(frozen=True)
class ClipColumns:
    """The clips of a page, in the order of their rows, from a Parquet file that `lay_down` wrote."""

    path: Path
    told: Mapping[str, ColumnTold]  # by name what each column holds
    groups: Mapping[str, str]  # by name the table that it comes from

    @cached_property
    def file(self) -> pq.ParquetFile:
        return pq.ParquetFile(self.path)

    @property
    def rows(self) -> int:
        return self.file.metadata.num_rows

    @cached_property
    def names(self) -> list[str]:
        """The columns that can be shown: no lists, no bytes."""
        return [
            one.name
            for one in self.file.schema_arrow
            if not pa.types.is_nested(one.type) and not pa.types.is_binary(one.type)
        ]

    @cached_property
    def described(self) -> list[PageColumn]:
        """Every column; what each holds is read once, one at a time."""
        return [column for column, _ in map(self._made, [*(name for name in self.names if name != REVIEW), REVIEW])]

    def values(self, number: int) -> NDArray[np.uint16]:
        """(rows,) levels or codes of a column that is not text."""
        return self._made(self.described[number].name)[1]

    def value_parts(self, number: int) -> Iterator[bytes]:
        """Little-endian uint16 levels or codes, `PART_ROWS` a part."""
        found = self.values(number)
        for first in range(0, max(1, len(found)), PART_ROWS):
            yield found[first : first + PART_ROWS].astype("<u2").tobytes()

    def texts(self, number: int, part: int) -> list[str]:
        """A part of a column of texts."""
        if self._held.get("texts") != number:  # kept for the next part: a million texts take a second to be read
            self._held.update(texts=number, column=self._column(self.described[number].name).cast(pa.string()))
        rows = self._held["column"].slice(part * TEXT_ROWS, TEXT_ROWS)
        return ["" if text is None else text for text in rows.to_pylist()]

    def row(self, number: int) -> dict[str, Any]:
        """All that the clip view holds of a clip."""
        (group, first) = self._group_of(number)
        return self._group(group).slice(number - first, 1).to_pylist()[0]

    def rows_of(self, clip_ids: Iterable[str]) -> list[int]:
        """The rows of some clips, those that are not here left out."""
        return sorted(set(self.places_of(clip_ids).values()))

    def places_of(self, clip_ids: Iterable[str]) -> dict[str, int]:
        """The row of each of some clips, those that are not here left out."""
        wanted = pa.array(list(clip_ids), pa.string())
        found = pc.index_in(wanted, self._column("clip_id").combine_chunks()).to_pylist()
        return {clip: row for clip, row in zip(wanted.to_pylist(), found, strict=True) if row is not None}

    def _made(self, name: str) -> tuple[PageColumn, NDArray[np.uint16]]:
        column = PageColumn(name, "text", self.groups.get(name, ""))
        if told := self.told.get(name):
            column = replace(column, unit=told.unit, range=told.range, better=told.better, meaning=told.meaning)
        if name == REVIEW:
            return self._reviewed(column)
        values = self._column(name)
        if pa.types.is_boolean(values.type):
            values = pc.if_else(values, "true", "false")
        if pa.types.is_integer(values.type) or pa.types.is_floating(values.type):
            return _number(column, values)
        words = values.cast(pa.string())
        if name in _TEXT or (counted := _counted(words)) is None:
            return replace(column, missing=words.null_count), np.zeros(0, np.uint16)
        return _words(column, words, counted)

    def _reviewed(self, column: PageColumn) -> tuple[PageColumn, NDArray[np.uint16]]:
        """What reviewers said so far; of a clip on which they do not agree, that it is flagged."""
        codes = np.zeros(self.rows, np.uint16)
        if REVIEW in self.names:
            said = self._column(REVIEW).cast(pa.string()).fill_null(VERDICTS[0])
            codes = pc.index_in(said, pa.array(VERDICTS)).fill_null(VERDICTS.index("flag")).to_numpy().astype(np.uint16)
        counts = np.bincount(codes, minlength=len(VERDICTS)).tolist()
        return replace(column, kind="word", group=REVIEW, counts=counts, words=list(VERDICTS)), codes

    def _column(self, name: str) -> pa.ChunkedArray:
        return self.file.read([name], use_threads=False)[name]

    def _group_of(self, row: int) -> tuple[int, int]:
        first = 0
        for number in range(self.file.num_row_groups):
            rows = self.file.metadata.row_group(number).num_rows
            if row < first + rows:
                return number, first
            first += rows
        raise IndexError(row)

    def _group(self, number: int) -> pa.Table:
        """A row group, kept for the next row: rows are mostly asked for one after the other."""
        if self._held.get("number") != number:
            self._held.update(
                number=number, rows=self.file.read_row_group(number, columns=self.names, use_threads=False)
            )
        return self._held["rows"]

    @cached_property
    def _held(self) -> dict[str, Any]:
        return {}


def _number(column: PageColumn, found: pa.ChunkedArray) -> tuple[PageColumn, NDArray[np.uint16]]:
    values = found.cast(pa.float64()).to_numpy(zero_copy_only=False).astype(np.float64)
    levels, low, high = quantised(values)
    there = levels != MISSING
    finite = values[there]
    counts = np.bincount(levels[there] // (MISSING // BINS + 1), minlength=BINS).tolist()
    beyond = bool((finite < low).any()), bool((finite > high).any())
    missing = int(len(values) - there.sum())
    made = replace(column, kind="number", low=low, high=high, missing=missing, counts=counts)
    return replace(made, clipped_low=beyond[0], clipped_high=beyond[1]), levels


def quantised(values: NDArray[np.float64]) -> tuple[NDArray[np.uint16], float, float]:
    """Numbers as levels of an axis.

    The axis reaches from the least to the largest number, unless few of them would make it several times as long: these
    are put at its ends.

    Args:
        values: (n,), of which those that are no finite numbers have no level.

    Returns:
        (n,) levels from 0, or `MISSING`; the axis's low and high end.
    """
    there = np.isfinite(values)
    finite = values[there]
    if not len(finite):
        return np.full(len(values), MISSING, np.uint16), 0.0, 0.0
    low, high = float(finite.min()), float(finite.max())
    inner_low, inner_high = (float(end) for end in np.quantile(finite, (TAIL, 1 - TAIL)))
    if inner_high > inner_low and high - low > STRETCH * (inner_high - inner_low):
        low, high = inner_low, inner_high
    if high - low <= SAME * max(abs(low), abs(high)):
        high = low  # one number, but for rounding
    levels = np.full(len(values), MISSING, np.uint16)
    step = (high - low) / LEVELS
    levels[there] = 0 if step == 0 else np.clip(np.floor((finite - low) / step), 0, LEVELS - 1).astype(np.uint16)
    return levels, low, high


def _counted(words: pa.ChunkedArray) -> dict[str, int] | None:
    """How often each word is there, the most frequent first; None where there are too many to be counted by."""
    rows = len(words)
    found = pc.value_counts(words)
    if len(found) > min(MOST_WORDS, max(BINS, rows // 2)):
        return None
    pairs = [(one["values"], one["counts"]) for one in found.to_pylist() if one["values"]]
    return dict(sorted(pairs, key=lambda pair: (-pair[1], pair[0])))


def _words(
    column: PageColumn, words: pa.ChunkedArray, counted: Mapping[str, int]
) -> tuple[PageColumn, NDArray[np.uint16]]:
    codes = pc.index_in(words, pa.array(list(counted), pa.string())).fill_null(len(counted))
    missing = len(words) - sum(counted.values())
    made = replace(column, kind="word", missing=missing, counts=list(counted.values()), words=list(counted))
    return made, codes.to_numpy().astype(np.uint16)
