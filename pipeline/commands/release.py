"""write the rendered clips as shards for training, with a datasheet; go on with a release that was stopped"""

import argparse
from pathlib import PurePosixPath

from rich.console import Console

from pipeline.session import existing, positive

EXAMPLE = "headset release corpus/ --to hq-webdataset/ --format webdataset --selection hq"


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("corpus")
    parser.add_argument("--to", required=True, help="a new or empty folder, or s3://bucket/prefix; or a release to be made anew")
    parser.add_argument("--format", choices=("webdataset", "parquet", "folder"), default="webdataset", help="default: webdataset")
    parser.add_argument("--selection", default="", help="NAME or NAME:VERSION (default: all rendered clips)")
    parser.add_argument("--name", default="", help="under which the corpus remembers the release (default: the end of --to)")
    parser.add_argument("--shard-mb", type=positive, default=512, help="of a shard, about; a clip is never cut (default: 512)")


def main(options: argparse.Namespace) -> int:
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    from pipeline.query.selection import selection
    from pipeline.release.release import release
    from pipeline.views.report import clock

    manifest = existing(options.corpus)
    chosen = selection(manifest, options.selection) if options.selection else None
    name = options.name or PurePosixPath(options.to.rstrip("/")).name
    console = Console(soft_wrap=True, highlight=False)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        line = bar.add_task("clips", total=None)
        made = release(
            manifest,
            options.to,
            options.format,
            name,
            chosen,
            options.shard_mb * 2**20,
            lambda done, of: bar.update(line, completed=done, total=of),
        )
    console.print(
        f"{made.clips} clips, {clock(made.seconds)}, in {made.shards} shards at {made.to}; README.md there tells what they are.",
        markup=False,
    )
    return 0
