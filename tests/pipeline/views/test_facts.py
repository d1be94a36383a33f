"""A fact reads the same on a terminal, in a notebook and for a program."""

import json
from dataclasses import dataclass
from html.parser import HTMLParser

import pytest

from pipeline.views.console import SafeConsole, inert
from pipeline.views.facts import Cell, Fact, Grid, Lane, Lanes, Line, by_number, clock, json_of

HOSTILE = (
    "<script>alert(1)</script> [/x] [link=file:///etc]there[/link] \x1b]8;;http://bad\x1b\\go\x1b[2J \u202eexe.mp4"
    " :smile: \x9b31m"
)


@dataclass(frozen=True)
class Made(Fact):
    name: str
    value: float
    data: bytes = b"not for JSON"

    def parts(self):
        yield Line.of(Cell(self.name, "strong"), f" is {self.value}")
        yield Grid.of(
            ("name", ">value"),
            [[self.name, Cell(str(self.value), "bad")], ["half", Cell("1/2", share=0.5)]],
            "a title [/x]",
        )
        yield Lanes(0.0, 10.0, (Lane("first", ((0.0, 5.0),), "good"), Lane("none", (), "warn")))


def printed(fact: Fact, width: int = 80) -> str:
    out = SafeConsole(width=width, markup=False, emoji=False, highlight=False, force_terminal=False)
    with out.capture() as got:
        out.print(fact)
    return got.get()


class Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.seen: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append(tag)


def test_the_terminal_shows_every_cell_and_draws_shares_and_spans() -> None:
    told = printed(Made("one", 0.5)).splitlines()
    assert told[0] == "one is 0.5"
    assert told[1].strip() == "a title [/x]"
    assert told[2].split() == ["name", "value"]
    assert told[4].split() == ["half", "━" * 24 + "1/2"]
    first = told[6].partition("first ")[2].rstrip()
    assert set(first) == {"█"}
    assert len(first) == pytest.approx((80 - 7 - 4) / 2, abs=1)


def test_the_notebook_shows_the_same_and_text_stays_text() -> None:
    shown = Made(HOSTILE, 0.5)._repr_html_()
    assert "&lt;script&gt;" in shown
    tags = Tags()
    tags.feed(shown)
    assert set(tags.seen) <= {
        "div",
        "p",
        "span",
        "table",
        "caption",
        "thead",
        "tbody",
        "tr",
        "th",
        "td",
        "progress",
        "svg",
        "rect",
        "text",
    }
    assert tags.seen.count("rect") == 1


def test_a_program_gets_the_fields_and_only_what_json_has() -> None:
    assert Made("one", float("nan")).to_json() == {"name": "one", "value": None}
    assert json.loads(json.dumps(json_of({"a": (1, {"b": Made("x", 1.0)})}))) == {
        "a": [1, {"b": {"name": "x", "value": 1.0}}]
    }


def test_text_from_strangers_is_inert_on_a_terminal() -> None:
    told = printed(Made(HOSTILE * 20, 1.0), width=60)
    assert told == inert(told)
    assert "[/x] [link=file:///etc]" in " ".join(told.split())
    assert ":smile:" in told


@pytest.mark.parametrize(
    "letter",
    ["\x1b", "\x07", "\x9b", "\r", "\x08", "\u202e", "\u2066", "\u200b", "\ufeff", "\U000e0041", "\x7f", "\x00"],
)
def test_letters_that_steer_are_left_out(letter: str) -> None:
    assert inert(f"a{letter}b") == "ab"
    assert inert("ä 漢 🎬 \t\n") == "ä 漢 🎬 \t\n"


def test_numbers_for_people() -> None:
    assert [clock(seconds) for seconds in (1.25, 75, 3725)] == ["1.2 s", "1 min 15 s", "1 h 02 min"]
    assert by_number({"a": 1, "c": 2, "b": 2}) == "b 2, c 2, a 1"
