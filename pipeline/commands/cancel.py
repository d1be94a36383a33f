"""Stop a job of a cluster. What it has committed stays; the same `submit` goes on from there."""

import argparse

from pipeline.engine.cluster_file import read_cluster
from pipeline.engine.submit import cancel, client_of, job_named
from pipeline.session import of_cluster
from pipeline.views.console import console

EXAMPLE = "headset cancel headset-talking_head-0123456789ab"
GROUP = "cluster"


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("job", metavar="JOB", help="its id, as `headset jobs` lists it")
    of_cluster(parser)


def main(options: argparse.Namespace) -> int:
    out, client = console(), client_of(read_cluster(options.cluster))
    if not job_named(client, options.job).runs:
        out.print(f"{options.job} has ended already.")
        return 0
    job = cancel(client, options.job)
    out.print(
        f"{options.job} does not stop yet; ask headset jobs."
        if job.runs
        else f"{options.job} is stopped; what it has committed stays."
    )
    return 1 if job.runs else 0
