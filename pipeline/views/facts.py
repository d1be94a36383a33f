"""A fact has three faces: a terminal's, a notebook's and a program's. All three are made of the same parts.

A fact is a frozen dataclass. Its fields are what `to_json` gives; `parts` says how it reads: lines, grids and lanes of
cells, each a text and a mood. Texts may come from strangers, so the terminal shows them as they are (`console.py`) and
HTML escapes them.
"""

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass
from html import escape
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console, ConsoleOptions, RenderResult
    from rich.text import Text

# What a text means, in a terminal's style and a page's colour.
MOODS = {
    "": ("", ""),
    "strong": ("bold", "font-weight:bold"),
    "quiet": ("dim", "color:#777"),
    "name": ("cyan", "color:#0b7285"),
    "good": ("green", "color:#2b8a3e"),
    "warn": ("yellow", "color:#b35c00"),
    "bad": ("red", "color:#c92a2a"),
    "face": ("blue", "color:#1c7ed6"),
    "voice": ("magenta", "color:#9c36b5"),
}
BAR = 24  # columns of a bar on a terminal
MOST_WIDE = 100  # columns that a time axis takes of a terminal


@dataclass(frozen=True)
class Cell:
    """A text and what it means; of a `share`, 0 to 1, a bar."""

    text: str
    mood: str = ""
    share: float | None = None


Content = str | int | Cell


def cell(of: Content) -> Cell:
    return of if isinstance(of, Cell) else Cell(str(of))


def count(number: int) -> Cell:
    """A number of what should not be: quiet where it is 0."""
    return Cell(str(number), "bad" if number else "quiet")


@dataclass(frozen=True)
class Line:
    """Cells one after the other."""

    cells: tuple[Cell, ...]
    indent: int = 0

    @classmethod
    def of(cls, *contents: Content, indent: int = 0) -> "Line":
        return cls(tuple(cell(one) for one in contents), indent)


@dataclass(frozen=True)
class Grid:
    """A table. A name that starts with `>` is of a column of numbers, which ends at its right edge."""

    names: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    title: str = ""

    @classmethod
    def of(cls, names: Iterable[str], rows: Iterable[Iterable[Content]], title: str = "") -> "Grid":
        return cls(tuple(names), tuple(tuple(cell(one) for one in row) for row in rows), title)


@dataclass(frozen=True)
class Lane:
    """Spans of seconds in one line of a time axis."""

    name: str
    spans: tuple[tuple[float, float], ...]
    mood: str
    mark: str = "█"


@dataclass(frozen=True)
class Lanes:
    """Lanes above one another on one time axis, [start_s, end_s)."""

    start_s: float
    end_s: float
    lanes: tuple[Lane, ...]


BLANK = Line(())
Part = Line | Grid | Lanes


@dataclass(frozen=True)
class Fact:
    """What is told of a corpus. A subclass gives `parts`."""

    def parts(self) -> Iterator[Part]:
        """What is shown, in order."""
        raise NotImplementedError

    def to_json(self) -> dict[str, Any]:
        """The fields, as JSON has them."""
        return json_of(self)

    def __rich_console__(self, console: "Console", options: "ConsoleOptions") -> "RenderResult":
        for part in self.parts():
            if isinstance(part, Line):
                yield _line(part)
            elif isinstance(part, Grid):
                yield _table(part)
            else:
                yield from _axis(part, min(options.max_width, MOST_WIDE))

    def _repr_html_(self) -> str:
        return f'<div class="headset">{"".join(_html(part) for part in self.parts())}</div>'

    def __str__(self) -> str:
        return "\n".join(_plain(part) for part in self.parts())


@dataclass(frozen=True)
class Told(Fact):
    """What a command has to say that is worth no type of its own."""

    told: tuple[Part, ...]

    def parts(self) -> Iterator[Part]:
        yield from self.told


def json_of(value: Any) -> Any:
    """Dataclasses as objects, tuples as lists; a number that JSON has not is null, bytes are left out."""
    if is_dataclass(value) and not isinstance(value, type):
        return {f.name: json_of(found) for f in fields(value) if not isinstance(found := getattr(value, f.name), bytes)}
    if isinstance(value, Mapping):
        return {str(name): json_of(one) for name, one in value.items() if not isinstance(one, bytes)}
    if isinstance(value, str | int | bool) or value is None:
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Iterable):
        return [json_of(one) for one in value]
    return str(value)


def size(count: float) -> str:
    """`812 B`, `4.1 MB`, `2.0 TB`: powers of 1000."""
    for unit in ("B", "kB", "MB", "GB"):
        if count < 1000:
            return f"{count:.0f} B" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:.1f} TB"


def clock(seconds: float) -> str:
    """`2 h 05 min`, `3 min 20 s`, `12.5 s`."""
    if seconds >= 3600:
        return f"{int(seconds // 3600)} h {int(seconds % 3600 // 60):02d} min"
    if seconds >= 60:
        return f"{int(seconds // 60)} min {int(seconds % 60):02d} s"
    return f"{seconds:.1f} s"


def late(seconds: float) -> str:
    """`207 ms late`, `85 ms early`: of sound."""
    return f"{abs(seconds) * 1000:.0f} ms {'late' if seconds > 0 else 'early'}"


def by_number(counts: Mapping[str, int]) -> str:
    """`too_short 4, no_face 1`: the most frequent first."""
    return ", ".join(
        f"{name} {number}" for name, number in sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    )


