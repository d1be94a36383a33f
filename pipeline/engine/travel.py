"""What of this machine's environment travels to a cluster, and how.

by value        what is no secret and means the same everywhere: regions, endpoints, numbers (`PLAIN`)
not at all      what names a thing of this machine (`OF_THIS_MACHINE`): a cluster file says what it is there
by reference    every other AWS_*, HF_* and HEADSET_* variable is a secret. A cluster file says where it comes from:
    nodes       the nodes have it: a variable out of a Secret of Kubernetes, a role of the machine
    file        a file or folder that lies on every node; its path travels, HEADSET_SECRETS
    here        a file in the job's own package, for a cluster that nobody else uses. It stands in no description of
                the job and in no log; it lies in the head's memory and on nodes' disks until the package is swept away
"""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from manifests.errors import UsageError
from operators.sources.secrecy import holds_secret, scrubbed
from pipeline.engine.cluster_file import Cluster
from pipeline.engine.secrets import write_secrets

OURS = re.compile(r"(AWS|HEADSET|HF)_\w+")
PLAIN = frozenset({
    "AWS_DEFAULT_REGION", "AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3", "AWS_MAX_ATTEMPTS", "AWS_REGION",
    "AWS_REQUEST_CHECKSUM_CALCULATION", "AWS_RETRY_MODE", "HEADSET_CACHE_BYTES", "HEADSET_DEBUG", "HF_ENDPOINT",
    "HF_HUB_DISABLE_TELEMETRY", "HF_HUB_OFFLINE",
})  # fmt: skip
FOLDERS = frozenset({"HEADSET_CACHE", "HEADSET_LISTS", "HEADSET_SYSTEMS", "HEADSET_WEIGHTS"})
OF_THIS_MACHINE = FOLDERS | {
    "AWS_CA_BUNDLE", "AWS_CONFIG_FILE", "AWS_PROFILE", "AWS_SHARED_CREDENTIALS_FILE", "AWS_WEB_IDENTITY_TOKEN_FILE",
    "HEADSET_SECRETS", "HEADSET_SYSTEM", "HF_HOME", "HF_HUB_CACHE",
}  # fmt: skip
HOOK = "pipeline.engine.secrets.load_secrets"  # what Ray calls in each worker as it starts
SHIPPED = "secrets.env"  # in the job's package


@dataclass(frozen=True)
class Travelling:
    """What goes along with a job."""

    variables: dict[str, str]  # by value; whoever may ask the dashboard can read them
    left: tuple[str, ...]  # names of what stays here, since it means nothing there
    secrets: tuple[str, ...]  # names of secrets that are set here
    shipped: bool = False  # whether these lie in the job's package


def plain(environment: Mapping[str, str]) -> dict[str, str]:
    """The variables that travel by value."""
    return {name: value for name, value in environment.items() if name in PLAIN and not holds_secret(value)}


def folders(environment: Mapping[str, str]) -> dict[str, str]:
    """The folders that headset is told of by absolute paths, for nodes that see the same ones."""
    return {
        name: value
        for name, value in environment.items()
        if name in FOLDERS and os.path.isabs(value.partition(os.pathsep)[0])
    }


def secret_names(environment: Mapping[str, str]) -> list[str]:
    """The variables that are secrets."""
    ours = [name for name in environment if OURS.fullmatch(name) and environment[name]]
    return sorted(
        name for name in ours if name not in OF_THIS_MACHINE and (name not in PLAIN or holds_secret(environment[name]))
    )


def travelling(
    cluster: Cluster, package: Path | None = None, environment: Mapping[str, str] = os.environ
) -> Travelling:
    """What goes along to a cluster.

    Args:
        package: the folder that travels, for secrets that come from here; None to send none.

    Raises:
        UsageError: for a secret in the cluster file, or one to be sent that is not set.
    """
    for name, value in cluster.environment.items():
        is_ours = OURS.fullmatch(name) and name not in PLAIN | OF_THIS_MACHINE
        if is_ours or holds_secret(value) or scrubbed(f"{name}={value}") != f"{name}={value}":
            raise UsageError(
                f"environment.{name} looks like a secret, which the dashboard would show: see docs/guide/cluster.md"
            )
    variables = {**plain(environment), **cluster.environment}
    secrets = secret_names(environment)
    if cluster.secrets.origin == "file":
        variables["HEADSET_SECRETS"] = cluster.secrets.file
    shipped = cluster.secrets.origin == "here" and package is not None
    if shipped and package is not None:
        secrets = list(cluster.secrets.names) or secrets
        if missing := [name for name in secrets if not environment.get(name)]:
            raise UsageError(f"secrets.names has {missing[0]}, which is not set here")
        write_secrets({name: environment[name] for name in secrets}, package / SHIPPED)
        variables["HEADSET_SECRETS"] = SHIPPED
    left = sorted(name for name in environment if name in OF_THIS_MACHINE - cluster.environment.keys())
    return Travelling(variables, tuple(left), tuple(secrets), shipped)
