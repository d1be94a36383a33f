"""Score renders, recorded and generated, by the field's metrics, each variant under its own name."""

import argparse

from rich.console import Console

from manifests.errors import UsageError
from pipeline.engine.ray_session import start_ray
from pipeline.session import driving, existing, positive, waiting

EXAMPLE = "headset score corpus/ --metrics psnr,ssim,lpips,niqe"


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("corpus", nargs="?")
    parser.add_argument(
        "--metrics", default="all", help="metrics (their default variant) and variants, with commas between; default: all that can be had"
    )
    parser.add_argument("--made-by", default="", metavar="NAME", help="whose renders: recording, or a generation system (default: all)")
    parser.add_argument(
        "--size", type=positive, default=0, help="scale both sides to so many pixels, width and height (default: as they are)"
    )
    parser.add_argument("--workers", type=positive, default=1, help="processes (default: 1)")
    waiting(parser)
    parser.add_argument("--list", action="store_true", help="only print the metrics there are, with their definitions")


def main(options: argparse.Namespace) -> int:
    from pipeline.scoring.score import chosen, metrics_there

    console = Console(soft_wrap=True, highlight=False)
    if options.list:
        _print_metrics(console, list(metrics_there().values()))
        return 0
    if not options.corpus:
        raise UsageError("name the corpus to score; --list prints the metrics there are")
    manifest = existing(options.corpus)
    with console.status("looking for model files"):
        metrics, left = chosen(options.metrics)
    for line in left:
        console.print(f"[yellow]left out[/] {line}")
    with driving(manifest, "headset score", options.wait, console):
        tally = _watched(manifest, metrics, options, console)
    console.print(f"{tally.renders} renders looked at, {tally.scores} values.")
    for (variant, reason), number in sorted(tally.drops.items()):
        console.print(f"  {variant}: {number} {reason}", markup=False)
    console.print(f"Look: headset compare {options.corpus}")
    return 0


def _watched(manifest, metrics, options: argparse.Namespace, console: Console):
    from rich.progress import MofNCompleteColumn, Progress, TimeElapsedColumn

    from pipeline.scoring.score import score

    if options.workers > 1:
        start_ray(options.workers, console)
    with Progress(*Progress.get_default_columns()[:2], MofNCompleteColumn(), TimeElapsedColumn(), console=console) as bar:
        task = bar.add_task("shards", total=None)
        return score(
            manifest,
            metrics,
            made_by=options.made_by,
            size=options.size,
            workers=options.workers,
            tell=lambda done, of: bar.update(task, completed=done, total=of),
        )


def _print_metrics(console: Console, metrics: list) -> None:
    from rich.table import Table

    from pipeline.scoring.compare import ARROWS

    table = Table(box=None, pad_edge=False, header_style="dim")
    for name in ("metric", "variant", "", "definition", "model files"):
        table.add_column(name, overflow="fold")
    for metric in metrics:
        default = type(metric)().variant == metric.variant
        files = ", ".join(weight.file + ("" if weight.found() else " (not here)") for weight in metric.weights)
        table.add_row(
            metric.metric,
            metric.variant + (" (default)" if default else ""),
            ARROWS[metric.definition.better],
            f"{metric.definition.what}; {metric.definition.protocol}",
            files,
        )
    console.print(table)
