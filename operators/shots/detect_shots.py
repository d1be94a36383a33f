"""Cuts."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from statistics import median

from manifests.tables import Shot, Source, span_id
from operators.base import Drop, Frames, Operator
from operators.faces.detect_faces import system_libraries


@dataclass(frozen=True)
class DetectShots(Operator):
    """Spans without a cut, by scenedetect's adaptive content detector on frames already decoded.

    A frame's content value is the mean absolute change of hue, saturation and value from the frame before, 0 to 255.
    A cut is where it is `threshold` times the mean of its two neighbours on each side, and `min_content` or more. Cuts are
    told two frames late, so the last two frames of a source start no shot. Slow transitions are not its matter: a
    fade counts as a cut where it begins fast, a dissolve does not.

    The shots tile the source. The first starts at the first decoded frame; the last ends with the source, or a median
    frame gap after the last frame where the container claims an earlier end.

    Drops: `no_frames`.
    """

    threshold: float = 3.3  # the library's own 3.0 takes a hand waved through a dark picture (3.1) for a cut; a fade to white is 3.5
    min_content: float = 15.0  # below it the jump of picture quality at key frames of low bitrates (13) looks like a cut
    height: int = 144  # lines looked at: 90 to 270 find the same cuts
    min_shot_s: float = 0.2  # a cut sooner after the last one is a flash, or the rest of a fade

    def __call__(self, source: Source, frames: Frames) -> Iterator[Shot]:
        with system_libraries():
            import cv2
            from scenedetect.detectors import AdaptiveDetector
        detector = AdaptiveDetector(self.threshold, min_scene_len=0, min_content_val=self.min_content)
        times_s: list[float] = []
        start_s = 0.0
        for number, frame in enumerate(frames):
            times_s.append(frame.pts_s)
            if number == 0:
                start_s = frame.pts_s
            for cut in detector.process_frame(number, cv2.cvtColor(frame.rgb(self.height), cv2.COLOR_RGB2BGR)):
                if times_s[cut] - start_s >= self.min_shot_s:
                    yield _shot(source, start_s, times_s[cut])
                    start_s = times_s[cut]
        if not times_s:
            raise Drop("no_frames")
        gap_s = median(after - before for before, after in pairwise(times_s)) if len(times_s) > 1 else 0.04
        yield _shot(source, start_s, source.end_s if source.end_s > times_s[-1] else times_s[-1] + gap_s)


def _shot(source: Source, start_s: float, end_s: float) -> Shot:
    return Shot(source.source_id, span_id(source.source_id, start_s, end_s), start_s, end_s)