# On a terminal.


def _text(of: Cell) -> "Text":
    from rich.text import Text

    if of.share is None:
        return Text(of.text, style=MOODS[of.mood][0], overflow="fold")
    full = round(BAR * max(0.0, min(1.0, of.share)))
    return Text("━" * full, style="green") + Text("━" * (BAR - full), style="grey30") + Text(of.text)


def _line(line: Line) -> "Text":
    from rich.text import Text

    return Text(" " * line.indent, overflow="fold").join([Text(""), Text("").join(map(_text, line.cells))])


def _table(grid: Grid) -> Any:
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="dim", title=grid.title or None, title_justify="left")
    for name in grid.names:
        table.add_column(name.removeprefix(">"), justify="right" if name.startswith(">") else "left", overflow="fold")
    for row in grid.rows:
        table.add_row(*map(_text, row))
    return table


def _axis(lanes: Lanes, width: int) -> "Iterator[Text]":
    from rich.text import Text

    long_s = lanes.end_s - lanes.start_s
    if long_s <= 0:
        return
    names = max([7, *(len(lane.name) for lane in lanes.lanes)])
    cells = max(20, width - names - 4)
    middle = f"{(lanes.start_s + lanes.end_s) / 2:.1f}"
    ruler = (f"{lanes.start_s:.1f}".ljust(cells // 2) + middle).ljust(cells - 7) + f"{lanes.end_s:7.1f}"
    yield Text(f"  {'seconds':>{names}} {ruler}", style="dim", no_wrap=True)
    for lane in lanes.lanes:
        marks = [" "] * cells
        for start_s, end_s in lane.spans:
            if end_s >= lanes.start_s and start_s < lanes.end_s:
                first = int((max(start_s, lanes.start_s) - lanes.start_s) / long_s * cells)
                last = min(cells, max(first + 1, round((min(end_s, lanes.end_s) - lanes.start_s) / long_s * cells)))
                marks[first:last] = [lane.mark] * (last - first)
        yield Text(f"  {lane.name:>{names}} ", no_wrap=True) + Text("".join(marks), style=MOODS[lane.mood][0])


def _plain(part: Part) -> str:
    if isinstance(part, Line):
        return " " * part.indent + "".join(one.text for one in part.cells)
    if isinstance(part, Grid):
        rows = [[name.removeprefix(">") for name in part.names], *([one.text for one in row] for row in part.rows)]
        return "\n".join("  ".join(row) for row in rows)
    return "\n".join(f"{lane.name}: {len(lane.spans)} spans" for lane in part.lanes)


# In a notebook.


def _span(of: Cell) -> str:
    text = escape(of.text).replace("\n", "<br>")
    if of.share is not None:
        return f'<progress max="1" value="{of.share:.4f}"></progress> {text}'
    return f'<span style="{MOODS[of.mood][1]}">{text}</span>' if of.mood else text


def _html(part: Part) -> str:
    if isinstance(part, Line):
        return f'<p style="margin:.2em {part.indent / 2}em">{"".join(map(_span, part.cells))}</p>'
    if isinstance(part, Grid):
        # Notebooks would have every column end at its right edge.
        sides = [f' style="text-align:{"right" if name.startswith(">") else "left"}"' for name in part.names]
        head = "".join(f"<th{s}>{escape(n.removeprefix('>'))}</th>" for s, n in zip(sides, part.names, strict=True))
        cells = ("".join(f"<td{s}>{_span(one)}</td>" for s, one in zip(sides, row, strict=True)) for row in part.rows)
        rows = "".join(f"<tr>{row}</tr>" for row in cells)
        caption = f"<caption>{escape(part.title)}</caption>" if part.title else ""
        return f"<table>{caption}<thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"
    return _svg(part)


def _svg(lanes: Lanes) -> str:
    """The lanes as a picture, 100 units of which are the axis."""
    long_s = lanes.end_s - lanes.start_s
    if long_s <= 0:
        return ""
    high, names, wide = 16, 130, 700
    made = []
    for number, lane in enumerate(lanes.lanes):
        colour = MOODS[lane.mood][1].partition("color:")[2] or "#333"
        made.append(f'<text x="{names - 6}" y="{number * high + 12}" text-anchor="end">{escape(lane.name)}</text>')
        for start_s, end_s in lane.spans:
            if end_s >= lanes.start_s and start_s < lanes.end_s:
                left = names + (max(start_s, lanes.start_s) - lanes.start_s) / long_s * wide
                length = max(1.0, (min(end_s, lanes.end_s) - max(start_s, lanes.start_s)) / long_s * wide)
                made.append(
                    f'<rect x="{left:.1f}" y="{number * high + 2}" width="{length:.1f}" height="{high - 4}"'
                    f' fill="{colour}"/>'
                )
    bottom = len(lanes.lanes) * high + 14
    made.append(f'<text x="{names}" y="{bottom}">{lanes.start_s:.1f} s</text>')
    made.append(f'<text x="{names + wide}" y="{bottom}" text-anchor="end">{lanes.end_s:.1f} s</text>')
    size = f'width="{names + wide}" height="{bottom + 4}"'
    return f'<svg {size} style="font:11px sans-serif" xmlns="http://www.w3.org/2000/svg">{"".join(made)}</svg>'
