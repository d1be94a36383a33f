"""How far `ScoreSkinTone` can be believed: `HEADSET_MEDIA=<folder> python -m benchmarks.accuracy.skin_tone`.

There is no spectrophotometer's value of anybody in the test media, so nothing here says how near the angle comes to a
person's skin. It says how much the angle moves while the skin stays the same. Written down before anything was
computed:

- Looks: one a second of every video of `single`, `multi`, `hdtf`, `grid` and `negative`; the widest face, 64 pixels or
  more, in which the landmarker finds a mesh as `LandmarkFaces` asks for it.
- Pieces: looks of one film in its next two seconds that lie within a face's width of each other, as a clip of 2 s would
  have them; the angle of a piece is the median of its looks.
- Told: between pieces of one film, the differences of angle and how often the class differs; between the two cheeks of
  a look; and of every look under a made change of light: gains on linear light (exposure by stops, red and blue for
  white balance), clipped at 255, as a camera set otherwise would have it.
"""

import math
import os
from collections import defaultdict
from collections.abc import Iterator
from itertools import combinations
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from manifests.boxes import square_around
from operators.base import every
from operators.faces.detect_faces import DetectFaces
from operators.faces.score_skin_tone import ScoreSkinTone, ita_deg
from operators.media.frames import VideoFrames
from operators.models.face_landmarker import Landmarker
from pipeline.query.balance import skin_class

FOLDERS = ("single", "multi", "hdtf", "grid", "negative")
SMALLEST_PX = 64.0
PIECE_S = 2.0
# Films whose widest face is not one person's all along, as seen on contact sheets.
SEVERAL = ("avi_testvideo.mp4", "avi_billhyland.mp4", "avi_testhyland.mp4", "hamilton_short_clip.mp4",
           "panda_R_YVZHusX4w.6.mp4", "panda_it8sFJe038g.7.mp4", "datajuicer_video3.mp4", "facenet_crowd_video.mp4",
           "facerec_interview.mp4", "panda_aCx99cgrkVY.22.mp4")  # fmt: skip
Pixels = NDArray[np.uint8]
# By name: what red, green and blue of linear light are multiplied by.
LIGHTS: dict[str, tuple[float, float, float]] = {
    "one stop darker": (0.5, 0.5, 0.5),
    "half a stop darker": (0.7071, 0.7071, 0.7071),
    "half a stop brighter": (1.4142, 1.4142, 1.4142),
    "one stop brighter": (2.0, 2.0, 2.0),
    "warmer: red 1.1, blue 0.9": (1.1, 1.0, 0.9),
    "cooler: red 0.9, blue 1.1": (0.9, 1.0, 1.1),
    "warmer: red 1.2, blue 0.8": (1.2, 1.0, 0.8),
    "cooler: red 0.8, blue 1.2": (0.8, 1.0, 1.2),
}


class Look(NamedTuple):
    """The skin of one face in one frame."""

    film: str
    at_s: float
    middle_px: float  # across the frame
    wide_px: float
    patches: list[Pixels]  # (n, 3) each: two cheeks, forehead

    @property
    def ita_deg(self) -> float:
        return ita_deg(np.concatenate(self.patches))


def looks(media: Path) -> Iterator[Look]:
    detector, landmarker, operator = DetectFaces(), Landmarker(blendshapes=False), ScoreSkinTone()
    films = sorted(path for folder in FOLDERS for path in (media / folder).glob("*.m[pok]*") if path.suffix != ".mp3")
    for path in films:
        for frame in every(VideoFrames(path, 0.0, math.inf), 1.0):
            box = max(detector.faces(frame), key=lambda box: box.right - box.left, default=None)
            if box is None or box.right - box.left < SMALLEST_PX:
                continue
            left, top, right, bottom = square_around(box, 2.0)
            found = landmarker.look([frame.crop(left, top, right, bottom, (320, 320))])[0]
            if not found or np.abs(found[0].points[:, :2].mean(axis=0) - 0.5).max() > 0.25:
                continue
            points = found[0].points[:, :2] * (right - left) + (left, top)
            skin = operator.skin(frame, points)
            yield Look(path.name, frame.pts_s, (box.left + box.right) / 2, box.right - box.left, skin)


def pieces(found: list[Look]) -> dict[str, list[list[Look]]]:
    """By film the looks of each piece."""
    by_film: dict[str, list[list[Look]]] = defaultdict(list)
    for look in found:
        last = by_film[look.film][-1] if by_film[look.film] else None
        if last and look.at_s - last[0].at_s < PIECE_S and abs(look.middle_px - last[-1].middle_px) < look.wide_px:
            last.append(look)
        else:
            by_film[look.film].append([look])
    return by_film


def lit(pixels: Pixels, gains: tuple[float, float, float]) -> Pixels:
    """The pixels under another light: gains on linear light, by the transfer of IEC 61966-2-1."""
    shares = pixels / 255.0
    linear = np.where(shares <= 0.04045, shares / 12.92, ((shares + 0.055) / 1.055) ** 2.4) * gains
    coded = np.where(linear <= 0.0031308, linear * 12.92, 1.055 * np.maximum(linear, 1e-9) ** (1 / 2.4) - 0.055)
    return np.rint(np.clip(coded, 0, 1) * 255).astype(np.uint8)


def main() -> None:
    found = list(looks(Path(os.environ["HEADSET_MEDIA"])))
    told = [look for look in found if not math.isnan(look.ita_deg)]
    print(f"{len(found)} looks of {len({look.film for look in found})} films; {len(told)} have an angle\n")
    print(
        "| what stays the same | pairs | median difference | 90 % are within | another class |\n|---|---|---|---|---|"
    )
    cheeks = [(ita_deg(look.patches[0]), ita_deg(look.patches[1])) for look in told]
    _row("a look: its two cheeks", cheeks)
    between, angles = list[tuple[float, float]](), dict[str, list[float]]()
    for film, some in pieces(found).items():
        known = [[look.ita_deg for look in piece if not math.isnan(look.ita_deg)] for piece in some]
        angles[film] = [float(np.median(piece)) for piece in known if piece]
        if film not in SEVERAL:
            between += combinations(angles[film], 2)
    _row("a film: two of its pieces of 2 s", between)
    for name, gains in LIGHTS.items():
        changed = [ita_deg(np.concatenate([lit(patch, gains) for patch in look.patches])) for look in told]
        _row(name, [(look.ita_deg, angle) for look, angle in zip(told, changed, strict=True)])
    print("\n| film | pieces | angle of each |\n|---|---|---|")
    for film, some in sorted(angles.items()):
        print(f"| {film} | {len(some)} | {', '.join(f'{angle:.0f}' for angle in some)} |")


def _row(name: str, pairs: list[tuple[float, float]]) -> None:
    known = [(one, other) for one, other in pairs if not math.isnan(one) and not math.isnan(other)]
    lost = len(pairs) - len(known)
    away = np.abs([one - other for one, other in known])
    other_class = np.mean([skin_class(one) != skin_class(other) for one, other in known])
    print(
        f"| {name} | {len(known)}{f' ({lost} without an angle)' if lost else ''} | {np.median(away):.1f} deg |"
        f" {np.quantile(away, 0.9):.1f} deg | {other_class:.0%} |"
    )


if __name__ == "__main__":
    main()
