"""Fetch the model files a recipe needs, and print where they are."""

import argparse

from rich.console import Console

from pipeline.recipe import recipe_named
from pipeline.session import fetch_weights

EXAMPLE = "headset weights talking_head"


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("recipe")


def main(options: argparse.Namespace) -> int:
    console = Console()
    recipe = recipe_named(options.recipe)
    fetch_weights(recipe, console)
    for weight in recipe.weights():
        console.print(f"{weight.path()}  {weight.what}, {weight.licence}", highlight=False, soft_wrap=True)
    return 0
