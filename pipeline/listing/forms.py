"""The forms that lists come in: text, tables with any separator, JSON, Parquet."""

import csv
import io
import json
import os
import re
import zlib
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.listing import columns, ranges
from pipeline.listing.columns import entry_column, fields_of, is_header, likeness, normal
from pipeline.listing.entries import Problem, Tally
from pipeline.listing.text_files import plain_name, text_of

SAMPLE = 50  # rows that decide on the separator and the column
SEPARATORS = ",;\t|"
UNREADABLE = (OSError, EOFError, zlib.error, UnicodeError, csv.Error, pa.ArrowException, RecursionError)
_END = "\x03end of the list"  # behind the last line, to see whether a quotation mark is still open there


@dataclass(frozen=True)
class Row:
    """A line with the cell that names its recording, and its fields by name."""

    text: str
    fields: dict[str, Any]


Rows = Iterator[tuple[str, Row | Problem]]  # each with its place, as in "line 7"


def text_rows(path: Path, tally: Tally) -> Rows:
    """One entry a line, with a name before it or not; a table where the first line has columns with known names."""
    head = [line for line in _head(path) if line.strip()]
    separator = _separator(head, "")
    first = next((line for line in head if not line.startswith("#")), "").rstrip("\r\n").split(separator or None)
    if separator and len(first) > 1 and is_header(first, "") and {normal(cell) for cell in first} & columns.HEADER:
        yield from table_rows(path, tally)
        return
    with text_of(path) as lines:
        for number, line in enumerate(lines, 1):
            tally.total += 1
            text = line.strip()
            if not text:
                tally.rest["blank"] += 1
            elif text.startswith("#"):
                tally.rest["comment"] += 1
            else:
                yield f"line {number}", Row(_without_name(text), {})


def _head(path: Path) -> list[str]:
    """The first lines, to see what form the list has. Where they cannot be read, that is told when it is their turn."""
    lines: list[str] = []
    with suppress(*UNREADABLE), text_of(path, newline="") as text:
        lines.extend(islice(text, SAMPLE))  # keeps what it had when it fails
    return lines


def _without_name(text: str) -> str:
    """The address in a line that has a name before it, as in HDTF's lists, or other cells beside it.

    A line with two is left as it is.
    """
    like = [cell.strip() for cell in text.split("\t") if likeness(cell) == 2]
    if "\t" in text and len(like) == 1:
        return like[0]
    named = re.fullmatch(r"(?i)[^\t]*[\s,]((?:https?|s3)://\S+)", text)
    return named[1] if named and text.count("://") == 1 else text


def table_rows(path: Path, tally: Tally) -> Rows:
    """CSV with any of `SEPARATORS`, with a header or without."""
    head = _head(path)
    separator = _separator(head, "\t" if plain_name(path).lower().endswith((".tsv", ".tab")) else ",")
    base = os.path.dirname(os.path.abspath(path))
    sample = [cells for _, cells in _records(head, separator) if isinstance(cells, list) and "".join(cells).strip()]
    data = next((n for n, cells in enumerate(sample) if not cells[0].startswith("#")), len(sample))
    header = _header(sample[: data + 1], data, base)
    body = [cells for cells in sample if cells is not header]
    names = header or [str(n) for n in range(max(map(len, body), default=0))]
    column = entry_column(
        names if header else [""] * len(names), [cells for cells in body if not cells[0].startswith("#")] or body
    )
    if header is None and len(names) > 1:
        tally.notes[
            f"it has no header: only column {column + 1} is read; name the columns (url,start,end) to have more read"
        ] += 1
    unread = sorted({normal(name) for name in names} & ranges.FRAMES)
    if unread:
        tally.notes[f"{', '.join(unread)} are not read: clips of a list are in seconds"] += 1
    seen_header = header is None
    with text_of(path, newline="") as lines:
        for line, cells in _records(lines, separator):
            tally.total += 1
            if isinstance(cells, Problem):
                yield f"line {line}", cells
            elif not "".join(cells).strip():
                tally.rest["blank"] += 1
            elif not seen_header and cells == header:
                seen_header = True
                tally.rest["header"] += 1
            elif cells[0].lstrip().startswith("#") and (column == 0 or not "".join(cells[column : column + 1]).strip()):
                tally.rest["comment"] += 1
            else:
                text = cells[column].strip() if column < len(cells) else ""
                yield (
                    f"line {line}",
                    Row(text, fields_of(dict(reversed(list(zip(names, cells, strict=False))))) if header else {}),
                )


def _header(first: list[list[str]], data: int, base: str) -> list[str] | None:
    """The line that names the columns.

    The first one, or a comment before it that has as many cells and known names (as AudioSet's).
    """
    if len(first) > data and is_header(first[data], base):
        return first[data]
    width = len(first[data]) if len(first) > data else 0
    for cells in first[:data]:
        told = {normal(cell.lstrip("# ")) for cell in cells}
        if len(cells) == width > 1 and told & columns.HEADER:
            return cells
    return None


