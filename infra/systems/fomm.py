"""Keypoints and their local affine motion, found without supervision, move one picture: what video-driven systems are
compared with.

The crop is that of its VoxCeleb preprocessing: square around the face, enlarged. Motion is taken relative to the first
driving frame, which should look like the source picture in pose, and scaled by the size of the two faces (`--relative
--adapt_scale`).
"""
# /// script
# requires-python = ">=3.11,<3.13"
# dependencies = [
#   "torch==2.11.0", "numpy", "opencv-python-headless", "pyyaml", "scipy", "scikit-image", "imageio",
#   "pandas", "matplotlib", "tqdm",
# ]
# [tool.headset]
# title = "FOMM"
# paper = "First Order Motion Model for Image Animation, NeurIPS 2019"
# year = 2019
# driven_by = "video"
# code = "full"
# licence = "MIT"
# repository = "AliaksandrSiarohin/first-order-model"
# commit = "c0274845cb2dd8f0f2fe6da580d97b60fef90c91"
# weights_licence = "unknown"
# weights = [
#   {file = "vox-cpk.pth.tar", address = "the Google Drive or Yandex folder that the repository's README names"},
# ]
# [tool.headset.input]
# crop = "the VoxCeleb crop of its authors"
# px = 256
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


def prepare(folder):
    """Nothing beside the checkout and the weights."""


def load(device):
    """The generator and the keypoint detector of the authors' code."""
    sys.path.insert(0, CHECKOUT)
    from modules.generator import OcclusionAwareGenerator
    from modules.keypoint_detector import KPDetector

    with open(os.path.join(CHECKOUT, "config", "vox-256.yaml")) as file:
        said = yaml.safe_load(file)["model_params"]
    torch.manual_seed(0)
    generator = OcclusionAwareGenerator(**said["generator_params"], **said["common_params"])
    detector = KPDetector(**said["kp_detector_params"], **said["common_params"])
    if RANDOM:
        enliven(generator)
    else:
        held = torch.load(os.path.join(WEIGHTS, "vox-cpk.pth.tar"), map_location="cpu", weights_only=False)
        generator.load_state_dict(held["generator"])
        detector.load_state_dict(held["kp_detector"])
    MODEL.update(generator=generator.to(device).eval(), detector=detector.to(device).eval(), device=device)


def enliven(network):
    """Random weights by which a picture is not of one colour, as their code leaves it."""
    for parameter in network.parameters():
        if parameter.dim() > 1:
            torch.nn.init.kaiming_normal_(parameter.data)


def generate(request):
    """A frame for each driving frame."""
    from animate import normalize_kp

    def tensor(rgb):
        return (torch.from_numpy(rgb.copy()).permute(2, 0, 1)[None].float() / 255).to(MODEL["device"])

    def pictures():
        with torch.no_grad():
            source = tensor(cv2.imread(request["source_image"])[:, :, ::-1])
            of_source, first = MODEL["detector"](source), None
            for rgb in frames_of(request["driving_video"]):
                of_driving = MODEL["detector"](tensor(rgb))
                first = of_driving if first is None else first
                moved = normalize_kp(of_source, of_driving, first, True, True, True)
                made = MODEL["generator"](source, kp_source=of_source, kp_driving=moved)["prediction"][0]
                yield (made.permute(1, 2, 0).cpu().numpy() * 255).round().astype(np.uint8)

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
