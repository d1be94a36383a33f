"""The balance of a corpus as it is told: on a terminal, in a notebook, to a program."""

import json
import math

import pytest

from pipeline.query.balance import MEASURED, Balance, Cost, Group, Groups
from pipeline.views.balance import MOST, BalanceView
from pipeline.views.console import console

DARK = Cost("ScoreDark", "too_dark", "language", "<b>hi", 0.5, 0.0, math.inf, 3.5, math.inf, 9)
LIKELY = Cost("PlanClips", "no_speech", "language", "en", 0.5, 0.4, 1.25, 0.8, 2.0, 9)


def view(groups: int = 2, costs: tuple[Cost, ...] = (DARK, LIKELY), comparisons: int = 40) -> BalanceView:
    lost = {"TrackFaces: no_face": 20.0, "PlanClips: no_face": 10.0, "PlanClips: no_speech": 20.0}
    said = tuple(Group(f"<b>{n}", 9, 12, 3, 100.0, 50.0, 0.5, 0.3, 0.7, lost) for n in range(groups - 1))
    unknown = Group("not stated", 1, 0, 0, 0.0, 0.0, math.nan, math.nan, math.nan, {})
    return BalanceView(Balance(3, 2, 100.0, 50.0, (Groups(MEASURED[0], (*said, unknown)),), costs, comparisons))


def test_a_terminal_has_groups_and_what_is_sure(capsys: pytest.CaptureFixture[str]) -> None:
    console().print(view())
    told = capsys.readouterr().out
    assert "1 of 3 shards are not done" in told
    assert "no_face 30%, no_speech 20%" in told  # of whichever step
    assert "30% to 70%" in told
    assert "ScoreDark: too_dark" in told
    assert "others none (3.50 to any)" in told
    assert "PlanClips: no_speech" not in told  # its interval holds 1
    assert "40 comparisons" in told
    assert "nan" not in told
    console().print(view(groups=MOST + 5))
    assert "and 5 more, 6 min 40 s: --json" in capsys.readouterr().out


def test_where_nothing_is_sure_that_is_said() -> None:
    assert "No filter surely costs one group more" in str(view(costs=(LIKELY,)))
    assert "takes 5 sources of a group" in str(view(costs=(), comparisons=0))


def test_a_notebook_and_a_program_have_all_of_it() -> None:
    page = view()._repr_html_()
    assert "&lt;b&gt;hi" in page
    assert "<b>" not in page
    told = json.loads(json.dumps(view().to_json(), allow_nan=False))
    assert [cost["sure"] for cost in told["costs"]] == [True, False]
    assert told["costs"][0]["times"] is None
    assert told["by"][0]["groups"][0]["dropped"]["PlanClips: no_face"] == 10.0
