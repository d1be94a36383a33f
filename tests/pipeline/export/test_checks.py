from pathlib import Path

import numpy as np
import pytest

from pipeline.export.checks import array_problem


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ([[1.0, 2.0]], ""),
        ([[1.0, np.nan]], "finite"),
        ([[1.0, np.inf]], "finite"),
        ([["a", "b"]], "finite"),
        ([1.0], "shape"),
    ],
)
def test_an_array_holds_finite_numbers_in_its_shape(tmp_path: Path, values: list, told: str) -> None:
    np.save(tmp_path / "a.npy", np.array(values))
    found = array_problem(tmp_path / "a.npy", lambda shape: shape == (1, 2), "(1, 2)")
    assert told in found
    assert bool(found) == bool(told)
