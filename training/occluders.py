"""Things that hide a mouth, drawn or cut out of real looks, and put before a face."""

from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray

from operators.faces.score_occlusion import ScoreOcclusion
from training.mouth_looks import Floats, Look, shown

Thing = tuple[Floats, Floats]  # (h, w, 3) levels, and (h, w) of 1 where it is and 0 where it is not


def microphone(rng: np.random.Generator, kind: str) -> Thing:
    """A ball of foam, or of a steel grille, on a stem."""
    wide, high = 160, 360
    y, x = np.mgrid[:high, :wide].astype(np.float32)
    half = wide / 2
    ball = ((x - half) / half) ** 2 + ((y - half * 1.1) / (half * 1.1)) ** 2 < 1
    stem = (np.abs(x - half) < half * 0.45) & (y > half * 1.2)
    foam = cv2.GaussianBlur(rng.normal(0, 1, (high, wide)).astype(np.float32), (0, 0), 2) * 40
    shade = np.clip(1 - ((x - half * 0.7) ** 2 + (y - half * 0.7) ** 2) / (2.2 * half * half), 0.1, 1)
    levels = 70 + 110 * shade + 30 * np.sin(x * 0.4) * np.sin(y * 0.4) if kind == "grille" else 30 + 50 * shade + foam
    picture = np.repeat(levels[..., None], 3, axis=2) * ((0.5, 0.7, 2.0) if kind == "blue" else (1.0, 1.0, 1.0))
    picture[stem & ~ball] = 25
    return np.clip(picture, 0, 255).astype(np.float32), (ball | stem).astype(np.float32)


