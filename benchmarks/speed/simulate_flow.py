"""How the division of work tells on 64 cores, with and without GPUs: fixed pools of shards beside a source, and a
piece, at a time; and beside how it is done, a source at a time but for its rows.

python -m benchmarks.speed.simulate_flow 1000 10000

The stages are those of `talking_head`, with the rates that headset ships and, on GPUs, those of docs/measured/gpu.md.
Lengths are drawn: heavy-tailed, 13.4 minutes in the mean. Each unit takes longer or shorter than its rate by a third,
and one core hour in a hundred is lost with its node.
"""

import argparse
import sys

from pipeline.engine.costs import SHIPPED, Rates
from pipeline.engine.simulate import (
    BY_PIECE,
    BY_POOLS,
    BY_ROWS,
    BY_SOURCE,
    Machines,
    film_lengths,
    simulate,
    stage_costs,
)
from pipeline.recipe import recipe_named

MEAN_S = 223 * 3.6  # 1,000 films are 223 hours


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("films", type=int, nargs="+")
    parser.add_argument("--draw", type=int, default=1, help="which lengths and losses are drawn")
    options = parser.parse_args()
    plan = recipe_named("talking_head").plan()
    print(
        "| films | cores | GPUs | flow | hours | of the ideal | cores busy | GPUs busy | first source, min | what holds"
        " it up |"
    )
    print("|---|---|---|---|---|---|---|---|---|---|")
    for films in options.films:
        lengths = film_lengths(films, films * MEAN_S / 3600, options.draw)
        for cores, gpus in ((64, 0), (64, 8), (192, 8)):
            stages = stage_costs(plan, Rates(SHIPPED, ""), on_gpu=gpus > 0)
            for flow in (BY_POOLS, BY_SOURCE, BY_ROWS, BY_PIECE):
                told = simulate(stages, lengths, Machines(cores, gpus, losses_per_core_h=0.01), flow, options.draw)
                busy = f"{told.cores_busy:.0%} | {told.gpus_busy:.0%}" if gpus else f"{told.cores_busy:.0%} | -"
                took = f"{told.seconds / 3600:.1f} | {told.ratio:.2f}"
                print(
                    f"| {films} | {cores} | {gpus} | {flow.name} | {took} | {busy} | {told.first_s / 60:.0f} |"
                    f" {told.bottleneck} |",
                    flush=True,
                )


if __name__ == "__main__":
    sys.exit(main())
