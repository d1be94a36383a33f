"""Look at every node of a cluster before a run: versions, models, storage, sources, GPUs, clock, memory.

With --cluster it looks from there, as a job; else at the cluster of RAY_ADDRESS, or at this machine. The exit status
is 2 where a node cannot do the run.
"""

import argparse
import json
from typing import Any

from manifests.errors import UsageError
from pipeline.commands.run import asked_recipe, decided_by, listed
from pipeline.engine.cluster_check import Asked, Node, check_nodes
from pipeline.engine.cluster_file import Cluster, read_cluster
from pipeline.engine.package import check_out
from pipeline.engine.plan_file import Versions
from pipeline.engine.ray_session import check_root, start_ray, stop_ray
from pipeline.engine.submit import run_there
from pipeline.listing import VIDEOS
from pipeline.recipe import Plan
from pipeline.session import as_json, of_cluster
from pipeline.views.console import alone, answer, console, waiting
from pipeline.views.nodes import NodeList

EXAMPLE = "headset check-cluster talking_head list.txt --out s3://bucket/corpus --cluster infra/clusters/ray/local.yaml"
GROUP = "cluster"
MOST_SOURCES = 3  # that each node reads a byte of


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "recipe", nargs="?", default="talking_head", help="whose model files must be there (default: talking_head)"
    )
    parser.add_argument(
        "videos", nargs="*", metavar="INPUT", help=f"{VIDEOS}: a byte of the first {MOST_SOURCES} is read"
    )
    parser.add_argument("--out", metavar="CORPUS", default="", help="written to, read back and deleted by each node")
    of_cluster(parser)
    as_json(parser)
    parser.set_defaults(set=[])


def main(options: argparse.Namespace) -> int:
    plan = asked_recipe(options).plan()
    if options.cluster is not None:
        found = _there(plan, options, read_cluster(options.cluster))
    else:
        found = _here(plan, options)
    answer(found, options.json)
    return 0 if found.sound else 2


def _here(plan: Plan, options: argparse.Namespace) -> NodeList:
    """Looks at the nodes of the cluster this process belongs to."""
    out = console(stderr=options.json)
    if options.out:
        check_root(options.out)
    sources = listed(options, out).sources[:MOST_SOURCES] if options.videos else []
    expected = decided_by(options)
    asked = Asked(expected, plan.weights, options.out, tuple(source.uri for source in sources))
    with alone(out), waiting(out, "asking the nodes"):
        ours = start_ray(None)
        try:
            nodes = check_nodes(asked)
        finally:
            if ours:
                stop_ray()
    return NodeList(expected, len(plan.weights), tuple(nodes))


def _there(plan: Plan, options: argparse.Namespace, cluster: Cluster) -> NodeList:
    """Has a cluster look at its own nodes.

    Raises:
        UsageError: where the cluster gave no answer, with the last line of what it said instead.
    """
    if options.out:
        check_out(options.out, cluster)
    words = ["check-cluster", "--json", *(["--out", options.out] if options.out else [])]
    with waiting(console(stderr=True), "asking the nodes"):
        job, printed = run_there(plan, words, options.videos, cluster)
    start = printed.find("\n{\n")
    if start < 0:
        lines = printed.strip().splitlines() or [job.message]
        raise UsageError(
            f"the cluster at {cluster.address} did not look at its nodes: {lines[-1].removeprefix('headset: ')}"
        )
    said, _ = json.JSONDecoder().raw_decode(printed[start + 1 :])
    return NodeList(Versions(**said["expected"]), said["models"], tuple(map(_node, said["nodes"])))


def _node(said: dict[str, Any]) -> Node:
    theirs = said["versions"]
    many = {name: tuple(said[name]) for name in ("gpus", "faults")}
    return Node(**{**said, **many, "versions": None if theirs is None else Versions(**theirs)})
