"""Runs as jobs of a Ray cluster: submitted, followed, stopped and gone on with, from a machine that is no part of it.

A job's id is made of what it does: the plan, the lists and the corpus. So submitting the same twice finds the job that
runs; and a job that has ended is followed by one with the next number behind the id, which goes on where it stopped,
as `headset run` does.
"""

import asyncio
import hashlib
import json
import logging
import os
import re
import shlex
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

from manifests.errors import NotFound, UsageError
from pipeline.engine.cluster_file import Cluster
from pipeline.engine.package import check_out, packed
from pipeline.engine.plan_file import PLAN, copy_code, write_plan
from pipeline.engine.ray_session import show_token
from pipeline.engine.travel import HOOK, Travelling, travelling
from pipeline.listing.lists import is_list
from pipeline.recipe import Plan

# A driver that is stopped ends as by Ctrl-C; Ray kills it when it has not within these seconds.
DRIVER = {"PYTHONUNBUFFERED": "1", "RAY_JOB_STOP_SIGNAL": "SIGINT", "RAY_JOB_STOP_WAIT_TIME_S": "15"}
RUNNING = ("PENDING", "RUNNING")
MOST_TRIES = 1000
OF_THE_JOB = ("recipe", "out", "command")  # of its metadata


@dataclass(frozen=True)
class Job:
    """A job of headset as a cluster knows it."""

    job_id: str
    status: str  # PENDING, RUNNING, SUCCEEDED, FAILED or STOPPED
    recipe: str
    out: str
    command: str  # the one of headset
    started_s: float  # since 1970; 0.0 before it began
    ended_s: float  # since 1970; 0.0 while it runs
    exit_code: int | None  # of the command; None while it runs, and where it was killed
    message: str  # what Ray says of its state

    @property
    def runs(self) -> bool:
        return self.status in RUNNING


@dataclass(frozen=True)
class Submitted:
    """What became of a `submit`."""

    job_id: str
    attached: bool  # to one that ran already
    travelling: Travelling


def job_id(plan: Plan, videos: Iterable[str], out: str) -> str:
    """Names what a job does: by the plan's steps and fields, the content of lists, and the corpus."""
    named = [Path(one).read_bytes().hex() if is_list(Path(one)) and Path(one).is_file() else one for one in videos]
    what = [
        [step.version for step in plan.steps],
        [asdict(step.operator) for step in plan.steps],
        sorted(named),
        out.rstrip("/"),
    ]
    name = re.sub(r"[^A-Za-z0-9_-]", "-", plan.recipe)[:40]
    return (
        f"headset-{name}-{hashlib.sha256(json.dumps(what, sort_keys=True, default=asdict).encode()).hexdigest()[:12]}"
    )


def submit(plan: Plan, videos: list[str], out: str, cluster: Cluster, *, workers: int | None = None) -> Submitted:
    """Has a cluster run a plan, or finds the job that does so already.

    Raises:
        UsageError: for what the nodes would not find, and where no cluster answers.
    """
    check_out(out, cluster)
    client, base = client_of(cluster), job_id(plan, videos, out)
    with tempfile.TemporaryDirectory() as folder:
        package = Path(folder)
        named, lists = packed(videos, package, cluster)
        write_plan(plan, package, lists)
        along = travelling(cluster, package)
        asked = workers or cluster.limits.workers
        command = ["run", PLAN, *named, "--out", out, "--wait", *(["--workers", str(asked)] if asked else [])]
        for number in range(1, MOST_TRIES):
            name = base if number == 1 else f"{base}-{number}"
            known = find(client, name)
            if known is None:
                try:
                    start(
                        client,
                        name,
                        command,
                        cluster,
                        package,
                        along,
                        {"recipe": plan.recipe, "out": out, "command": "run"},
                    )
                except RuntimeError as error:
                    if (known := find(client, name)) is None:  # nobody else was quicker
                        raise UsageError(f"the cluster at {cluster.address} takes no job: {_first(error)}") from None
                else:
                    return Submitted(name, False, along)
            if known.runs:
                return Submitted(name, True, along)
    raise UsageError(f"{base} was submitted {MOST_TRIES} times; look at its log")


def start(
    client: Any,
    name: str,
    command: list[str],
    cluster: Cluster,
    package: Path,
    along: Travelling,
    metadata: dict[str, str],
) -> None:
    """Starts a command of headset as a job.

    Args:
        package: the folder that becomes the job's working directory; the code is put into it.

    Raises:
        RuntimeError: as Ray gives it, where the name is taken or the job refused.
    """
    limit = ["timeout", "--signal=INT", f"{cluster.limits.hours}h"] if cluster.limits.hours else []
    environment: dict[str, Any] = {"working_dir": str(package), "env_vars": {**DRIVER, **along.variables}}
    if cluster.code == "ship":
        copy_code(package)
    if "HEADSET_SECRETS" in along.variables:
        environment["worker_process_setup_hook"] = HOOK
    client.submit_job(
        entrypoint=shlex.join([*limit, cluster.python, "-m", "pipeline", *command]),
        submission_id=name,
        runtime_env=environment,
        metadata=metadata,
        entrypoint_num_cpus=cluster.limits.driver_cpus or None,
    )


