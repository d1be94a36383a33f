"""3DMM coefficients of the driving video (expression, pose, crop: 73 numbers, 27 frames around each) warp one picture
and repair it.

The authors' script writes three panels (truth, warp, result) at 15 frames a second that are none; here the network is
called, and the result alone is written. The coefficients are those of Deep3DFaceRecon, which this adapter does not run
yet: with real weights it refuses, and with random ones it is given numbers made of the mesh.
"""
# /// script
# requires-python = ">=3.11,<3.13"
# dependencies = ["torch==2.11.0", "numpy", "opencv-python-headless", "pyyaml"]
# [tool.headset]
# title = "PIRenderer"
# paper = "PIRenderer: Controllable Portrait Image Generation via Semantic Neural Rendering, ICCV 2021"
# year = 2021
# driven_by = "video"
# code = "full"
# licence = "CC-BY-NC-4.0"
# repository = "RenYurui/PIRender"
# commit = "9e59f194f1a0eb32769a6f058ae55c124cd3d298"
# weights_licence = "unknown"
# weights = [
#   {file = "face.pt", address = "scripts/download_weights.sh of the repository: the checkpoint of `face`, renamed so"},
# ]
# [tool.headset.input]
# crop = "the VoxCeleb crop of its authors"
# px = 256
# landmarks = true
# [tool.headset.output]
# px = 256
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
import yaml

MODEL = {}
RADIUS = 13  # frames to each side


class Refused(Exception):
    """What this system cannot do here, by its own word."""


def prepare(folder):
    """Nothing beside the checkout and the weights."""


def load(device):
    """The generator of the authors' code."""
    sys.path.insert(0, CHECKOUT)
    from generators.face_model import FaceGenerator

    with open(os.path.join(CHECKOUT, "config", "face_demo.yaml")) as file:
        said = yaml.safe_load(file)["gen"]["param"]
    torch.manual_seed(0)
    network = FaceGenerator(**said)
    if not RANDOM:
        network.load_state_dict(
            torch.load(os.path.join(WEIGHTS, "face.pt"), map_location="cpu", weights_only=False)["net_G_ema"]
        )
    MODEL.update(network=network.to(device).eval(), device=device)


def generate(request):
    """A frame for each driving frame."""
    if not RANDOM:
        raise Refused(
            "it wants the coefficients of Deep3DFaceRecon for each driving frame, which this adapter does not make yet"
        )
    numbers = from_mesh(np.load(request["driving_landmarks"]), request["size"])

    def pictures():
        with torch.no_grad():
            rgb = cv2.imread(request["source_image"])[:, :, ::-1].copy()
            source = (torch.from_numpy(rgb).permute(2, 0, 1)[None].float() / 127.5 - 1).to(MODEL["device"])
            for at in range(len(numbers)):
                around = np.clip(np.arange(at - RADIUS, at + RADIUS + 1), 0, len(numbers) - 1)
                driving = torch.from_numpy(numbers[around].T[None]).to(MODEL["device"])
                made = MODEL["network"](source, driving)["fake_image"][0].clamp(-1, 1)
                yield ((made.permute(1, 2, 0).cpu().numpy() + 1) * 127.5).round().astype(np.uint8)

    return write(request, pictures())


def from_mesh(points, size):
    """(frames, 73): where the face lies and how it is turned, roughly; no expression. It stands in for Deep3DFaceRecon
    in checks alone.
    """
    points = np.nan_to_num(points[:, [33, 263, 1, 61, 291], :2]) / size
    numbers = np.zeros((len(points), 73), np.float32)
    across = points[:, 1] - points[:, 0]
    numbers[:, 64] = points[:, 2, 0] - points[:, :2, 0].mean(axis=1)
    numbers[:, 66] = np.arctan2(across[:, 1], across[:, 0])
    numbers[:, 70:73] = np.stack([np.linalg.norm(across, axis=1), *points.mean(axis=1).T], axis=1)
    return numbers


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
