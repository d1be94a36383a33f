"""What the measures of THEval share (arXiv 2511.04520): the face of a render over time, and when it speaks.

Five of its eight measures need only a mesh and a detector of speech. Its authors take their points from MediaPipe too,
the pose from another network, and some lengths in pixels; here lengths are divided by the distance of the eyes and the
pose is that of the mesh, so the values compare among themselves only, and best with those of the recordings of the same
pairs: a render is good where it is near them, neither above nor below.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from operators.base import Drop
from operators.metrics.base import Video
from operators.models.face_geometry import head_pose_deg
from operators.models.face_pictures import face
from operators.protocol import Protocol

EYES = (468, 473)  # middles of the irises
LIPS = (61, 39, 37, 0, 267, 269, 291, 405, 314, 17, 84, 181, 78, 82, 13, 312, 308, 317, 14, 87)
BROWS = ((70, 63, 105, 66, 107), (336, 296, 334, 293, 300))
EYE_CORNERS = ((33, 133), (362, 263))
INNER_LIPS = (13, 14)
LEAST_SEEN = 0.5  # share of the frames that must show a face
LEAST_HEARD = 0.1  # share that must be speech, or silence
LOUDNESS_S = 0.05
PROTOCOL = Protocol(crop="whole frame", points="MediaPipe's mesh", unit="distance of the irises")


@dataclass(frozen=True)
class FaceOverTime:
    """The face of a render in the frames that show one.

    Attributes:
        at_s: (n,) times of the frames.
        points: (n, 478, 2) pixels.
        pose: (n, 3) yaw, pitch and roll in degrees.
        place: (n, 3) centimetres from the camera.
    """

    at_s: NDArray[np.float64]
    points: NDArray[np.float64]
    pose: NDArray[np.float64]
    place: NDArray[np.float64]

    @property
    def eye_distance(self) -> NDArray[np.float64]:
        """(n,) pixels."""
        return np.linalg.norm(self.points[:, EYES[0]] - self.points[:, EYES[1]], axis=1)

    @property
    def lip_opening(self) -> NDArray[np.float64]:
        """(n,) gap between the inner lips over the distance of the eyes."""
        return np.linalg.norm(self.points[:, INNER_LIPS[0]] - self.points[:, INNER_LIPS[1]], axis=1) / self.eye_distance


def face_over_time(video: Video) -> FaceOverTime:
    """
    Raises:
        Drop: `no_frames`; `too_short`, fewer than three; `no_face`, in more than half of them.
    """
    at_s, points, pose, place, count = [], [], [], [], 0
    for number, (picture, _) in enumerate(video):
        count += 1
        if (found := face(picture)) is not None:
            at_s.append(number / video.fps)
            points.append(found.points[:, :2] * picture.size)
            pose.append(head_pose_deg(found.matrix))
            place.append(found.matrix[:3, 3])
    if not count:
        raise Drop("no_frames")
    if count < 3:
        raise Drop("too_short", detail=f"{count} frames")
    if len(at_s) < max(3, math.ceil(LEAST_SEEN * count)):
        raise Drop("no_face", detail=f"{len(at_s)} of {count} frames have a face")
    return FaceOverTime(np.array(at_s), np.stack(points), np.array(pose), np.stack(place))


def speaks(video: Video, at_s: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Whether Silero's detector hears speech at each time.

    Raises:
        Drop: `no_audio_stream`.
    """
    from operators.models.silero_vad import SAMPLE_HZ, SileroVad, spans

    wave = video.audio.samples(0.0, float(at_s[-1]) + 1 / video.fps, SAMPLE_HZ)
    found = spans(SileroVad().probabilities([wave]), len(wave))
    return np.array([any(begin <= t * SAMPLE_HZ < end for begin, end in found) for t in at_s], bool)
