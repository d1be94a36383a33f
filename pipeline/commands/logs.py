"""Show what a job of a cluster has printed."""

import argparse

from pipeline.engine.cluster_file import read_cluster
from pipeline.engine.submit import client_of, job_named, log
from pipeline.session import followed, of_cluster
from pipeline.views.console import console

EXAMPLE = "headset logs headset-talking_head-0123456789ab -f"
GROUP = "cluster"


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("job", metavar="JOB", help="its id, as `headset jobs` lists it")
    parser.add_argument("-f", "--follow", action="store_true", help="go on until it ends; the exit status is the job's")
    of_cluster(parser)


def main(options: argparse.Namespace) -> int:
    out, client = console(), client_of(read_cluster(options.cluster))
    job_named(client, options.job)
    if options.follow:
        return followed(client, options.job, out)
    out.print(log(client, options.job), end="", soft_wrap=True)
    return 0
