import numpy as np
import pytest
from PIL import Image, ImageFilter

from operators.base import Drop
from operators.metrics.base import Video
from operators.metrics.cpbd import Cpbd, cpbd, edge_widths
from tests.operators.metrics.calibration import picture


def test_python_cpbd_s_values() -> None:
    """Of the published package, with its two imports that are gone put back, on the luma of the calibration
    pictures.
    """
    names = [(folder, name) for name in ("I03", "I04", "I19") for folder in ("dist_dir", "ref_dir")]
    values = [Cpbd().measure(Video.of([picture(*name)])) for name in names]
    assert values == pytest.approx([0.0005, 0.6789, 0.7259, 0.7257, 0.6858, 0.7668], abs=5e-5)


@pytest.mark.parametrize("width", [2, 4, 9])
def test_the_width_of_a_ramp_is_found(width: int) -> None:
    """Luma that rises over `width` pixels, or falls; before and behind it is level."""
    row = np.interp(np.arange(128.0), [60, 60 + width], [20, 220])
    for plane in (np.tile(row, (8, 1)), np.tile(row[::-1], (8, 1))):
        at = 60 + width // 2 if plane[0, 0] < 128 else 127 - 60 - width // 2
        edges = np.zeros(plane.shape, bool)
        edges[4, at] = True
        found = edge_widths(plane, edges)
        assert found[4, at] == max(width, 2)
        assert np.count_nonzero(found) == 1


def test_more_blur_is_a_lower_value() -> None:
    clean = Image.fromarray(picture("ref_dir", "I08"))
    values = [Cpbd().measure(Video.of([np.asarray(clean.filter(ImageFilter.GaussianBlur(by)))])) for by in (0, 1, 2, 4)]
    assert values == sorted(values, reverse=True)
    assert values[0] > 2 * values[-1]


def test_refusals() -> None:
    with pytest.raises(Drop, match="too_small"):
        cpbd(np.zeros((63, 200)))
    assert cpbd(np.full((128, 128), 100.0)) is None
    grey, sharp = np.full((128, 128, 3), 100, np.uint8), picture("ref_dir", "I08")[:128, :128]
    values = [Cpbd(rate_hz=25).measure(Video.of(frames)) for frames in ([sharp], [sharp, grey])]
    assert values[0] == values[1]
    with pytest.raises(Drop, match="no_edges"):
        Cpbd(rate_hz=25).measure(Video.of([sharp, grey, grey]))
