"""How far `ScoreOcclusion` can be believed: `python -m benchmarks.accuracy.occlusion`; with `--fit` it fits its head
anew and prints it.

What hides a mouth was written down by eye from contact sheets, before anything was run (`BY_EYE`): one look a second at
every face of 40 pixels or more in the real films, four a second where something hides a mouth. The films are parted in
three: some the head is fitted to (`FITTED`), some choose all else (`CHOOSE`), and some are held back (`HELD`).

The head is fitted to the free faces of films that may be used so and of a portrait in the public domain, with drawn
microphones, fingers and other things put before them. On the others it meets real hands, microphones and a drawn face,
and made ones: pixels of real hands and clothes out of films of the same part, and a microphone, before each film's
face. Needs HEADSET_MEDIA and HEADSET_WEIGHTS.
"""

import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from manifests.boxes import Box, square_around
from operators.base import every
from operators.faces.detect_faces import DetectFaces
from operators.faces.score_occlusion import HAND_FROM, HIDDEN_FROM, ScoreOcclusion
from operators.media.containers import Display
from operators.media.frames import SourceFrame, VideoFrames
from operators.models import mouth_cover
from operators.models.face_landmarker import Landmarker
from operators.models.mouth_cover import SIDE_PX, MouthCover, lower_face

Picture = NDArray[np.uint8]
Floats = NDArray[np.float32]
SHARES = (0.0, 0.1, 0.25, 0.5, 1.0)
PER_FILM, PER_LOOK, RIDGE = 300, 40, 0.3
HIDDEN = 0.5  # share of the lips from which on a mouth is hidden
Thing = tuple[Floats, Floats]  # (h, w, 3) levels, and (h, w) of 1 where it is and 0 where it is not

FITTED = (
    "grid/bbaf2n.mpg", "grid/id2_vcd_swwp2s.mpg", "grid/lbax4n.mpg", "grid/lrwp9a.mpg", "grid/pwij3p.mpg",
    "grid/sbwe5n.mpg", "hdtf/hdtf_WDA_AlexandriaOcasioCortez_000.mp4", "hdtf/retalking_face_1.mp4",
    "hdtf/retalking_face_2.mp4", "negative/facenet_crowd_video.mp4", "negative/liveportrait_d9.mp4",
    "negative/pyfeat_face_noface.mov", "negative/pyfeat_single_face.mp4", "odd/talkvid_10_gt.mp4",
    "single/latentsync_demo1_video.mp4",
)  # fmt: skip
CHOOSE = (
    "hdtf/hdtf_RD_Radio10_0_clip_0.mp4", "multi/avi_billhyland.mp4", "multi/avi_testvideo.mp4",
    "multi/panda_YemkZ7DLOBU.15.mp4", "multi/panda_it8sFJe038g.7.mp4", "negative/facerec_interview.mp4",
    "negative/pyfeat_WolfgangLanger_Pexels.mp4", "single/headpose_31.mp4", "single/lia_vox_driving2.mp4",
    "single/speakervid_dialogue_case1_1.mp4", "single/speakervid_generated_single_4.mp4",
    "single/speakervid_range_full_body_1.mp4", "single/speakervid_range_head_5.mp4",
)  # fmt: skip
HELD = (
    "multi/avi_testhyland.mp4", "multi/datajuicer_video3.mp4", "multi/hamilton_short_clip.mp4",
    "multi/panda_R_YVZHusX4w.6.mp4", "odd/moviepy_chaplin.mp4", "single/lrs2_demo.mp4",
    "single/speakervid_dialogue_case1_2.mp4", "single/speakervid_multi-turn_clip_015.mp4",
    "single/speakervid_range_head_1.mp4", "single/wav2lipgfpgan_kim_7s_raw.mp4",
)  # fmt: skip
HANDS = {  # where the hands to cut out are: film, second
    CHOOSE: (("multi/avi_testvideo.mp4", 25.0),),
    HELD: (("single/speakervid_dialogue_case1_2.mp4", 7.0), ("multi/hamilton_short_clip.mp4", 5.0)),
}
DENSE = {  # spans with four looks a second
    "negative/pyfeat_WolfgangLanger_Pexels.mp4": ((1.9, 10.2),),
    "multi/panda_YemkZ7DLOBU.15.mp4": ((0.0, 2.6),),
    "multi/hamilton_short_clip.mp4": ((0.0, 9.9),),
    "multi/datajuicer_video3.mp4": ((9.0, 12.5), (47.5, 49.6)),
}


