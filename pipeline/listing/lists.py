"""Lists as people have them: lines of text, tables with any separator, JSON, Parquet.

Each line becomes a row, a problem or a counted rest.
"""

import csv
import os
import zlib
from collections.abc import Iterator
from pathlib import Path

from pipeline.listing import columns, ranges
from pipeline.listing.entries import Entry, Problem, Tally
from pipeline.listing.forms import UNREADABLE, Row, json_rows, parquet_rows, table_rows, text_rows
from pipeline.listing.text_files import plain_name

# each also with .gz, but for Parquet
LISTS = frozenset([".txt", ".csv", ".tsv", ".tab", ".json", ".jsonl", ".ndjson", ".parquet"])
OTHERS = {  # what people take for lists, with what to do
    **dict.fromkeys([".xlsx", ".xls", ".ods", ".numbers"], "a workbook: save the sheet as .csv"),
    **dict.fromkeys(
        [".zip", ".7z", ".rar", ".tar", ".bz2", ".xz", ".zst", ".tgz"], "an archive: unpack it and name what is in it"
    ),
    **dict.fromkeys(
        [".pdf", ".doc", ".docx", ".html", ".htm", ".xml", ".yaml", ".yml"],
        "no list: name a text with one address or path a line",
    ),
}


def is_list(path: Path) -> bool:
    return os.path.splitext(plain_name(path))[1].lower() in LISTS


def read_list(path: Path, tally: Tally) -> Iterator[Entry]:
    """The entries of a list. What gives none is counted in `tally`."""
    whole = os.path.abspath(path)
    base, kind = os.path.dirname(whole), os.path.splitext(plain_name(path))[1].lower()
    reader = {
        ".txt": text_rows,
        ".parquet": parquet_rows,
        ".json": json_rows,
        ".jsonl": json_rows,
        ".ndjson": json_rows,
    }
    found = False
    try:
        for where, row in reader.get(kind, table_rows)(path, tally):
            found = True
            yield _entry(row, f"{path.name} {where}".strip(), base, whole, tally)
    except UNREADABLE as error:
        tally.whole += 1
        yield Entry(
            str(path), problem=Problem("list_unreadable", _said(error, tally)), list_path=whole if found else ""
        )
    else:
        if not found:
            tally.whole += 1
            yield Entry(str(path), problem=Problem("empty_list", "no entry in it"))


def _said(error: BaseException, tally: Tally) -> str:
    if isinstance(error, UnicodeError):
        return f"after line {tally.total} no text in the encoding that it begins with: save the list as UTF-8"
    if isinstance(error, EOFError | zlib.error):
        return f"the compressed file is damaged or ends too early, after line {tally.total}"
    if isinstance(error, csv.Error):
        return f"after line {tally.total}: {error}"
    return f"{type(error).__name__}: {error}"


def _entry(row: Row | Problem, where: str, base: str, list_path: str, tally: Tally) -> Entry:
    if isinstance(row, Problem):
        return Entry(where, list_path=list_path, problem=row)
    if not row.text.isprintable() and any("\ud800" <= letter <= "\udfff" for letter in row.text):
        return Entry(row.text, where, list_path=list_path, problem=Problem("not_utf8", "save the list as UTF-8"))
    facts = {
        fact: next((row.fields[name] for name in names if name in row.fields), None)
        for fact, names in columns.FACTS.items()
    }
    sha256, licence = (str(facts[fact] or "").strip() for fact in ("sha256", "licence"))
    asked = () if row.fields.keys() >= columns.OURS else ranges.ranges_of(row.fields, row.text)
    if ranges.points_into(row.text) and not asked:
        tally.notes["an address says when to begin and not when to end: the whole recording is taken"] += 1
    seconds = None if asked else ranges.seconds_of(facts["seconds"])
    return Entry(
        row.text, where, base, sha256.lower(), licence.encode(errors="replace").decode(), list_path, seconds,
        () if isinstance(asked, Problem) else asked, asked if isinstance(asked, Problem) else None,
    )  # fmt: skip
