"""Ways to make a clip worse, in steps, and which scores should move by each."""

import io
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from benchmarks.accuracy.degradations import blurred, jittered, noisy
from benchmarks.truth.hidden_mouths import CHOOSE, HANDS
from manifests.boxes import Box
from operators.faces.detect_faces import DetectFaces
from operators.faces.score_occlusion import ScoreOcclusion
from operators.models.face_landmarker import Landmarker
from training.mouth_looks import Look, lips_of, looks
from training.occluders import Thing, hand, microphone, put_before, skin_of

FRAMES, FPS, STEPS = 48, 24, 5

Pictures = list[NDArray[np.uint8]]
Truth = dict[str, int]  # by score: 1 where it should rise with every step, -1 where it should fall


@dataclass(frozen=True)
class Shown:
    """A clip: its frames, square, and where the face is in each."""

    name: str
    frames: Pictures
    boxes: list[Box]


@dataclass(frozen=True)
class Way:
    """A way to make a clip worse, by a step of 0 to 4, and what should come of it."""

    name: str
    worse: Callable[[Shown, int], Pictures]
    truth: Truth
    encoded: bool = False  # as H.264 at a constant rate factor of 23, since compression hides what happens in time


def scaled(shown: Shown, gain: float, offset: float = 0.0) -> Pictures:
    return [np.clip(gain * frame + offset, 0, 255).round().astype(np.uint8) for frame in shown.frames]


def jpeg(shown: Shown, step: int) -> Pictures:
    """With a quality of 90 to 10."""
    if step == 0:
        return shown.frames
    made = []
    for frame in shown.frames:
        held = io.BytesIO()
        Image.fromarray(frame).save(held, "JPEG", quality=(90, 60, 30, 10)[step - 1])
        made.append(np.asarray(Image.open(held)))
    return made


def enlarged(shown: Shown, step: int) -> Pictures:
    """From 1 to 4 times as few pixels each way."""
    side = shown.frames[0].shape[0]
    small = round(side / (1, 1.5, 2, 3, 4)[step])
    return [
        np.asarray(Image.fromarray(f).resize((small, small), Image.Resampling.BOX).resize((side, side)))
        for f in shown.frames
    ]


def boxed(shown: Shown, step: int) -> Pictures:
    """With black bars above and below over 0 to 40 % of the picture."""
    bar = round(shown.frames[0].shape[0] * 0.05 * step)
    made = [frame.copy() for frame in shown.frames]
    for frame in made:
        frame[:bar] = frame[len(frame) - bar :] = 0
    return made


def interlaced(shown: Shown, step: int) -> Pictures:
    """With every other line from 0 to 4 frames later."""
    made = [frame.copy() for frame in shown.frames[: len(shown.frames) - STEPS]]
    for number, frame in enumerate(made):
        frame[1::2] = shown.frames[number + step][1::2]
    return made


def copied(shown: Shown, step: int) -> Pictures:
    """With no, every fourth, every third, every second and two of three frames copied from the one before."""
    first = (
        lambda n: n,
        lambda n: n - (n % 4 == 3),
        lambda n: n - (n % 3 == 2),
        lambda n: n - n % 2,
        lambda n: n - n % 3,
    )[step]
    return [shown.frames[first(n)] for n in range(len(shown.frames))]


def frozen(shown: Shown, step: int) -> Pictures:
    """With 0 to 90 % of the time standing still."""
    until = 4 + round((0.0, 0.3, 0.5, 0.7, 0.9)[step] * len(shown.frames))
    return [shown.frames[4] if 4 <= n < until else frame for n, frame in enumerate(shown.frames)]


def flashed(shown: Shown, step: int) -> Pictures:
    """With one frame lighter by 0 to 160 levels."""
    made = list(shown.frames)
    made[20] = np.clip(made[20].astype(np.int16) + 40 * step, 0, 255).astype(np.uint8)
    return made


def written(shown: Shown, step: int) -> Pictures:
    """With 0 to 4 lines of writing over the face, from the chin up."""
    words = ("as seen by millions", "the whole story", "SUBSCRIBE NOW", "breaking news today")
    side = shown.frames[0].shape[0]
    font = ImageFont.load_default(side / 15)
    made = []
    for frame in shown.frames:
        picture = Image.fromarray(frame)
        draw = ImageDraw.Draw(picture)
        for line in range(step):
            draw.text(
                (side * 0.08, side * (0.62 - 0.1 * line)),
                words[line],
                "white",
                font,
                stroke_width=2,
                stroke_fill="black",
            )
        made.append(np.array(picture))
    return made


