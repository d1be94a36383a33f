"""How near the points of MediaPipe's mesh that stand for the 68 of iBUG lie to dlib's, and which points of the mesh lie
nearest.

    HEADSET_MEDIA=... HEADSET_WEIGHTS=... PYTHONPATH=.:DLIB python -m benchmarks.accuracy.points68
    shape_predictor_68_face_landmarks.dat

DLIB is a folder with dlib-bin 20.0.1.post1. The predictor is in the package face-recognition-models 0.3.0; what it was
trained on, iBUG 300-W, forbids commercial use, so both are for measuring alone. Of each video of one or more talkers up
to six frames, 40 apart, are asked, and each face that is 80 pixels wide or more. A video counts once. Distances are
shares of that between the eyes' outer corners.
"""

import os
import sys
from importlib import import_module
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from operators.media.frames import VideoFrames
from operators.models.face_landmarker import Landmarker
from operators.models.face_pictures import IBUG_68

FOLDERS = ("single", "multi", "grid", "hdtf")
PARTS = {
    "jaw": slice(0, 17),
    "brows": slice(17, 27),
    "nose": slice(27, 36),
    "eyes": slice(36, 48),
    "outer lips": slice(48, 60),
    "inner lips": slice(60, 68),
}
LEAST_PX = 80
SAME_FACE = 0.35  # of the distance between the eyes, by which eyes and nose may be apart


def main(predictor: str) -> None:
    dlib: Any = import_module("dlib")
    find, place, mesh = dlib.get_frontal_face_detector(), dlib.shape_predictor(predictor), Landmarker(faces=4)
    off = []
    faces = 0
    listed = (path for folder in FOLDERS for path in Path(os.environ["HEADSET_MEDIA"], folder).iterdir())
    for path in sorted(path for path in listed if path.suffix in (".mp4", ".mpg", ".mov", ".mkv")):
        here = []
        for frame in islice(VideoFrames(path, 0.0, 20.0), 10, 6 * 40, 40):
            rgb = np.ascontiguousarray(frame.rgb(720))
            size = rgb.shape[1], rgb.shape[0]
            meshes = [found.points[:, :2] * size for found in mesh(rgb)]
            for box in find(rgb, 0 if size[0] > 900 else 1):
                if box.width() >= LEAST_PX:
                    told = place(rgb, box)
                    here += _beside(np.array([(told.part(n).x, told.part(n).y) for n in range(68)], float), meshes)
        faces += len(here)
        off += [np.mean(here, axis=0)] if here else []
    apart = np.mean(off, axis=0)
    ours = apart[IBUG_68, np.arange(68)]
    print(f"{faces} faces of {len(off)} videos\n\n| part | ours | the nearest of all |\n|---|---|---|")
    for part, which in {**PARTS, "all": slice(0, 68)}.items():
        print(f"| {part} | {ours[which].mean():.3f} | {apart.min(axis=0)[which].mean():.3f} |")
    for n, point in enumerate(IBUG_68):
        near = ", ".join(f"{one} {apart[one, n]:.3f}" for one in apart[:, n].argsort()[:3])
        print(f"{n}: {point} {ours[n]:.3f}; nearest {near}")


def _beside(told: NDArray[np.float64], meshes: list[NDArray[np.float64]]) -> list[NDArray[np.float64]]:
    """(478, 68) from each point of the mesh of this face to each of the 68; nothing where no mesh is of this face."""
    between_eyes = np.hypot(*(told[45] - told[36]))
    three = told[[36, 45, 30]].mean(axis=0)
    near = [
        (np.hypot(*(points[[33, 263, 1]].mean(axis=0) - three)) / between_eyes, n) for n, points in enumerate(meshes)
    ]
    if not near or min(near)[0] > SAME_FACE:
        return []
    points = meshes[min(near)[1]]
    return [np.hypot(*np.moveaxis(points[:, None] - told[None], 2, 0)) / between_eyes]


if __name__ == "__main__":
    main(sys.argv[1])
