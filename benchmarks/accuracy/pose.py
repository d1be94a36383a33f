"""Head pose and mouth opening of `LandmarkFaces` against independent models, on the same frames of real clips.

    HEADSET_MEDIA=<folder of the test media> HEADSET_WEIGHTS=<folder of models> python -m benchmarks.accuracy.pose
    [--picture docs/measured/pose.png] [--worst DIR]

prints tables in Markdown; `--worst` keeps the frames on which two models differ most, for a person to look at.

The protocol, written down before anything was computed:

- Clips: every video of the test media's `single`, `multi`, `hdtf` and `grid`. Frames: two a second, on the grid of the
  source's clock.
- Faces: what `DetectFaces` sees, 64 pixels wide or more in the source, in which the landmarker finds a mesh as
  `LandmarkFaces` asks for it. Where it finds none is counted, and compared with nothing.
- FSA-Net (omasaht/headpose-fsanet-pytorch 002549c9): the mean of its two networks, as its demo asks them: the face's
  box of the BGR frame, squeezed to 64 x 64, (x - 127.5) / 128. Its demo's detector is not at hand: the box is that of
  the mesh's points, a tenth wider on each side. How much hangs on that is told by the same with none and with a fifth.
- 3DDFA_V2 (cleardusk/3DDFA_V2 1b6c6760, MobileNet 0.5): the rotation among its 62 numbers, on the crop of
  `operators.models.tddfa`. Where that crop lies follows from the mesh's points; what is seen in it does not.
- Signs: all three as rotation matrices of the head against the camera, from which `head_pose_deg` takes the angles: yaw
  positive to the image's right, pitch up, roll clockwise. FSA-Net's are of its demo's `draw_axis`, with which its yaw
  is positive to the image's left.
- Mouth: the gap between the inner lips over the width between their inner corners. 3DDFA's mesh needs the Basel face
  model, which may not be handed on and is not at hand, but its network has a second head, of 68 points in the iBUG
  order (2, 68; -1 to 1 of the crop), whose points 60, 62, 64 and 66 those are. The opening that `DetectActiveSpeaker`
  and `ScoreSync` measure is compared on the same frames: it looks at a crop of its own, and divides by the height of
  the face.
- Told: Pearson's correlation; bias, the mean difference; the mean absolute error in degrees, and the one with each
  clip's own bias taken off, since models disagree on where a person's zero is; by range of |yaw|, as the mean of the
  other two models has it. The two others against each other say how far models differ at all.
"""

import argparse
import os
import platform
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from benchmarks.accuracy.other_poses import Array, fsanet_pose_deg, opening_of_68, tddfa_points, tddfa_pose_deg
from manifests.boxes import Box, square_around
from operators.base import Frame, every
from operators.faces.detect_faces import DetectFaces
from operators.faces.landmark_faces import LandmarkFaces
from operators.media.frames import VideoFrames
from operators.models import tddfa
from operators.models.catalogue import FSANET_1X1, FSANET_VAR
from operators.models.face_geometry import head_pose_deg, mouth_opening
from operators.models.face_landmarker import Landmarker
from operators.models.face_pictures import IBUG_68
from operators.speech.detect_active_speaker import MouthOpening

FOLDERS = {"single": "*.mp4", "multi": "*.mp4", "hdtf": "*.mp4", "grid": "*.mpg"}
RATE_HZ = 2.0
SMALLEST_PX = 64.0
MARGINS = (0.1, 0.0, 0.2)
ANGLES = ("yaw", "pitch", "roll")
RANGES = ((0, 15), (15, 30), (30, 45), (45, 90))


@dataclass(frozen=True)
class Look:
    """One face of one frame, as each model sees it: angles (3,) in degrees, yaw, pitch, roll."""

    clip: str
    at_s: float
    width_px: float
    ours: Array
    tddfa: Array
    fsanet: dict[float, Array]  # by margin
    mouth: float
    mouth_68: float
    mouth_height: float  # of DetectActiveSpeaker
    crop: NDArray[np.uint8]


class Models(NamedTuple):
    detector: DetectFaces
    landmarker: Landmarker
    mouth: MouthOpening
    fsanet: list[Any]


def main() -> None:
    parser = argparse.ArgumentParser(description="Head pose and mouth opening against independent models.")
    parser.add_argument("--picture", type=Path, help="where the scatter plots are drawn to")
    parser.add_argument("--worst", type=Path, help="a folder for the frames on which models differ most")
    options = parser.parse_args()
    models = Models(
        DetectFaces(detector="mediapipe"),
        Landmarker(),
        MouthOpening(),
        [weight.session() for weight in (FSANET_1X1, FSANET_VAR)],
    )
    looks: list[Look] = []
    missed = 0
    for folder, pattern in FOLDERS.items():
        for path in sorted(Path(os.environ["HEADSET_MEDIA"], folder).glob(pattern)):
            for look in looked(path, models):
                missed += look is None
                looks += [look] if look else []
    print(f"{platform.platform()}, Python {platform.python_version()}\n")
    print(f"{len({look.clip for look in looks})} clips, {len(looks)} faces; {missed} more without a mesh\n")
    report(looks)
    if options.picture:
        draw(looks, options.picture)
    if options.worst:
        keep_worst(looks, options.worst)