@dataclass(frozen=True)
class Seen:
    """What an eye saw between two times of a film, of faces whose middle is between two shares of its width; everything
    else is free.
    """

    film: str
    from_s: float
    to_s: float
    # hidden, more than half of the lips; partly, some of them; left_out, where no eye can tell, or there is no face
    grade: str
    by: str = ""
    left: float = 0.0
    right: float = 1.0


_WOMAN, _STAGE, _TABLE = (
    "negative/pyfeat_WolfgangLanger_Pexels.mp4",
    "multi/hamilton_short_clip.mp4",
    "multi/datajuicer_video3.mp4",
)
BY_EYE = (
    Seen(_WOMAN, 2.4, 3.9, "hidden", "hand"),
    Seen(_WOMAN, 3.9, 9.4, "partly", "hand"),
    Seen("multi/panda_YemkZ7DLOBU.15.mp4", 0.0, 2.6, "partly", "hand"),
    Seen(_STAGE, 0.0, 1.4, "hidden", "microphone"),
    Seen(_STAGE, 1.4, 3.6, "left_out"),
    Seen(_STAGE, 4.7, 4.9, "left_out"),
    Seen(_STAGE, 5.2, 5.4, "partly", "hand"),
    Seen(_STAGE, 6.0, 6.1, "partly", "microphone"),
    Seen(_STAGE, 7.2, 7.9, "partly", "microphone"),
    Seen(_STAGE, 8.0, 8.1, "left_out", "", 0.0, 0.2),
    Seen(_STAGE, 8.0, 8.1, "partly", "hand", 0.5, 0.6),
    Seen(_STAGE, 8.2, 8.9, "left_out"),
    Seen(_STAGE, 9.0, 9.1, "left_out", "", 0.4, 0.5),
    Seen(_STAGE, 9.0, 9.1, "partly", "hand", 0.52, 0.6),
    Seen(_STAGE, 9.2, 10.0, "left_out"),
    Seen(_TABLE, 9.95, 10.05, "hidden", "hand", 0.0, 0.5),
    Seen(_TABLE, 48.7, 49.4, "hidden", "drawn face", 0.0, 0.4),
    Seen(_TABLE, 12.2, 12.4, "left_out", "", 0.0, 0.4),
    Seen(_TABLE, 24.0, 24.1, "left_out", "", 0.0, 0.4),
    Seen(_TABLE, 33.0, 33.1, "left_out", "", 0.0, 0.4),
    Seen("multi/avi_testhyland.mp4", 0.0, 0.1, "left_out", "", 0.0, 0.2),
    Seen("multi/avi_testhyland.mp4", 5.0, 5.1, "left_out", "", 0.4, 0.46),
    Seen("multi/avi_testvideo.mp4", 17.0, 17.1, "left_out"),
    Seen("multi/avi_testvideo.mp4", 55.0, 55.1, "left_out"),
    Seen("multi/panda_R_YVZHusX4w.6.mp4", 3.0, 3.1, "left_out", "", 0.7, 0.75),
    Seen("negative/facenet_crowd_video.mp4", 2.0, 2.1, "left_out", "", 0.3, 0.34),
    Seen("odd/talkvid_10_gt.mp4", 0.0, 9.0, "left_out", "", 0.0, 0.2),  # an inset that ends above the mouth
    Seen("single/speakervid_range_head_5.mp4", 0.0, 99.0, "left_out", "", 0.85, 1.0),  # blurred beyond knowing
)


@dataclass(frozen=True)
class Look:
    """A face at a moment: the picture four times as wide as it, and where it is in it."""

    film: str
    at_s: float
    picture: Picture
    box: Box
    grade: str
    by: str = ""
    share: float = 0.0  # of the lips, of what was put before them

    @property
    def wide(self) -> float:
        return self.box.right - self.box.left


