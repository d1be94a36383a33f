"""Times as lists write them."""

import pytest

from pipeline.listing.entries import Problem
from pipeline.listing.ranges import ranges_of, seconds_of


@pytest.mark.parametrize(
    ("written", "seconds"),
    [
        *[
            ("12.5", 12.5),
            ("12,5", 12.5),
            (".5", 0.5),
            ("5.042s", 5.042),
            (7, 7.0),
            (0.1, 0.1),
            ("0", 0.0),
            ("1:02.72", 62.72),
        ],
        *[
            ("0:00:02.235", 2.235),
            ("01:02:03", 3723.0),
            ("1h2m3s", 3723.0),
            ("1m30s", 90.0),
            ("90s", 90.0),
            ("2m", 120.0),
        ],
    ],
)
def test_a_time_is_read_to_its_last_digit(written: object, seconds: float) -> None:
    assert seconds_of(written) == seconds


@pytest.mark.parametrize(
    "written",
    ["", "-1", "nan", "inf", "1e3", "12:00 pm", "2023-05-01", "1:2:3:4", "one", None, True, float("nan"), -1.0, 1e9],
)
def test_what_is_no_time_is_none(written: object) -> None:
    assert seconds_of(written) is None


@pytest.mark.parametrize(("start", "end"), [("5", "5"), ("6", "5")])
def test_a_range_that_holds_nothing_is_told(start: str, end: str) -> None:
    found = ranges_of({"start": start, "end": end}, "https://h.org/a.mp4")
    assert isinstance(found, Problem)
    assert found.reason == "bad_range"
    assert ranges_of({"start": "4", "end": "5"}, "https://h.org/a.mp4") == ((4.0, 5.0),)


def test_normal_play_time_is_seconds() -> None:
    assert ranges_of({}, "https://h.org/a.mp4#t=npt:10,20") == ((10.0, 20.0),)
