"""Make a corpus, or go on with one."""

import argparse
from dataclasses import replace
from pathlib import Path

from rich.console import Console

from manifests.errors import UsageError
from manifests.manifest import Manifest
from manifests.media import MediaStore
from manifests.tables import Published, Source
from pipeline.engine.plan_file import Versions, lists_of, read_plan, versions, versions_of
from pipeline.engine.ray_session import check_root
from pipeline.importing import left_without
from pipeline.listing import VIDEOS, Listing, list_sources, missing
from pipeline.recipe import Recipe, recipe_named, recipe_names
from pipeline.session import changes, done, driving, go_on, may_wait, part, positive, watching
from pipeline.views.console import console, waiting

EXAMPLE = "headset run talking_head videos/ --out corpus/ --workers 2"
GROUP = "make"


def arguments(parser: argparse.ArgumentParser) -> None:
    recipe_and_videos(parser)
    parser.add_argument("--out", metavar="CORPUS", required=True, help="the corpus: a folder, or s3://bucket/prefix")
    changes(parser)
    parser.add_argument(
        "--part",
        type=part,
        metavar="K/N",
        help="do only the Kth of N parts of the corpus, for jobs that share nothing but --out",
    )
    parser.add_argument("--cpus", type=positive, help="cores to use on this machine (default: all)")
    may_wait(parser)
    watching(parser)


def recipe_and_videos(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("recipe", help=f"{', '.join(recipe_names())}, or a Python file that defines RECIPE")
    parser.add_argument("videos", nargs="*", help=f"{VIDEOS}; none to go on with what --out lists")


def asked_recipe(options: argparse.Namespace) -> Recipe:
    recipe = read_plan(Path(options.recipe)) if is_plan(options) else recipe_named(options.recipe)
    for assignment in options.set:
        recipe = recipe.set(assignment)
    return recipe


def is_plan(options: argparse.Namespace) -> bool:
    """Whether the recipe is what another machine decided, as a submitted job has it."""
    return options.recipe.endswith(".json")


def decided_by(options: argparse.Namespace) -> Versions:
    """What every machine of the run must have: as the one had that made the plan."""
    return versions_of(Path(options.recipe)) if is_plan(options) else versions()


def listed(options: argparse.Namespace, out: Console) -> Listing:
    with waiting(out, "listing sources"):
        listing = list_sources(
            options.videos, skip=[Path(options.out)] if options.out and "://" not in options.out else []
        )
    for line in listing.told():
        out.print(line, soft_wrap=True)
    if options.videos and not listing.sources:
        raise UsageError(
            "nothing to list:"
            f" {'; '.join(filter(None, map(missing, options.videos))) or 'what was named gives no source'}"
        )
    if is_plan(options):
        called = lists_of(Path(options.recipe))
        listing = replace(listing, lists={called.get(path, path): named for path, named in listing.lists.items()})
    return listing


def add(manifest: Manifest, listing: Listing, recipe: Recipe, out: Console) -> list[Source]:
    """Lists what was named in a corpus, with the clips that lists ask for. Returns the sources that are new to it.

    Raises:
        UsageError: where the recipe cuts clips of lists, and the corpus lists their sources already without them.
    """
    left = left_without(manifest, listing.published)
    if left and Published in recipe.given:
        raise UsageError(
            f"{manifest.root} lists the sources of {len(left)} of these clips already, without them: name another --out"
        )
    new = manifest.add(listing.sources, listing.dropped, listing.lists, listing.published)
    if listing.published and Published not in recipe.given:
        told = (
            f"{recipe.name} looks at the whole of each source; the {len(listing.published)} clips of the lists are cut"
            " as they are by "
        )
        out.print(f"{told}headset run rebuild", soft_wrap=True)
    if moved := manifest.relocate(listing.sources):
        out.print(f"{len(moved)} sources lie elsewhere now; nothing is done again for that.", soft_wrap=True)
    return new


def main(options: argparse.Namespace) -> int:
    out = console(quiet=options.quiet)
    recipe = asked_recipe(options)
    check_root(options.out)
    manifest = Manifest(options.out)
    wholes = manifest.wholes() if manifest.exists() else {}
    plan = recipe.plan(wholes)  # says what is wrong with it before anything is listed
    listing = listed(options, out)
    MediaStore(options.out).check()
    new = add(manifest, listing, recipe, out)
    if not manifest.exists():
        raise UsageError(f"nothing to run: name {VIDEOS}")
    if options.videos:
        out.print(f"{len(listing.sources)} sources named, {len(new)} of them new to {options.out}.")
    with driving(manifest, "headset run", options.wait, out, options.part):
        if (now := manifest.wholes()) != wholes:  # another command was waited for
            plan = recipe.plan(now)
        before = done(plan, manifest)
        go_on(
            plan, manifest, out, before, workers=options.workers, cpus=options.cpus, part=options.part, log=options.log
        )
    return 0
