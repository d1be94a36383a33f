"""Landmark maps drive a small motion network, and a head pose a small renderer: real time on a desktop, 512 px.

The landmarks (72, from -1 to 1) and the head pose (six numbers) are DECA's on the FLAME model, whose licences forbid
passing them on. This adapter does not run DECA: with real weights it refuses, and with random ones it is given numbers
made of the mesh.
"""
# /// script
# requires-python = ">=3.11,<3.13"
# dependencies = ["torch==2.11.0", "numpy", "opencv-python-headless", "torchvision", "pillow", "scipy"]
# [tool.headset]
# title = "Face2Face-rho"
# paper = "Real-Time High-Resolution One-Shot Face Reenactment, ECCV 2022"
# year = 2022
# driven_by = "video"
# code = "full"
# licence = "BSD-3-Clause"
# repository = "NetEase-GameAI/Face2FaceRHO"
# commit = "d14e6a24cd74df5e0b720dbab02cabcc96eca757"
# weights_licence = "unknown"
# [[tool.headset.weights]]
# file = "voxceleb_face2facerho.zip"
# address = "the Google Drive folder that the repository's README names: its models, packed into one file"
# [tool.headset.input]
# px = 512
# landmarks = true
# [tool.headset.output]
# px = 512
# ///

# ruff: noqa: E402
import os
import sys

SYSTEM = os.environ.get("HEADSET_SYSTEM", "")
CHECKOUT = os.path.join(SYSTEM, "checkout")
WEIGHTS = os.path.join(SYSTEM, "weights")
RANDOM = bool(os.environ.get("HEADSET_RANDOM_WEIGHTS"))

import cv2
import numpy as np
import torch

MODEL = {}
# Of MediaPipe's mesh, the points nearest to the 68 of iBUG; of DECA's 72 the first 17 are the jaw, and the last four
# close the outline.
JAW = (127, 234, 93, 58, 172, 136, 149, 176, 152, 356, 454, 323, 288, 397, 365, 378, 400)
REST = (70, 63, 105, 66, 107, 336, 296, 334, 293, 300, 168, 197, 5, 4, 75, 97, 2, 326, 305, 33, 160, 158, 133, 153, 144,
        362, 385, 387, 263, 373, 380, 61, 39, 37, 0, 267, 269, 291, 405, 314, 17, 84, 181, 78, 82, 13, 312, 308, 317,
        14, 87, 10, 151, 9, 8)  # fmt: skip


class Refused(Exception):
    """What this system cannot do here, by its own word."""


def prepare(folder):
    """Nothing beside the checkout and the weights."""


def load(device):
    """The motion network and the renderer of the authors' code."""
    sys.path.insert(0, os.path.join(CHECKOUT, "src"))
    from models import create_model
    from options.parse_config import Face2FaceRHOConfigParse
    from util.landmark_image_generation import LandmarkImageGeneration

    option = Face2FaceRHOConfigParse().get_opt_from_ini(
        os.path.join(CHECKOUT, "src", "config", "test_face2facerho.ini")
    )
    option.gpu_ids = [] if device == "cpu" else [0]
    option.checkpoints_dir = os.path.join(SYSTEM, "checkpoints")
    torch.manual_seed(0)
    model = create_model(option)
    if RANDOM:
        # As their code leaves untrained networks, the picture is of one colour.
        for parameter in [*model.rendering_net.parameters(), *model.motion_net.parameters()]:
            if parameter.dim() > 1:
                torch.nn.init.kaiming_normal_(parameter.data)
    if not RANDOM:
        model.setup(option)
    model.eval()
    MODEL.update(model=model, maps=LandmarkImageGeneration(option), size=option.output_size)


def generate(request):
    """A frame for each driving frame; where no face is seen, the pose of the last."""
    if not RANDOM:
        raise Refused("it wants DECA's landmarks and head pose of each frame, which this adapter does not make")
    source, driving = (np.load(request[name])[..., :2] for name in ("source_landmarks", "driving_landmarks"))
    if np.isnan(source).any():
        raise Refused("no face in the source picture")

    def given(points):
        spread = torch.from_numpy(points[[*JAW, *REST]] / request["size"] * 2 - 1).float()
        pose = torch.tensor([0.0, 0.0, 0.0, 0.0, 0.0, float(np.ptp(points[:, 0])) / request["size"]])
        return pose[None], [one[None] for one in MODEL["maps"].generate_landmark_img(spread)]

    def pictures():
        with torch.no_grad():
            rgb = cv2.resize(cv2.imread(request["source_image"])[:, :, ::-1], (MODEL["size"], MODEL["size"]))
            pose, maps = given(source)
            MODEL["model"].set_source_face(
                torch.from_numpy(rgb.copy()).permute(2, 0, 1)[None].float() / 127.5 - 1, pose
            )
            last = source
            for points in driving:
                last = last if np.isnan(points).any() else points
                pose, moved = given(last)
                MODEL["model"].reenactment(maps, pose, moved)
                made = MODEL["model"].fake[0].clamp(-1, 1)
                yield ((made.permute(1, 2, 0).cpu().numpy() + 1) * 127.5).round().astype(np.uint8)

    return write(request, pictures())


def frames_of(path):
    """The frames of a video, RGB."""
    capture, found = cv2.VideoCapture(path), []
    while True:
        more, frame = capture.read()
        if not more:
            return found
        found.append(frame[:, :, ::-1])


def write(request, pictures):
    """A lossless video of RGB pictures (h, w, 3), 0 to 255."""
    rate, writer, count = request["fps"][0] / request["fps"][1], None, 0
    for rgb in pictures:
        if writer is None:
            path = os.path.join(request["out_dir"], "made.avi")
            writer = cv2.VideoWriter(path, cv2.VideoWriter_fourcc(*"FFV1"), rate, rgb.shape[1::-1])
        writer.write(np.ascontiguousarray(rgb[:, :, ::-1]))
        count += 1
    writer.release()
    return {"video": "made.avi", "frames": count}
