"""How far the answers of two devices are apart, in words."""

from collections.abc import Callable
from typing import Any

import numpy as np

from manifests.errors import WeightError
from operators.models.detections import AlignedFace
from operators.models.face_geometry import LandmarkedFace, head_pose_deg
from operators.models.face_landmarker import Landmarker
from operators.weights import Weight

CROP = (320, 320)  # of a face, in which its landmarks are looked for


def runs_mediapipe() -> bool:
    """Whether MediaPipe's own tasks run here: some machines have the package without the system libraries that it
    loads.
    """
    try:
        Landmarker()
    except (ImportError, OSError):
        return False
    return True


def network(kind: Any, weight: Weight, where: str) -> tuple[Any, str]:
    """The network with its file's weights on a device; with seeded random ones, which the note says, where its file is
    not here.
    """
    import torch

    try:
        net, note = kind.load(weight.path()), ""
    except WeightError:
        torch.manual_seed(1)
        net, note = kind().eval().requires_grad_(False), "seeded random weights"
    return net.to(where), note


def numbers_apart(what: str) -> Callable[[Any, Any], str]:
    return lambda one, other: (
        f"{what} {np.abs(np.asarray(one, np.float64) - np.asarray(other, np.float64)).max():.1g} apart at most"
    )


def cosines_apart(one: Any, other: Any) -> str:
    one, other = (np.asarray(side, np.float64).reshape(len(side), -1) for side in (one, other))
    cosines = (one * other).sum(axis=1) / np.linalg.norm(one, axis=1) / np.linalg.norm(other, axis=1)
    return f"least cosine {cosines.min():.6f}"


def boxes_apart(one: list[list[AlignedFace]], other: list[list[AlignedFace]]) -> str:
    pairs = [
        pair
        for here, there in zip(one, other, strict=True)
        if len(here) == len(there)
        for pair in zip(here, there, strict=True)
    ]
    lost = sum(len(here) != len(there) for here, there in zip(one, other, strict=True))
    far = max(
        np.abs(np.subtract(here.box[:4], there.box[:4])).max() / (here.box.right - here.box.left)
        for here, there in pairs
    )
    return f"{len(pairs)} faces, corners {far:.1g} widths apart at most; {lost} looks with another number of faces"


def meshes_apart(one: list[list[LandmarkedFace]], other: list[list[LandmarkedFace]]) -> str:
    pairs = [(here[0], there[0]) for here, there in zip(one, other, strict=True) if here and there]
    points = max(np.abs(here.points - there.points).max() * CROP[0] for here, there in pairs)
    turns = max(
        np.abs(np.subtract(head_pose_deg(here.matrix), head_pose_deg(there.matrix))).max() for here, there in pairs
    )
    shapes = max(np.abs(here.blendshapes - there.blendshapes).max() for here, there in pairs)
    lost = sum(bool(here) != bool(there) for here, there in zip(one, other, strict=True))
    return (
        f"{len(pairs)} faces, at most {points:.2g} of {CROP[0]} px, {turns:.2g} degrees, {shapes:.2g} of a blendshape"
        f" apart; {lost} found by one alone"
    )
