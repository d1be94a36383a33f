"""A cluster file: where a Ray cluster answers, and what its nodes have. Small, typed YAML; see infra/clusters/ray/.

    address: http://127.0.0.1:8265     # of the dashboard on the head
    code: ship                         # ship: headset's code travels with the job; installed: the nodes have the same
    python: python3                    # of the head's PATH
    shared: [/data]                    # folders that every node sees under these names
    environment: {HEADSET_WEIGHTS: /data/weights}     # readable to whoever sees the dashboard: no secrets
    secrets: {from: nodes}             # nodes, file or here: see `pipeline/engine/travel.py`
    limits: {hours: 48, workers: 8}
    machines: {cores: 512, gpus: 4, dollars_per_hour: 14.2}     # all together, for `headset plan --cluster`

What a file does not say has the value of `Cluster`.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path, PurePosixPath
from typing import Any, TypeVar

import yaml

from manifests.errors import NotFound, UsageError

T = TypeVar("T")
CODES = ("ship", "installed")
SECRETS = ("nodes", "file", "here")


@dataclass(frozen=True)
class Secrets:
    """Where a job's secrets come from. No value is ever written into a cluster file."""

    origin: str = "nodes"  # written `from`: of SECRETS
    file: str = ""  # on every node: NAME=value lines, or a folder with a file a name, as Kubernetes mounts a Secret
    names: tuple[str, ...] = ()  # of variables here, for `here`; () for all that are set and are secrets


@dataclass(frozen=True)
class JobLimits:
    """What a job may take."""

    hours: float = 0.0  # after which it is told to stop; 0 for no limit
    workers: int = 0  # actors a stage; 0 for as many as fit
    driver_cpus: float = 0.0  # that the driver holds


@dataclass(frozen=True)
class Fleet:
    """What its nodes have, all together: what `headset plan --cluster` reckons with."""

    cores: int = 0  # 0 where nobody said
    gpus: int = 0
    dollars_per_hour: float = 0.0  # 0 where nobody said
    losses_per_core_h: float = 0.01  # nodes that go away, by cores: 0.01 is a spot machine of 16 every six hours


@dataclass(frozen=True)
class Cluster:
    """A Ray cluster as a file tells of it."""

    address: str = "http://127.0.0.1:8265"
    code: str = "ship"
    python: str = "python3"
    shared: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    secrets: Secrets = field(default_factory=Secrets)
    limits: JobLimits = field(default_factory=JobLimits)
    machines: Fleet = field(default_factory=Fleet)

    def sees(self, path: str) -> bool:
        """Whether every node finds this path under the same name."""
        return (
            any(PurePosixPath(path).is_relative_to(folder) for folder in self.shared)
            and ".." not in PurePosixPath(path).parts
        )

    def check(self) -> None:
        """
        Raises:
            UsageError: for a value that can never be meant.
        """
        if not re.fullmatch(r"https?://[^\s/@]+(/\S*)?", self.address):
            raise UsageError(
                f"address is {self.address!r}; it is the dashboard's, without a user or a password: http://127.0.0.1:8265"
            )
        if self.code not in CODES:
            raise UsageError(f"code is {self.code!r}; it is {' or '.join(CODES)}")
        if self.secrets.origin not in SECRETS:
            raise UsageError(f"secrets.from is {self.secrets.origin!r}; it is {', '.join(SECRETS)}")
        if (self.secrets.origin == "file") != bool(self.secrets.file):
            raise UsageError("secrets.file is a path on every node, and goes with `from: file`")
        if self.secrets.file and not self.secrets.file.startswith("/"):
            raise UsageError(f"secrets.file is {self.secrets.file!r}; it must be an absolute path")
        if wrong := [folder for folder in self.shared if not folder.startswith("/")]:
            raise UsageError(f"shared names {wrong[0]!r}; it must be an absolute path")
        if self.limits.hours < 0 or self.limits.workers < 0 or self.limits.driver_cpus < 0:
            raise UsageError("limits are 0, for none, or more")
        if min(self.machines.cores, self.machines.gpus, self.machines.dollars_per_hour) < 0:
            raise UsageError("machines are 0, for not said, or more")


def read_cluster(path: Path | None) -> Cluster:
    """A cluster's file; without one, the cluster of this machine.

    Raises:
        UsageError: for a file that is none, naming what is wrong in it.
    """
    if path is None:
        return Cluster()
    if not path.is_file():
        raise NotFound(f"{path}: no such cluster file; there are some in infra/clusters/ray")
    try:
        said = yaml.safe_load(path.read_text())
        cluster = _typed(Cluster, said or {}, "")
        cluster.check()
    except (yaml.YAMLError, UsageError) as error:
        raise UsageError(f"{path}: {' '.join(str(error).split())}") from None
    return cluster


def _typed(kind: type[T], said: Any, where: str) -> T:
    """A dataclass from what YAML holds."""
    if not isinstance(said, Mapping):
        raise UsageError(f"{where or 'the file'} is {said!r}; write its fields, one a line")
    known = {"from" if one.name == "origin" else one.name: one for one in fields(kind)}  # pyright: ignore[reportArgumentType]
    if strange := [str(name) for name in said if name not in known]:
        raise UsageError(f"there is no {where}{strange[0]}; there are {', '.join(where + name for name in known)}")
    default, values = kind(), {}
    for name, value in said.items():
        old = getattr(default, known[name].name)
        values[known[name].name] = _value(old, value, f"{where}{name}")
    return kind(**values)


def _value(old: Any, value: Any, name: str) -> Any:
    if isinstance(old, Secrets | JobLimits | Fleet):
        return _typed(type(old), value, f"{name}.")
    if isinstance(old, Mapping):
        if isinstance(value, Mapping) and all(isinstance(one, str | int | float) for one in value.values()):
            return {str(key): str(one) for key, one in value.items()}
    elif isinstance(old, tuple):
        if isinstance(value, list) and all(isinstance(one, str) for one in value):
            return tuple(value)
    elif isinstance(old, float) and isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    elif type(value) is type(old):
        return value
    raise UsageError(f"{name} is {value!r}; it must be like {list(old) if isinstance(old, tuple) else old!r}")
