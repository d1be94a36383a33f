"""Inpaints the lower half of a face by sound, under a sync expert: what lip sync is compared with.

Its face boxes come from S3FD and are padded by 10 px below the chin; here they are made of MediaPipe's mesh, so that
its detector's weights are not needed. The box of the source picture is animated, so that it moves one still picture;
the face pasted back is 96 px. The sound goes through the authors' own mel spectrogram.
"""
# /// script
# requires-python = ">=3.11,<3.13"
# dependencies = ["torch==2.11.0", "numpy", "opencv-python-headless", "librosa==0.9.2", "scipy"]
# [tool.headset]
# title = "Wav2Lip"
# paper = "A Lip Sync Expert Is All You Need for Speech to Lip Generation In the Wild, ACM Multimedia 2020"
# year = 2020
# driven_by = "audio"
# code = "full"
# licence = "research only"
# repository = "Rudrabha/Wav2Lip"
# commit = "5c90fa9b4a2c2a37d0b4ebf7633ac41534eb9941"
# weights_licence = "unknown"
# weights = [
#   {file = "wav2lip_gan.pth", address = "the Google Drive file that the repository's README names"},
# ]
# [tool.headset.input]
# px = 512
# hz = 16000
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
MEL_STEP, MEL_HZ, SIDE = 16, 80, 96  # of the mel spectrogram a frame hears; columns of it a second; pixels of the face


class Refused(Exception):
    """What this system cannot do here, by its own word."""


def prepare(folder):
    """Nothing beside the checkout and the weights."""


def load(device):
    """The generator of the authors' code."""
    sys.path.insert(0, CHECKOUT)
    import librosa.filters
    import numpy

    # The authors' call is of librosa before 0.10.
    mel = librosa.filters.mel
    librosa.filters.mel = lambda hz=None, fft=None, **more: mel(
        sr=hz or more.pop("sr"), n_fft=fft or more.pop("n_fft"), **more
    )
    numpy.complex = complex
    from models import Wav2Lip

    torch.manual_seed(0)
    network = Wav2Lip()
    if not RANDOM:
        held = torch.load(os.path.join(WEIGHTS, "wav2lip_gan.pth"), map_location="cpu", weights_only=False)[
            "state_dict"
        ]
        network.load_state_dict({key.replace("module.", ""): value for key, value in held.items()})
    MODEL.update(network=network.to(device).eval(), device=device)


def generate(request):
    """The source picture with its mouth moved, a frame for each driving frame."""
    import audio

    if not request["driving_audio"]:
        raise Refused("no driving sound")
    points = np.load(request["source_landmarks"])[:468, :2]
    if np.isnan(points[0, 0]):
        raise Refused("no face in the source picture")
    picture = cv2.imread(request["source_image"])
    height, width = picture.shape[:2]
    pad = 10 * request["size"] / 256
    (left, top), (right, bottom) = points.min(axis=0).astype(int), points.max(axis=0).astype(int)
    left, top, right, bottom = max(left, 0), max(top, 0), min(right, width), min(bottom + int(pad), height)
    mel = audio.melspectrogram(audio.load_wav(request["driving_audio"], 16000))
    face = cv2.resize(picture[top:bottom, left:right], (SIDE, SIDE))
    masked = face.copy()
    masked[SIDE // 2 :] = 0
    seen = (
        torch.from_numpy(np.concatenate((masked, face), axis=2).transpose(2, 0, 1)[None] / 255.0)
        .float()
        .to(MODEL["device"])
    )
    rate = request["fps"][0] / request["fps"][1]

    def pictures():
        with torch.no_grad():
            for number in range(request["frames"]):
                at = min(int(number * MEL_HZ / rate), mel.shape[1] - MEL_STEP)
                heard = torch.from_numpy(mel[:, at : at + MEL_STEP][None, None]).float().to(MODEL["device"])
                made = MODEL["network"](heard, seen)[0].permute(1, 2, 0).cpu().numpy() * 255
                whole = picture.copy()
                whole[top:bottom, left:right] = cv2.resize(made.astype(np.uint8), (right - left, bottom - top))
                yield whole[:, :, ::-1]

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
