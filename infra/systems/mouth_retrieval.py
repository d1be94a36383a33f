"""Mouths of the person's own recordings, chosen by sound: a floor.

For each frame of the driving sound, the mouth is looked up in the person's other recordings at the moment whose sound
is most alike (log mel spectra of a fifth of a second), with a small cost for jumping, and blended into the source
picture. What it shows was really said by that mouth, but not these words. The recording that is to be remade is never
among those looked into; a person without another recording is refused. It is no contender.
"""
# /// script
# requires-python = ">=3.6"
# dependencies = ["numpy", "opencv-python"]
# [tool.headset]
# title = "Mouth retrieval"
# paper = "none: a floor"
# year = 2026
# driven_by = "audio"
# code = "full"
# licence = "Apache-2.0"
# kind = "command"
# floor = true
# weights_licence = "none needed"
# [tool.headset.input]
# px = 512
# hz = 16000
# landmarks = true
# references = true
# ///

import os
import wave

import cv2
import numpy as np

JUMP = 0.15  # cost of not going on where the last frame was taken, in the distance of two spectra
TURNED = 8.0  # cost of eyes and nose that lie beside the source picture's, in shares of the distance of the eyes
WINDOW = 0.2  # seconds of sound around a frame
STEADY = [
    33,
    133,
    362,
    263,
    168,
    6,
    197,
    195,
    5,
    4,
    98,
    327,
    2,
]  # points that speech does not move: corners of the eyes, bridge and base of the nose


class Refused(Exception):
    """What this system cannot do, by its own word."""


def prepare(folder):
    """Nothing is needed."""


def load(device):
    """Nothing is loaded."""


def generate(request):
    """The source picture with the mouth of another moment in each frame."""
    if not request["references"]:
        raise Refused("the person has no other recording to take mouths from")
    if not request["driving_audio"]:
        raise Refused("no driving sound")
    points = np.load(request["source_landmarks"])[:468, :2]
    if np.isnan(points[0, 0]):
        raise Refused("no face in the source picture")
    rate = request["fps"][0] / request["fps"][1]
    frames, faces, spectra, ends = [], [], [], []
    for path in request["references"]:
        if not os.path.exists(path[: -len("mp4")] + "wav"):
            continue
        some, seen = read_video(path), np.load(path[: -len("mp4")] + "npy")[:, :468, :2]
        heard = described(path[: -len("mp4")] + "wav", rate, len(some))
        there = np.flatnonzero(~np.isnan(seen[: len(some), 0, 0]))
        frames += [some[number] for number in there]
        faces += list(seen[there])
        spectra.append(heard[there])
        ends.append(len(frames) - 1)
    if not frames:
        raise Refused("no other recording of the person has a face and sound")
    spectra = np.concatenate(spectra)
    matrices, turned = zip(*[laid_on(face, points) for face in faces])  # noqa: B905 - runs in old Pythons too
    chosen = path_through(
        described(request["driving_audio"], rate, request["frames"]), spectra, np.array(turned), set(ends)
    )
    picture = cv2.imread(request["source_image"])
    mouth, size = mouth_box(points), picture.shape[1::-1]
    path = os.path.join(request["out_dir"], "mouth_retrieval.avi")
    writer = cv2.VideoWriter(path, cv2.VideoWriter_fourcc(*"FFV1"), rate, size)
    for number in chosen:
        writer.write(
            blended(
                picture, cv2.warpAffine(frames[number], matrices[number], size, borderMode=cv2.BORDER_REPLICATE), mouth
            )
        )
    writer.release()
    return {"video": "mouth_retrieval.avi", "frames": len(chosen)}


def read_video(path):
    """Its frames, BGR."""
    capture, found = cv2.VideoCapture(path), []
    while True:
        more, frame = capture.read()
        if not more:
            return found
        found.append(frame)


def described(path, rate, count):
    """(count, 40): the logarithm of what is heard around each frame in 40 bands on a mel scale, less its mean."""
    with wave.open(path, "rb") as file:
        hz = file.getframerate()
        sound = np.frombuffer(file.readframes(file.getnframes()), "<i2").astype(np.float32) / 32768
    half = int(WINDOW / 2 * hz)
    sound = np.pad(sound, (half, half + int(count / rate * hz)))
    middles = (np.arange(count) / rate * hz).astype(int)
    windows = np.stack([sound[at : at + 2 * half] for at in middles]) * np.hanning(2 * half)
    power = np.abs(np.fft.rfft(windows)) ** 2
    mel = 700 * (np.expm1(np.linspace(0, np.log1p(7600 / 700), 42)))
    bins = np.fft.rfftfreq(2 * half, 1 / hz)
    bands = np.maximum(
        0,
        np.minimum((bins - mel[:-2, None]) / np.diff(mel)[:-1, None], (mel[2:, None] - bins) / np.diff(mel)[1:, None]),
    )
    logs = np.log10(power @ bands.T + 1e-6)
    return logs - logs.mean(axis=0)


def path_through(wanted, there, turned, ends):
    """The moments (len(wanted),) of `there` that sound most alike, with a cost for a head turned otherwise and for each
    jump: Viterbi's path.
    """
    goes_on = np.array([number - 1 if number and number - 1 not in ends else -1 for number in range(len(there))])
    cost = np.zeros(len(there))
    back = []
    scale = np.abs(wanted[:, None][:1] - there[None]).mean() + 1e-9
    for one in wanted:
        best = int(cost.argmin())
        stay = np.where(goes_on >= 0, cost[goes_on], np.inf)
        jumps = stay > cost[best] + JUMP
        back.append(np.where(jumps, best, goes_on))
        cost = np.where(jumps, cost[best] + JUMP, stay) + np.abs(there - one).mean(axis=1) / scale + TURNED * turned
    at, found = int(cost.argmin()), []
    for came in reversed(back):
        found.append(at)
        at = int(came[at])
    return found[::-1]


def laid_on(face, onto):
    """How a frame is turned, scaled and shifted (2, 3) so that its eyes and nose lie on the source picture's and its
    mouth where that is; and how badly they fit.
    """
    matrix, _ = cv2.estimateAffinePartial2D(face[STEADY].astype(np.float32), onto[STEADY].astype(np.float32))
    laid = face @ matrix[:, :2].T + matrix[:, 2]
    off = np.linalg.norm(laid[STEADY] - onto[STEADY], axis=1).mean() / np.linalg.norm(onto[33] - onto[263])
    matrix[:, 2] += onto[[61, 291]].mean(axis=0) - laid[[61, 291]].mean(axis=0)
    return matrix, off


def mouth_box(points):
    """Left, top, right, bottom of the lower face: from below the nose to the chin."""
    middle, wide = points[[61, 291]].mean(axis=0), np.linalg.norm(points[61] - points[291])
    top, bottom = points[2, 1], points[152, 1]
    return [int(v) for v in (middle[0] - 0.85 * wide, top + 0.1 * (middle[1] - top), middle[0] + 0.85 * wide, bottom)]


def blended(picture, other, box):
    """The picture with this box of the other one in it, its border soft."""
    left, top, right, bottom = (max(value, 0) for value in box)
    mask = np.zeros(picture.shape[:2], np.float32)
    cv2.ellipse(
        mask, ((left + right) // 2, (top + bottom) // 2), ((right - left) // 2, (bottom - top) // 2), 0, 0, 360, 1, -1
    )
    mask = cv2.GaussianBlur(mask, (0, 0), max((right - left) / 12, 1))[..., None]
    return np.round(other * mask + picture * (1 - mask)).astype(np.uint8)
