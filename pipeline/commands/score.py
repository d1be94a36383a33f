"""Score renders, recorded and generated, by the field's metrics, each variant under its own name."""

import argparse

from manifests.errors import UsageError
from pipeline.engine.ray_session import start_ray
from pipeline.session import as_json, driving, existing, may_wait, positive
from pipeline.views.console import alone, answer, console, counting, print_json, waiting
from pipeline.views.facts import MOODS

EXAMPLE = "headset score corpus/ --metrics psnr,ssim,lpips,niqe"
GROUP = "judge"


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("corpus", nargs="?")
    parser.add_argument(
        "--metrics",
        default="all",
        help="metrics (their default variant) and variants, with commas between; default: all that can be had",
    )
    parser.add_argument(
        "--made-by", default="", metavar="NAME", help="whose renders: recording, or a generation system (default: all)"
    )
    parser.add_argument(
        "--size",
        type=positive,
        default=0,
        help="scale both sides to so many pixels, width and height (default: as they are)",
    )
    parser.add_argument("--workers", type=positive, default=1, help="processes (default: 1)")
    parser.add_argument("--list", action="store_true", help="only print the metrics there are, with their definitions")
    as_json(parser)
    may_wait(parser)


def main(options: argparse.Namespace) -> int:
    from pipeline.scoring.score import chosen, metrics_there, score
    from pipeline.views.metric_list import metric_list

    out = console(stderr=options.json)
    if options.list:
        answer(metric_list(metrics_there().values()), options.json)
        return 0
    if not options.corpus:
        raise UsageError("name the corpus to score; --list prints the metrics there are")
    manifest = existing(options.corpus)
    with waiting(out, "looking for model files"):
        metrics, left = chosen(options.metrics)
    for why in dict.fromkeys(left.values()):
        lacking = ", ".join(variant for variant in left if left[variant] == why)
        out.print(f"left out {lacking}: {why}", style=MOODS["warn"][0], soft_wrap=True)
    if options.workers > 1:
        with alone(out), waiting(out, "starting Ray"):
            start_ray(options.workers)
    # MediaPipe has much to say, into the bar
    with driving(manifest, "headset score", options.wait, out), alone(out), counting("values", out) as tell:
        tally = score(manifest, metrics, made_by=options.made_by, size=options.size, workers=options.workers, tell=tell)
    if options.json:
        print_json({"renders": tally.renders, "scores": tally.scores, "left_out": left,
                    "drops": [{"metric": variant, "reason": reason, "renders": number} for (variant, reason),
                              number in sorted(tally.drops.items())]})  # fmt: skip
        return 0
    out.print(f"{tally.renders} renders looked at, {tally.scores} values.")
    for (variant, reason), number in sorted(tally.drops.items()):
        out.print(f"  {variant}: {number} {reason}")
    out.print(f"Look: headset compare {options.corpus}", soft_wrap=True)
    return 0