def _records(lines: Iterable[str], separator: str) -> Iterator[tuple[int, list[str] | Problem]]:
    """The records of a table with the lines they begin on.

    A quotation mark that nothing closes does not swallow the rest in silence.
    """

    def closed() -> Iterator[str]:
        yield from lines
        yield _END

    reader = csv.reader(closed(), delimiter=separator, skipinitialspace=True)
    line = 1
    for cells in reader:
        if cells == [_END]:
            return
        if cells and cells[-1].endswith(_END):
            last = reader.line_num - 1
            yield (
                line,
                Problem(
                    "quote_not_closed",
                    f"lines {line} to {last} lie within one quotation mark: close it, or double it within a cell",
                ),
            )
            return
        yield line, cells
        line = reader.line_num + 1


def _separator(lines: list[str], default: str) -> str:
    """What parts the cells.

    That which makes most names known in the first line, then that which cuts all lines alike, then into most cells.
    """
    best, chosen = (0, False, 1), default
    for separator in SEPARATORS:
        try:
            rows = [
                cells
                for cells in csv.reader(lines, delimiter=separator, skipinitialspace=True)
                if cells and not cells[0].startswith("#")
            ]
        except csv.Error:
            continue
        if not rows:
            continue
        known = sum(normal(cell) in columns.HEADER for cell in rows[0])
        widths = {len(cells) for cells in rows[:-1] or rows}  # the last may be cut by the end of the sample
        score = (known, len(widths) == 1, max(widths))
        if score > best and len(rows[0]) > 1 and (known or len(widths) == 1):
            best, chosen = score, separator
    return chosen


def parquet_rows(path: Path, tally: Tally) -> Rows:
    with pq.ParquetFile(path) as file:
        tally.total += file.metadata.num_rows
        names = file.schema_arrow.names
        told = {normal(name) for name in names} & set(columns.COLUMNS)
        head = None if told else next(file.iter_batches(batch_size=SAMPLE), None)
        sample = [list(row.values()) for row in head.to_pylist()] if head else []
        entry = names[entry_column(names, sample)]
        unread = sorted({normal(name) for name in names} & ranges.FRAMES)
        if unread:
            tally.notes[f"{', '.join(unread)} are not read: clips of a list are in seconds"] += 1
        wanted = list(dict.fromkeys([entry, *(name for name in names if normal(name) in columns.WANTED)]))
        number = 0
        for batch in file.iter_batches(columns=wanted):
            for row in batch.select(wanted).to_pylist():
                number += 1
                yield f"row {number}", Row(_cell(row[entry]), fields_of(row))


def json_rows(path: Path, tally: Tally) -> Rows:
    """JSON Lines, read a line at a time; or one JSON: an array, an object that holds one, or an object of objects."""
    with text_of(path) as lines:
        first = lines.readline()
        rest = lines.readline()
        if rest.strip() and first.startswith("{") and _is_json(first):
            yield from _json_lines(chain([first, rest], lines), tally)
            return
        text = first + rest + lines.read()
    try:
        whole = json.loads(text)
    except ValueError as error:
        if text.lstrip().startswith("[") and not _is_json(text.strip().partition("\n")[0]):
            tally.whole += 1
            yield "", Problem("not_json", str(error))
        else:
            yield from _json_lines(io.StringIO(text), tally)
        return
    values = _values(whole)
    if isinstance(values, Problem):
        tally.whole += 1
        yield "", values
        return
    tally.total += len(values)
    for number, value in enumerate(values, 1):
        yield f"entry {number}", _json_row(value)


def _is_json(line: str) -> bool:
    try:
        json.loads(line)
    except ValueError:
        return False
    return True


def _json_lines(lines: Iterable[str], tally: Tally) -> Rows:
    for number, line in enumerate(lines, 1):
        tally.total += 1
        if not line.strip():
            tally.rest["blank"] += 1
            continue
        try:
            value = json.loads(line)
        except ValueError as error:
            yield f"line {number}", Problem("not_json", str(error))
            continue
        yield f"line {number}", _json_row(value)


def _values(whole: Any) -> list[Any] | Problem:
    if isinstance(whole, list):
        return whole
    if not isinstance(whole, dict) or {normal(name) for name in whole} & set(columns.COLUMNS):
        return [whole]
    arrays = [value for value in whole.values() if isinstance(value, list)]
    if len(arrays) == 1:
        return arrays[0]
    if len(whole) > 1 and all(isinstance(value, dict) for value in whole.values()) and "clips" not in whole:
        return [{"key": name, **value} for name, value in whole.items()]
    if not whole or any(likeness(value) for value in whole.values() if isinstance(value, str)):
        return [whole]
    told = (
        "a JSON object without one array of entries: write an array of addresses, or a line each; for a published"
        " dataset see headset import"
    )
    return Problem("list_form_unknown", told)


def _json_row(value: Any) -> Row:
    if isinstance(value, list):
        cells = [one for one in value if isinstance(one, str | int | float)]
        return Row(_cell(cells[entry_column([""] * len(cells), [cells])]) if cells else "", {})
    if not isinstance(value, dict):
        return Row(_cell(value), {})
    fields = fields_of(value)
    if not fields:
        return Row("", {})
    names = [name for name, one in fields.items() if not isinstance(one, dict | list)] or list(fields)
    return Row(_cell(fields[names[entry_column(names, [[fields[name] for name in names]])]]), fields)


def _cell(value: Any) -> str:
    return "" if value is None else str(value).strip()
