"""Sound to head pose, both to the keypoints of FOMM's kind, and those to video: one picture, 25 frames a second.

The authors' script names one wav file for all its runs, so that two at once spoil each other; here the sound is read
from the request. Features of sound are 41 numbers a hundredth of a second (MFCC, filter banks, pitch by pyworld), four
rows a frame.
"""
# /// script
# requires-python = ">=3.11,<3.13"
# dependencies = [
#   "torch==2.11.0", "numpy", "opencv-python-headless", "pyyaml", "scipy", "scikit-image", "imageio",
#   "pyworld", "python_speech_features",
# ]
# [tool.headset]
# title = "Audio2Head"
# paper = "Audio2Head: Audio-driven One-shot Talking-head Generation with Natural Head Motion, IJCAI 2021"
# year = 2021
# driven_by = "audio"
# code = "full"
# licence = "no licence file"
# repository = "wangsuzhen/Audio2Head"
# commit = "09e9b431e48a6358c2877a12cd45457ff0379455"
# weights_licence = "unknown"
# weights = [
#   {file = "audio2head.pth.tar", address = "the Google Drive file that the repository's README names"},
# ]
# [tool.headset.input]
# px = 256
# hz = 16000
# [tool.headset.output]
# px = 256
# fps = 25.0
# ///

# ruff: noqa: E402
import argparse
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
FPS = 25


class Refused(Exception):
    """What this system cannot do here, by its own word."""


def prepare(folder):
    """Nothing beside the checkout and the weights."""


def load(device):
    """The networks of the authors' code, and their features of sound."""
    np.float = float  # their code is older than NumPy 1.24
    sys.path.insert(0, CHECKOUT)
    import inference
    from modules.audio2kp import AudioModel3D
    from modules.generator import OcclusionAwareGenerator
    from modules.keypoint_detector import KPDetector

    with open(os.path.join(CHECKOUT, "config", "vox-256.yaml")) as file:
        said = yaml.safe_load(file)["model_params"]
    with open(os.path.join(CHECKOUT, "config", "parameters.yaml")) as file:
        option = argparse.Namespace(**yaml.safe_load(file))
    torch.manual_seed(0)
    networks = {
        "kp_detector": KPDetector(**said["kp_detector_params"], **said["common_params"]),
        "generator": OcclusionAwareGenerator(**said["generator_params"], **said["common_params"]),
        "audio2kp": AudioModel3D(option),
    }
    if RANDOM:
        enliven(networks["generator"])
    else:
        held = torch.load(os.path.join(WEIGHTS, "audio2head.pth.tar"), map_location="cpu", weights_only=False)
        for name, network in networks.items():
            network.load_state_dict(held[name])
    MODEL.update(
        {name: network.to(device).eval() for name, network in networks.items()},
        option=option,
        device=device,
        theirs=inference,
    )


def enliven(network):
    """Random weights by which a picture is not of one colour, as their code leaves it."""
    for parameter in network.parameters():
        if parameter.dim() > 1:
            torch.nn.init.kaiming_normal_(parameter.data)


def generate(request):
    """25 frames a second of sound."""
    if not request["driving_audio"]:
        raise Refused("no driving sound")
    theirs, option, device = MODEL["theirs"], MODEL["option"], MODEL["device"]
    heard = theirs.get_audio_feature_from_audio(request["driving_audio"])
    count, length = len(heard) // 4, option.seq_len
    rgb = cv2.imread(request["source_image"])[:, :, ::-1].copy()
    picture = (torch.from_numpy(rgb).permute(2, 0, 1)[None].float() / 255).to(device)
    turns, shifts = poses_of(picture, heard, count)

    def pictures():
        with torch.no_grad():
            of_source, done = MODEL["kp_detector"](picture), 0
            for begin in range(0, count, length // 2):
                sounds, boxes = np.zeros((length, 4, 41), np.float32), np.zeros((length, 256, 256), np.float32)
                for k in range(length):
                    at = min(begin + k, count - 1)
                    if begin + k < count:
                        sounds[k] = heard[4 * at : 4 * at + 4]
                    box = np.zeros((256, 256))
                    theirs.draw_annotation_box(box, np.array(turns[at]), np.array(shifts[at]))
                    boxes[k] = box
                given = {
                    "audio": torch.from_numpy(sounds)[None].to(device),
                    "pose": torch.from_numpy(boxes)[None].to(device),
                    "id_img": picture,
                }
                moved = MODEL["audio2kp"](given)
                for k in range(0 if begin == 0 else length // 4, length // 4 * 3):
                    if done == count:
                        return
                    points = {"value": moved["value"][:, k]}
                    if option.estimate_jacobian:
                        points["jacobian"] = moved["jacobian"][:, k]
                    made = MODEL["generator"](picture, kp_source=of_source, kp_driving=points)["prediction"][0]
                    done += 1
                    yield (made.permute(1, 2, 0).cpu().numpy() * 255).astype(np.uint8)

    return write({**request, "fps": [FPS, 1]}, pictures())


def poses_of(picture, heard, count):
    """Turn and shift of the head in each frame, by the authors' network; with random weights a head that does not
    move.
    """
    if RANDOM:
        return np.zeros((count, 3)), np.tile((0.0, 0.0, 300.0), (count, 1))
    from modules.audio2pose import get_pose_from_audio

    return get_pose_from_audio(picture, heard, os.path.join(WEIGHTS, "audio2head.pth.tar"))


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
