"""The dashboard: every query is one of Prometheus' language, over metrics and labels at Ray's metrics port."""

import importlib.util
import json
import os
import re
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import promql_parser
import pytest
from prometheus_client.parser import text_string_to_metric_families

from pipeline.engine.metrics import COUNTERS, GAUGES
from tests.infra.words import INFRA, ROOT
from tests.ray_head import ray_head

FOLDER = INFRA / "dashboards"
# A run's own calls, in a worker and in a driver, with every label there is.
RUN = """
import time
import ray
from manifests.ledger import Receipt
from manifests.tables import Fetch, Render, tables
from pipeline.engine import metrics
from pipeline.engine.progress import Progress, Stall
from pipeline.engine.heartbeats import Work
from pipeline.engine.ray_session import start_ray

start_ray(None)

@ray.remote(num_cpus=0)
class Worker:
    def commit(self, number):
        calls = {"read": 6, "answered": 3, "dropped": 2, "failed": 1}
        reasons, took = {"no_face": 2, "died": 1}, {"seconds": 2.5, "cpu_s": 1.5, "decode_cpu_s": 0.5}
        receipt = Receipt("RenderClips", calls, {"renders": 3}, 3, {}, reasons, **took)
        row = Render(*["x"] * 7, 1000, 1, 1, 25.0, 25, 1.0, "toy")
        metrics.committed("RenderClips", receipt, {Render: [row]})

worker = Worker.remote()
work = Work(0, 0, "RenderClips", "n", "h", 1, 0, "a", 0.0, 0.0, 1.0)
print("ready", flush=True)
for number in range(100):
    ray.get(worker.commit.remote(number))
    seen = {"seconds": 1.0 + number, "work": (work,), "stalls": (Stall(work, "gone"),)}
    metrics.told([Progress("RenderClips", 10, min(number, 10), **seen)])
    time.sleep(1)
"""


def made() -> ModuleType:
    spec = importlib.util.spec_from_file_location("make", FOLDER / "make.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def queries() -> list[tuple[str, str]]:
    """What each line is called, and its query."""
    panels = json.loads((FOLDER / "headset.json").read_text())["panels"]
    return [(target["legendFormat"], target["expr"]) for panel in panels for target in panel["targets"]]


def selectors(tree: promql_parser.Expr) -> Iterator[promql_parser.VectorSelector]:
    found: list[promql_parser.VectorSelector] = []

    def visit(node: object) -> bool:
        if isinstance(node, promql_parser.VectorSelector):
            found.append(node)
        if isinstance(node, promql_parser.MatrixSelector):
            found.append(node.vector_selector)
        return True

    promql_parser.walk(tree, visit)
    yield from {str(one): one for one in found}.values()


def test_the_file_is_what_its_maker_makes() -> None:
    assert json.loads((FOLDER / "headset.json").read_text()) == made().dashboard(), "python infra/dashboards/make.py"


def test_every_metric_of_ours_is_drawn_and_counted_ones_by_their_rate() -> None:
    drawn = " ".join(query for _, query in queries())
    for name in COUNTERS:
        assert re.search(rf"rate\(ray_{name}_total(\{{[^}}]*\}})?\[", drawn), name
    for name in GAUGES:
        assert re.search(rf"ray_{name}\b", drawn), name


def test_no_label_is_an_id() -> None:
    labels = {label for _, names in {**COUNTERS, **GAUGES}.values() for label in names}
    assert labels == {"operator", "ended", "table", "reason", "stage"}


def of_ray() -> set[str]:
    """The names in Ray's own source of what it measures of a node: it tells of GPUs only where there are some."""
    import ray.dashboard.modules.reporter.reporter_agent as agent

    return {f"ray_{name}" for name in re.findall(r'"(node_\w+)"', Path(agent.__file__).read_text())}


@pytest.mark.slow
def test_every_query_finds_its_metrics_and_labels(tmp_path: Path) -> None:
    with ray_head(tmp_path / "head") as head:
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "RAY_ADDRESS": head.gcs}
        driver = subprocess.Popen(
            [sys.executable, "-c", RUN], env=environment, cwd=tmp_path, stdout=subprocess.PIPE, text=True
        )
        try:
            assert driver.stdout is not None
            assert driver.stdout.readline().strip() == "ready"
            there = _await(head.metrics)
            first = {name: value for name, (_, value) in there.items()}
            time.sleep(15)
            later = {name: value for name, (_, value) in _scraped(head.metrics).items()}
        finally:
            driver.kill()
            driver.wait()
    assert later["ray_headset_bytes_total"] > first["ray_headset_bytes_total"], "what is counted grows"
    known = of_ray()
    for legend, query in queries():
        tree = promql_parser.parse(query)
        found = list(selectors(tree))
        assert found, query
        for one in found:
            if "_gpus_" in str(one) or "_gram_" in str(one):
                assert one.name in known, f"{query}: Ray names no {one.name}"
                continue
            assert one.name in there, f"{query}: no {one.name} at the metrics port"
            labels = there[one.name][0]
            asked = set(re.findall(r"by \((\w+)\)", query)) | set(re.findall(r"\{\{(\w+)\}\}", legend))
            asked |= {matcher.name for matcher in one.matchers.matchers}
            assert asked <= labels, f"{query}: {one.name} has {labels}"


def _scraped(address: str) -> dict[str, tuple[set[str], float]]:
    """By name the labels there are, and the sum of the values."""
    with urllib.request.urlopen(f"{address}/metrics") as answer:
        text = answer.read().decode()
    found: dict[str, tuple[set[str], float]] = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            labels, value = found.get(sample.name, (set(), 0.0))
            found[sample.name] = labels | set(sample.labels), value + sample.value
    return found


def _await(address: str) -> dict[str, tuple[set[str], float]]:
    ours = {f"ray_{name}_total" for name in COUNTERS} | {f"ray_{name}" for name in GAUGES}
    until = time.monotonic() + 120
    while (lacking := ours - (there := _scraped(address)).keys()) and time.monotonic() < until:
        time.sleep(1)
    assert not lacking, f"never came to the metrics port: {lacking}"
    return there
