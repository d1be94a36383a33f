"""Cuts, dissolves and fades, by a network."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from manifests.tables import Shot, Source, Transition
from operators.base import Drop, Frame, Frames, Operator, Resources
from operators.models.catalogue import TRANSNETV2
from operators.models.device import system_libraries
from operators.shots.gradual import Limits, one_colour
from operators.shots.transitions import Join, rows, settled, shown
from operators.weights import Weight


@dataclass(frozen=True)
class DetectShotsTransnet(Operator):
    """As `DetectShots`, by TransNetV2: for workers with a GPU, since it takes 25 ms a frame on a core.

    The network gives two probabilities a frame: that a transition has its middle here, and that the frame is part of
    one. A run of the first above `threshold` is a transition; a run of the second around it is how long it lasts. Up to
    two frames long it is a cut, which the network tells by the old shot's last frame. A longer one is a fade where a
    picture in it is black or white alone, else a dissolve.

    `Transition.score`: the first probability at its highest. GPU and CPU differ by less than 0.0001.

    Drops: `no_frames`.
    """

    resources: ClassVar[Resources] = Resources(cpus=1, gpus=0.25)

    threshold: float = 0.5  # the authors' own
    height: int = 72  # lines from which the network's 27 are made
    min_shot_s: float = 0.2
    batch: int = 4  # windows of 100 frames scored together

    @property
    def weights(self) -> tuple[Weight, ...]:
        return (TRANSNETV2,)

    def __call__(self, source: Source, frames: Frames) -> Iterator[Shot | Transition]:
        from operators.models.transnetv2 import score_frames

        times_s: list[float] = []
        colours: list[int] = []
        pictures = self._pictures(frames, times_s, colours)
        scores = np.array(list(score_frames(self._network, pictures, self.batch)), np.float32)
        if not times_s:
            raise Drop("no_frames")
        start_s, end_s = shown(source, times_s)
        edges_s = [*times_s, end_s]
        joins = [
            Join(edges_s[first], edges_s[end], kind, "transnetv2", score)
            for first, end, kind, score in told(scores, colours, self.threshold)
        ]
        yield from rows(source, settled(joins, start_s, end_s, self.min_shot_s), start_s, end_s)

    def _pictures(
        self, frames: Iterable[Frame], times_s: list[float], colours: list[int]
    ) -> Iterator[NDArray[np.uint8]]:
        with system_libraries():
            import cv2
        from operators.models.transnetv2 import HEIGHT, WIDTH

        for frame in frames:
            picture = cv2.resize(frame.rgb(self.height), (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA)
            times_s.append(frame.pts_s)
            colours.append(int(one_colour(picture.reshape(1, -1), Limits())[0]))
            yield picture  # pyright: ignore[reportReturnType]

    @cached_property
    def _network(self):
        import torch

        from operators.models.transnetv2 import TransNetV2

        torch.set_num_threads(1)  # sums keep their order
        return TransNetV2.load(TRANSNETV2.path())


def told(scores: NDArray[np.float32], colours: list[int], threshold: float) -> Iterator[tuple[int, int, str, float]]:
    """What two probabilities a frame (n, 2) say: the first frame of each transition, the first one after it, its kind
    and its score.
    """
    over = 0
    for first, end in runs(scores[:, 0] > threshold):
        if first < over:
            continue
        low, high = first, end
        while low > over and scores[low - 1, 1] > threshold:
            low -= 1
        while high < len(scores) and scores[high, 1] > threshold:
            high += 1
        score = round(float(scores[first:end, 0].max()), 4)
        if high - low <= 2:
            cut = first + int(scores[first:end, 0].argmax()) + 1
            if cut < len(scores):
                yield cut, cut, "cut", score
        else:
            shown = [colour for colour in colours[max(0, low - 1) : high + 1]]
            kind = "dissolve" if not any(shown) else "fade_in" if shown[0] else "fade_out" if shown[-1] else "fade"
            yield low, high, kind, score
        over = high


def runs(flags: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """First and end of each stretch of true flags."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], flags, [False]])))
    return [(int(first), int(end)) for first, end in zip(edges[::2], edges[1::2], strict=True)]
