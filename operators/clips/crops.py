"""The crops of the published datasets and systems, each by its published formula. Boxes are left, top, right, bottom in
pixels.

Two kinds. The rules in `OF_LISTS` make the crop of a published box in the frame at hand: (box, size of the frame the
box was measured in, size of the frame at hand) -> box. The others make a crop of what a detector saw, for corpora made
the same way. Sizes are (width, height). What FFmpeg's `crop` filter does besides, rounding to even pixels where chroma
is subsampled, is not followed.
"""

import math
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from operators.base import Drop

Box = tuple[float, float, float, float]
Size = tuple[float, float]

PC_AVS_POINTS = ((87.0, 59.0), (137.0, 59.0), (112.0, 120.0))  # left eye, right eye, mouth in a picture of 224 x 224
PC_AVS_SIZE = 224


def scaled(box: Box, measured: Size, frame: Size) -> Box:
    """The box itself, in the frame at hand. Shares of a frame are a box measured in 1 x 1.

    Args:
        measured: a width of 0 is unknown: the height decides. Both 0: pixels of the frame at hand.
    """
    width, height = measured
    down = frame[1] / height if height else 1.0
    across = frame[0] / width if width else down
    return box[0] * across, box[1] * down, box[2] * across, box[3] * down


def celebv_hq(box: Box, measured: Size, frame: Size) -> Box:
    """Shares of the frame, 0.02 wider on each side but not beyond it, as whole pixels, cut to a square about the
    middle.

    CelebV-HQ `download_and_process.py:55-91` @ d1b6cf3a: `expand`, `denorm` (Python's round), `to_square` with `c =
    min(h, w) // 2`. Where the middle falls between two pixels FFmpeg takes the left or upper one.
    """
    (width, height), more = frame, 0.02
    left, top = round(max(box[0] / measured[0] - more, 0) * width), round(max(box[1] / measured[1] - more, 0) * height)
    right, bottom = (
        round(min(box[2] / measured[0] + more, 1) * width),
        round(min(box[3] / measured[1] + more, 1) * height),
    )
    half = min(bottom - top, right - left) // 2
    x, y = (left + right) // 2 - half, (top + bottom) // 2 - half
    return float(x), float(y), float(x + 2 * half), float(y + 2 * half)


def talking_head_1kh(box: Box, measured: Size, frame: Size) -> Box:
    """Each edge rescaled and rounded down: `t = int(T / H * h)` and so on. TalkingHead-1KH `videos_crop.py:50-53` @
    2f293089.
    """
    (wide, high), (width, height) = measured, frame
    left, right = int(box[0] / wide * width), int(box[2] / wide * width)
    top, bottom = int(box[1] / high * height), int(box[3] / high * height)
    return float(left), float(top), float(right), float(bottom)


def vox_metadata(box: Box, measured: Size, frame: Size) -> Box:
    """Each edge rescaled and rounded down: `left = int(left / (ref_width / w))`. video-preprocessing
    `load_videos.py:50-58` @ ac40aac5.

    The published script then squeezes the box to a square picture, whatever its shape.
    """
    across, down = measured[0] / frame[0], measured[1] / frame[1]
    return (
        float(int(box[0] / across)),
        float(int(box[1] / down)),
        float(int(box[2] / across)),
        float(int(box[3] / down)),
    )


OF_LISTS: dict[str, Callable[[Box, Size, Size], Box]] = {
    "": scaled,
    "celebv_hq": celebv_hq,
    "talking_head_1kh": talking_head_1kh,
    "vox_metadata": vox_metadata,
    "vfhq": talking_head_1kh,  # the script given with the list has the same four lines
}


def voxceleb(box: Box, frame: Size, increase: float = 0.1) -> Box:
    """A square about the box with `increase` of it on each side at least, as whole pixels.

    The crop of FOMM and its family, video-preprocessing `util.py:33-46,86-88` @ ac40aac5. It is square but for the
    rounding of each edge towards 0.

    Raises:
        Drop: `box_outside_frame`: the published script gives such a clip up as well.
    """
    left, top, right, bottom = box
    width, height = right - left, bottom - top
    more_x = max(increase, ((1 + 2 * increase) * height - width) / (2 * width)) * width
    more_y = max(increase, ((1 + 2 * increase) * width - height) / (2 * height)) * height
    crop = float(int(left - more_x)), float(int(top - more_y)), float(int(right + more_x)), float(int(bottom + more_y))
    return within(crop, frame, 0.0)


def hdtf(boxes: ArrayLike, frame: Size, ratio: float = 1.2) -> Box:
    """One square for a clip: about all boxes of the face, `ratio` as wide as they need, moved into the frame.

    HDTF's README @ bbde889b, second way: "merge all regions into one square range", then "enlarge the window size" by
    the published ratio. It does not say what happens at the edge of the frame; 194 of the 253 published windows of RD
    and WDA lie on its upper edge, so the square is moved, and made smaller only where it is larger than the frame.

    Args:
        boxes: (n, 4) of the face's landmarks, a row a frame.
    """
    every = np.asarray(boxes, float)
    (left, top), (right, bottom) = every[:, :2].min(axis=0), every[:, 2:].max(axis=0)
    side = min(max(right - left, bottom - top) * ratio, *frame)
    x = min(max((left + right - side) / 2, 0.0), frame[0] - side)
    y = min(max((top + bottom - side) / 2, 0.0), frame[1] - side)
    return float(x), float(y), float(x + side), float(y + side)


