"""Ray for a run: started on this machine, or joined where RAY_ADDRESS says."""

import json
import logging
import os
import re
import signal
import socket
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from manifests.errors import UsageError
from pipeline.engine.plan_file import copy_code
from pipeline.engine.travel import HOOK, folders, plain
from pipeline.engine.worker import WORKER_ENVIRONMENT

# Seconds that Ray gives its own parts to start: on a busy machine a process of Python takes a minute to import what it
# needs.
PATIENCE = {
    "RAY_gcs_server_port_wait_time_s": "300",
    "RAY_gcs_server_request_timeout_seconds": "300",
    "RAY_worker_register_timeout_seconds": "300",
}
RAY_JOB_CONFIG = "RAY_JOB_CONFIG_JSON_ENV_VAR"  # Ray sets it for the driver of a job
ANSWERS_WITHIN_S = 20.0  # the head of a cluster that is there
# Of the processes of `ray.init`, those that a run on this machine asks nothing: what scales a cluster, what carries the
# output of workers to the driver, and the server of a dashboard, of which `include_dashboard=False` leaves the page out
# and not the process. Each imports Ray anew, 4.5 CPU seconds together, and `ray.init` waits for the last.
UNASKED = ("start_monitor", "start_log_monitor", "start_api_server")
TRIES = 2  # for the one limit that Ray does not let be raised: 30 s for a node to register


def check_root(root: str) -> None:
    """Refuses a corpus that only this process could find.

    Raises:
        UsageError: for a relative path where workers are those of a cluster, each in a folder of its own.
    """
    if os.environ.get("RAY_ADDRESS") and "://" not in root and not os.path.isabs(root):
        raise UsageError(
            f"RAY_ADDRESS is set, and the workers of a cluster know nothing of the folder {root} is relative to; "
            f"name the corpus by an absolute path that every node has, or by s3://bucket/prefix"
        )


def start_ray(cpus: int | None) -> bool:
    """Joins the cluster that RAY_ADDRESS names, else starts Ray on this machine. False where Ray runs already.

    Raises:
        UsageError: where Ray does not start, or no cluster answers.
    """
    for name, seconds in PATIENCE.items():
        os.environ.setdefault(name, seconds)  # before the import, which reads some of them
    if os.environ.get("RAY_ADDRESS"):
        show_token()
    import ray

    if ray.is_initialized():
        return False
    if address := os.environ.get("RAY_ADDRESS"):
        _knock(address)
        with tempfile.TemporaryDirectory() as code:
            _init(
                f"no Ray cluster answers at RAY_ADDRESS={address}",
                tries=1,
                runtime_env=_along(Path(code)),
                log_to_driver=False,
                logging_level=logging.ERROR,
            )
    else:
        paths = [str(Path(__file__).resolve().parents[2]), *filter(None, [os.environ.get("PYTHONPATH")])]
        os.environ.update({**WORKER_ENVIRONMENT, "PYTHONPATH": os.pathsep.join(paths)})
        with _unasked_left_out():
            _init(
                "Ray does not start on this machine; where it is busy, run the same command again later",
                tries=TRIES,
                # whatever other Ray is on this machine: a cluster is joined where RAY_ADDRESS names it
                address="local",
                num_cpus=cpus or os.cpu_count(),
                include_dashboard=False,
                log_to_driver=False,
                logging_level=logging.ERROR,
                object_store_memory=200 * 2**20,
            )
    return True


def show_token() -> None:
    """Has Ray show a cluster the token that this user has, where one is.

    Ray 2.60 guards what `ray start` starts on a machine that has a token, and leaves one wherever it starts by
    itself, as for a run without a cluster. Who joins shows none unless told to, and then waits in vain. A cluster
    without a guard takes no notice. Where Ray is imported already, its settings are read: it is too late.
    """
    path = Path(os.environ.get("RAY_AUTH_TOKEN_PATH") or Path.home() / ".ray" / "auth_token")
    if "ray" not in sys.modules and (os.environ.get("RAY_AUTH_TOKEN") or path.is_file()):
        os.environ.setdefault("RAY_AUTH_MODE", "token")


def _along(folder: Path) -> dict[str, Any]:
    """What travels to the workers of a cluster: the code, and what is no secret. In a job it has come already, and a
    variable that the job sets is left to it: Ray takes none twice.

    Args:
        folder: an empty one, to put the code into.
    """
    if config := os.environ.get(RAY_JOB_CONFIG):
        told = (json.loads(config).get("runtime_env") or {}).get("env_vars") or {}
        return {"env_vars": {name: value for name, value in WORKER_ENVIRONMENT.items() if name not in told}}
    copy_code(folder)
    variables = {**plain(os.environ), **folders(os.environ), **WORKER_ENVIRONMENT}
    along: dict[str, Any] = {"working_dir": str(folder), "env_vars": variables}
    if secrets := os.environ.get("HEADSET_SECRETS"):
        variables["HEADSET_SECRETS"] = os.path.abspath(secrets)
        along["worker_process_setup_hook"] = HOOK
    return along


def _knock(address: str) -> None:
    """Ray itself asks a place where nobody is for minutes before it gives up.

    Raises:
        UsageError: where an address of the form host:port, or ray://host:port, does not take a connection.
    """
    place = re.fullmatch(r"(?:ray://)?\[?([^\[\]/]+?)\]?:(\d{1,5})", address)
    if place is None:  # "auto" and such, which Ray looks up
        return
    try:
        socket.create_connection((place[1], int(place[2])), timeout=ANSWERS_WITHIN_S).close()
    except (OSError, OverflowError) as error:
        raise UsageError(f"no Ray cluster answers at RAY_ADDRESS={address} ({type(error).__name__}: {error})") from None


@contextmanager
def _unasked_left_out() -> Iterator[None]:
    """Has `ray.init` start no process of UNASKED. Ray has no setting for it; a Ray without such a method, as another
    version may be, starts what it starts. Where all of ray[default] is installed, an agent of Ray's looks for the
    server every second and says so in its own log file.
    """
    from ray._private.node import Node

    starts = {name: getattr(Node, name) for name in UNASKED if hasattr(Node, name)}
    for name in starts:
        setattr(Node, name, lambda *_, **__: None)
    try:
        yield
    finally:
        for name, start in starts.items():
            setattr(Node, name, start)


def _init(otherwise: str, tries: int, **arguments: object) -> None:
    """
    Args:
        otherwise: what to say when all tries are in vain.
    """
    import ray

    for left in reversed(range(tries)):
        try:
            ray.init(**arguments)  # pyright: ignore[reportArgumentType]
            return
        except Exception as error:
            ray.shutdown()
            if not left:
                why = str(error).strip().partition("\n")[0]
                raise UsageError(f"{otherwise} ({type(error).__name__}: {why})") from error


def stop_ray() -> None:
    import ray

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a Ctrl-C now must not leave workers behind
    ray.shutdown()
    signal.signal(signal.SIGINT, signal.default_int_handler)
