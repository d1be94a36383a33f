"""Frames a second of each stage that looks at pictures, on the CPU as it is used there and on the GPU of the same machine; how far both agree is printed first.

    python -m benchmarks.speed.gpu [--device cpu] [--seconds 10] [FILM ...]

With `--device cpu` the GPU's code runs on the CPU: that shows that it agrees, and is no measure of speed. One thread each, the films' conversions made before.
"""

import argparse
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from timeit import timeit
from typing import Any

import numpy as np
from numpy.typing import NDArray

from manifests.boxes import square_around
from operators.base import Frame, every
from operators.faces.detect_faces import GPU_BATCH
from operators.media.frames import VideoFrames
from operators.models.blazeface import Blazeface
from operators.models.catalogue import FACE_DETECTOR_FULL_RANGE, FACE_DETECTOR_SHORT_RANGE, TRANSNETV2
from operators.models.detections import AlignedFace
from operators.models.device import batches
from operators.models.face_detectors import Mediapipe
from operators.models.face_geometry import FaceLandmarks, head_pose_deg
from operators.models.face_identity import NETWORKS, face_crop
from operators.models.face_landmarker import Landmarker
from operators.models.facemesh import Facemesh
from operators.models.mediapipe import looker
from operators.models.transnetv2 import HEIGHT, WIDTH, TransNetV2, score_frames

FILMS = ("single/headpose_31.mp4", "multi/avi_billhyland.mp4", "single/speakervid_range_head_1.mp4")
CROP = (320, 320)


@dataclass
class Stage:
    """One stage in two ways, and how far their answers are apart."""

    name: str
    count: int  # frames, faces
    ways: tuple[Callable[[], Any], ...]  # on the CPU, and on the device where it runs there
    apart: Callable[[Any, Any], str]


def main() -> None:
    import torch

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("films", nargs="*", metavar="FILM")
    parser.add_argument("--device", default="cuda", choices=("cuda", "cpu"))
    parser.add_argument("--seconds", type=float, default=10.0, help="of each film, at 5 looks a second")
    options = parser.parse_args()
    if options.device == "cuda" and not torch.cuda.is_available():
        raise SystemExit("no GPU here; --device cpu runs the same code on the CPU")
    torch.set_num_threads(1)
    films = [Path(film) for film in options.films] or [Path(os.environ["HEADSET_MEDIA"], name) for name in FILMS]
    where = torch.cuda.get_device_name() if options.device == "cuda" else "the CPU, in torch"
    print(f"{time.strftime('%Y-%m-%d')}, {os.cpu_count()} cores, {where}, torch {torch.__version__}, {len(films)} films\n")
    stages = _stages(films, options.seconds, options.device)
    for stage in stages:
        told = [way() for way in stage.ways]  # warms up, too
        if len(told) == 2:
            print(f"- {stage.name}: {stage.apart(*told)}")
    print("\n| stage | of | on the CPU, a second | on the device, a second |\n|---|---|---|---|")
    for stage in stages:
        speeds = [f"{stage.count / timeit(way, number=1):.0f}" for way in stage.ways]  # all end with numbers in memory: a GPU is waited for
        print(f"| {stage.name} | {stage.count} | {' | '.join([*speeds, '-'][:2])} |")


