"""On boxes whose place in the frame is known."""

from dataclasses import replace

import pytest

from manifests.tables import Source
from operators.base import Drop
from operators.faces.score_framing import ScoreFraming
from tests.operators.faces.portraits import CLIP, track

HEIGHT = 1000


def framing(top: float, bottom: float, confidence: float = 1.0) -> dict[str, float | str]:
    source = Source(CLIP.source_id, "", width=1600, height=HEIGHT)
    one = track((700.0, top, 900.0, bottom))
    one = replace(one, confidence=[confidence] * len(one.times_s))
    rows = list(ScoreFraming()(CLIP, [one], [source]))
    return {getattr(row, "metric", getattr(row, "name", "")): row.value for row in rows}


@pytest.mark.parametrize(
    ("heads", "size"),
    [(1.5, "close_up"), (2, "medium_close_up"), (3, "medium"), (5, "medium_long"), (7.5, "full")],
)
def test_the_lower_the_frame_cuts_the_larger_the_shot(heads: float, size: str) -> None:
    high = 900 / heads / 1.33
    found = framing(100 + 0.33 * high, 100 + 1.33 * high)
    assert found["shot_size"] == size
    assert found["heads_in_frame"] == pytest.approx(heads)
    assert found["face_height_share"] == pytest.approx(high / HEIGHT)


def test_a_head_that_the_frame_cuts_off_counts_from_its_edge() -> None:
    assert framing(0, 500)["heads_in_frame"] == pytest.approx(1000 / (1.33 * 500))
    assert framing(165, 665)["heads_in_frame"] == pytest.approx(1000 / (1.33 * 500))


def test_a_face_that_is_not_seen_has_no_framing() -> None:
    with pytest.raises(Drop, match="no_face"):
        framing(300, 600, confidence=0.0)
