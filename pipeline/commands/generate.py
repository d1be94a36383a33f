"""Make the renders of a generation system: one a pair, resumable.

The system runs in a process and an environment of its own, and is judged by the files it makes: `headset systems` says
which there are and what each needs. A pair that has a render, or was given up, is not done again; --retry tries those
anew whose end may have been chance.
"""

import argparse

from pipeline.session import driving, existing, may_wait, positive
from pipeline.views.console import alone, console, counting, waiting

EXAMPLE = "headset generate corpus/ --system mesh_warp --protocol cross_identity"
GROUP = "judge"


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("corpus")
    parser.add_argument("--system", required=True, help="by its name in `headset systems`")
    parser.add_argument("--protocol", default="", help="only pairs of this protocol (default: all there are)")
    parser.add_argument(
        "--random",
        action="store_true",
        help="with random weights, to check an adapter; no comparison shows them unless asked",
    )
    parser.add_argument("--seed", type=int, default=0, help="given to the system")
    parser.add_argument("--device", default="auto", choices=("auto", "cpu", "cuda"))
    parser.add_argument(
        "--workers", type=positive, default=1, help="processes, each with a child of the system (default: 1)"
    )
    parser.add_argument(
        "--minutes-per-second",
        type=float,
        default=10.0,
        metavar="M",
        help="of driving, that a pair may take (default: 10)",
    )
    parser.add_argument("--memory-gb", type=float, default=32.0, help="that the system may take (default: 32)")
    parser.add_argument("--retry", action="store_true", help="another try for pairs that were given up by chance")
    may_wait(parser)


def main(options: argparse.Namespace) -> int:
    from operators.generate.generate_video import GenerateVideo
    from operators.generate.supervisor import Limits
    from operators.models.device import device
    from pipeline.corpus_steps.generation import generate
    from pipeline.engine.ray_session import start_ray

    out = console()
    manifest = existing(options.corpus)
    limits = Limits(per_driving_s=60 * options.minutes_per_second, memory_bytes=round(options.memory_gb * 2**30))
    where = device() if options.device == "auto" else options.device
    operator = GenerateVideo(options.system, options.random, options.seed, limits, where)
    operator.home.check(options.random)
    if options.workers > 1:
        with alone(out), waiting(out, "starting Ray"):
            start_ray(options.workers)
    # MediaPipe has much to say, into the bar
    with driving(manifest, "headset generate", options.wait, out), alone(out), counting("pairs", out) as tell:
        tally = generate(
            manifest, operator, protocol=options.protocol, workers=options.workers, retry=options.retry, tell=tell
        )
    out.print(f"{tally.made} renders made, {tally.before} were there or given up before.")
    for reason, number in sorted(tally.reasons.items()):
        out.print(f"  {reason}: {number}")
    out.print(
        f"Look: headset score {options.corpus}, headset compare {options.corpus}; headset status says why pairs were"
        " given up.",
        soft_wrap=True,
    )
    return 0