def looked(path: Path, models: Models) -> Iterator[Look | None]:
    """Each face of the frames looked at; None for one without a mesh."""
    for frame in every(VideoFrames(path), RATE_HZ):
        for box in models.detector.faces(frame):
            if box.right - box.left >= SMALLEST_PX:
                yield look_of(path.name, frame, box, models)


def look_of(clip: str, frame: Frame, box: Box, models: Models) -> Look | None:
    left, top, right, bottom = square_around(box, 2.0)
    side = LandmarkFaces().crop_px
    crop = frame.crop(left, top, right, bottom, (side, side))
    found = models.landmarker(crop)
    if not found or np.abs(found[0].points[:, :2].mean(axis=0) - 0.5).max() > 0.25:
        return None
    points = found[0].points[:, :2] * (right - left) + (left, top)
    cut = tddfa.crop(frame.rgb(), points[IBUG_68])
    half = max(box.right - box.left, box.bottom - box.top) / 2
    return Look(
        clip,
        frame.pts_s,
        box.right - box.left,
        np.array(head_pose_deg(found[0].matrix)),
        tddfa_pose_deg(tddfa.measured(cut)),
        {margin: fsanet_pose_deg(frame, points, margin, models.fsanet) for margin in MARGINS},
        mouth_opening(points),
        opening_of_68(tddfa_points(cut)),
        models.mouth(frame, ((left + right) / 2, (top + bottom) / 2, half)),
        crop,
    )


# Figures.


@dataclass(frozen=True)
class Agreement:
    """Of one series with another."""

    looks: int
    correlation: float
    slope: float  # of the first on the second
    bias: float
    error: float  # mean absolute
    unbiased: float  # the same with each clip's own bias taken off


def agreement(one: Array, other: Array, clips: NDArray[np.str_]) -> Agreement:
    off = one - other
    centred = off.copy()
    for clip in set(clips.tolist()):
        centred[clips == clip] -= off[clips == clip].mean()
    slope = float(np.polyfit(other, one, 1)[0])
    return Agreement(
        len(off), float(np.corrcoef(one, other)[0, 1]), slope, off.mean(), np.abs(off).mean(), np.abs(centred).mean()
    )


def series(looks: Sequence[Look]) -> dict[str, Array]:
    """(looks, 3) by model."""
    found = {
        "LandmarkFaces": np.array([look.ours for look in looks]),
        "3DDFA": np.array([look.tddfa for look in looks]),
    }
    return found | {f"FSA-Net {margin:g}": np.array([look.fsanet[margin] for look in looks]) for margin in MARGINS}


def report(looks: Sequence[Look]) -> None:  # long: one table after the other
    clips, angles = np.array([look.clip for look in looks]), series(looks)
    fsanet = f"FSA-Net {MARGINS[0]:g}"
    pairs = [("LandmarkFaces", fsanet), ("LandmarkFaces", "3DDFA"), ("3DDFA", fsanet)]
    print(
        "| angle | models | faces | correlation | slope | bias | error | error without each clip's bias"
        " |\n|---|---|---|---|---|---|---|---|"
    )
    for at, name in enumerate(ANGLES):
        for one, other in pairs:
            print(_line(f"{name} | {one} - {other}", agreement(angles[one][:, at], angles[other][:, at], clips)))
    print("\nBy the mean |yaw| of FSA-Net and 3DDFA:\n")
    print("| yaw | angle | models | faces | correlation | slope | bias | error | error without each clip's bias |")
    print("|---|---|---|---|---|---|---|---|---|")
    turned = np.abs((angles["3DDFA"][:, 0] + angles[fsanet][:, 0]) / 2)
    for low, high in RANGES:
        chosen = (turned >= low) & (turned < high)
        if chosen.sum() < 5:
            print(f"| {low} to {high} | too few: {chosen.sum()} faces |")
            continue
        for at, name in enumerate(ANGLES):
            for one, other in pairs:
                told = agreement(angles[one][chosen, at], angles[other][chosen, at], clips[chosen])
                print(_line(f"{low} to {high} | {name} | {one} - {other}", told))
    print("\nFSA-Net's box: with other margins than a tenth\n")
    print(
        "| angle | models | faces | correlation | slope | bias | error | error without each clip's bias"
        " |\n|---|---|---|---|---|---|---|---|"
    )
    for margin in MARGINS[1:]:
        for at, name in enumerate(ANGLES):
            for one in (fsanet, "LandmarkFaces"):
                other = f"FSA-Net {margin:g}"
                print(_line(f"{name} | {one} - {other}", agreement(angles[one][:, at], angles[other][:, at], clips)))
    print("\nMouth opening, in widths of the mouth; of DetectActiveSpeaker in heights of the face\n")
    print(
        "| models | faces | correlation | slope | bias | error | error without each clip's bias"
        " |\n|---|---|---|---|---|---|---|"
    )
    ours, other, high = (
        np.array([getattr(look, name) for look in looks]) for name in ("mouth", "mouth_68", "mouth_height")
    )
    print(_line("LandmarkFaces - 3DDFA's 68 points", agreement(ours, other, clips), digits=3))
    seen = ~np.isnan(high)
    print(
        _line("DetectActiveSpeaker' opening - LandmarkFaces", agreement(high[seen], ours[seen], clips[seen]), digits=3)
    )
    print(
        _line(
            "DetectActiveSpeaker' opening - 3DDFA's 68 points",
            agreement(high[seen], other[seen], clips[seen]),
            digits=3,
        )
    )
    for low, up in RANGES:
        chosen = (turned >= low) & (turned < up)
        if chosen.sum() >= 5:
            print(
                _line(
                    f"{low} to {up}: LandmarkFaces - 3DDFA's",
                    agreement(ours[chosen], other[chosen], clips[chosen]),
                    digits=3,
                )
            )
            chosen &= seen
            print(
                _line(
                    f"{low} to {up}: DetectActiveSpeaker' - LandmarkFaces",
                    agreement(high[chosen], ours[chosen], clips[chosen]),
                    digits=3,
                )
            )
    print("\nBy clip: LandmarkFaces' yaw, and its mean absolute difference from FSA-Net and from 3DDFA, all angles\n")
    print(
        "| clip | faces | width px | yaw | FSA-Net yaw pitch roll | 3DDFA yaw pitch roll |\n|---|---|---|---|---|---|"
    )
    for clip in dict.fromkeys(clips.tolist()):
        mine = clips == clip
        off = [
            " ".join(f"{x:.1f}" for x in np.abs(angles["LandmarkFaces"] - angles[m])[mine].mean(axis=0))
            for m in (fsanet, "3DDFA")
        ]
        width = np.median([look.width_px for look in looks if look.clip == clip])
        print(
            f"| {clip} | {mine.sum()} | {width:.0f} | {np.median(angles['LandmarkFaces'][mine, 0]):.0f} | {off[0]} |"
            f" {off[1]} |"
        )


