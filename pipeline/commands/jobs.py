"""List the jobs of a cluster."""

import argparse

from pipeline.engine.cluster_file import read_cluster
from pipeline.engine.submit import client_of, jobs
from pipeline.session import as_json, of_cluster
from pipeline.views.console import answer
from pipeline.views.jobs import JobList

EXAMPLE = "headset jobs --cluster infra/clusters/ray/local.yaml"
GROUP = "cluster"


def arguments(parser: argparse.ArgumentParser) -> None:
    of_cluster(parser)
    as_json(parser)


def main(options: argparse.Namespace) -> int:
    cluster = read_cluster(options.cluster)
    answer(JobList(cluster.address, tuple(jobs(client_of(cluster)))), options.json)
    return 0
