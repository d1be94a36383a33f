"""What each quality score says of real clips made worse in steps: `python -m benchmarks.accuracy.quality
docs/quality.png`.

Ten real clips of two seconds, cut to a square about the face, are made worse in 16 ways, in four steps each. What
should move, and which way, is written down here before anything is run (`WAYS`). For each claim it prints the median
over the clips at every step, in how many clips all steps go the right way, the rank correlation of the score with the
step, and draws a curve a clip. Needs HEADSET_MEDIA and HEADSET_WEIGHTS.
"""

import io
import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from itertools import islice
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from benchmarks.accuracy.degradations import blurred, jittered, noisy
from benchmarks.truth.hidden_mouths import CHOOSE, HANDS
from manifests.boxes import Box
from manifests.tables import Clip, Score, Track
from operators.base import Frame
from operators.faces.detect_faces import DetectFaces
from operators.faces.measure_faces import look_at
from operators.faces.score_occlusion import ScoreOcclusion
from operators.faces.score_sharpness import ScoreSharpness
from operators.media.containers import Display
from operators.media.frames import SourceFrame, VideoFrames
from operators.models.face_landmarker import Landmarker
from operators.pictures.score_naturalness import ScoreNaturalness
from operators.pictures.score_picture import ScorePicture
from operators.pictures.score_text import ScoreText
from training.mouth_looks import Look, lips_of, looks
from training.occluders import Thing, hand, microphone, put_before, skin_of

CLIPS = (
    ("single/headpose_31.mp4", 4.0),
    ("single/speakervid_dialogue_case1_1.mp4", 0.0),
    ("single/speakervid_dialogue_case1_2.mp4", 1.0),
    ("single/speakervid_range_head_1.mp4", 0.0),
    ("single/latentsync_demo1_video.mp4", 0.0),
    ("single/wav2lipgfpgan_kim_7s_raw.mp4", 0.0),
    ("single/lia_vox_driving2.mp4", 0.0),
    ("multi/panda_it8sFJe038g.7.mp4", 0.0),
    ("multi/avi_billhyland.mp4", 0.0),
    ("hdtf/retalking_face_1.mp4", 0.0),
)
FRAMES, FPS, STEPS = 48, 24, 5
LARGEST_PX = 448
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


def loaded(name: str, start_s: float) -> Shown:
    """The first frames from a moment on, cut to whole blocks of 8 about the most confident face of the first."""
    detector = DetectFaces()
    frames = list(islice(VideoFrames(Path(os.environ["HEADSET_MEDIA"], name), start_s), FRAMES))
    face = detector.faces(frames[0])[0]
    half = int(min(1.2 * (face.right - face.left), frames[0].width / 2, frames[0].height / 2, LARGEST_PX / 2)) // 8 * 8
    left, top = (
        int(np.clip((low + high) / 2 - half, 0, side - 2 * half)) // 8 * 8
        for low, high, side in ((face.left, face.right, frames[0].width), (face.top, face.bottom, frames[0].height))
    )
    cut = [np.ascontiguousarray(frame.rgb()[top : top + 2 * half, left : left + 2 * half]) for frame in frames]
    boxes = [face]
    for frame in frames[1:]:
        found = [box for box in detector.faces(frame) if abs(box.left - boxes[-1].left) < (face.right - face.left) / 2]
        boxes.append(found[0] if found else boxes[-1])
    return Shown(
        name,
        cut,
        [Box(b.left - left, b.top - top, b.right - left, b.bottom - top, b.confidence, b.yaw_deg) for b in boxes],
    )


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


def frames_of(pictures: Pictures, encoded: bool) -> Iterator[Frame]:
    """The pictures as decoded frames."""
    side = pictures[0].shape[0]
    if encoded:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "clip.mp4")
            with av.open(str(path), "w") as container:
                video = container.add_stream(
                    "libx264", rate=FPS, options={"crf": "23", "preset": "veryfast", "threads": "1"}
                )
                video.width = video.height = side
                video.pix_fmt = "yuv420p"
                for picture in pictures:
                    container.mux(
                        video.encode(av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="rgb24"))
                    )
                container.mux(video.encode(None))
            yield from VideoFrames(path)
    else:
        display = Display(side, side, False, False, False, 0)
        for number, picture in enumerate(pictures):
            yield SourceFrame(
                av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="rgb24"), number / FPS, display
            )


PICTURE, SHARPNESS, TEXT, NATURALNESS = ScorePicture(), ScoreSharpness(), ScoreText(rate_hz=1.0), ScoreNaturalness()
OCCLUSION = ScoreOcclusion(rate_hz=5.0, hands=False)


