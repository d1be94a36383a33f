"""What each metric says of a clip that is made worse in steps: `python -m benchmarks.accuracy.degradations
docs/measured/metrics_degraded.png`.

Six frames of `single/headpose_31.mp4`, 256 pixels square, beside themselves made worse; for metrics that listen, the
first 5 s of `hdtf/retalking_face_2.mp4`, 25 frames a second. Needs HEADSET_MEDIA and HEADSET_WEIGHTS. LSE-D, LSE-C and
SyncNet's offset are shown where SyncNet's file is at hand: random weights would move, and say nothing.
"""

import os
import sys
from collections.abc import Callable
from itertools import islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from operators.base import Drop
from operators.media.frames import VideoFrames
from operators.media.sound import SourceAudio
from operators.metrics.base import FramePair, Metric, SetMetric, Video
from operators.metrics.frechet import Moments
from operators.models.face_pictures import points68
from operators.picture import Picture
from pipeline.scoring.comparison_text import ARROWS
from pipeline.scoring.score import metrics_there
from tests.made_sounds import Delayed

SIDE, FRAMES, EVERY = 256, 6, 5
STEPS = 5
Clip = list[NDArray[np.uint8]]
SHOWN = (
    "psnr_rgb", "ssim_y", "lpips_alex", "dists", "niqe_matlab", "cpbd", "csim_aligned_faceplugin",
    "csim_whole_frame_faceplugin", "frechet_identity", "lmd_atvg_mesh", "akd_mesh", "aed_3ddfa", "apd_3ddfa",
    "mkr_mesh",
)  # fmt: skip
LISTENING = ("av_offset_mesh", "av_confidence_mesh", "lse_d_tracked", "lse_c_tracked", "sync_offset_tracked")
TALK, TALK_FRAMES = ("hdtf", "retalking_face_2.mp4"), 125
LATER_S = 0.12  # a step of the shift


def frames_of(name: str, start_s: float = 0.0) -> Clip:
    made = []
    for frame in islice(
        VideoFrames(Path(os.environ["HEADSET_MEDIA"], "single", name), start_s), 0, FRAMES * EVERY, EVERY
    ):
        side = min(frame.width, frame.height)
        left = (frame.width - side) // 2
        made.append(frame.crop(left, 0, left + side, side, (SIDE, SIDE)))
    return made


def blurred(clip: Clip, step: int) -> Clip:
    """By a Gaussian of 0 to 4 pixels."""
    return [np.asarray(Image.fromarray(frame).filter(ImageFilter.GaussianBlur(step))) for frame in clip]


def noisy(clip: Clip, step: int) -> Clip:
    """With 0 to 40 levels of noise."""
    numbers = np.random.default_rng(0)
    return [np.clip(frame + numbers.normal(0, 10 * step, frame.shape), 0, 255).astype(np.uint8) for frame in clip]


def jittered(clip: Clip, step: int) -> Clip:
    """Shifted by up to 0 to 8 pixels, each frame otherwise."""
    numbers = np.random.default_rng(0)
    return [
        np.roll(frame, tuple(np.rint(numbers.uniform(-2 * step, 2 * step, 2)).astype(int)), (0, 1)) for frame in clip
    ]


def mouth_of(clip: Clip, step: int, later: Clip) -> Clip:
    """With the mouth of another moment blended in, from none to all of it."""
    made = []
    for frame, other in zip(clip, later, strict=True):
        here, there = (points68(Picture(picture)) for picture in (frame, other))
        assert here is not None
        assert there is not None
        (left, top), (right, bottom) = here[48:68].min(axis=0) - 12, here[48:68].max(axis=0) + 12
        shift = np.rint(there[48:68].mean(axis=0) - here[48:68].mean(axis=0)).astype(int)
        part = slice(int(top), int(bottom)), slice(int(left), int(right))
        moved = np.roll(other, (-shift[1], -shift[0]), (0, 1))
        changed = frame.copy()
        share = step / (STEPS - 1)
        changed[part] = np.rint((1 - share) * frame[part] + share * moved[part]).astype(np.uint8)
        made.append(changed)
    return made


def another_person(clip: Clip, step: int, other: Clip) -> Clip:
    """Blended into another person, from none to all."""
    share = step / (STEPS - 1)
    return [
        np.rint((1 - share) * frame + share * another).astype(np.uint8)
        for frame, another in zip(clip, other, strict=True)
    ]