def fingers(rng: np.random.Generator, seen: Look) -> Thing:
    """Two to four fingers, and at times a palm, of the skin of the face's own forehead."""
    side, box = 200, seen.box
    wide, high = box.right - box.left, box.bottom - box.top
    rows = slice(max(0, int(box.top + 0.02 * high)), int(box.top + 0.22 * high) + 1)
    skin = seen.picture[rows, max(0, int(box.left + 0.3 * wide)) : int(box.left + 0.7 * wide) + 1].astype(np.float32)
    skin = cv2.resize(skin, (side, side))
    skin = skin.mean((0, 1)) + 0.6 * (skin - skin.mean((0, 1)))
    made, mask = skin.copy(), np.zeros((side, side), np.float32)
    count = int(rng.integers(2, 5))
    thick, bent = side / (count + 1.2), rng.uniform(-0.5, 0.5)
    if rng.random() < 0.6:
        cv2.ellipse(mask, (side // 2, int(side * 0.75)), (int(side * 0.42), int(side * 0.3)), 0, 0, 360, 1.0, -1)
    for number in range(count):
        foot = np.array([side * (0.14 + 0.24 * number), side * 0.75])
        angle = bent + rng.normal(0, 0.08)
        tip = foot + side * rng.uniform(0.45, 0.68) * np.array([np.sin(angle), -np.cos(angle)])
        drawn = np.zeros((side, side), np.uint8)
        cv2.line(drawn, tuple(int(v) for v in foot), tuple(int(v) for v in tip), (1,), int(thick * 0.85))
        inward = cv2.distanceTransform(drawn, cv2.DIST_L2, 3)
        shade = (0.55 + 0.5 * np.sqrt(inward / max(float(inward.max()), 1.0)))[..., None] * rng.uniform(0.9, 1.08)
        made[drawn > 0] = (skin * shade)[drawn > 0]
        mask[drawn > 0] = 1
    return np.clip(made, 0, 255).astype(np.float32), mask


def thing(rng: np.random.Generator) -> Thing:
    """Something of one colour, shaded, striped, mottled or scribbled on; an ellipse or a polygon."""
    side = 160
    y, x = np.mgrid[:side, :side].astype(np.float32)
    one, other = rng.uniform(0, 255, 3), rng.uniform(0, 255, 3)
    kind = int(rng.integers(3))
    if kind == 0:
        made = one + (y / side - 0.5)[..., None] * rng.uniform(-120, 120)
    elif kind == 1:
        made = np.where((np.sin(x * rng.uniform(0.05, 0.5) + y * rng.uniform(-0.3, 0.3)) > 0)[..., None], one, other)
    else:
        mottled = cv2.GaussianBlur(rng.normal(0, 1, (side, side, 3)).astype(np.float32), (0, 0), rng.uniform(1, 20))
        made = one + mottled / mottled.std() * rng.uniform(5, 50)
    mask = np.zeros((side, side), np.float32)
    if rng.random() < 0.5:
        axes = int(side * rng.uniform(0.3, 0.5)), int(side * rng.uniform(0.3, 0.5))
        cv2.ellipse(mask, (side // 2, side // 2), axes, float(rng.uniform(0, 180)), 0, 360, 1.0, -1)
    else:
        cv2.fillPoly(mask, [_polygon(rng, side)], (1.0,))
    return np.clip(made, 0, 255).astype(np.float32), mask


def _polygon(rng: np.random.Generator, side: int) -> NDArray[np.int32]:
    angles, far = np.sort(rng.uniform(0, 2 * np.pi, 8)), rng.uniform(0.33, 0.5, 8) * side
    points = np.stack([side / 2 + np.cos(angles) * far, side / 2 + np.sin(angles) * far], axis=1)
    return np.asarray(cv2.convexHull(points.astype(np.float32))).astype(np.int32)


def cloth(rng: np.random.Generator, seen: Look) -> Thing:
    """What is below the chin of a real look, in a polygon."""
    side, box, full = 160, seen.box, seen.picture.shape[0]
    top, left = int(min(full - 24, box.bottom + 0.25 * (box.bottom - box.top))), int(rng.uniform(0.1, 0.6) * full)
    part = seen.picture[top : top + full // 4, left : left + full // 4].astype(np.float32)
    mask = np.zeros((side, side), np.float32)
    cv2.fillPoly(mask, [_polygon(rng, side)], (1.0,))
    return cv2.resize(part, (side, side)).astype(np.float32), mask


def hand(seen: Look, operator: ScoreOcclusion) -> Thing:
    """The pixels of the first hand found, along the bones between its points, as thick as a finger is."""
    side, full = operator.crop_px, seen.picture.shape[0]
    points = operator.hands_in(shown(seen.picture).crop(0, 0, full, full, (side, side)))[0] * (full / side)
    mask = np.zeros(seen.picture.shape[:2], np.float32)
    thick = max(2, int(np.linalg.norm(points[5] - points[17]) * 0.35))
    for bones in (
        (0, 1, 2, 3, 4),
        (0, 5, 6, 7, 8),
        (5, 9, 10, 11, 12),
        (9, 13, 14, 15, 16),
        (13, 17, 18, 19, 20),
        (0, 17),
    ):
        cv2.polylines(mask, [points[list(bones)].astype(np.int32)], False, (1.0,), thick)
    cv2.fillPoly(mask, [points[[0, 1, 5, 9, 13, 17]].astype(np.int32)], (1.0,))
    rows, columns = np.nonzero(mask)
    part = slice(rows.min(), rows.max() + 1), slice(columns.min(), columns.max() + 1)
    return seen.picture[part].astype(np.float32), mask[part]


def skin_of(seen: Look) -> Floats:
    """(3,) the colour of a face: the median of its middle."""
    rows = slice(max(0, int(seen.box.top + 0.3 * seen.wide)), int(seen.box.top + 0.6 * seen.wide) + 1)
    columns = slice(max(0, int(seen.box.left + 0.3 * seen.wide)), int(seen.box.right - 0.3 * seen.wide) + 1)
    return np.median(seen.picture[rows, columns], (0, 1)).astype(np.float32)


def put_before(
    seen: Look,
    lips: NDArray[np.int32],
    made: Thing,
    share: float,
    width: float,
    from_side: bool,
    skin: Floats | None = None,
) -> Look | None:
    """A look with a thing `width` faces wide moved in, from below or from the side, until it covers a share of the
    lips; none at 0: then it stops short of them.

    Args:
        skin: (3,) the mean colour that the thing is given.
    """
    texture, mask = made
    wide = max(8, int(width * seen.wide))
    high = max(8, int(wide * texture.shape[0] / texture.shape[1]))
    texture = cv2.resize(texture, (wide, high), interpolation=cv2.INTER_AREA)
    mask = cv2.resize(mask, (wide, high), interpolation=cv2.INTER_AREA)
    if skin is not None:
        texture = np.clip(texture * (skin / np.maximum(texture[mask > 0.5].mean(0), 5)), 0, 255)
    side = seen.picture.shape[0]
    x, y = lips.mean(axis=0)
    low, top = lips.min(axis=0)
    of_lips = np.zeros((int(np.ptp(lips[:, 1])) + 1, int(np.ptp(lips[:, 0])) + 1), np.float32)
    cv2.fillPoly(of_lips, [lips - (low, top)], (1.0,))

    def start(moved: float) -> tuple[float, float]:
        return (
            (x + (1.6 - moved) * seen.wide, y - 0.45 * high)
            if from_side
            else (x - wide / 2, y + (1.3 - moved) * seen.wide)
        )

    def covered(moved: float) -> float:
        at_x, at_y = start(moved)
        shift = np.array([[1, 0, at_x - low], [0, 1, at_y - top]], np.float32)
        return float((cv2.warpAffine(mask, shift, of_lips.shape[::-1]) * of_lips).sum() / of_lips.sum())

    steps = np.arange(0.0, 3.0, 0.02)
    enough = next((float(step) for step in steps if covered(step) >= max(min(share, 0.97), 0.02)), None)
    if enough is None:
        return None
    moved = enough - (0.06 if share == 0 else 0.0)
    at_x, at_y = start(moved)
    shift = np.array([[1, 0, at_x], [0, 1, at_y]], np.float32)
    soft = cv2.GaussianBlur(cv2.warpAffine(mask, shift, (side, side)), (0, 0), max(0.7, seen.wide * 0.008))[..., None]
    placed = cv2.warpAffine(texture, shift, (side, side), borderMode=cv2.BORDER_REPLICATE)
    picture = np.clip(seen.picture * (1 - soft) + placed * soft, 0, 255).astype(np.uint8)
    return replace(seen, picture=picture, grade="made", share=covered(moved))
