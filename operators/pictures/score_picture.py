"""Exposure, compression, motion and film faults of a clip's picture."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from manifests.tables import Clip, Score
from operators.base import Drop, Frame, Frames, Measure, Operator
from operators.models.device import system_libraries
from operators.picture_measures import (
    Pixels,
    bars,
    blockiness,
    blur_effect,
    combing,
    exposure,
    noise,
    pixels_of,
    seam,
    steps,
)

SMALL_PX = 120  # about the shorter side of the box in the small picture that every frame is looked at in
CELL = 8  # pixels of the small picture: the smallest part whose change counts
# frames to each side in which there must be motion for a frame to be a duplicate: up to three copies of one picture
REACH = 3


@dataclass(frozen=True)
class ScorePicture(Operator):
    """What is wrong with the picture within the clip's box, whoever is in it. All in grey levels of 0 to 255.

    Three looks: *small* at every frame, scaled down until the box is about 120 pixels wide; *sparse* at `rate_hz` of
    these a second; *full* at `full_hz` frames a second as the source has them, nothing resampled. A frame's change is
    the largest mean difference, of all cells of 8 x 8 small pixels, to the frame before it.

    | metric | variant | look | range | what |
    |---|---|---|---|---|
    | frozen_share | within_4_levels | small | 0 to 1, lower is better | share of the time in stretches of `frozen_s` or
    more in which no frame is more than 4 away from the first |
    | duplicate_share | dip_to_a_third | small | 0 to 1, lower is better | of the other frames, but the first four and
    the last three, those that repeat the one before: see `duplicates`; missing where there is none |
    | distinct_fps | dip_to_a_third | small | 0 and up, 1/s | frames a second of the time that is not frozen, without
    the share that repeats; missing likewise |
    | brightness_jump | mean_levels | small | 0 to 255, lower is steadier | largest change of the mean level from frame
    to frame: a flash |
    | picture_brightness | mean | sparse | 0 to 255 | median of the mean level |
    | picture_contrast | rms | sparse | 0 to 0.5, higher is richer | median of the standard deviation over 255 |
    | picture_dark_share | at_16 | sparse | 0 to 1 | median share of pixels as good as black |
    | picture_bright_share | at_250 | sparse | 0 to 1 | median share of pixels as good as white |
    | picture_motion | mean_levels_<rate_hz>hz | sparse | 0 to 255, 0 is still | median of the mean difference between a
    look and the next; missing where there is one |
    | picture_blockiness | wang_2002 | full | about 1 and up, lower is better | median of the steps across the 8 x 8
    grid over those within |
    | picture_noise | immerkaer | full | 0 and up, levels, lower is cleaner | median standard deviation of the noise,
    and of fine texture |
    | picture_blur | crete_2007 | full | 0 to 1, lower is sharper | median of the blur effect: what enlargement leaves
    too |
    | combing_share | fields_16px | full | 0 to 1, lower is better | mean share of tiles in which two fields of
    different moments are to be seen |
    | bars_share | black_24 | full | 0 to 1, lower is better | share of the box in black bars along its edges:
    letterbox, pillarbox |
    | seam_share | standing_edge_8 | full | 0 to 1, lower is better | share of the height, or width, along which one
    straight edge stands in all looks: a split screen, a screen in a screen. Missing where there is one look |

    The formulas and their sources are in `operators/picture_measures.py`.

    The clip's box is cut at the frame's edge. Drops of a clip: `no_frames`, `crop_empty` (less than 16 pixels of it lie
    in the frame).
    """

    measures: ClassVar[dict[str, Measure]] = {
        "frozen_share": Measure("share of the time in which the picture stands still", "", 0, 1, better="lower"),
        "duplicate_share": Measure("share of the other frames that repeat the one before", "", 0, 1, better="lower"),
        "distinct_fps": Measure(
            "frames a second that differ from the one before, where it is not frozen", "1/s", 0, None, better="higher"
        ),
        "brightness_jump": Measure(
            "largest change of the mean level from frame to frame: a flash", "levels", 0, 255, better="lower"
        ),
        "picture_brightness": Measure("median of the mean level", "levels", 0, 255),
        "picture_contrast": Measure("median standard deviation of the levels over 255", "", 0, 0.5, better="higher"),
        "picture_dark_share": Measure("median share of pixels as good as black", "", 0, 1, better="lower"),
        "picture_bright_share": Measure("median share of pixels as good as white", "", 0, 1, better="lower"),
        "picture_motion": Measure(
            "median of the mean difference between a look and the next; 0 is still", "levels", 0, 255
        ),
        "picture_blockiness": Measure(
            "median of the steps across the 8 x 8 grid over those within; 1 is none", "", 0, None, better="lower"
        ),
        "picture_noise": Measure(
            "median standard deviation of the noise, and of fine texture", "levels", 0, None, better="lower"
        ),
        "picture_blur": Measure("median of the blur effect: what enlargement leaves too", "", 0, 1, better="lower"),
        "combing_share": Measure(
            "mean share of tiles in which two fields of different moments are seen", "", 0, 1, better="lower"
        ),
        "bars_share": Measure("share of the box in black bars along its edges", "", 0, 1, better="lower"),
        "seam_share": Measure(
            "share of the height or width along which one straight edge stands in all looks: a split screen",
            "",
            0,
            1,
            better="lower",
        ),
    }

    version = 2

    rate_hz: float = 5.0
    full_hz: float = 1.0
    frozen_s: float = 0.5

    def __call__(self, clip: Clip, frames: Frames) -> Iterator[Score]:
        changes: list[float] = []
        times: list[float] = []
        frozen = Stretches()
        looks, full = _Looks(self.rate_hz), _FullLooks()
        ticks = {"small": -math.inf, "full": -math.inf}
        before: NDArray[np.int16] | None = None
        means: list[float] = []
        for frame in frames:
            box = pixels_of(clip, frame)
            small = small_plane(frame, box)
            now = small.astype(np.int16)
            if before is not None:
                changes.append(largest_change(now, before))
            before = now
            frozen.add(now)
            times.append(frame.pts_s)
            means.append(float(small.mean()))
            if (tick := math.floor(frame.pts_s * self.rate_hz + 1e-6)) != ticks["small"]:
                ticks["small"] = tick
                looks.add(small)
            if (tick := math.floor(frame.pts_s * self.full_hz + 1e-6)) != ticks["full"]:
                ticks["full"] = tick
                full.add(frame, box)
        if not times:
            raise Drop("no_frames", detail=f"{clip.start_s:.3f}-{clip.end_s:.3f} s")

        spans = np.diff([*times, max(clip.end_s, times[-1])])
        still = frozen.frames(spans, self.frozen_s)
        values = {
            ("frozen_share", "within_4_levels"): float(spans[still].sum() / spans.sum()) if spans.sum() else 0.0,
            ("brightness_jump", "mean_levels"): max(
                (abs(after - first) for first, after in pairwise(means)), default=0.0
            ),
            **looks.values(),
            **full.values(),
        }
        moving_s = float(spans[~still].sum())
        judged = ~still[REACH + 1 : -REACH]  # at the ends of the clip there is no motion on one side to compare with
        if judged.any() and moving_s:
            share = float(np.array(duplicates(changes))[REACH:-REACH][judged].mean())
            values["duplicate_share", "dip_to_a_third"] = share
            values["distinct_fps", "dip_to_a_third"] = (1 - share) * float((~still).sum()) / moving_s
        for (metric, variant), value in values.items():
            yield Score(clip.source_id, f"{clip.clip_id}#{metric}", clip.clip_id, metric, variant, value)


class Stretches:
    """Which frames stand still: each is compared with the first of its stretch, so that what creeps is not still."""

    def __init__(self, within: float = 4.0):
        """
        Args:
            within: levels by which the most changed cell may differ. A frozen second that was encoded again is found so
                in 14 of 14 real films at a constant rate factor of 18, in 12 of 14 at 28; no untouched one of theirs
                is, not even within 8.
        """
        self.within = within
        self._first: NDArray[np.int16] | None = None
        self._of: list[int] = []  # by frame the number of its stretch

    def add(self, plane: NDArray[np.int16]) -> None:
        if self._first is None or largest_change(plane, self._first) > self.within:
            self._first = plane
            self._of.append(self._of[-1] + 1 if self._of else 0)
        else:
            self._of.append(self._of[-1])

    def frames(self, spans: NDArray[np.float64], at_least_s: float) -> NDArray[np.bool_]:
        """(n,) whether a frame lies in a stretch of that length or more.

        Args:
            spans: (n,) seconds that each frame is shown.
        """
        number = np.array(self._of)
        # the last frame of a stretch may be the first of the motion after it
        repeats = np.append(number[1:] == number[:-1], False)
        lengths = np.bincount(number, weights=spans * repeats)
        return (lengths >= at_least_s - 1e-6)[number]


def largest_change(now: NDArray[np.int16], before: NDArray[np.int16]) -> float:
    """Mean absolute difference of two planes (h, w) in the cell of 8 x 8 pixels where it is largest, in levels."""
    apart = np.abs(now - before)
    high, wide = (max(1, side // CELL) for side in apart.shape)
    part = apart[: high * CELL, : wide * CELL]
    return float(part.reshape(high, part.shape[0] // high, wide, part.shape[1] // wide).mean(axis=(1, 3)).max())


def duplicates(changes: Sequence[float]) -> list[bool]:
    """Which frames repeat the one before, from the change of each to the one before.

    A copy that was encoded again differs a little, and a face that pauses changes little: it is the dip that tells,
    less than a third of the largest change within three frames before as well as after it. Where that is below one
    level nothing moves, and nothing can be told.
    """
    found = []
    for at, change in enumerate(changes):
        around = min(
            max(changes[max(0, at - REACH) : at], default=0.0), max(changes[at + 1 : at + 1 + REACH], default=0.0)
        )
        found.append(around >= 1 and change < around / 3)
    return found


def small_plane(frame: Frame, box: Pixels) -> NDArray[np.uint8]:
    """(h, w) luma of the box, scaled down with the frame until its shorter side is about `SMALL_PX`; as it is where it
    has fewer.
    """
    left, top, right, bottom = box
    lines = min(frame.height, math.ceil(frame.height * SMALL_PX / min(right - left, bottom - top)))
    plane = frame.gray(lines)
    down, across = lines / frame.height, plane.shape[1] / frame.width
    return plane[round(top * down) : round(bottom * down), round(left * across) : round(right * across)]


class _Looks:
    """What is asked of the small picture some times a second."""

    def __init__(self, rate_hz: float):
        self.rate_hz = rate_hz
        self._exposures: list[dict[str, float]] = []
        self._motions: list[float] = []
        self._last: NDArray[np.int16] | None = None

    def add(self, small: NDArray[np.uint8]) -> None:
        self._exposures.append(exposure(small))
        plane = small.astype(np.int16)
        if self._last is not None:
            self._motions.append(float(np.abs(plane - self._last).mean()))
        self._last = plane

    def values(self) -> dict[tuple[str, str], float]:
        variants = {"brightness": "mean", "contrast": "rms", "dark_share": "at_16", "bright_share": "at_250"}
        found = {
            (f"picture_{name}", variant): median(exposure[name] for exposure in self._exposures)
            for name, variant in variants.items()
        }
        if self._motions:
            found["picture_motion", f"mean_levels_{self.rate_hz:g}hz"] = median(self._motions)
        return found


class _FullLooks:
    """What is asked of the pixels of the source, once in a while."""

    def __init__(self) -> None:
        self._found: list[dict[str, float]] = []
        self._lightest: NDArray[np.uint8] | None = None
        self._darkest: NDArray[np.uint8] | None = None
        self._standing: tuple[NDArray[np.bool_], NDArray[np.bool_]] | None = None

    def add(self, frame: Frame, box: Pixels) -> None:
        left, top, right, bottom = box
        with system_libraries():
            plane = frame.luma(left, top, right, bottom)
            found = {"noise": noise(plane), "blockiness": blockiness(plane, left, top), "combing": combing(plane)}
            self._found.append({**found, "blur": blur_effect(plane)})
        upright, level = steps(plane)
        self._standing = (
            (upright, level) if self._standing is None else (self._standing[0] & upright, self._standing[1] & level)
        )
        self._lightest = plane if self._lightest is None else np.maximum(self._lightest, plane)
        self._darkest = plane if self._darkest is None else np.minimum(self._darkest, plane)

    def values(self) -> dict[tuple[str, str], float]:
        assert self._lightest is not None
        assert self._darkest is not None
        assert self._standing is not None
        found = {("combing_share", "fields_16px"): float(np.mean([one["combing"] for one in self._found]))}
        for name, variant in (("blockiness", "wang_2002"), ("noise", "immerkaer"), ("blur", "crete_2007")):
            known = [one[name] for one in self._found if not math.isnan(one[name])]
            if known:
                found[f"picture_{name}", variant] = median(known)
        if len(self._found) > 1:
            found["seam_share", "standing_edge_8"] = seam(self._standing)
        return {**found, ("bars_share", "black_24"): bars(self._lightest, self._darkest)}
