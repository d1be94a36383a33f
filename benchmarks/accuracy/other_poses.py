"""Head pose and mouth opening by models that are not ours: 3DDFA_V2 and FSA-Net."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from operators.base import Frame
from operators.models import tddfa
from operators.models.face_geometry import head_pose_deg

Array = NDArray[np.float64]


def tddfa_pose_deg(parameters: Array) -> Array:
    """Of 3DDFA's 62 numbers: its picture has y up, and its face axes are ours."""
    rows = parameters[:12].reshape(3, 4)[:, :3]
    first, second = (row / np.linalg.norm(row) for row in rows[:2])
    matrix = np.eye(4)
    matrix[:3, :3] = first, second, np.cross(first, second)
    return np.array(head_pose_deg(matrix))


def tddfa_points(crop: NDArray[np.uint8]) -> Array:
    """(68, 2): what the network's second head says, -1 to 1 of the crop."""
    import torch

    network = tddfa._network()[0]
    given = torch.from_numpy((crop[..., ::-1].astype(np.float32) - 127.5) / 128).permute(2, 0, 1)[None]
    with torch.inference_mode():
        maps = torch.relu(network.bn1(network.conv1(given)))
        for name in tddfa.LAYERS:
            maps = network.get_submodule(name)(maps)
        return network.fc_lm(maps.mean((2, 3)))[0].numpy().astype(np.float64).reshape(2, 68).T


def opening_of_68(points: Array) -> float:
    corner, upper, other, lower = points[[60, 62, 64, 66]]
    return float(np.hypot(*(lower - upper)) / np.hypot(*(other - corner)))


def fsanet_pose_deg(frame: Frame, points: Array, margin: float, sessions: Sequence[Any]) -> Array:
    low, high = points.min(axis=0), points.max(axis=0)
    wider = margin * (high - low)
    (left, top), (right, bottom) = low - wider, high + wider
    crop = frame.crop(left, top, right, bottom, (64, 64))[..., ::-1].astype(np.float32)
    given = ((crop - 127.5) / 128).transpose(2, 0, 1)[None]
    yaw, pitch, roll = np.radians(
        np.mean([session.run(["output"], {"input": given})[0][0] for session in sessions], axis=0, dtype=np.float64)
    )
    yaw = -yaw  # as `draw_axis` has it, whose axes are the columns of Rx(pitch) Ry(yaw) Rz(roll) with y down
    about_x = np.array([[1, 0, 0], [0, np.cos(pitch), -np.sin(pitch)], [0, np.sin(pitch), np.cos(pitch)]])
    about_y = np.array([[np.cos(yaw), 0, np.sin(yaw)], [0, 1, 0], [-np.sin(yaw), 0, np.cos(yaw)]])
    about_z = np.array([[np.cos(roll), -np.sin(roll), 0], [np.sin(roll), np.cos(roll), 0], [0, 0, 1]])
    up = np.diag([1.0, -1.0, 1.0])
    matrix = np.eye(4)
    matrix[:3, :3] = up @ about_x @ about_y @ about_z @ up
    return np.array(head_pose_deg(matrix))