def _line(what: str, told: Agreement, digits: int = 1) -> str:
    numbers = " | ".join(f"{value:.{digits}f}" for value in (told.bias, told.error, told.unbiased))
    return f"| {what} | {told.looks} | {told.correlation:.3f} | {told.slope:.2f} | {numbers} |"


def draw(looks: Sequence[Look], to: Path) -> None:
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    angles = series(looks)
    figure, axes = plt.subplots(2, 4, figsize=(14, 7), layout="constrained")
    for row, (name, label) in zip(axes, ((f"FSA-Net {MARGINS[0]:g}", "FSA-Net"), ("3DDFA", "3DDFA_V2")), strict=True):
        for at, angle in enumerate(ANGLES):
            row[at].scatter(angles[name][:, at], angles["LandmarkFaces"][:, at], s=5, alpha=0.4)
            limit = max(np.abs(angles[name][:, at]).max(), np.abs(angles["LandmarkFaces"][:, at]).max()) + 3
            row[at].plot([-limit, limit], [-limit, limit], color="black", linewidth=0.8)
            row[at].set(xlabel=f"{label}: {angle}, degrees", ylabel=f"LandmarkFaces: {angle}, degrees", aspect="equal")
    ours = [look.mouth for look in looks]
    mouths = (("mouth_68", "3DDFA_V2's 68 points", 0.9), ("mouth_height", "DetectActiveSpeaker'", 0.18))
    for ax, (name, label, largest) in zip(axes[:, 3], mouths, strict=True):
        ax.scatter([getattr(look, name) for look in looks], ours, s=5, alpha=0.4, color="tab:red")
        ax.set(
            xlabel=f"mouth opening: {label}", ylabel="LandmarkFaces: mouth opening", xlim=(0, largest), ylim=(0, 0.7)
        )
    figure.savefig(to, dpi=80)


def keep_worst(looks: Sequence[Look], folder: Path) -> None:
    """The faces on which a pair of models differs most, named by what each says."""
    from PIL import Image

    folder.mkdir(parents=True, exist_ok=True)
    fsanet: Callable[[Look], Array] = lambda look: look.fsanet[MARGINS[0]]  # noqa: E731
    for at, angle in enumerate(ANGLES):
        ranked = sorted(
            looks, key=lambda look: -min(abs(look.ours[at] - fsanet(look)[at]), abs(look.ours[at] - look.tddfa[at]))
        )
        for n, look in enumerate(ranked[:8]):
            said = f"mesh{look.ours[at]:.0f}_fsanet{fsanet(look)[at]:.0f}_3ddfa{look.tddfa[at]:.0f}"
            Image.fromarray(look.crop).save(folder / f"{angle}_{n}_{said}_{look.clip}_{look.at_s:.2f}.png")
    for n, look in enumerate(sorted(looks, key=lambda look: -abs(look.mouth - look.mouth_68))[:8]):
        Image.fromarray(look.crop).save(
            folder / f"mouth_{n}_mesh{look.mouth:.2f}_68p{look.mouth_68:.2f}_{look.clip}_{look.at_s:.2f}.png"
        )


if __name__ == "__main__":
    main()
