"""Fetch the model files a recipe needs, and print where they are."""

import argparse

from pipeline.recipe import recipe_named
from pipeline.session import as_json, fetch_weights
from pipeline.views.console import console, print_json

EXAMPLE = "headset weights talking_head"
GROUP = "make"


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("recipe")
    as_json(parser)


def main(options: argparse.Namespace) -> int:
    found = recipe_named(options.recipe).plan().weights
    fetch_weights(found, console(stderr=options.json))
    if options.json:
        names = ("file", "what", "sha256", "bytes", "licence", "commercial")
        print_json(
            [{**{name: getattr(weight, name) for name in names}, "path": str(weight.path())} for weight in found]
        )
        return 0
    out = console()
    for weight in found:
        out.print(f"{weight.path()}  {weight.what}, {weight.licence}", soft_wrap=True)
    return 0
