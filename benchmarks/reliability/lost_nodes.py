"""Nodes that are killed, drained and join while a run is at work: equal bytes, nothing lost, no traceback, no hang.

python -m benchmarks.reliability.lost_nodes [--kills 20] [--drains 5] [--joins 3] [--seed 1]

Three nodes of `ray.cluster_utils.Cluster` on this machine, the driver's own among them, which stays. The toy recipe,
whose operators take their time; after each kill and drain another node takes the place.
"""

import argparse
import os
import random
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

from benchmarks.reliability.toy import RECIPE, content, videos
from manifests.manifest import Manifest
from pipeline.engine import alone
from pipeline.engine.run import run
from pipeline.engine.worker import WORKER_ENVIRONMENT
from pipeline.listing import list_sources

EVENTS = ("kill", "drain", "join")
LIMIT_S = 240.0  # of a run


class Storm:
    """What befalls the nodes of a cluster: in the main thread, where alone Ray starts one."""

    def __init__(self, cluster: Any, events: list[str], draw: random.Random, extra: list[Any]):
        self.cluster, self.events, self.draw, self.extra = cluster, events, draw, extra
        self.calm = threading.Event()
        self.befell = 0

    def run(self) -> None:
        for event in self.events:
            if self.calm.wait(self.draw.uniform(0.5, 3.0)):
                return
            node = self.draw.choice(self.extra)
            if event != "join":
                self.extra.remove(node)
            if event == "drain":
                drain(self.cluster.address, node.node_id)
                self.calm.wait(3.0)
            if event != "join":
                self.cluster.remove_node(node, allow_graceful=False)
            self.extra.append(self.cluster.add_node(num_cpus=1))
            self.befell += 1
            print(event, end=" ", flush=True)


def drain(address: str, node: str) -> None:
    ray = str(Path(sys.executable).parent / "ray")
    why = [
        "--reason",
        "DRAIN_NODE_REASON_PREEMPTION",
        "--reason-message",
        "as asked",
        "--deadline-remaining-seconds",
        "3",
    ]
    subprocess.run([ray, "drain-node", "--address", address, "--node-id", node, *why], capture_output=True, check=False)


def work(manifest: Manifest, over: threading.Event) -> None:
    run(RECIPE.plan(), manifest)
    over.set()


def corpus(root: str, named: list[str]) -> Manifest:
    manifest = Manifest(root)
    listing = list_sources(named)
    manifest.add(listing.sources, listing.dropped, listing.lists)
    return manifest


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, number in (("kills", 20), ("drains", 5), ("joins", 3), ("seed", 1), ("each", 4)):
        parser.add_argument(f"--{name}", type=int, default=number)
    options = parser.parse_args()
    draw = random.Random(options.seed)
    events = [name for name in EVENTS for _ in range(getattr(options, f"{name}s"))]
    draw.shuffle(events)
    os.environ.update({**WORKER_ENVIRONMENT, "PYTHONPATH": str(Path(__file__).parents[2]), "TOY_SLEEP_S": "0.4"})
    import ray
    from ray.cluster_utils import Cluster

    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
    extra = [cluster.add_node(num_cpus=1) for _ in range(2)]
    ray.init(address=cluster.address, log_to_driver=False)
    with tempfile.TemporaryDirectory() as folder:
        named = videos(
            Path(folder, "videos"),
            " ".join(f"v{n:02d}{'d' if n % 7 == 0 else 'f' if n % 9 == 0 else 'x'}" for n in range(60)),
        )
        os.environ["TOY_SLEEP_S"] = "0"
        calm = corpus(f"{folder}/calm", named)
        calm.remember(RECIPE.plan().record())
        alone.work(RECIPE.plan(), calm)
        befell = 0
        while events:
            storm = Storm(cluster, [events.pop() for _ in range(min(options.each, len(events)))], draw, extra)
            manifest = corpus(f"{folder}/{len(events)}", named)
            began = time.monotonic()
            watchdog = threading.Timer(LIMIT_S, os._exit, (1,))
            watchdog.start()
            running = threading.Thread(target=work, args=(manifest, storm.calm))
            running.start()
            storm.run()
            running.join()
            watchdog.cancel()
            befell += storm.befell
            same = content(manifest.root) == content(calm.root)
            print(f"| {time.monotonic() - began:.0f} s, {'equal bytes' if same else 'OTHER BYTES'}", flush=True)
            assert same
        print(f"{befell} events, every run ended, all bytes equal")
    ray.shutdown()
    cluster.shutdown()


if __name__ == "__main__":
    sys.exit(main())
