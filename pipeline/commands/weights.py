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
    weights = recipe_named(options.recipe).plan().weights
    fetch_weights(weights, console)
    for weight in weights:
        console.print(f"{weight.path()}  {weight.what}, {weight.licence}", highlight=False, soft_wrap=True)
    return 0
