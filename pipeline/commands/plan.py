"""Print what would run, with which models, for how long.

With --cluster it is simulated on the machines that a cluster file tells of: hours, dollars, bytes, what holds it up.
"""

import argparse
import os
from pathlib import Path

from manifests.errors import UsageError, WeightError
from manifests.manifest import Manifest
from pipeline.commands.run import asked_recipe, listed, recipe_and_videos
from pipeline.engine.cluster_file import Fleet, read_cluster
from pipeline.engine.costs import rates
from pipeline.engine.simulate import Machines
from pipeline.listing import missing
from pipeline.session import as_json, changes, positive
from pipeline.views.console import answer, console
from pipeline.views.plan import plan_summary
from pipeline.views.simulation import simulation

EXAMPLE = "headset plan talking_head videos/ --out corpus/"
GROUP = "make"


def arguments(parser: argparse.ArgumentParser) -> None:
    recipe_and_videos(parser)
    parser.add_argument("--out", metavar="CORPUS", help="the corpus, to tell what is done already")
    changes(parser)
    parser.add_argument(
        "--simulate",
        action="store_true",
        help="how long machines that are not at hand would take, and what would hold them up",
    )
    parser.add_argument("--cores", type=positive, default=os.cpu_count(), help="of those machines (default: as here)")
    parser.add_argument("--gpus", type=int, default=0, help="of those machines (default: none)")
    parser.add_argument(
        "--cluster",
        type=Path,
        metavar="YAML",
        help="simulate on a cluster whose file tells of its `machines`",
    )
    as_json(parser)


def main(options: argparse.Namespace) -> int:
    manifest = Manifest(options.out) if options.out and Manifest(options.out).exists() else None
    plan = asked_recipe(options).plan(manifest.wholes() if manifest else {})
    lacking = [weight for weight in plan.weights if weight.found() is None and not weight.inside and not weight.url]
    if lacking:
        raise WeightError("\n".join(weight.ways() for weight in lacking))
    if not_there := list(filter(None, map(missing, options.videos))):
        raise UsageError("\n".join(not_there))
    listing = listed(options, console(stderr=options.json))
    lengths = [_length_s(source.uri) for source in listing.sources]
    known = [length for length in lengths if length is not None]
    if options.simulate or options.cluster:
        if not known:
            raise UsageError(
                "nothing to simulate: name videos of this machine, whose length is known before they are fetched"
            )
        fleet = _fleet(options)
        machines = Machines(fleet.cores, fleet.gpus, fleet.losses_per_core_h)
        answer(simulation(plan, known, rates(), machines, fleet.dollars_per_hour), options.json)
        return 0
    media_s = sum(known)
    cores = float(options.workers or os.cpu_count() or 1)
    unknown = sum(length is None for length in lengths)
    answer(plan_summary(plan, manifest, media_s if listing.sources else None, unknown, rates(), cores), options.json)
    return 0


def _fleet(options: argparse.Namespace) -> Fleet:
    """The machines that are asked for.

    Raises:
        UsageError: for a cluster file that does not tell of them.
    """
    if options.cluster is None:
        return Fleet(options.cores, options.gpus)
    fleet = read_cluster(options.cluster).machines
    if not fleet.cores:
        raise UsageError(
            f"{options.cluster} does not say what its nodes have; add a line such as"
            " `machines: {cores: 512, gpus: 4, dollars_per_hour: 14.2}`"
        )
    return fleet


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
