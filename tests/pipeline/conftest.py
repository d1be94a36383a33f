"""One Ray for all tests of the runner."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def ray_here() -> Iterator[None]:
    import ray

    os.environ["PYTHONPATH"] = str(Path(__file__).parents[2])  # workers import the operators of the tests
    ray.init("local", num_cpus=2, include_dashboard=False, log_to_driver=False, object_store_memory=200 * 2**20)
    yield
    ray.shutdown()
