"""Fetch model files, and print where they are: those of a recipe, or all, for an image of a container.

With --all a file that nobody may fetch by a program is listed with the ways to get it. Files whose licence forbids
commercial use come only with --research.
"""

import argparse
from collections.abc import Iterable

from manifests.errors import UsageError, WeightError
from operators.weights import Weight
from pipeline.recipe import recipe_named
from pipeline.session import as_json, fetch_weights
from pipeline.views.console import console, print_json

EXAMPLE = "headset weights talking_head"
GROUP = "make"
TOLD = ("file", "what", "sha256", "bytes", "licence", "commercial")


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("recipe", nargs="?", default="")
    parser.add_argument("--all", action="store_true", help="every file that headset knows, instead of a recipe's")
    parser.add_argument("--research", action="store_true", help="--all: with those that forbid commercial use")
    as_json(parser)


def main(options: argparse.Namespace) -> int:
    if bool(options.recipe) == options.all:
        raise UsageError("name a recipe, as in `headset weights talking_head`, or give --all")
    if options.all:
        return _all(options)
    found = recipe_named(options.recipe).plan().weights
    fetch_weights(found, console(stderr=options.json))
    _print(found, {}, options.json)
    return 0


def _all(options: argparse.Namespace) -> int:
    """Returns 1 where a file that has an address was not had."""
    from operators.models.known import known_weights

    wanted = [weight for weight in known_weights() if weight.commercial or options.research]
    had, missing = [], {}
    for weight in wanted:
        try:
            fetch_weights([weight], console(stderr=options.json))
        except WeightError as error:
            missing[weight] = str(error)
        else:
            had.append(weight)
    _print(had, missing, options.json)
    return int(any(weight.inside or weight.url for weight in missing))


def _print(had: Iterable[Weight], missing: dict[Weight, str], as_json: bool) -> None:
    if as_json:
        rows = [(weight, {"path": str(weight.path())}) for weight in had]
        rows += [(weight, {"path": "", "missing": said}) for weight, said in missing.items()]
        print_json([{**{name: getattr(weight, name) for name in TOLD}, **more} for weight, more in rows])
        return
    out = console()
    for weight in had:
        out.print(f"{weight.path()}  {weight.what}, {weight.licence}", soft_wrap=True, markup=False)
    for said in missing.values():
        out.print(said, soft_wrap=True, markup=False, style="yellow")
