"""Try again what was dropped but need not have been, and nothing else."""

import argparse
import json
from collections import Counter

from rich.console import Console

from manifests.errors import UsageError
from manifests.manifest import Manifest
from pipeline.engine.retry import retry
from pipeline.recipe import Plan, recipe_named, recipe_names
from pipeline.session import changes, done, driving, existing, go_on, may_wait, positive, watching
from pipeline.views.console import console
from pipeline.views.facts import by_number

EXAMPLE = "headset retry corpus/ --reason rate_limited"
GROUP = "make"


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("corpus")
    parser.add_argument(
        "--reason",
        action="append",
        default=[],
        help="of the drops to try again; may be given again (default: all that are retryable)",
    )
    parser.add_argument(
        "--recipe",
        metavar="FILE",
        default="",
        help="the recipe, where it is a file of yours: a corpus runs no file by itself",
    )
    parser.add_argument("--operator", default="", help="whose drops (default: of all operators of the last run)")
    changes(parser)
    parser.add_argument("--cpus", type=positive, help="cores to use on this machine (default: all)")
    watching(parser)
    may_wait(parser)


def main(options: argparse.Namespace) -> int:
    out = console(quiet=options.quiet)
    manifest = existing(options.corpus)
    with driving(manifest, "headset retry", options.wait, out):
        return _again(manifest, options, out)


def _again(manifest: Manifest, options: argparse.Namespace, out: Console) -> int:
    plan = _last_plan(manifest, options.set, options.recipe)
    before = done(plan, manifest)
    found = retry(manifest, reasons=tuple(options.reason), operator=options.operator)
    if found.left:
        out.print(f"Going on with {found.left} sources of a retry that was stopped.")
    if found.drops:
        sources = len({drop.source_id for drop in found.drops})
        why = by_number(Counter(drop.reason for drop in found.drops))
        out.print(f"Trying {len(found.drops)} rows of {sources} sources again: {why}.")
    elif not found.left:
        out.print("Nothing to try again." + (f" Dropped for good: {by_number(found.others)}." if found.others else ""))
        return 0
    go_on(plan, manifest, out, before, workers=options.workers, cpus=options.cpus, log=options.log)
    return 0


def _last_plan(manifest: Manifest, assignments: list[str], file: str) -> Plan:
    """The plan of the last run, with the settings it was run with.

    A corpus may be somebody else's, so what it says is held to what it can do: a recipe of ours by its name, and fields
    of it that are numbers, flags and lists of these, and change the rows. All else has to be said on this command line.

    Args:
        assignments: what --set was given, after what was set then.
        file: of the recipe; "" for one of ours, by the name that the corpus has.

    Raises:
        UsageError: where nothing ran, where something has to be said here, or the recipe would no longer do the steps
            that ran.
    """
    last = manifest.run
    if last is None or not last.origin:
        what = "nothing ran here yet" if last is None else f"{last.recipe} was run by a program, not by `headset run`"
        raise UsageError(f"{manifest.root}: {what}; `headset run RECIPE --out {manifest.root}` runs a recipe")
    if not file and last.origin not in recipe_names():
        raise UsageError(
            f"{manifest.root} was made by the recipe file {last.origin}, and headset runs no file because a corpus"
            f" names it; if it is yours, say so, beside what you asked for: --recipe {last.origin}"
        )
    recipe = recipe_named(file or last.origin)
    for assignment in last.changes:
        if _is_plain(assignment) and _versions((changed := recipe.set(assignment)).plan()) != _versions(recipe.plan()):
            recipe = changed
    for assignment in assignments:
        recipe = recipe.set(assignment)
    plan = recipe.plan(manifest.wholes())
    if _versions(plan) != [step.version for step in last.steps]:
        again = " ".join(f"--set {one}" for one in last.changes)
        raise UsageError(
            f"{file or last.origin} would now do other steps than it did last, since a field, the code or the machine"
            f" is another; before another try, do those: headset run {file or last.origin} --out {manifest.root}"
            + (f"; it was last run with {again}, of which texts have to be given here again" if again else "")
        )
    return plan


def _versions(plan: Plan) -> list[str]:
    return [step.version for step in plan.steps]


def _is_plain(assignment: str) -> bool:
    """Whether a value is a number, a flag or nothing, or a list of these."""
    try:
        value = json.loads(assignment.partition("=")[2])
    except json.JSONDecodeError:
        return False
    return all(
        one is None or isinstance(one, (bool, int, float)) for one in (value if isinstance(value, list) else [value])
    )
