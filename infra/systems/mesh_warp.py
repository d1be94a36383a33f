"""The driving face's mesh moves the source picture: a floor.

Of each driving frame, the 478 points of MediaPipe's mesh are compared with those of the first; what moved is put on the
source's points, scaled by the size of the two faces, and the source picture is bent along, triangle by triangle. The
frame's border and all that lies beyond the face's reach stay. Nothing is learnt, so what the source picture does not
show, such as teeth or the other side of a turned head, is not there: a mouth that opens is a stretched one. It is no
contender.
"""
# /// script
# requires-python = ">=3.6"
# dependencies = ["numpy", "opencv-python", "scipy"]
# [tool.headset]
# title = "Mesh warp"
# paper = "none: a floor"
# year = 2026
# driven_by = "video"
# code = "full"
# licence = "Apache-2.0"
# kind = "command"
# floor = true
# weights_licence = "none needed"
# [tool.headset.input]
# px = 512
# landmarks = true
# ///

import os

import cv2
import numpy as np
from scipy.spatial import Delaunay

REACH = 1.6  # of the face's outline, from its middle: what lies beyond stays where it is
POINTS = 468  # without the irises, which would fold the eyes
OUTLINE = [10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377, 152, 148, 176, 149,
           150, 136, 172, 58, 132, 93, 234, 127, 162,
           21, 54, 103, 67, 109]  # fmt: skip


class Refused(Exception):
    """What this system cannot do, by its own word."""


def prepare(folder):
    """Nothing is needed."""


def load(device):
    """Nothing is loaded."""


def generate(request):
    """A frame for each driving frame; where no face is seen, the last frame is held."""
    picture = cv2.imread(request["source_image"])
    source = np.load(request["source_landmarks"])[:POINTS, :2]
    driving = np.load(request["driving_landmarks"])[:, :POINTS, :2]
    seen = ~np.isnan(driving[:, 0, 0])
    if np.isnan(source[0, 0]) or not seen.any():
        raise Refused("no face in the source picture, or in no driving frame")
    first = driving[seen][0]
    scale = size_of(source) / size_of(first)
    height, width = picture.shape[:2]
    fixed = np.array(
        [
            (x, y)
            for x in (0, width / 2, width - 1)
            for y in (0, height / 2, height - 1)
            if (x, y) != (width / 2, height / 2)
        ]
    )
    middle = source.mean(axis=0)
    held = np.clip(middle + (source[OUTLINE] - middle) * REACH, 0, (width - 1, height - 1))
    anchors = np.concatenate([source, held, fixed])
    triangles = Delaunay(anchors).simplices
    path = os.path.join(request["out_dir"], "mesh_warp.avi")
    writer = cv2.VideoWriter(
        path, cv2.VideoWriter_fourcc(*"FFV1"), request["fps"][0] / request["fps"][1], (width, height)
    )
    shown = picture
    for number, points in enumerate(driving):
        if seen[number]:
            moved = np.clip(source + (points - first) * scale, 0, (width - 1, height - 1))
            shown = warped(picture, anchors, np.concatenate([moved, held, fixed]), triangles)
        writer.write(shown)
    writer.release()
    return {"video": "mesh_warp.avi", "frames": len(driving)}


def size_of(points):
    """Distance of the outer corners of the eyes, and of brow and chin, whichever a turn of the head shortens less."""
    return max(np.linalg.norm(points[33] - points[263]), np.linalg.norm(points[10] - points[152]) * 0.6)


def warped(picture, source, target, triangles):
    """The picture bent so that each triangle of source points lies on that of the target points."""
    height, width = picture.shape[:2]
    across = np.full((height, width), -1, np.float32)
    down = np.full((height, width), -1, np.float32)
    for corners in triangles:
        one, other = source[corners].astype(np.float32), target[corners].astype(np.float32)
        left, top = np.maximum(np.floor(other.min(axis=0)).astype(int), 0)
        right, bottom = np.minimum(np.ceil(other.max(axis=0)).astype(int) + 1, (width, height))
        if right - left < 1 or bottom - top < 1 or abs(area(other)) < 1e-3:
            continue
        matrix = cv2.getAffineTransform(other, one)
        grid = np.stack(np.meshgrid(np.arange(left, right), np.arange(top, bottom)), axis=-1).astype(np.float32)
        from_x, from_y = np.moveaxis(grid @ matrix[:, :2].T.astype(np.float32) + matrix[:, 2].astype(np.float32), -1, 0)
        mask = np.zeros((bottom - top, right - left), np.uint8)
        cv2.fillConvexPoly(mask, np.round(other - (left, top)).astype(np.int32), 1)
        inside = mask.astype(bool)
        across[top:bottom, left:right][inside] = from_x[inside]
        down[top:bottom, left:right][inside] = from_y[inside]
    hole = across < 0
    own = np.stack(np.meshgrid(np.arange(width), np.arange(height)), axis=-1).astype(np.float32)
    across[hole], down[hole] = own[hole].T
    return cv2.remap(picture, across, down, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)


def area(corners):
    """Twice the area of a triangle (3, 2), signed."""
    (ax, ay), (bx, by) = corners[1] - corners[0], corners[2] - corners[0]
    return ax * by - ay * bx