def scores(pictures: Pictures, way: Way, shown: Shown) -> dict[str, float]:
    """The scores that a way is to move."""
    side, count = float(pictures[0].shape[0]), len(pictures)
    end_s = count / FPS
    times_s = [number / FPS for number in range(count)]
    edges = [[box[n] for box in shown.boxes[:count]] for n in range(4)]
    track = Track("s", "s/t0", "s/shot", 0.0, end_s, times_s, edges[0], edges[1], edges[2], edges[3], [0.9] * count)
    clip = Clip("s", "s/c", "s/shot", "s/t0", "v", 0.0, end_s, 0, 0, side, side)
    frames = list(frames_of(pictures, way.encoded))
    found: list[Score] = []
    if any(metric.startswith("face_") and metric != "face_text_share" for metric in way.truth):
        # At the boxes that the detector found before the clip was made worse.
        faces = [
            look_at("s", frame, [box])
            for number, (frame, box) in enumerate(zip(frames, shown.boxes, strict=False))
            if number % 5 == 0
        ]
        found += SHARPNESS(clip, [track], faces)
    if "text_share" in way.truth:
        found += TEXT(clip, [track], frames)  # pyright: ignore[reportArgumentType]
    if "mouth_cover" in way.truth:
        found += OCCLUSION(clip, [track], frames)  # pyright: ignore[reportArgumentType]
    if "picture_niqe" in way.truth:
        found += NATURALNESS(clip, frames)  # pyright: ignore[reportArgumentType]
    found += PICTURE(clip, frames)  # pyright: ignore[reportArgumentType]
    return {score.metric: score.value for score in found if score.metric in way.truth}


def measured(way: Way, clips: list[Shown]) -> dict[str, NDArray[np.float64]]:
    """By score (clips, steps)."""
    values = [[scores(way.worse(shown, step), way, shown) for step in range(STEPS)] for shown in clips]
    return {
        metric: np.array([[found.get(metric, np.nan) for found in steps] for steps in values]) for metric in way.truth
    }


def right(curves: NDArray[np.float64], direction: int) -> int:
    """In how many clips every step goes the right way."""
    return int((np.diff(direction * curves, axis=1) > 0).all(axis=1).sum())


def line(way: Way, metric: str, curves: NDArray[np.float64]) -> str:
    from scipy.stats import rankdata

    direction = way.truth[metric]
    ranks = [
        direction * float(np.corrcoef(range(STEPS), rankdata(curve))[0, 1]) if np.ptp(curve) else 0.0
        for curve in curves
    ]
    medians = " | ".join(f"{value:.3g}" for value in np.nanmedian(curves, axis=0))
    said = {1: "rise", -1: "fall"}[direction]
    return (
        f"| {way.name} | {metric} | {said} | {medians} | {right(curves, direction)} of {len(curves)} |"
        f" {np.median(ranks):.2f} ({min(ranks):.2f}) |"
    )


def draw(found: dict[tuple[str, str], tuple[int, NDArray[np.float64]]], to: str) -> None:
    """A panel for each way and score, of the way the score should go and its curves (clips, steps)."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    columns = 6
    rows = -(-len(found) // columns)
    figure, axes = plt.subplots(rows, columns, figsize=(15, 2.1 * rows), layout="constrained")
    for ax in axes.ravel()[len(found) :]:
        ax.axis("off")
    for ax, ((way, metric), (direction, curves)) in zip(axes.ravel(), found.items(), strict=False):
        ax.plot(range(STEPS), curves.T, color="0.7", linewidth=0.8)
        ax.plot(range(STEPS), np.nanmedian(curves, axis=0), color="tab:blue", marker=".")
        ax.set_title(f"{metric} {'↑' if direction > 0 else '↓'} {right(curves, direction)}/{len(curves)}", fontsize=9)
        ax.set_xlabel(way, fontsize=8)
        ax.set_xticks(range(STEPS))
        ax.tick_params(labelsize=7)
    figure.suptitle(
        "each clip gray, the median blue; the arrow is the way it should go, the count the clips in which every step"
        " does",
        fontsize=9,
    )
    figure.savefig(to, dpi=75)


def main() -> None:
    clips = [loaded(*which) for which in CLIPS]
    found: dict[tuple[str, str], tuple[int, NDArray[np.float64]]] = {}
    print(
        f"| made worse by | score | should | {' | '.join(f'step {n}' for n in range(STEPS))} | every step right | rank"
        " correlation, median (worst) |"
    )
    print("|---|---|---|" + "---|" * (STEPS + 2))
    for way in WAYS:
        for metric, curves in measured(way, clips).items():
            found[way.name, metric] = way.truth[metric], curves
            print(line(way, metric, curves), flush=True)
    draw(found, sys.argv[1])


if __name__ == "__main__":
    main()
