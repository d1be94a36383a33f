"""Tubes of made tracks, with the spans and boxes worked out by hand."""

from dataclasses import replace

import pytest

from manifests.tables import Clip, Shot, Source, Track
from operators.base import Drop
from operators.clips.plan_tubes import PlanTubes

SHOT = Shot("s", "s/000000-020000", 0.0, 20.0)
SOURCE = Source("s", "a.mp4", width=1280, height=720, end_s=20.0, fps=25.0)


def track(
    name: str = "t0",
    first_s: float = 0.0,
    last_s: float = 20.0,
    x: float = 100.0,
    speed: float = 0.0,
    width: float = 200.0,
) -> Track:
    """A face seen five times a second, moving to the right."""
    times = [n / 5 for n in range(round(first_s * 5), round(last_s * 5))]
    lefts = [x + speed * (at - first_s) for at in times]
    count = len(times)
    return Track(
        "s", f"{SHOT.shot_id}/{name}", SHOT.shot_id, first_s, last_s, times, lefts, [50.0] * count,
        [left + width for left in lefts], [250.0] * count,
        [0.9] * count,
    )  # fmt: skip


def planned(*tracks: Track, **fields: float | bool) -> list[Clip | Drop]:
    return list(PlanTubes(**fields)(SHOT, list(tracks), [SOURCE]))  # pyright: ignore[reportArgumentType]


def test_a_face_that_stays_is_one_tube_as_long_as_it_may_be() -> None:
    found = planned(track(), max_s=8.0)
    assert [(clip.start_s, clip.end_s) for clip in found if isinstance(clip, Clip)] == [
        (0.2, 8.2),
        (8.2, pytest.approx(16.2)),
        (16.2, 19.9),
    ]
    first = found[0]
    assert isinstance(first, Clip)
    assert (first.left_px, first.top_px, first.right_px, first.bottom_px) == (100.0, 50.0, 300.0, 250.0)
    assert first.clip_id == "s/000200-008200/t0"


def test_a_face_that_walks_away_begins_another_tube() -> None:
    # 40 px a second, 200 px wide: after 3 s the overlap is 80 of 320, a quarter; the next look is below it.
    found = planned(track(speed=40.0, last_s=6.0), min_s=1.0, min_iou=0.25)
    clip = found[0]
    assert isinstance(clip, Clip)
    assert (clip.start_s, clip.end_s) == (0.2, pytest.approx(3.4))
    assert (clip.left_px, clip.right_px) == (pytest.approx(108.0), pytest.approx(428.0))


def test_a_hidden_face_ends_the_tube() -> None:
    hidden = track(last_s=10.0)
    seen = [0.0 if 4.0 <= at < 5.0 else 0.9 for at in hidden.times_s]
    found = planned(replace(hidden, confidence=seen))
    assert [(clip.start_s, clip.end_s) for clip in found if isinstance(clip, Clip)] == [(0.2, 4.0), (5.0, 10.0)]


def test_what_is_short_small_or_not_alone_is_given_up_by_name() -> None:
    other = track("t1", 12.0, 18.0, x=700.0, width=80.0)
    found = planned(track(last_s=2.0), other, alone=True)
    assert [(drop.reason, drop.detail) for drop in found if isinstance(drop, Drop)] == [
        ("too_short", "1.8 s < 3 s"), ("face_small", "80 px < 96 px"),
    ]  # fmt: skip
    first, second = planned(track(), track("t1", 12.0, 13.0, x=700.0), alone=True)[0], planned(track(), alone=True)[0]
    assert isinstance(first, Drop)
    assert first.reason == "not_alone"
    assert isinstance(second, Clip)


def test_a_shot_without_a_face_is_a_drop() -> None:
    with pytest.raises(Drop, match="no_face"):
        planned()
