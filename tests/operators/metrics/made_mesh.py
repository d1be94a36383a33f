"""Pictures of any size that know a made mesh for their face, so that no landmarker is asked."""

import numpy as np
from numpy.typing import NDArray

from operators.picture import Picture

MESH = np.random.default_rng(3).uniform((5, 5), (55, 35), (478, 2))


def with_mesh(points: NDArray[np.float64], size: tuple[int, int] = (60, 40)) -> Picture:
    """A picture of a width and a height in which the points, (478, 2) pixels, are the face."""
    picture = Picture(np.zeros((size[1], size[0], 3), np.uint8))
    picture.once("mesh", lambda _: points)
    return picture


def moved(point: int, by: tuple[float, float]) -> NDArray[np.float64]:
    """The made mesh with one of its points somewhere else."""
    points = MESH.copy()
    points[point] += by
    return points
