"""A recipe of quick operators that answer, drop, fail and kill their worker, to see what the runner makes of it."""

import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from manifests.tables import Clip, Score, Shot, Source, span_id
from operators.base import Drop, Frames, Media, Operator
from pipeline.recipe import Recipe, Stage


@dataclass(frozen=True)
class CutInTwo(Operator):
    """Two shots a source, met at `at_s`, and a third that is proposed and given up."""

    at_s: float = 0.4

    def __call__(self, source: Source, frames: Frames) -> Iterator[Shot | Drop]:
        name = Path(source.uri).stem
        if name == "dropped":
            raise Drop("no_sense", detail="as asked")
        if name == "fails":
            raise ZeroDivisionError("as asked")
        if name == "kills":
            os._exit(139)
        seen = [frame.pts_s for frame in frames]
        for start_s, end_s in ((0.0, self.at_s), (self.at_s, len(seen) / 25)):
            yield Shot(source.source_id, span_id(source.source_id, start_s, end_s), start_s, end_s)
        yield Drop("never_was", Shot(source.source_id, span_id(source.source_id, 9, 10), 9, 10))


@dataclass(frozen=True)
class CountFrames(Operator):
    """How many frames a source has; slow where `TOY_SLEEP_S` says so, to be killed meanwhile."""

    def __call__(self, source: Source, frames: Frames) -> Iterator[Score]:
        if log := os.environ.get("TOY_LOG"):
            with open(log, "a") as stream:
                stream.write(f"{source.source_id}\n")
        time.sleep(float(os.environ.get("TOY_SLEEP_S", "0")))
        yield Score(
            source.source_id,
            f"{source.source_id}#frames",
            source.source_id,
            "frames",
            "toy",
            float(sum(1 for _ in frames)),
        )


@dataclass(frozen=True)
class ProposeClips(Operator):
    min_s: float = 0.3

    def __call__(self, shot: Shot, media: Media) -> Iterator[Clip | Drop]:
        clip = Clip(
            shot.source_id,
            f"{shot.shot_id}/t0",
            shot.shot_id,
            f"{shot.shot_id}/t0",
            "speaker0",
            shot.start_s,
            shot.end_s,
            0.0,
            0.0,
            1.0,
            1.0,
        )
        if shot.end_s - shot.start_s < self.min_s:
            yield Drop("too_short", clip)
        else:
            yield clip


@dataclass(frozen=True)
class KeepEarly(Operator):
    before_s: float = 0.3

    def __call__(self, clip: Clip, scores: list[Score]) -> Iterator[Clip]:
        assert [score.metric for score in scores] == ["frames"]
        if clip.start_s >= self.before_s:
            raise Drop("late", detail=f"{clip.start_s} >= {self.before_s}")
        yield clip


RECIPE = Recipe("toy", "nothing of use", (Stage(CutInTwo(), CountFrames()), Stage(ProposeClips()), Stage(KeepEarly())))