def run_there(plan: Plan, command: list[str], videos: list[str], cluster: Cluster) -> tuple[Job, str]:
    """Has a cluster run a short command of headset over a plan, and waits for it.

    Args:
        command: its words, to which the plan's name and the videos are added.

    Returns:
        The job as it ended, and what it printed. The cluster forgets it.
    """
    client, name = client_of(cluster), f"headset-{command[0]}-{uuid4().hex[:12]}"
    with tempfile.TemporaryDirectory() as folder:
        package = Path(folder)
        named, lists = packed(videos, package, cluster)
        write_plan(plan, package, lists)
        along = travelling(cluster, package)
        metadata = {"recipe": plan.recipe, "out": "", "command": command[0]}
        start(client, name, [*command, PLAN, *named], cluster, package, along, metadata)
        ended = await_end(client, name)
    printed = log(client, name)
    client.delete_job(name)
    return ended, printed


@contextmanager
def _asking(cluster: Cluster) -> Iterator[None]:
    try:
        yield
    except (ConnectionError, OSError) as error:
        raise UsageError(f"no Ray dashboard answers at {cluster.address}: {_first(error)}") from None


def client_of(cluster: Cluster) -> Any:
    """A client of the cluster's Jobs API.

    Raises:
        UsageError: where none answers, or Ray's own part for this is not installed.
    """
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    show_token()
    from ray.job_submission import JobSubmissionClient

    logging.getLogger("ray").setLevel(logging.WARNING)  # it tells of each folder it packs
    try:
        with _asking(cluster):
            return JobSubmissionClient(cluster.address)
    except RuntimeError as error:
        if "ray[default]" in str(error):
            raise UsageError("this needs the extra `cluster`: pip install 'headset[cluster]'") from None
        raise UsageError(f"the cluster at {cluster.address} cannot be used: {_first(error)}") from None


def find(client: Any, name: str) -> Job | None:
    """A job by its id; None where the cluster knows none."""
    try:
        return _job(client.get_job_info(name))
    except RuntimeError as error:
        if "404" in str(error) or "does not exist" in str(error):
            return None
        raise UsageError(f"the cluster does not tell of {name}: {_first(error)}") from None


def jobs(client: Any) -> list[Job]:
    """The jobs of headset that the cluster remembers, the latest first."""
    found = [_job(one) for one in client.list_jobs() if (one.submission_id or "").startswith("headset-")]
    return sorted(found, key=lambda job: -job.started_s)


def job_named(client: Any, name: str) -> Job:
    """
    Raises:
        NotFound: with those there are.
    """
    if (job := find(client, name)) is None:
        there = ", ".join(job.job_id for job in jobs(client)[:10])
        raise NotFound(
            f"the cluster knows no job {name}; " + (f"it knows {there}" if there else "it knows none of headset")
        )
    return job


def _job(found: Any) -> Job:
    told = {name: str((found.metadata or {}).get(name, "")) for name in OF_THE_JOB}
    began, ended = (found.start_time or 0) / 1000, (found.end_time or 0) / 1000
    return Job(
        found.submission_id,
        str(found.status.value),
        **told,
        started_s=began,
        ended_s=ended,
        exit_code=found.driver_exit_code,
        message=found.message or "",
    )


def log(client: Any, name: str) -> str:
    """What a job has printed so far."""
    return client.get_job_logs(name)


def follow(client: Any, name: str) -> Iterator[str]:
    """What a job prints, until it has ended. A connection that breaks is made again, behind what was given."""
    given = 0
    while True:
        given_before, pieces = given, client.tail_job_logs(name)
        with asyncio.Runner() as runner:
            seen = 0
            while (piece := runner.run(_next(pieces))) is not None:
                seen += len(piece)
                if seen > given:
                    yield piece[max(0, len(piece) - (seen - given)) :]
                    given = seen
        if not job_named(client, name).runs:
            break
        if given == given_before:
            time.sleep(1)
    rest = log(client, name)
    if len(rest) > given:
        yield rest[given:]


async def _next(pieces: Any) -> str | None:
    try:
        return await anext(pieces)
    except (StopAsyncIteration, RuntimeError, ConnectionError):
        return None


def await_end(client: Any, name: str) -> Job:
    """A job that has printed its last, as it ended."""
    while (job := job_named(client, name)).runs:
        time.sleep(0.5)
    return job


def cancel(client: Any, name: str, patience_s: float = 60.0) -> Job:
    """Stops a job, and returns when it has stopped, or after so long."""
    job = job_named(client, name)
    if job.runs:
        client.stop_job(name)
        until = time.monotonic() + patience_s
        while (job := job_named(client, name)).runs and time.monotonic() < until:
            time.sleep(0.5)
    return job


def _first(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0][:300]