def looks(film: str, detector: DetectFaces) -> Iterator[Look]:
    """Of a film at 1 Hz, or 4 where `DENSE` has it; at most the four largest faces."""
    path = Path(os.environ["HEADSET_MEDIA"], film)
    frames = [*every(VideoFrames(path), 1.0)]
    times = {frame.pts_s for frame in frames}
    for start_s, end_s in DENSE.get(film, ()):
        frames += [frame for frame in every(VideoFrames(path, start_s, end_s), 4.0) if frame.pts_s not in times]
    for frame in frames:
        faces = sorted(
            (box for box in detector.faces(frame) if box.right - box.left >= 40), key=lambda box: box.left - box.right
        )
        for face in faces[:4]:
            x = (face.left + face.right) / 2 / frame.width
            found = [
                s for s in BY_EYE if s.film == film and s.from_s <= frame.pts_s < s.to_s and s.left <= x <= s.right
            ]
            grade, by = (found[0].grade, found[0].by) if found else ("free", "")
            if grade != "left_out":
                yield look(film, frame, face, grade, by)


def look(film: str, frame: SourceFrame, face: Box, grade: str, by: str) -> Look:
    left, top, right, bottom = square_around(face, 4.0)
    side = int(min(512, right - left)) // 8 * 8
    scale = side / (right - left)
    box = Box(
        (face.left - left) * scale,
        (face.top - top) * scale,
        (face.right - left) * scale,
        (face.bottom - top) * scale,
        1.0,
        face.yaw_deg,
    )
    return Look(film, frame.pts_s, frame.crop(left, top, right, bottom, (side, side)), box, grade, by)


def shown(picture: Picture) -> SourceFrame:
    high, wide = picture.shape[:2]
    return SourceFrame(
        av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="rgb24"),
        0.0,
        Display(wide, high, False, False, False, 0),
    )


# ---------------------------------------------------------------- things

_OUTER_LIPS = (61, 146, 91, 181, 84, 17, 314, 405, 321, 375, 291, 409, 270, 269, 267, 0, 37, 39, 40, 185)


def lips_of(seen: Look, landmarker: Landmarker) -> NDArray[np.int32] | None:
    """(20, 2) pixels of the picture: the outline of the lips, by the mesh; None where it finds no face."""
    left, top, right, bottom = square_around(seen.box, 2.0)
    found = landmarker(shown(seen.picture).crop(left, top, right, bottom, (320, 320)))
    if not found or np.abs(found[0].points[:, :2].mean(axis=0) - 0.5).max() > 0.25:
        return None
    return (found[0].points[list(_OUTER_LIPS), :2] * (right - left) + (left, top)).round().astype(np.int32)


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


# ---------------------------------------------------------------- the head


def spoilt(picture: Picture, rng: np.random.Generator) -> Picture:
    """As another camera might have it: mirrored, lighter or darker, of another colour, blurred, noisy, compressed."""
    made = picture[:, ::-1] if rng.random() < 0.5 else picture
    levels = 255 * (made / 255) ** rng.uniform(0.6, 1.7) * rng.uniform(0.4, 1.15) * rng.uniform(0.88, 1.12, 3)
    gray = levels.mean(axis=2, keepdims=True)
    made = np.clip(gray + (levels - gray) * rng.uniform(0.0, 1.4), 0, 255).astype(np.uint8)
    if rng.random() < 0.35:
        small = int(rng.uniform(24, 100))
        made = cv2.resize(cv2.resize(made, (small, small), interpolation=cv2.INTER_AREA), (SIDE_PX, SIDE_PX))
    if rng.random() < 0.3:
        made = np.clip(made + rng.normal(0, rng.uniform(1, 8), made.shape), 0, 255).astype(np.uint8)
    if rng.random() < 0.4:
        made = cv2.imdecode(
            cv2.imencode(".jpg", made, [cv2.IMWRITE_JPEG_QUALITY, int(rng.uniform(25, 90))])[1], cv2.IMREAD_COLOR
        )
    return np.ascontiguousarray(made)


