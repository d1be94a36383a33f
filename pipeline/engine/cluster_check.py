"""Whether every node of a cluster can do a run: looked at from each, before any work starts.

A small actor goes to each node, without asking for a core, and says what is there. What stands against a run is a
fault, in words.
"""

import os
import platform
import shutil
import socket
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from uuid import uuid4

from manifests.errors import HeadsetError, WeightError
from manifests.storage import Storage
from operators.sources.secrecy import told
from operators.weights import Weight
from pipeline.engine.plan_file import Versions, versions
from pipeline.engine.secrets import read_secrets

ANSWERS_WITHIN_S = 180.0  # a node, which may have to unpack the code first
READ_WITHIN_S = 30.0  # a source
CLOCK_TRIES = 5
MOST_CLOCK_S = 5.0  # heartbeats of leases and the validity of S3's signatures rest on clocks; see manifests/lease.py
LEAST_SHM_BYTES = 64 * 2**20  # what Docker gives a container that is not asked for more


@dataclass(frozen=True)
class Asked:
    """What a node is asked for."""

    versions: Versions  # those it must have
    weights: tuple[Weight, ...] = ()
    out: str = ""  # the corpus; "" to ask for none
    sources: tuple[str, ...] = ()  # to be read


@dataclass(frozen=True)
class Node:
    """What was found on a node."""

    host: str
    versions: Versions | None  # None where the node did not answer
    cores: int = 0
    memory_bytes: int = 0
    shm_bytes: int = 0
    gpus: tuple[str, ...] = ()  # name, memory and driver of each
    clock_s: float = 0.0  # by how much it is ahead of the driver's
    clock_within_s: float = 0.0  # how far off that can be
    weights: int = 0  # model files that are there
    faults: tuple[str, ...] = ()


class NodeProbe:
    """A Ray actor that looks at the node it is on."""

    def now(self) -> float:
        return time.time()

    def look(self, asked: Asked) -> Node:
        found, lacking = _weights(asked.weights)
        faults = [*asked.versions.differences(versions()), *lacking]
        faults += [text for text in (_secrets(), _writable(asked.out), *map(_readable, asked.sources)) if text]
        shm = shutil.disk_usage("/dev/shm").total if os.path.isdir("/dev/shm") else 0  # noqa: S108 - where it is, on Linux
        if shm <= LEAST_SHM_BYTES:
            faults.append(f"its shared memory has {shm / 2**20:.0f} MiB; give a container more, such as --shm-size=4g")
        pages = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
        cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
        gpus = _gpus()
        return Node(platform.node(), versions(), cores, pages, shm, gpus, weights=found, faults=tuple(faults))


def check_nodes(asked: Asked) -> list[Node]:
    """Looks at every node of the Ray that runs, the driver's first. Ray must be initialised."""
    import ray
    from ray.exceptions import GetTimeoutError, RayError
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    here = ray.get_runtime_context().get_node_id()
    alive = sorted(
        (one for one in ray.nodes() if one["Alive"]), key=lambda one: (one["NodeID"] != here, one["NodeName"])
    )
    probe: Any = ray.remote(num_cpus=0)(NodeProbe)
    probes = [
        probe.options(scheduling_strategy=NodeAffinitySchedulingStrategy(one["NodeID"], soft=False)).remote()
        for one in alive
    ]
    looks = [one.look.remote(asked) for one in probes]
    ray.wait(looks, num_returns=len(looks), timeout=ANSWERS_WITHIN_S)
    found = []
    for node, one, look in zip(alive, probes, looks, strict=True):
        name = node["NodeName"] or node["NodeManagerHostname"]
        try:
            seen: Node = ray.get(look, timeout=1)
            found.append(_timed(seen, one, float(node["Resources"].get("GPU", 0))))
        except GetTimeoutError:
            found.append(Node(name, None, faults=(f"did not answer within {ANSWERS_WITHIN_S:.0f} s",)))
        except RayError as error:
            why = str(error).strip().splitlines()
            found.append(Node(name, None, faults=(why[-1][:300] if why else type(error).__name__,)))
    return found


def _timed(node: Node, probe: Any, gpus: float) -> Node:
    """The node with its clock beside this one's, by the try of the shortest way there and back (RFC 5905)."""
    import ray

    best = (float("inf"), 0.0)
    for _ in range(CLOCK_TRIES):
        sent = time.time()
        theirs: Any = ray.get(probe.now.remote(), timeout=READ_WITHIN_S)
        back = time.time()
        best = min(best, ((back - sent) / 2, theirs - (sent + back) / 2))
    within_s, ahead_s = best
    faults = list(node.faults)
    if abs(ahead_s) - within_s > MOST_CLOCK_S:
        faults.append(f"its clock is {ahead_s:+.1f} s off; have it set by NTP")
    if gpus > len(node.gpus):
        faults.append(f"Ray counts {gpus:g} GPUs, nvidia-smi finds {len(node.gpus)}")
    return replace(node, clock_s=ahead_s, clock_within_s=within_s, faults=tuple(faults))


def _weights(weights: Sequence[Weight]) -> tuple[int, list[str]]:
    """How many model files are here, and what to say of the others."""
    found, lacking = 0, []
    for weight in weights:
        try:
            if weight.found() is not None:
                found += 1
            else:
                lacking.append(f"{weight.file} is not here; {weight.remedy()}")
        except WeightError as error:
            lacking.append(str(error))
    return found, lacking


def _secrets() -> str:
    try:
        if place := os.environ.get("HEADSET_SECRETS"):
            read_secrets(Path(place))
    except HeadsetError as error:
        return str(error)
    return ""


def _writable(out: str) -> str:
    """What stands against writing to a corpus; "" where an object could be made and deleted."""
    if not out:
        return ""
    storage, name, content = Storage(out), f"check-{uuid4().hex}", socket.gethostname().encode()
    try:
        storage.check()
        storage.write(name, content)
        back = storage.read(name)
        storage.delete(name)
    except HeadsetError as error:
        return str(error)
    return "" if back == content else f"{out}: what was written to it came back otherwise"


def _readable(source: str) -> str:
    """What stands against reading a source; "" where its first byte came."""
    try:
        if source.startswith("s3://"):
            bucket, _, key = source.removeprefix("s3://").partition("/")
            return "" if Storage(f"s3://{bucket}").size(key) else f"{source} is not there"
        if "://" in source:
            import requests

            first = {"Range": "bytes=0-0"}
            with requests.get(source, headers=first, stream=True, timeout=READ_WITHIN_S) as response:
                return "" if response.ok else f"{told(source)} answers {response.status_code}"
        with open(source, "rb") as stream:
            stream.read(1)
    except HeadsetError as error:
        return str(error)
    except OSError as error:  # those of requests are some too
        return f"{told(source)} cannot be read: {error.strerror or type(error).__name__}"
    return ""


def _gpus() -> tuple[str, ...]:
    """What the driver tells of each GPU; none where there is no driver."""
    asked = ["nvidia-smi", "--query-gpu=name,memory.total,driver_version", "--format=csv,noheader"]
    try:
        answer = subprocess.run(asked, capture_output=True, text=True, timeout=60, check=True).stdout
    except (OSError, subprocess.SubprocessError):
        return ()
    return tuple(line.strip() for line in answer.splitlines() if line.strip())
