"""Print what would run, with which models, for how long."""

import argparse
import os
from pathlib import Path

from manifests.errors import UsageError, WeightError
from manifests.manifest import Manifest
from pipeline.commands.run import asked_recipe, listed, recipe_and_videos
from pipeline.engine.costs import rates
from pipeline.listing import missing
from pipeline.session import as_json, changes
from pipeline.views.console import answer, console
from pipeline.views.plan import plan_summary

EXAMPLE = "headset plan talking_head videos/ --out corpus/"
GROUP = "make"


def arguments(parser: argparse.ArgumentParser) -> None:
    recipe_and_videos(parser)
    parser.add_argument("--out", metavar="CORPUS", help="the corpus, to tell what is done already")
    changes(parser)
    as_json(parser)


def main(options: argparse.Namespace) -> int:
    plan = asked_recipe(options).plan()
    lacking = [weight for weight in plan.weights if weight.found() is None and not weight.inside and not weight.url]
    if lacking:
        raise WeightError("\n".join(weight.ways() for weight in lacking))
    if not_there := list(filter(None, map(missing, options.videos))):
        raise UsageError("\n".join(not_there))
    listing = listed(options, console(stderr=options.json))
    manifest = Manifest(options.out) if options.out and Manifest(options.out).exists() else None
    lengths = [_length_s(source.uri) for source in listing.sources]
    media_s = sum(length for length in lengths if length is not None)
    cores = float(options.workers or os.cpu_count() or 1)
    unknown = sum(length is None for length in lengths)
    answer(plan_summary(plan, manifest, media_s if listing.sources else None, unknown, rates(), cores), options.json)
    return 0


def _length_s(uri: str) -> float | None:
    """What the header of a local file claims; None for what cannot be opened or lies elsewhere."""
    import av

    from operators.base import Drop
    from operators.media.containers import open_media

    if not Path(uri).is_file():
        return None
    try:
        with open_media(Path(uri)) as container:
            return container.duration / av.time_base if container.duration else None
    except Drop:
        return None
