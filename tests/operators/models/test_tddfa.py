import numpy as np
import pytest

from operators.models.tddfa import coefficients, decoded
from operators.picture import Picture
from tests.conftest import weights
from tests.operators.metrics.faces_seen import blank, same


def turned(yaw: float, pitch: float, roll: float) -> np.ndarray:
    """The rotation with these angles in radians, as z, y and x axis one after the other."""
    cy, sy, cp, sp, cr, sr = np.cos(yaw), np.sin(yaw), np.cos(pitch), np.sin(pitch), np.cos(roll), np.sin(roll)
    about_x = np.array([[1, 0, 0], [0, cp, -sp], [0, sp, cp]])
    about_y = np.array([[cy, 0, -sy], [0, 1, 0], [sy, 0, cy]])
    about_z = np.array([[cr, -sr, 0], [sr, cr, 0], [0, 0, 1]])
    return about_z @ about_y @ about_x


@pytest.mark.parametrize("angles", [(0, 0, 0), (30, 0, 0), (0, -20, 0), (0, 0, 45), (-25, 10, 15)])
def test_angles_are_found_again_whatever_scale_and_place(angles: tuple[float, float, float]) -> None:
    parameters = np.arange(62.0)
    pose = np.column_stack([2.5e-4 * turned(*np.radians(angles)), (60, 70, -60)])
    parameters[:12] = pose.ravel()
    found = decoded(parameters)
    assert found.angles == pytest.approx(angles, abs=1e-6)
    assert found.expression.tolist() == list(range(52, 62))
    assert found.shape.tolist() == list(range(12, 52))


def test_a_mirrored_face_looks_the_other_way() -> None:
    weights("3ddfa_v2_mb05_120x120.pth")
    one, two = (
        coefficients(Picture(np.ascontiguousarray(frame)))
        for frame in (same(later=True)[0], same(later=True)[0][:, ::-1])
    )
    assert one is not None
    assert two is not None
    assert one.angles == pytest.approx(two.angles * (-1, 1, -1), abs=5)
    assert coefficients(Picture(blank())) is None


def test_a_tilted_face_rolls() -> None:
    from PIL import Image

    weights("3ddfa_v2_mb05_120x120.pth")
    frame = same()[0]
    level, tilted = (coefficients(Picture(np.asarray(Image.fromarray(frame).rotate(by)))) for by in (0, 20))
    assert level is not None
    assert tilted is not None
    assert abs(tilted.angles[2] - level.angles[2]) == pytest.approx(20, abs=5)