def _stages(films: Sequence[Path], seconds: float, device: str) -> list[Stage]:
    looks: list[list[Frame]] = [list(every(VideoFrames(film, 0.0, seconds), 5.0)) for film in films]
    networks = (FACE_DETECTOR_FULL_RANGE, 0.3), (FACE_DETECTOR_SHORT_RANGE, 0.6)
    by_mediapipe = Mediapipe(*(looker(weight, least, "cpu") for weight, least in networks))
    in_torch = Mediapipe(*(Blazeface(weight.path().read_bytes(), least, device) for weight, least in networks))

    def detected(model: Mediapipe, size: int) -> list[list[AlignedFace]]:
        return [found for frames in looks for some in batches(frames, size) for found in model.look(some)]

    told = detected(by_mediapipe, 1)
    flat = [frame for frames in looks for frame in frames]
    faces = [(frame, sight) for frame, sights in zip(flat, told, strict=True) for sight in sights[:1]]
    crops = [frame.crop(*square_around(sight.box, 2.0), CROP) for frame, sight in faces]
    landmarker, facemesh = Landmarker(), Facemesh(device=device)
    aligned = [face_crop(frame, sight) for frame, sight in faces]
    network, scale = NETWORKS["faceplugin"]
    sessions = [network.session(on_gpu) for on_gpu in ((False, True) if device == "cuda" else (False,))]
    sessions = sessions[:1] + [one for one in sessions[1:] if "CUDAExecutionProvider" in one.get_providers()]
    pictures = [_small(frame.rgb(72)) for film in films for frame in VideoFrames(film, 0.0, seconds)]

    def embedded(session: Any) -> NDArray[np.float32]:
        given = [((crop.astype(np.float32) - 127.5) / scale).transpose(2, 0, 1)[None] for crop in aligned]
        return np.stack([session.run(None, {session.get_inputs()[0].name: one})[0].ravel() for one in given])

    def shots(net: TransNetV2, size: int) -> NDArray[np.float32]:
        return np.array(list(score_frames(net, pictures, size)))

    def decoded() -> None:
        for film in films:
            for frame in VideoFrames(film, 0.0, seconds):
                frame.rgb(192)

    def meshed() -> list[list[FaceLandmarks]]:
        return [found for some in batches(crops, facemesh.batch) for found in facemesh.look(some)]

    here, there = (TransNetV2.load(TRANSNETV2.path()).to(place) for place in ("cpu", device))
    return [
        Stage("decode, to 192 lines", len(pictures), (decoded,), lambda one, _: ""),
        Stage("detection", len(flat), (lambda: detected(by_mediapipe, 1), lambda: detected(in_torch, GPU_BATCH)), _boxes_apart),
        Stage("landmarks and blendshapes", len(crops), (lambda: landmarker.look(crops), meshed), _meshes_apart),
        Stage("embedding, one by one", len(aligned), tuple(partial(embedded, session) for session in sessions), _told_apart),
        Stage("shots by TransNetV2", len(pictures), (lambda: shots(here, 1), lambda: shots(there, 4)), _shots_apart),
    ]


def _small(rgb: NDArray[np.uint8]) -> NDArray[Any]:
    import cv2

    return np.asarray(cv2.resize(rgb, (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA))


def _told_apart(one: NDArray[np.float32], other: NDArray[np.float32]) -> str:
    cosines = (one * other).sum(axis=1) / np.linalg.norm(one, axis=1) / np.linalg.norm(other, axis=1)
    return f"least cosine {cosines.min():.6f}"


def _shots_apart(one: NDArray[np.float32], other: NDArray[np.float32]) -> str:
    return f"probabilities {np.abs(one - other).max():.1g} apart at most"


def _boxes_apart(one: list[list[AlignedFace]], other: list[list[AlignedFace]]) -> str:
    pairs = [pair for here, there in zip(one, other, strict=True) if len(here) == len(there) for pair in zip(here, there, strict=True)]
    lost = sum(len(here) != len(there) for here, there in zip(one, other, strict=True))
    far = max(np.abs(np.subtract(here.box[:4], there.box[:4])).max() / (here.box.right - here.box.left) for here, there in pairs)
    return f"{len(pairs)} faces, corners {far:.1g} widths apart at most; {lost} frames with another number of faces"


def _meshes_apart(one: list[list[FaceLandmarks]], other: list[list[FaceLandmarks]]) -> str:
    pairs = [(here[0], there[0]) for here, there in zip(one, other, strict=True) if here and there]
    points = max(np.abs(here.points - there.points).max() * CROP[0] for here, there in pairs)
    turns = max(np.abs(np.subtract(head_pose_deg(here.matrix), head_pose_deg(there.matrix))).max() for here, there in pairs)
    shapes = max(np.abs(here.blendshapes - there.blendshapes).max() for here, there in pairs)
    lost = sum(bool(here) != bool(there) for here, there in zip(one, other, strict=True))
    return f"{len(pairs)} faces, at most {points:.2g} of {CROP[0]} px, {turns:.2g} degrees, {shapes:.2g} of a blendshape apart; {lost} found by one alone"


if __name__ == "__main__":
    main()