def bearded(seen: Look, lips: NDArray[np.int32], rng: np.random.Generator) -> Look:
    """A look with a beard, which hides no lips: darker and rougher skin about them, as far as the chin, or a moustache
    alone.
    """
    side = seen.picture.shape[0]
    (x, y), wide = lips.mean(axis=0), seen.wide
    mask = np.zeros((side, side), np.float32)
    below = int(0.32 * wide) if rng.random() < 0.7 else 0
    if below:
        cv2.ellipse(mask, (int(x), int(y)), (int(rng.uniform(0.24, 0.42) * wide), below), 0, 0, 180, 1.0, -1)
    cv2.ellipse(
        mask,
        (int(x), int(y)),
        (int(rng.uniform(0.2, 0.3) * wide), int(rng.uniform(0.09, 0.14) * wide)),
        0,
        180,
        360,
        1.0,
        -1,
    )
    cv2.fillPoly(mask, [lips], (0.0,))
    mask = cv2.GaussianBlur(mask, (0, 0), 0.02 * wide)[..., None] * rng.uniform(0.4, 0.9)
    hair = cv2.GaussianBlur(
        rng.normal(0, 1, (side, side)).astype(np.float32), (0, 0), max(0.6, 0.006 * wide), sigmaY=0.012 * wide
    )[..., None]
    dark = np.clip(seen.picture * rng.uniform(0.25, 0.55) + hair / hair.std() * rng.uniform(4, 14), 0, 255)
    return replace(seen, picture=(seen.picture * (1 - mask) + dark * mask).astype(np.uint8))