def ffhq(points: ArrayLike) -> NDArray[np.float64]:
    """(4, 2) corners of the turned square that FFHQ cuts: upper left, lower left, lower right, upper right, as the face
    has it.

    Karras et al., CVPR 2019, appendix C, as in StyleHEAT `utils/video_preprocess/align_face.py:36-42` @ 83b28c83: half
    the side is the larger of twice the distance between the eyes and 1.8 times that from the eyes to the mouth, about a
    point a tenth of the way to the mouth.

    Args:
        points: (68, 2) landmarks in the order of iBUG 300-W, or (5, 2): left eye, right eye, nose, left and right
            corner of the mouth, as the picture shows them.

    Raises:
        ValueError: for another number of points.
    """
    marks = np.asarray(points, float)
    if marks.shape == (68, 2):
        left_eye, right_eye, mouth = marks[36:42].mean(axis=0), marks[42:48].mean(axis=0), (marks[48] + marks[54]) / 2
    elif marks.shape == (5, 2):
        left_eye, right_eye, mouth = marks[0], marks[1], (marks[3] + marks[4]) / 2
    else:
        raise ValueError(f"{marks.shape} are neither 68 nor 5 points")
    eyes, across = (left_eye + right_eye) / 2, right_eye - left_eye
    down = mouth - eyes
    x = across + np.array([down[1], -down[0]])  # the mouth's direction, turned, steadies that of the eyes
    x *= max(2.0 * np.hypot(*across), 1.8 * np.hypot(*down)) / np.hypot(*x)
    y = np.array([-x[1], x[0]])
    middle = eyes + 0.1 * down
    return np.stack([middle - x - y, middle - x + y, middle + x + y, middle + x - y])


def pc_avs(points: ArrayLike) -> NDArray[np.float64]:
    """(n, 2, 3) of each frame the matrix that takes it into PC-AVS's picture of 224 x 224.

    One similarity for the clip, which takes the mean eyes and mouth nearest to `PC_AVS_POINTS` (least squares), then
    for each frame a shift that brings its mouth to its place, smoothed: 0.2 of the last shift and 0.8 of this one.
    PC-AVS `scripts/align_68.py` @ 201d2b94.

    Args:
        points: (n, 3, 2): of each frame the means of landmarks 36:42, 42:48 and 60:68.
    """
    marks = np.asarray(points, float)
    # A similarity of the plane is z -> a z + b in complex numbers, and least squares have a closed form.
    mean = marks.mean(axis=0) @ [1, 1j]
    goal = np.asarray(PC_AVS_POINTS) @ [1, 1j]
    off, wanted = mean - mean.mean(), goal - goal.mean()
    a = np.vdot(off, wanted) / np.vdot(off, off).real
    b = goal.mean() - a * mean.mean()
    made = np.empty((len(marks), 2, 3))
    made[:, :, :2] = [[a.real, -a.imag], [a.imag, a.real]]
    shift: complex | None = None
    for frame, mouth in zip(made, marks[:, 2] @ [1, 1j], strict=True):
        now = goal[2] - (a * mouth + b)
        shift = now if shift is None else 0.2 * shift + 0.8 * now
        frame[:, 2] = (b + shift).real, (b + shift).imag
    return made


def wav2lip(boxes: ArrayLike, frame: Size, pads: Sequence[int] = (0, 10, 0, 0), smooth: int = 5) -> NDArray[np.int64]:
    """(n, 4) left, top, right, bottom of the face in each frame, padded, kept in the frame and smoothed over time.

    Wav2Lip `inference.py` @ 5c90fa9b, `face_detect` and `get_smoothened_boxes`. Each box is the mean of itself and the
    `smooth` - 1 after it. As published, the boxes are whole numbers (means are cut down), and those of the last window
    are written over while they are still averaged.

    Args:
        boxes: (n, 4) of a detector, whole pixels.
        pads: added above, below, left, right.
    """
    above, below, before, after = pads
    given = np.asarray(boxes).astype(np.int64)
    low = np.maximum(given[:, :2] - [before, above], 0)
    high = np.minimum(given[:, 2:] + [after, below], np.asarray(frame, np.int64))
    made = np.concatenate([low, high], axis=1)
    count = len(made)
    for at in range(count):
        window = made[count - smooth :] if at + smooth > count else made[at : at + smooth]
        made[at] = window.mean(axis=0)
    return made


def within(box: Box, frame: Size, slack_px: float) -> Box:
    """The box, cut to the frame where it leaves it by no more than `slack_px`.

    Raises:
        Drop: `box_outside_frame`, with the numbers.
    """
    left, top, right, bottom = box
    width, height = frame
    if max(-left, -top, right - width, bottom - height) > slack_px:
        told = " ".join(f"{edge:.6g}" for edge in box)
        raise Drop("box_outside_frame", detail=f"{told} of {width:g} x {height:g}")
    cut = max(left, 0.0), max(top, 0.0), min(right, float(width)), min(bottom, float(height))
    if not (cut[2] > cut[0] and cut[3] > cut[1]) or not all(map(math.isfinite, cut)):
        raise Drop("box_empty", detail=" ".join(f"{edge:.6g}" for edge in box))
    return cut