def talk() -> Clip:
    path = Path(os.environ["HEADSET_MEDIA"], *TALK)
    return [frame.rgb(360) for frame in islice(VideoFrames(path), TALK_FRAMES)]


def of_talk(metrics: list[Metric], clip: Clip, late_s: float) -> list[float]:
    """Of the same pictures, in which faces are found once."""
    sound = Delayed(SourceAudio(Path(os.environ["HEADSET_MEDIA"], *TALK)), late_s)
    video = [FramePair(Picture(frame), None) for frame in clip]
    return [or_nothing(metric.measure, Video(video, 25, lambda: sound, "talk", len(clip))) for metric in metrics]


def or_nothing(made: Callable[..., float], *given: object) -> float:
    try:
        return made(*given)
    except Drop:
        return float("nan")


def value(metric: Metric, made: Clip, clip: Clip) -> float:
    if metric.metric == "dists":  # costs most by far
        made, clip = made[::3], clip[::3]
    if isinstance(metric, SetMetric):
        return metric.statistic(*(Moments.of(metric.features(Video.of(frames, fps=5))) for frames in (made, clip)))
    return metric.measure(Video.of(made, clip, fps=5))


def told(variant: str, name: str, values: list[float]) -> None:
    print(f"| {variant} | {name} | " + " | ".join(f"{one:.4g}" for one in values) + " |", flush=True)


def main() -> None:
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    clip, later, other = (
        frames_of("headpose_31.mp4"),
        frames_of("headpose_31.mp4", 12.4),
        frames_of("speakervid_range_head_1.mp4"),
    )
    said = talk()
    seen: dict[str, Callable[[int], Clip]] = {
        "blur": lambda step: blurred(clip, step),
        "noise": lambda step: noisy(clip, step),
        "jitter": lambda step: jittered(clip, step),
        "another moment's mouth": lambda step: mouth_of(clip, step, later),
        "another person": lambda step: another_person(clip, step, other),
    }
    heard: dict[str, Callable[[int], tuple[Clip, float]]] = {
        "blur": lambda step: (blurred(said, step), 0.0),
        "jitter": lambda step: (jittered(said, step), 0.0),
        "another moment's mouth": lambda step: (mouth_of(said, step, said[::-1]), 0.0),
        "sound later": lambda step: (said, LATER_S * step),
        "sound earlier": lambda step: (said, -LATER_S * step),
    }
    there = metrics_there()
    listening = [
        variant for variant in LISTENING if all(weight.found() or weight.inside for weight in there[variant].weights)
    ]
    shown = [*SHOWN, *listening]
    colours = {name: f"C{number}" for number, name in enumerate({**seen, **heard})}
    wide = 6
    rows = -(-(len(shown) + 1) // wide)
    figure, axes = plt.subplots(rows, wide, figsize=(2.5 * wide, 2.4 * rows), layout="constrained")
    for ax in axes.ravel()[len(shown) :]:
        ax.axis("off")
    found: dict[tuple[str, str], list[float]] = {}
    for variant in SHOWN:
        for name, way in seen.items():
            found[variant, name] = [or_nothing(value, there[variant], way(step), clip) for step in range(STEPS)]
            told(variant, name, found[variant, name])
    for name, moved in heard.items():
        steps = [of_talk([there[variant] for variant in listening], *moved(step)) for step in range(STEPS)]
        for number, variant in enumerate(listening):
            found[variant, name] = [values[number] for values in steps]
            told(variant, name, found[variant, name])
    drawn = {}
    for ax, variant in zip(axes.ravel(), shown, strict=False):
        for name in [name for kind, name in found if kind == variant]:
            (drawn[name],) = ax.plot(range(STEPS), found[variant, name], marker=".", color=colours[name])
        ax.set_title(f"{variant} {ARROWS[there[variant].definition.better]}".strip(), fontsize=9)
        ax.set_xticks(range(STEPS))
        ax.tick_params(labelsize=7)
    figure.legend(
        drawn.values(), drawn.keys(), loc="lower right", title="made worse by", bbox_to_anchor=(0.99, 0.02), fontsize=8
    )
    figure.supxlabel("step, 0 is the clip itself; the sound is moved by 0.12 s a step", fontsize=9)
    Path(sys.argv[1]).parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(sys.argv[1], dpi=80)


if __name__ == "__main__":
    main()
