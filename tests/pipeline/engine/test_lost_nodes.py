"""Nodes of a cluster that go away and come while a run is at work."""

import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from manifests.manifest import Manifest
from manifests.tables import Dropped, tables
from pipeline.engine.alone import work
from pipeline.engine.run import run
from pipeline.listing import list_sources
from pipeline.recipe import recipe_named

SLOW = """import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from manifests.tables import Clip, Shot, Source
from operators.base import Operator
from pipeline.recipe import Recipe, Stage


@dataclass(frozen=True)
class Cut(Operator):
    def __call__(self, source: Source) -> Iterator[Shot]:
        time.sleep(float(os.environ["SLOW_S"]))
        for number in range(3):
            yield Shot(source.source_id, f"{source.source_id}/{number}", number * 10.0, number * 10.0 + 10)


@dataclass(frozen=True)
class Propose(Operator):
    def __call__(self, shot: Shot) -> Iterator[Clip]:
        time.sleep(float(os.environ["SLOW_S"]))
        Path(os.environ["SLOW_LOG"], f"{os.getpid()}").touch()
        where = shot.start_s, shot.end_s, 0.0, 0.0, 1.0, 1.0
        yield Clip(shot.source_id, f"{shot.shot_id}/c", shot.shot_id, "", "", *where)


RECIPE = Recipe("slow", "nothing of use", (Stage(Cut()), Stage(Propose())))
"""


def content(root: str) -> dict[str, bytes]:
    return {
        str(path.relative_to(root)): path.read_bytes()
        for table in tables()
        for path in sorted(Path(root, table).rglob("*.parquet"))
    }


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[object]:
    import ray
    from ray.cluster_utils import Cluster

    if ray.is_initialized():
        ray.shutdown()
    os.environ.update(
        {"PYTHONPATH": str(Path(__file__).parents[3]), "SLOW_S": "0.3", "SLOW_LOG": str(tmp_path / "log")}
    )
    there = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
    ray.init(address=there.address, log_to_driver=False)
    yield there
    ray.shutdown()
    there.shutdown()
    os.environ["SLOW_S"] = "0"


@pytest.mark.slow
def test_a_lost_node_costs_time_and_one_that_joins_is_used(cluster: object, tmp_path: Path) -> None:
    (tmp_path / "recipe.py").write_text(SLOW)
    (tmp_path / "log").mkdir()
    for number in range(24):
        (tmp_path / f"v{number:02d}.mp4").write_bytes(f"video {number}".encode())
    plan = recipe_named(str(tmp_path / "recipe.py")).plan()
    hit, calm = Manifest(str(tmp_path / "hit")), Manifest(str(tmp_path / "calm"))
    for manifest in (hit, calm):
        manifest.add(list_sources([str(tmp_path)]).sources)
        manifest.remember(plan.record())
    lost = cluster.add_node(num_cpus=1)  # type: ignore[attr-defined]

    running = threading.Thread(target=run, args=(plan, hit))  # Ray starts nodes in the main thread alone
    running.start()
    while len(list((tmp_path / "log").iterdir())) < 2:
        time.sleep(0.05)
    cluster.remove_node(lost, allow_graceful=False)  # type: ignore[attr-defined]
    cluster.add_node(num_cpus=1)  # type: ignore[attr-defined]
    running.join()
    assert len(list((tmp_path / "log").iterdir())) >= 3, "the node that joined had work"
    os.environ["SLOW_S"] = "0"
    work(plan, calm)
    assert content(hit.root) == content(calm.root)
    assert Manifest(hit.root).count_rows(Dropped) == 0