def training(seen: list[Look], rng: np.random.Generator) -> tuple[NDArray[np.uint8], NDArray[np.float64]]:
    """Lower faces (n, 128, 128, 3) and the share of the lips that is covered in each, from free looks."""
    landmarker = Landmarker(blendshapes=False)
    by_film = {film: sum(one.film == film for one in seen) for film in {one.film for one in seen}}
    pictures, shares = [], []
    for one in seen:
        if (
            lips := lips_of(one, landmarker)
        ) is None:  # in profile, blurred or small: such faces are what a head most easily takes for hidden
            middle = ((one.box.left + one.box.right) / 2, one.box.top + 0.76 * (one.box.bottom - one.box.top))
            lips = np.asarray(
                cv2.ellipse2Poly(
                    (int(middle[0]), int(middle[1])), (int(0.2 * one.wide), int(0.09 * one.wide)), 0, 0, 360, 18
                )
            )
        for _ in range(max(PER_LOOK, PER_FILM // by_film[one.film])):
            made: Look | None = bearded(one, lips, rng) if rng.random() < 0.3 else one
            if rng.random() < 0.65:
                kind, width = int(rng.integers(5)), rng.uniform(0.5, 1.2)
                what = (
                    microphone(rng, str(rng.choice(("foam", "grille", "blue"))))
                    if kind == 0
                    else thing(rng)
                    if kind == 1
                    else fingers(rng, one)
                )
                if kind and rng.random() < 0.5:
                    what = _turned(what, rng.uniform(-70, 70))
                width = rng.uniform(0.4, 0.75) if kind == 0 else width
                made = put_before(
                    made,
                    lips,
                    what,
                    float(rng.choice((0, 0.2, 0.5, 0.8, 1.0, 1.0, 1.0))),
                    width,
                    bool(rng.random() < 0.35),
                )
            if made is None:
                continue
            wide, high = one.wide, one.box.bottom - one.box.top
            x, y = rng.normal(0, (0.07, 0.04)) * (wide, high)
            grown = rng.uniform(-0.08, 0.08) * wide
            box = Box(
                one.box.left + x - grown,
                one.box.top + y - grown,
                one.box.right + x + grown,
                one.box.bottom + y + grown,
                1.0,
                0.0,
            )
            turn = cv2.getRotationMatrix2D(
                ((box.left + box.right) / 2, (box.top + box.bottom) / 2), rng.normal(0, 8), 1.0
            )
            narrow = rng.uniform(0.65, 1.1)  # as a face is that turns away
            turn[0] = narrow * turn[0] + (0, 0, (1 - narrow) * (box.left + box.right) / 2)
            size = made.picture.shape[1::-1]
            pictures.append(
                spoilt(lower_face(shown(cv2.warpAffine(made.picture, turn, size).astype(np.uint8)), box), rng)
            )
            shares.append(min(made.share / HIDDEN, 1.0))
    return np.stack(pictures), np.array(shares)


def _turned(what: Thing, deg: float) -> Thing:
    texture, mask = what
    turn = cv2.getRotationMatrix2D((texture.shape[1] / 2, texture.shape[0] / 2), deg, 0.9)
    size = texture.shape[1::-1]
    turned = cv2.warpAffine(texture, turn, size, borderMode=cv2.BORDER_REPLICATE), cv2.warpAffine(mask, turn, size)
    return turned[0].astype(np.float32), turned[1].astype(np.float32)


def fitted(
    numbers: NDArray[np.float32], shares: NDArray[np.float64], ridge: float
) -> tuple[NDArray[np.float64], float]:
    """Weights and a constant whose logistic function is nearest to the shares in cross entropy, with a ridge on weights
    of standardised numbers.
    """
    from scipy.optimize import minimize

    means, spreads = numbers.mean(axis=0), numbers.std(axis=0) + 1e-6
    given = (numbers - means) / spreads

    def loss(at: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        logits = given @ at[:-1] + at[-1]
        off = 1 / (1 + np.exp(-logits)) - shares
        value = np.mean(np.logaddexp(0, logits) - shares * logits) + ridge / 2 * at[:-1] @ at[:-1]
        return float(value), np.append(given.T @ off / len(shares) + ridge * at[:-1], off.mean())

    found = minimize(loss, np.zeros(given.shape[1] + 1), jac=True, method="L-BFGS-B", options={"maxiter": 300}).x
    weights = found[:-1] / spreads
    return weights, float(found[-1] - weights @ means)


def portraits() -> list[Look]:
    """Faces in the public domain that lie in installed packages."""
    from skimage import data

    picture = data.astronaut()
    face = DetectFaces().faces(shown(picture))[0]
    return [look("astronaut", shown(picture), face, "free", "")]


def fit() -> str:
    detector, rng = DetectFaces(detector="yunet"), np.random.default_rng(20261122)
    seen = [one for film in FITTED for one in looks(film, detector) if one.grade == "free"] + portraits()
    pictures, shares = training(seen, rng)
    model = MouthCover()
    numbers = np.concatenate([model.numbers(pictures[n : n + 64]) for n in range(0, len(pictures), 64)])
    print(
        f"{len(seen)} free looks, {len(pictures)} pictures of them, the mean share covered {shares.mean():.2f}",
        flush=True,
    )
    return mouth_cover.packed(*fitted(numbers, shares, RIDGE))


# ---------------------------------------------------------------- how far it can be believed


def trials(films: tuple[str, ...], detector: DetectFaces) -> Iterator[Look]:
    """Every look of these films, and three free ones of each with made things before the mouth."""
    landmarker, operator = Landmarker(blendshapes=False), ScoreOcclusion()
    seen = [one for film in films for one in looks(film, detector)]
    cuts = [
        hand(
            min((one for one in seen if one.film == film), key=lambda one: (abs(one.at_s - at_s), -one.wide)), operator
        )
        for film, at_s in HANDS[films]
    ]
    rng = np.random.default_rng(7)
    for film in films:
        mine = [one for one in seen if one.film == film]
        free = [one for one in mine if one.grade == "free" and one.wide >= 25]
        for number in sorted({0, len(free) // 3, 2 * len(free) // 3}) if free else []:
            one = free[number]
            if (lips := lips_of(one, landmarker)) is None:
                continue
            others = [other for other in seen if other.film != film]
            for by in ("microphone", "hand", "cloth"):
                if by == "microphone":
                    what, width, side, colour = (
                        microphone(rng, str(rng.choice(("foam", "grille")))),
                        rng.uniform(0.45, 0.7),
                        False,
                        None,
                    )
                elif by == "hand":
                    what, width, side, colour = (
                        cuts[int(rng.integers(len(cuts)))],
                        rng.uniform(0.9, 1.2),
                        False,
                        skin_of(one),
                    )
                else:
                    what, width, side, colour = (
                        cloth(rng, others[int(rng.integers(len(others)))]),
                        rng.uniform(0.7, 1.1),
                        bool(rng.random() < 0.5),
                        None,
                    )
                for share in SHARES:
                    if made := put_before(one, lips, what, share, width, side, colour):
                        yield replace(made, by=f"made {by}", at_s=one.at_s, grade=f"{share:.0%}")
        yield from mine


def auc(hidden: Floats, free: Floats) -> float:
    """The chance that a hidden look has more than a free one, a tie counting half."""
    return float((np.sign(hidden[:, None] - free[None, :]) / 2 + 0.5).mean())


def report(films: tuple[str, ...], detector: DetectFaces) -> None:
    """A line for each kind of thing and how much it covers: looks, AUC against the free looks of all these films, how
    many are above the threshold.
    """
    model, operator = MouthCover(), ScoreOcclusion()
    rows, easy = [], []
    for one in trials(films, detector):
        frame = shown(one.picture)
        rows.append(
            (
                one.film,
                one.grade,
                one.by,
                float(model(lower_face(frame, one.box)[None])[0]),
                operator.hand_cover(frame, one.box),
            )
        )
        easy.append(one.wide >= 64 and abs(one.box.yaw_deg) <= 30)
    free = np.array([(cover, by_hands) for _, grade, _, cover, by_hands in rows if grade == "free"], np.float32)
    large = np.array([simple for (_, grade, *_), simple in zip(rows, easy, strict=True) if grade == "free"])
    false = free > (HIDDEN_FROM, HAND_FROM)
    print(
        f"{len(films)} films, {len(free)} free looks; false: {false[:, 0].sum()}, by hands {false[:, 1].sum()}; of the"
        f" {large.sum()} at faces 64 pixels",
        end=" ",
    )
    print(f"wide or more, turned by 30 degrees at most: {false[large, 0].sum()}, by hands {false[large, 1].sum()}")
    for film in films:
        mine = np.array([cover for name, grade, _, cover, _ in rows if name == film and grade == "free"])
        if (mine > HIDDEN_FROM).any():
            print(
                f"  {film}: {(mine > HIDDEN_FROM).sum()} of {len(mine)} free looks above it, the median"
                f" {np.median(mine):.2f}"
            )
    print(
        "| what | lips covered | looks | median | AUC | found | AUC of hands | found by hands | by either"
        " |\n|---|---|---|---|---|---|---|---|---|"
    )
    for by, grade in sorted(
        {(by, grade) for _, grade, by, *_ in rows if by}, key=lambda kind: (kind[0], kind[1].rstrip("%").zfill(9))
    ):
        mine = np.array([(cover, by_hands) for _, g, b, cover, by_hands in rows if (b, g) == (by, grade)], np.float32)
        share = [f"{(mine[:, n] > least).mean():.0%}" for n, least in ((0, HIDDEN_FROM), (1, HAND_FROM))]
        areas = [f"{auc(mine[:, n], free[:, n]):.2f}" for n in (0, 1)]
        either = f"{((mine[:, 0] > HIDDEN_FROM) | (mine[:, 1] > HAND_FROM)).mean():.0%}"
        print(
            f"| {by} | {grade} | {len(mine)} | {np.median(mine[:, 0]):.2f} | {areas[0]} | {share[0]} | {areas[1]} |"
            f" {share[1]} | {either} |",
            flush=True,
        )


def main() -> None:
    if "--fit" in sys.argv[1:]:
        print(fit())
        return
    for detector in ("yunet", "mediapipe"):  # the sheets were made with the first; the second is the recipes'
        for name, films in (("to choose on", CHOOSE), ("held back", HELD)):
            print(f"\n{name}, faces found by {detector}: ", end="")
            report(films, DetectFaces(detector=detector))


if __name__ == "__main__":
    main()
