"""A photograph in the public domain as a face to be tracked: Eileen Collins (NASA), of scikit-image."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from manifests.tables import Clip, FaceLandmarks, Track
from operators.faces.landmark_faces import LandmarkFaces
from operators.media.frames import VideoFrames
from tests.made_videos import write_video

CLIP = Clip("s", "s/000000-001000/t0", "s/shot", "s/shot/t0", "speaker0", 0.0, 1.0, 0, 0, 512, 512)
FACE = (176.0, 76.0, 272.0, 180.0)  # of the astronaut


def portrait(turned_deg: float = 0.0, mirrored: bool = False) -> NDArray[np.uint8]:
    """(512, 512, 3): the astronaut, turned clockwise about the middle of the face."""
    import cv2
    from skimage import data

    picture = np.ascontiguousarray(data.astronaut())
    centre = ((FACE[0] + FACE[2]) / 2, (FACE[1] + FACE[3]) / 2)
    turn = cv2.getRotationMatrix2D(centre, -turned_deg, 1.0)
    picture = np.asarray(cv2.warpAffine(picture, turn, (512, 512), borderValue=(90, 90, 90)), np.uint8)
    return picture[:, ::-1].copy() if mirrored else picture


def track(box=FACE, name: str = "t0", moves_px: float = 0.0, sure: tuple[float, ...] = (0.9,) * 5) -> Track:
    """A face looked at five times in a second, which moves to the right from look to look."""
    left, top, right, bottom = (
        [edge + moves_px * n * (side % 2 == 0) for n in range(5)] for side, edge in enumerate(box)
    )
    return Track(
        "s", f"s/shot/{name}", "s/shot", 0.0, 1.0, [n / 5 for n in range(5)], left, top, right, bottom, list(sure)
    )


def mesh_of(folder: Path, picture: NDArray[np.uint8], *tracks: Track, **fields) -> FaceLandmarks:
    """The mesh of a video that shows a picture for a second."""
    path = write_video(folder / "face.mp4", [(picture, 1.0)], size=(512, 512))
    (mesh,) = LandmarkFaces(**fields)(CLIP, list(tracks), VideoFrames(path, CLIP.start_s, CLIP.end_s))
    return mesh
