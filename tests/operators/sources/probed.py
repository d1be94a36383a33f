"""A probe of one file, for the tests of what it tells."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from manifests.tables import Source
from operators.base import Drop
from operators.sources.probe_source import ProbeSource


@dataclass
class Given:
    path: Path
    scratch: Path = Path("not asked for")

    def keep(self, made: Path, suffix: str) -> tuple[str, str]:
        raise AssertionError("a probe keeps nothing")


def probe(path: Path, **fields) -> Source:
    [source] = ProbeSource(**fields)(Source("s", str(path)), Given(path))
    assert isinstance(source, Source)
    return source


def dropped(path: Path, **fields) -> Drop:
    with pytest.raises(Drop) as caught:
        probe(path, **fields)
    return caught.value


def noise(time_s: float) -> np.ndarray:
    return np.random.default_rng(round(time_s * 1000)).integers(0, 255, (180, 320, 3), dtype=np.uint8)
