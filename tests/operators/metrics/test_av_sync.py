from dataclasses import dataclass
from functools import cache

import numpy as np
import pytest
from numpy.typing import NDArray

from operators.base import Drop
from operators.media.frames import VideoFrames
from operators.media.sound import SourceAudio
from operators.metrics.av_sync import AvConfidence, AvOffset
from operators.metrics.base import FramePair, Video
from operators.picture import Picture
from tests.conftest import media
from tests.made_sounds import Delayed

TALK = ("grid", "bbaf2n.mpg")
SECONDS = 3.0


@cache
def pictures() -> list[Picture]:
    return [Picture(frame.rgb(240)) for frame in VideoFrames(media(*TALK), 0.0, SECONDS)]


def measured(late_s: float) -> tuple[float, float]:
    made = [
        metric.measure(
            Video(
                (FramePair(one, None) for one in pictures()),
                25,
                lambda: Delayed(SourceAudio(media(*TALK)), late_s),
                "r",
            )
        )
        for metric in (AvOffset(), AvConfidence())
    ]
    for picture in pictures()[:1]:
        # another sound, another answer
        picture._made = {name: found for name, found in picture._made.items() if name == "mesh"}
    return made[0], made[1]


def test_sound_that_is_moved_is_found_moved() -> None:
    here, sure = measured(0.0)
    assert abs(here) <= 0.04
    assert sure > 0.8
    for late_s in (-0.2, 0.2):
        assert measured(late_s)[0] - here == pytest.approx(late_s, abs=0.041)


@pytest.mark.parametrize(("found", "count", "sound", "reason"), [
    (None, 50, 1.0, "no_face"), (0.05, 49, 1.0, "too_short"), (0.05, 0, 1.0, "no_frames"),
    (0.05, 50, 1.0, "mouth_still"),
    (0.05, 50, 0.0, "silent_audio"),
])  # fmt: skip
def test_refusals(found: float | None, count: int, sound: float, reason: str) -> None:
    points = np.zeros((478, 2))
    points[[10, 13, 82, 312]] = (0, 1), *[(0, found or 0)] * 3

    @dataclass
    class Noise:
        start_s: float = 0.0
        end_s: float = 9.0

        def samples(self, start_s: float, end_s: float, hz: int = 16000) -> NDArray[np.float32]:
            return np.random.default_rng(0).normal(0, 0.1 * sound, round((end_s - start_s) * hz)).astype(np.float32)

    shown = [Picture(np.zeros((8, 8, 3), np.uint8)) for _ in range(count)]
    for picture in shown:
        picture.once("mesh", lambda _: None if found is None else points)
    with pytest.raises(Drop, match=reason):
        AvOffset().measure(Video((FramePair(one, None) for one in shown), 25, Noise))


def test_without_sound_it_says_so() -> None:
    shown = [Picture(np.zeros((8, 8, 3), np.uint8)) for _ in range(60)]
    for picture in shown:
        picture.once("mesh", lambda _: np.random.default_rng(0).normal(size=(478, 2)))
    with pytest.raises(Drop, match="no_audio_stream"):
        AvConfidence().measure(Video((FramePair(one, None) for one in shown), 25))
