import os
import pickle
from pathlib import Path

import numpy as np
import pytest

from operators.models.arrays import ForeignPickle, unpickled_arrays


def test_arrays_come_as_they_were(tmp_path: Path) -> None:
    path = tmp_path / "arrays.pkl"
    path.write_bytes(pickle.dumps({"a": [np.arange(6.0).reshape(2, 3)], "b": np.float32(2) * np.ones(3, np.float32)}))
    found = unpickled_arrays(path)
    assert np.array_equal(found["a"][0], [[0, 1, 2], [3, 4, 5]])
    assert found["b"].dtype == np.float32


class Command:
    def __reduce__(self):
        return os.system, ("true",)


def test_a_pickle_that_asks_for_more_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "evil.pkl"
    for evil in (Command(), np.array([Command()], dtype=object)):
        path.write_bytes(pickle.dumps(evil))
        with pytest.raises(ForeignPickle, match=r"system"):
            unpickled_arrays(path)
