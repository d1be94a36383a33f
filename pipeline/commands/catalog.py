"""Write metadata over the current files, for readers without headset: they see current rows and no others.

DuckDB, polars, Spark, datasets and Croissant's readers read it: docs/guide/reading_without_headset.md.
Nothing is copied. Make it anew after each run, and after the corpus was moved.
"""

import argparse

from manifests.errors import UsageError
from pipeline.session import driving, existing, may_wait
from pipeline.views.console import console

EXAMPLE = "headset catalog corpus/ --format iceberg"
GROUP = "choose"
FORMATS = ("croissant", "iceberg", "duckdb")


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("corpus")
    parser.add_argument(
        "--format", choices=FORMATS, required=True, help="croissant: also for datasets.load_dataset(corpus, table)"
    )
    may_wait(parser)


def main(options: argparse.Namespace) -> int:
    from pipeline.release.catalog.croissant import write_croissant
    from pipeline.release.catalog.iceberg import write_iceberg
    from pipeline.release.catalog.views import write_views

    manifest, out = existing(options.corpus), console()
    if options.format != "croissant" and not manifest.is_local:
        raise UsageError(
            f"{manifest.root}: {options.format} names files by their paths on this machine; of a bucket, only croissant"
            " can be written"
        )
    write = {"croissant": write_croissant, "iceberg": write_iceberg, "duckdb": write_views}[options.format]
    with driving(manifest, "headset catalog", options.wait, out):
        place = write(manifest)
    out.print(
        f"{manifest.root.rstrip('/')}/{place} names the current rows as they are now. "
        "How to read it: docs/guide/reading_without_headset.md",
        soft_wrap=True,
    )
    return 0
