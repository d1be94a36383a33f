"""A list file as text, in whatever encoding it comes."""

import codecs
import gzip
import io
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TextIO

_MARKS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF32_LE, "utf-32"), (codecs.BOM_UTF32_BE, "utf-32"))
_MARKS = (*_MARKS, (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
_GZIP = b"\x1f\x8b"


def plain_name(path: Path) -> str:
    """The name without .gz, which says what form the list has."""
    return path.name[:-3] if path.suffix.lower() == ".gz" else path.name


def is_gzip(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(2) == _GZIP


@contextmanager
def text_of(path: Path, newline: str | None = None) -> Iterator[TextIO]:
    """Opens a list: plain or compressed by gzip, in UTF-8, or in UTF-16 or 32 with a byte order mark, or in UTF-16
    without one.

    Bytes that are no text of that encoding become lone surrogates, so that they cost no more than the cell they stand
    in.

    Raises:
        UnicodeDecodeError, EOFError, zlib.error, OSError: also while it is read.
    """
    with ExitStack() as stack:
        buffered = stack.enter_context(path.open("rb"))
        if is_gzip(path):
            buffered = stack.enter_context(io.BufferedReader(gzip.GzipFile(fileobj=buffered)))
        yield stack.enter_context(
            io.TextIOWrapper(buffered, _encoding(buffered.peek(256)[:256]), "surrogateescape", newline)
        )


def _encoding(head: bytes) -> str:
    for mark, encoding in _MARKS:
        if head.startswith(mark):
            return encoding
    # Half of the bytes of western text in UTF-16 are 0, which no text in UTF-8 holds.
    if len(head) > 3 and head[1::2].count(0) > len(head) // 3:
        return "utf-16-le"
    if len(head) > 3 and head[::2].count(0) > len(head) // 3:
        return "utf-16-be"
    return "utf-8"
