"""Write the rendered clips as shards for training, with a datasheet; go on with a release that was stopped."""

import argparse
from pathlib import PurePosixPath

from pipeline.session import existing, positive
from pipeline.views.console import console, counting
from pipeline.views.facts import clock

EXAMPLE = "headset release corpus/ --out hq-webdataset/ --format webdataset --selection hq"
GROUP = "choose"


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("corpus")
    parser.add_argument(
        "--out", required=True, help="a new or empty folder, or s3://bucket/prefix; or a release to be made anew"
    )
    parser.add_argument(
        "--format", choices=("webdataset", "parquet", "folder"), default="webdataset", help="default: webdataset"
    )
    parser.add_argument("--selection", default="", help="NAME or NAME:VERSION (default: all rendered clips)")
    parser.add_argument(
        "--name", default="", help="under which the corpus remembers the release (default: the end of --out)"
    )
    parser.add_argument(
        "--shard-mb", type=positive, default=512, help="of a shard, about; a clip is never cut (default: 512)"
    )


def main(options: argparse.Namespace) -> int:
    from pipeline.query.selection import selection
    from pipeline.release.release import release

    manifest = existing(options.corpus)
    chosen = selection(manifest, options.selection) if options.selection else None
    name = options.name or PurePosixPath(options.out.rstrip("/")).name
    out = console()
    with counting("clips", out) as tell:
        made = release(
            manifest,
            options.out,
            options.format,
            name,
            chosen,
            options.shard_mb * 2**20,
            tell,
        )
    out.print(
        f"{made.clips} clips, {clock(made.seconds)}, in {made.shards} shards at {made.to}; README.md there tells what"
        " they are.",
        soft_wrap=True,
    )
    return 0
