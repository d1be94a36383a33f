"""Make a corpus, or go on with one."""

import argparse
from pathlib import Path

from rich.console import Console

from manifests.errors import UsageError
from manifests.manifest import Manifest
from manifests.media import MediaStore
from pipeline.engine.ray_session import check_root
from pipeline.listing import VIDEOS, Listing, list_sources
from pipeline.recipe import Recipe, recipe_named, recipe_names
from pipeline.session import changes, done, go_on, part, positive

EXAMPLE = "headset run talking_head videos/ --out corpus/ --workers 2"


def arguments(parser: argparse.ArgumentParser) -> None:
    recipe_and_videos(parser)
    parser.add_argument("--out", metavar="CORPUS", required=True, help="the corpus: a folder, or s3://bucket/prefix")
    changes(parser)
    parser.add_argument(
        "--part", type=part, metavar="K/N", help="do only the Kth of N parts of the corpus, for jobs that share nothing but --out"
    )
    parser.add_argument("--cpus", type=positive, help="cores to use on this machine (default: all)")


def recipe_and_videos(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("recipe", help=f"{', '.join(recipe_names())}, or a Python file that defines RECIPE")
    parser.add_argument("videos", nargs="*", help=f"{VIDEOS}; none to go on with what --out lists")


def asked_recipe(options: argparse.Namespace) -> Recipe:
    recipe = recipe_named(options.recipe)
    for assignment in options.set:
        recipe = recipe.set(assignment)
    return recipe


def listed(options: argparse.Namespace, console: Console) -> Listing:
    with console.status("listing sources"):
        listing = list_sources(options.videos, skip=[Path(options.out)] if options.out and "://" not in options.out else [])
    for drop in listing.dropped:
        console.print(f"[yellow]{drop.reason}[/]: {drop.detail}", highlight=False)
    return listing


def main(options: argparse.Namespace) -> int:
    console = Console()
    plan = asked_recipe(options).plan()
    check_root(options.out)
    listing = listed(options, console)
    MediaStore(options.out).check()
    manifest = Manifest(options.out)
    new = manifest.add(listing.sources, listing.dropped, listing.lists)
    if not manifest.exists():
        raise UsageError(f"nothing to run: name {VIDEOS}")
    if options.videos:
        console.print(f"{len(listing.sources)} sources named, {len(new)} of them new to {options.out}.", highlight=False)
    go_on(plan, manifest, console, done(plan, manifest), workers=options.workers, cpus=options.cpus, part=options.part)
    return 0
