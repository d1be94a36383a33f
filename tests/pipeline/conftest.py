"""One Ray for all tests of the runner."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def _ray_ends() -> Iterator[None]:
    import ray

    yield
    ray.shutdown()


@pytest.fixture(scope="module")
def ray_here(_ray_ends: None) -> None:
    """Started once, and again after a module that had a cluster of its own."""
    import ray

    os.environ["PYTHONPATH"] = str(Path(__file__).parents[2])  # workers import the operators of the tests
    if not ray.is_initialized():
        ray.init("local", num_cpus=2, include_dashboard=False, log_to_driver=False, object_store_memory=200 * 2**20)
