"""Have a Ray cluster make a corpus, or go on with one.

The plan is decided here, and travels with the lists and the code as a job of Ray. Submitting the same twice finds the
job that runs; after it has ended, the same again goes on where it stopped. docs/guide/cluster.md tells what travels.
"""

import argparse

from rich.console import Console

from pipeline.commands.run import asked_recipe, recipe_and_videos
from pipeline.engine.cluster_file import read_cluster
from pipeline.engine.submit import Submitted, client_of, submit
from pipeline.session import changes, followed, of_cluster
from pipeline.views.console import console

EXAMPLE = "headset submit talking_head list.parquet --out s3://bucket/corpus --cluster infra/clusters/ray/local.yaml"
GROUP = "cluster"


def arguments(parser: argparse.ArgumentParser) -> None:
    recipe_and_videos(parser)
    parser.add_argument(
        "--out",
        metavar="CORPUS",
        required=True,
        help="the corpus: s3://bucket/prefix, or a folder that every node sees",
    )
    of_cluster(parser)
    changes(parser)
    parser.add_argument("-f", "--follow", action="store_true", help="show what the job prints, until it ends")


def main(options: argparse.Namespace) -> int:
    out, cluster = console(), read_cluster(options.cluster)
    done = submit(asked_recipe(options).plan(), options.videos, options.out, cluster, workers=options.workers)
    _tell(done, out)
    return followed(client_of(cluster), done.job_id, out) if options.follow else 0


def _tell(done: Submitted, out: Console) -> None:
    out.print(f"{done.job_id} {'runs already' if done.attached else 'is submitted'}.")
    along = done.travelling
    if along.left:
        out.print(f"Not sent, since they name things of this machine: {', '.join(along.left)}.", soft_wrap=True)
    if along.secrets:
        how = "Sent in the job's package" if along.shipped else "Secrets that are set here and were not sent"
        out.print(f"{how}: {', '.join(along.secrets)}.", soft_wrap=True)
    out.print(f"headset logs {done.job_id} -f follows it, headset cancel {done.job_id} stops it.", soft_wrap=True)
