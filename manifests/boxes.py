"""Boxes in a picture, and how far two of them are the same."""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from manifests.tables import Track


class Box(NamedTuple):
    """A face in pixels of the displayed source frame. Its first four numbers are a box of anything."""

    left: float
    top: float
    right: float
    bottom: float
    confidence: float = math.nan  # 0 to 1
    yaw_deg: float = math.nan


def intersection(one: Sequence[float], other: Sequence[float]) -> float:
    """The area that two boxes share, of left, top, right, bottom each; what follows these is not asked."""
    width = min(one[2], other[2]) - max(one[0], other[0])
    height = min(one[3], other[3]) - max(one[1], other[1])
    return max(width, 0.0) * max(height, 0.0)


def iou(one: Sequence[float], other: Sequence[float]) -> float:
    """Intersection over union of two boxes, 0 to 1, of left, top, right, bottom each; 0 for boxes without an area."""
    shared = intersection(one, other)
    if shared <= 0:
        return 0.0
    return shared / (sum((box[2] - box[0]) * (box[3] - box[1]) for box in (one, other)) - shared)


def square_around(box: Box, scale: float) -> tuple[float, float, float, float]:
    """Left, top, right, bottom of the square about a box's centre, `scale` times as wide as its longer side."""
    x, y = (box.left + box.right) / 2, (box.top + box.bottom) / 2
    half = scale / 2 * max(box.right - box.left, box.bottom - box.top)
    return x - half, y - half, x + half, y + half


def box_at(track: Track, at_s: float) -> Box | None:
    """Where the face of a track is at a time: interpolated between looks, with the confidence of the nearest look.

    None before the first look and after the last.
    """
    times = track.times_s
    if not times or not times[0] - 1e-6 <= at_s <= times[-1] + 1e-6:
        return None
    nearest = int(np.argmin(np.abs(np.array(times) - at_s)))
    sides = (track.left_px, track.top_px, track.right_px, track.bottom_px)
    left, top, right, bottom = (float(np.interp(at_s, times, side)) for side in sides)
    return Box(left, top, right, bottom, track.confidence[nearest])
