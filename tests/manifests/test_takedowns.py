"""Where a person who was taken down is seen and heard."""

from dataclasses import replace
from typing import Any

import pytest

from manifests.tables import Clip, Source, Turn
from manifests.takedowns import Region, Takedown, Takedowns

# From the left edge to the right one and back in 10 s; 20 pixels wide.
WALK = Region("s", 0.0, 10.0, [0.0, 5.0, 10.0], [0.0, 100.0, 0.0], [0.0] * 3, [20.0, 120.0, 20.0], [20.0] * 3)


def clip(start_s: float, end_s: float, left_px: float, right_px: float) -> Clip:
    return Clip("s", "s/x", "", "", "", start_s, end_s, left_px, 0.0, right_px, 20.0)


def test_a_box_moves_in_a_straight_line_between_looks() -> None:
    assert WALK.box(2.5) == (50.0, 0.0, 70.0, 20.0)
    assert WALK.box(7.5) == (50.0, 0.0, 70.0, 20.0)
    assert WALK.box(10.4) == (0.0, 0.0, 20.0, 20.0), "a face is taken to stay where it was last seen, for half a second"
    assert WALK.box(10.6) is None


@pytest.mark.parametrize(
    ("shown", "told"),
    [
        (clip(0.0, 10.0, 90.0, 130.0), True),
        (clip(0.0, 1.0, 90.0, 130.0), False),
        (clip(10.0, 12.0, 0.0, 20.0), False),
        (clip(-2.0, 0.0, 0.0, 20.0), False),
        (clip(9.0, 12.0, 0.0, 20.0), True),
    ],
    ids=["comes in between", "elsewhere", "begins where it ends", "ends where it begins", "meets it"],
)
def test_a_clip_shows_whom_its_crop_meets_at_some_look(shown: Clip, told: bool) -> None:
    assert WALK.shows(shown) is told


def test_a_clip_of_before_there_were_crops_shows_all_of_its_frame() -> None:
    nowhere: Any = None
    assert WALK.shows(replace(clip(0.0, 1.0, 90.0, 130.0), left_px=nowhere))
    assert not WALK.shows(replace(clip(20.0, 21.0, 90.0, 130.0), left_px=nowhere))


def test_a_turn_that_is_mostly_the_persons_voice_goes_and_no_other() -> None:
    gone = Takedowns((Takedown("identity:Ada", "", {}, [replace(WALK, heard_s=[[2.0, 4.0]])], []),))
    heard = [Turn("s", f"s/{start_s}", "a", start_s, start_s + 2.0) for start_s in (1.5, 2.5, 3.5)]
    assert [gone.covers(turn) for turn in heard] == [True, True, False]
    assert not gone.covers(replace(heard[0], source_id="other"))
    assert not gone.covers(Source("s", ""))
