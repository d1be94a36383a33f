"""What each quality score says of real clips made worse in steps: `python -m benchmarks.accuracy.quality
docs/measured/quality.png`.

Ten real clips of two seconds, cut to a square about the face, are made worse in 16 ways, in four steps each. What
should move, and which way, is written down here before anything is run (`WAYS`). For each claim it prints the median
over the clips at every step, in how many clips all steps go the right way, the rank correlation of the score with the
step, and draws a curve a clip. Needs HEADSET_MEDIA and HEADSET_WEIGHTS.
"""

import os
import sys
import tempfile
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

from benchmarks.accuracy.quality_ways import FPS, FRAMES, OCCLUSION, STEPS, WAYS, Pictures, Shown, Way
from manifests.boxes import Box
from manifests.tables import Clip, Score, Track
from operators.base import Frame
from operators.faces.detect_faces import DetectFaces
from operators.faces.measure_faces import look_at
from operators.faces.score_sharpness import ScoreSharpness
from operators.media.containers import Display
from operators.media.frames import SourceFrame, VideoFrames
from operators.pictures.score_naturalness import ScoreNaturalness
from operators.pictures.score_picture import ScorePicture
from operators.pictures.score_text import ScoreText

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
LARGEST_PX = 448


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
