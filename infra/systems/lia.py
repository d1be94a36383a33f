"""A picture moved along directions that are learnt in a latent space of motion, by self-supervision.

The picture is scaled to 256 px without a crop, the driving video must be 256 px. The authors' script stretches each
video's contrast to its own least and greatest value; here values are cut to -1 and 1 instead, so that one bright pixel
does not darken a film. It wants a GPU by its script alone: the network runs anywhere.
"""
# /// script
# requires-python = ">=3.11,<3.13"
# dependencies = ["torch==2.11.0", "numpy", "opencv-python-headless"]
# [tool.headset]
# title = "LIA"
# paper = "Latent Image Animator: Learning to Animate Images via Latent Space Navigation, ICLR 2022"
# year = 2022
# driven_by = "video"
# code = "full"
# licence = "CC-BY-NC-4.0"
# repository = "wyhsirius/LIA"
# commit = "b9f15fb70a3b7704576491ef8f4fd6fc4ad557d9"
# weights_licence = "unknown"
# weights = [
#   {file = "vox.pt", address = "the Google Drive folder that the repository's README names"},
# ]
# [tool.headset.input]
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

MODEL = {}


def prepare(folder):
    """Nothing beside the checkout and the weights."""


def load(device):
    """The generator of the authors' code."""
    sys.path.insert(0, CHECKOUT)
    from networks.generator import Generator

    if device == "cpu":
        torch.Tensor.cuda = lambda self, *_, **__: self  # their decoder moves one matrix to a GPU by name

    torch.manual_seed(0)
    network = Generator(256, 512, 20, 1)
    if not RANDOM:
        network.load_state_dict(
            torch.load(os.path.join(WEIGHTS, "vox.pt"), map_location="cpu", weights_only=True)["gen"]
        )
    MODEL.update(network=network.to(device).eval(), device=device)


def generate(request):
    """A frame for each driving frame, moved relative to the first."""

    def tensor(rgb):
        return (torch.from_numpy(rgb.copy()).permute(2, 0, 1)[None].float() / 127.5 - 1).to(MODEL["device"])

    def pictures():
        with torch.no_grad():
            source = tensor(cv2.imread(request["source_image"])[:, :, ::-1])
            start = None
            for rgb in frames_of(request["driving_video"]):
                driving = tensor(rgb)
                start = MODEL["network"].enc.enc_motion(driving) if start is None else start
                made = MODEL["network"](source, driving, start)[0].clamp(-1, 1)
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
