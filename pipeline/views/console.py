"""The one way to a terminal. What it prints may come from strangers: titles, file names, details of errors.

No text is markup, no word becomes a picture, and letters that steer a terminal are left out wherever they come from: a
style is always given beside the text, never in it. Off a terminal nothing is wrapped, so that a log can be searched
line by line.
"""

import atexit
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from datetime import datetime
from typing import Any

from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment
from rich.text import Text

from pipeline.views.facts import Fact, json_of

UNWRAPPED = 100_000  # columns of what is no terminal
EVERY_S = 10.0  # between two lines about the same work where there is no terminal

# C0 and C1 but for tab and newline; then what turns the direction of writing, hides, or is no letter at all.
_STEERING = [*range(0x00, 0x09), *range(0x0B, 0x20), *range(0x7F, 0xA0), 0x061C, *range(0x200B, 0x2010),
             *range(0x2028, 0x202F),
             *range(0x2060, 0x2070), 0xFEFF, *range(0xFFF9, 0xFFFC), *range(0xE0000, 0xE0080),
             *range(0xD800, 0xE000)]  # fmt: skip
_INERT = str.maketrans(dict.fromkeys(_STEERING))


def inert(text: str) -> str:
    """The text without letters that steer a terminal: escapes, changes of direction, marks without width."""
    return text.translate(_INERT)


class SafeConsole(Console):
    """A console whose text is text. Make it by `console`."""

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        for text, style, control in super().render(renderable, options):
            yield Segment(text if control else inert(text), style, control)


def console(*, stderr: bool = False, quiet: bool = False) -> Console:
    """The console of a command: standard output, or standard error for what is no answer."""
    terminal = (sys.stderr if stderr else sys.stdout).isatty()
    width = None if terminal or os.environ.get("COLUMNS") else UNWRAPPED
    return SafeConsole(stderr=stderr, quiet=quiet, markup=False, emoji=False, highlight=False, width=width)


def answer(fact: Fact, as_json: bool, to: Console | None = None) -> None:
    """Prints a fact for people, or as JSON for a program."""
    if as_json:
        print_json(fact.to_json())
    else:
        (to or console()).print(fact)


def print_json(value: Any) -> None:
    """Plain JSON on standard output, of whatever `json_of` knows."""
    json.dump(json_of(value), sys.stdout, indent=1, ensure_ascii=True, allow_nan=False)
    print()


@contextmanager
def waiting(out: Console, what: str) -> Iterator[Callable[[str], None]]:
    """Shows that something is going on, on a terminal only.

    Yields:
        To be called with another text.
    """
    with out.status(Text(what)) as shown:  # rich reads markup in a string here, whatever the console says
        yield lambda text: shown.update(Text(text))


@contextmanager
def counting(what: str, out: Console) -> Iterator[Callable[[int, int | None], None]]:
    """Shows how many of something are done: a bar on a terminal, else a line with the time now and then.

    Yields:
        To be called with how many are done, and of how many; None where that is not known.
    """
    if out.is_terminal:
        from rich.progress import (
            BarColumn,
            MofNCompleteColumn,
            Progress,
            TextColumn,
            TimeElapsedColumn,
            TimeRemainingColumn,
        )

        columns = (
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
        )
        with Progress(*columns, console=out, transient=True) as bar:
            task = bar.add_task(what, total=None)
            yield lambda done, of: bar.update(task, completed=done, total=of)
        return
    told = [time.monotonic()]

    def line(done: int, of: int | None) -> None:
        if time.monotonic() - told[0] >= EVERY_S:
            told[0] = time.monotonic()
            out.print(f"{now()} {what}: {done}" + (f" of {of}" if of is not None else ""))

    yield line


def now() -> str:
    """The time of day, for a line of a log: `14:03:59`."""
    return datetime.now().astimezone().strftime("%H:%M:%S")


@contextmanager
def alone(out: Console) -> Iterator[None]:
    """Lets nobody but `out` be heard: what libraries and their processes write to the terminal, such as Ray's notes,
    goes to a file.

    Of an error that ends it, the last lines of that file are a note.
    """
    ours = sys.stderr if out.stderr else sys.stdout
    sys.stdout.flush()
    sys.stderr.flush()
    held = [os.dup(1), os.dup(2)]
    with tempfile.TemporaryFile("w+", errors="replace") as theirs:
        out.file = os.fdopen(os.dup(ours.fileno()), "w", buffering=1) if _is_descriptor(ours) else ours
        os.dup2(theirs.fileno(), 1)
        os.dup2(theirs.fileno(), 2)
        try:
            with redirect_stdout(theirs), redirect_stderr(theirs):
                yield
        except Exception as error:
            theirs.flush()
            theirs.seek(0)
            error.add_note("what libraries said meanwhile:\n" + "".join(theirs.readlines()[-20:]))
            raise
        finally:
            if (colours := sys.modules.get("colorama.initialise")) is not None:
                # it would write, when all ends, to what was standard output when Ray brought it in
                atexit.unregister(colours.reset_all)
            out.file.flush()
            for number, descriptor in enumerate(held, 1):
                os.dup2(descriptor, number)
                os.close(descriptor)
            out.file = ours


def _is_descriptor(stream: Any) -> bool:
    """Whether a stream ends in standard output or error of this process, and not in a test's hands."""
    try:
        return stream.fileno() in (1, 2)
    except (OSError, ValueError, AttributeError):
        return False
