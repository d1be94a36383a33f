"""Cuts, dissolves and fades."""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from manifests.tables import Shot, Source, Transition
from operators.base import Drop, Frames, Operator
from operators.models.device import system_libraries
from operators.shots.gradual import HEIGHT, WIDTH, GradualDetector, Limits, Span, Vectors, alike
from operators.shots.transitions import Join, rows, settled, shown

DETECTORS = ("adaptive", "content", "threshold", "dissolve")


@dataclass(frozen=True)
class DetectShots(Operator):
    """Spans without a transition, and the transitions between them, on frames already decoded.

    `adaptive` and `content` are scenedetect's detectors of cuts, with their values. A frame's content value is the mean
    absolute change of hue, saturation and value from the frame before, 0 to 255. To `content` a cut is where it is
    `content` or more. To `adaptive` it is where the ratio to the mean of the two neighbours on each side and the value
    itself are both high: `threshold` and `min_content`, or, for a jump cut of a still camera, `jump_threshold` and
    `jump_content`. `adaptive` tells cuts two frames late, so the last two frames of a source start no shot. Of what
    either tells, a cut is what shows another picture: not the same in another light or quality (correlation above
    `max_alike`), and not one after which the old picture is back within `min_shot_s`, a flash.

    `threshold` finds fades: runs of pictures that scenedetect's threshold detector calls black, or white, that show
    nothing, and that the pictures before or after go to or come from by degrees. `dissolve` finds spans whose frames
    are mixtures of the first and the last. See `operators/shots/gradual.py`.

    Shots and gradual transitions tile the source. It starts at the first decoded frame, and ends as the container says,
    or a median frame gap after the last frame where the container claims an earlier end.

    `Transition.score`: of a cut the ratio (`adaptive`, 255 at most) or the content value (`content`); of a dissolve 0
    to 1, how well mixtures explain it; of a fade 1.

    Drops: `no_frames`.
    """

    version = 3

    detectors: tuple[str, ...] = ("adaptive", "threshold", "dissolve")
    # the library's own 3.0 takes a hand waved through a dark picture (3.1) for a cut; a fade to white is 3.5
    threshold: float = 3.3
    min_content: float = 15.0  # the library's own
    jump_threshold: float = 5.0  # movement between both contents stays below it: docs/measured/shots.md
    jump_content: float = 10.0
    content: float = 27.0  # the library's own
    max_alike: float = 0.97  # jumps of quality at key frames and flashes have 0.98 or more, jump cuts 0.96 or less
    height: int = 72  # lines looked at: from 54 to 270 they find the same
    min_shot_s: float = 0.2
    limits: Limits = field(default_factory=Limits)  # of fades and dissolves

    def __post_init__(self) -> None:
        if unknown := sorted(set(self.detectors) - set(DETECTORS)):
            raise ValueError(f"DetectShots.detectors has {', '.join(unknown)}; it may have {', '.join(DETECTORS)}")

    def __call__(self, source: Source, frames: Frames) -> Iterator[Shot | Transition]:
        with system_libraries():
            import cv2
        told = CutDetectors(self)
        verified = _Verified(self.max_alike, self.min_shot_s)
        gradual = GradualDetector(self.limits, self.detectors)
        joins: list[Join] = []
        times_s: list[float] = []
        for number, frame in enumerate(frames):
            times_s.append(frame.pts_s)
            picture = frame.rgb(self.height)
            thumb = cv2.resize(picture, (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA).reshape(-1).astype(np.float32)
            joins += map(_join, gradual.see(frame.pts_s, thumb))
            joins += verified.see(frame.pts_s, thumb)
            for cut, name, score in told.see(number, picture):
                verified.suspect(Join(times_s[cut], times_s[cut], "cut", name, round(score, 3)))
        if not times_s:
            raise Drop("no_frames")
        joins += [*map(_join, gradual.finish()), *verified.finish()]
        start_s, end_s = shown(source, times_s)
        yield from rows(source, settled(joins, start_s, end_s, self.min_shot_s), start_s, end_s)


def _join(span: Span) -> Join:
    return Join(span.start_s, span.end_s, span.kind, "dissolve" if span.kind == "dissolve" else "threshold", span.score)


class CutDetectors:
    """scenedetect's detectors of cuts, given content values that are computed once, at a seventh of the library's
    cost.
    """

    def __init__(self, settings: DetectShots):
        with system_libraries():
            import cv2
            from scenedetect.detectors import AdaptiveDetector, ContentDetector
        self._cv2 = cv2
        self._settings = settings
        self._last: NDArray[np.uint8] | None = None
        self._values: deque[float] = deque(maxlen=5)
        values = self._values

        class Adaptive(AdaptiveDetector):
            def _calculate_frame_score(self, frame_num: int, frame_img: Any) -> float:
                return values[-1]

        class Content(ContentDetector):
            def _calculate_frame_score(self, frame_num: int, frame_img: Any) -> float:
                return values[-1]

        ratio = min(settings.threshold, settings.jump_threshold)
        value = min(settings.min_content, settings.jump_content)
        self._adaptive = (
            Adaptive(ratio, min_scene_len=0, min_content_val=value) if "adaptive" in settings.detectors else None
        )
        self._content = Content(settings.content, min_scene_len=0) if "content" in settings.detectors else None

    def see(self, number: int, picture: NDArray[np.uint8]) -> Iterator[tuple[int, str, float]]:
        """Takes the next picture (h, w, 3), RGB; gives cuts: the number of the frame, the detector and its score."""
        if not (self._adaptive or self._content):
            return
        hsv = self._cv2.cvtColor(picture, self._cv2.COLOR_RGB2HSV)
        value = 0.0
        if self._last is not None:
            sums = self._cv2.sumElems(self._cv2.absdiff(hsv, self._last))
            pixels = float(hsv.shape[0] * hsv.shape[1])
            value = (sums[0] / pixels + sums[1] / pixels + sums[2] / pixels) / 3.0
        self._last = hsv  # pyright: ignore[reportAttributeAccessIssue]
        self._values.append(value)
        for cut in self._adaptive.process_frame(number, picture) if self._adaptive else ():
            beside = (sum(self._values) - self._values[2]) / 4
            ratio = min(self._values[2] / beside, 255.0) if beside > 1e-5 else 255.0
            rules = (
                (self._settings.threshold, self._settings.min_content),
                (self._settings.jump_threshold, self._settings.jump_content),
            )
            if any(ratio >= least and self._values[2] >= content for least, content in rules):
                yield cut, "adaptive", ratio
        for cut in self._content.process_frame(number, picture) if self._content else ():
            yield cut, "content", value


@dataclass
class _Verified:
    """Of the cuts told, those that show another picture. A cut is held back until it is sure that the old picture does
    not come back at once.
    """

    max_alike: float
    within_s: float
    _seen: deque[tuple[float, Vectors]] = field(default_factory=deque)
    _suspects: list[tuple[Join, Vectors]] = field(default_factory=list)
    _back_s: float = -np.inf  # when the picture was back after the last flash

    def see(self, pts_s: float, thumb: Vectors) -> Iterator[Join]:
        """Takes the next picture; gives cuts that are sure by now."""
        self._seen.append((pts_s, thumb))
        while len(self._seen) > 8 and pts_s - self._seen[0][0] > self.within_s + 0.2:
            self._seen.popleft()
        for suspect in list(self._suspects):
            cut, before = suspect
            if pts_s - cut.start_s > self.within_s:
                self._suspects.remove(suspect)
                yield cut
            elif alike(before, thumb) > self.max_alike:
                self._suspects.remove(suspect)
                self._back_s = pts_s

    def suspect(self, cut: Join) -> None:
        """Takes a cut told at one of the last pictures seen."""
        before = next((thumb for pts_s, thumb in reversed(self._seen) if pts_s < cut.start_s), None)
        if before is None or cut.start_s <= self._back_s:
            return
        back_s = (
            pts_s
            for pts_s, thumb in self._seen
            if 0 <= pts_s - cut.start_s <= self.within_s and alike(before, thumb) > self.max_alike
        )
        if (first_s := next(back_s, None)) is None:
            self._suspects.append((cut, before))
        else:
            self._back_s = max(self._back_s, first_s)

    def finish(self) -> list[Join]:
        """The cuts that the source's end leaves undecided."""
        return [cut for cut, _ in self._suspects]