def before_mouth(shown: Shown, step: int, made: Thing, width: float, of_skin: bool = False) -> Pictures:
    """With a thing `width` faces wide, moved in from below until it covers 0, 10, 25, 50 and all but 3 % of the lips of
    the mesh.
    """
    if step == 0:
        return shown.frames
    pictures, lips = [], None
    for frame, box in zip(shown.frames, shown.boxes, strict=True):
        seen = Look(shown.name, 0.0, frame, box, "free")
        lips = found if (found := lips_of(seen, _landmarker())) is not None else lips
        if lips is None:
            raise ValueError(f"no lips in the first frame of {shown.name}")
        skin = skin_of(seen) if of_skin else None
        if (put := put_before(seen, lips, made, (0.1, 0.25, 0.5, 1.0)[step - 1], width, False, skin)) is None:
            raise ValueError(f"the thing does not cover so much of the lips of {shown.name}")
        pictures.append(put.picture)
    return pictures


@cache
def _landmarker() -> Landmarker:
    return Landmarker(blendshapes=False)


@cache
def _hand() -> Thing:
    """The pixels of a real hand, out of a film."""
    film, at_s = HANDS[CHOOSE][0]
    return hand(min(looks(film, DetectFaces()), key=lambda one: abs(one.at_s - at_s)), OCCLUSION)


WAYS = (
    Way(
        "blur, 0 to 4 px",
        lambda shown, step: blurred(shown.frames, step),
        {"face_sharpness": -1, "picture_blur": 1, "picture_brisque": 1, "picture_niqe": 1},
    ),
    Way(
        "noise, 0 to 40 levels",
        lambda shown, step: noisy(shown.frames, step),
        {"face_noise": 1, "picture_noise": 1, "picture_brisque": 1, "picture_niqe": 1},
    ),
    Way("JPEG, none to quality 10", jpeg, {"face_blockiness": 1, "picture_blockiness": 1}),
    Way("enlarged 1 to 4 times", enlarged, {"picture_blur": 1, "face_sharpness": -1}),
    Way(
        "darker, to a tenth",
        lambda shown, step: scaled(shown, (1.0, 0.7, 0.45, 0.25, 0.1)[step]),
        {
            "face_brightness": -1,
            "face_contrast": -1,
            "face_dark_share": 1,
            "picture_brightness": -1,
            "picture_dark_share": 1,
        },
    ),
    Way(
        "overexposed, to 5 times",
        lambda shown, step: scaled(shown, (1.0, 1.5, 2.2, 3.3, 5.0)[step]),
        {"face_bright_share": 1, "picture_bright_share": 1},
    ),
    Way(
        "faded, to a tenth of the contrast",
        lambda shown, step: scaled(shown, gain := (1.0, 0.75, 0.5, 0.25, 0.1)[step], 128 * (1 - gain)),
        {"face_contrast": -1, "picture_contrast": -1},
    ),
    Way("shaken, 0 to 8 px", lambda shown, step: jittered(shown.frames, step), {"picture_motion": 1}),
    Way("black bars, 0 to 40 %", boxed, {"bars_share": 1}),
    Way("fields 0 to 4 frames apart", interlaced, {"combing_share": 1}),
    Way("flash of 0 to 160 levels", flashed, {"brightness_jump": 1}),
    Way("0 to 4 lines of writing", written, {"text_share": 1, "face_text_share": 1}),
    Way(
        "microphone over 0 to all of the lips",
        lambda shown, step: before_mouth(shown, step, microphone(np.random.default_rng(0), "foam"), 0.6),
        {"mouth_cover": 1},
    ),
    Way(
        "hand over 0 to all of the lips",
        lambda shown, step: before_mouth(shown, step, _hand(), 1.0, True),
        {"mouth_cover": 1},
    ),
    Way("frames copied, none to two of three", copied, {"duplicate_share": 1, "distinct_fps": -1}, encoded=True),
    Way("frozen, 0 to 90 % of the time", frozen, {"frozen_share": 1}, encoded=True),
)
OCCLUSION = ScoreOcclusion(rate_hz=5.0, hands=False)
