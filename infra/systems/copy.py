"""The source picture held still: a floor.

It shows how good a metric finds a video that does nothing at all. A system that does not pass it in sync or motion has
learnt nothing of either; one that does not pass it in likeness may still be good, since a still picture is as like its
source as can be. It is no contender.
"""
# /// script
# requires-python = ">=3.6"
# dependencies = ["numpy", "opencv-python"]
# [tool.headset]
# title = "Copy"
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
# ///

import os

import cv2


def prepare(folder):
    """Nothing is needed."""


def load(device):
    """Nothing is loaded."""


def generate(request):
    """As many frames of the source picture as there are driving frames."""
    picture = cv2.imread(request["source_image"])
    path = os.path.join(request["out_dir"], "copy.avi")
    rate = request["fps"][0] / request["fps"][1]
    writer = cv2.VideoWriter(path, cv2.VideoWriter_fourcc(*"FFV1"), rate, picture.shape[1::-1])
    for _ in range(request["frames"]):
        writer.write(picture)
    writer.release()
    return {"video": "copy.avi", "frames": request["frames"]}
