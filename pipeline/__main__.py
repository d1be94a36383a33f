"""The command line: `headset run talking_head VIDEO... --out corpus/`, and what one asks about the result."""

import argparse
import json
import os
import signal
import sys
import time
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
os.environ.setdefault("PYANNOTE_METRICS_ENABLED", "0")
os.environ.setdefault("RAY_BACKEND_LOG_LEVEL", "fatal")  # its notes on actors that may restart alarm people for nothing

from rich.console import Console

from manifests.manifest import Manifest, ManifestError
from manifests.media import MediaError, MediaStore
from operators.weights import WeightError
from pipeline import report
from pipeline.listing import Listing, list_sources
from pipeline.rates import learn, rates
from pipeline.recipe import Recipe, RecipeError, recipe_named, recipe_names
from pipeline.retry import retry
from pipeline.run import WORKER_ENVIRONMENT, Progress, run

VIDEOS = "files, folders, lists (.txt .csv .tsv .jsonl .parquet), http(s) and s3 addresses, YouTube ids"

STOPPED = "\nStopped. What is committed stays; run the same command again to go on."

EXAMPLES = """\
examples:
  headset run talking_head interview.mp4 --out corpus/     one video, on this machine
  headset run talking_head videos/ more.txt --out corpus/  a folder and a list; run it again to go on after a stop
  headset run talking_head videos/ --out corpus/ --set DetectShots.threshold=4
  headset plan talking_head videos/                        what would run, with which models, for how long
  headset status corpus/                                   where it stands, and the funnel
  headset retry corpus/ --reason rate_limited              another try for what was dropped so, and nothing else
  headset explain corpus/ interview.mp4                    the story of one source, or of one clip by its id
  headset sql corpus/ "select reason, count(*) from drops group by 1"
"""


def main(arguments: list[str] | None = None) -> int:
    """Runs one command. Returns the exit status: 0 done, 1 something does not add up, 2 cannot be done as asked, 130 stopped."""
    options = _parser().parse_args(arguments)
    errors = Console(stderr=True)
    try:
        return options.command(options)
    except KeyboardInterrupt:
        errors.print(STOPPED)
        return 130
    except (RecipeError, WeightError, ManifestError, MediaError) as error:
        errors.print(f"[red]headset:[/] {error}", highlight=False, markup=True, soft_wrap=True)
        return 1 if isinstance(error, ManifestError) else 2
    except BrokenPipeError:
        sys.stdout = None  # the reader, such as `head`, has what it wanted
        return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="headset",
        description="Turns lists of videos into talking-head corpora.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")

    def command(name: str, does: Any, what: str, example: str) -> argparse.ArgumentParser:
        made = commands.add_parser(
            name,
            help=what,
            description=what[0].upper() + what[1:] + ".",
            epilog=f"example:\n  {example}",
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        made.set_defaults(command=does)
        return made

    runs = command("run", _run, "make a corpus, or go on with one", "headset run talking_head videos/ --out corpus/ --workers 2")
    plans = command(
        "plan", _plan, "print what would run, with which models, for how long", "headset plan talking_head videos/ --out corpus/"
    )
    for made in (runs, plans):
        made.add_argument("recipe", help=f"{', '.join(recipe_names())}, or a Python file that defines RECIPE")
        made.add_argument("videos", nargs="*", help=f"{VIDEOS}; none to go on with what --out lists")
        made.add_argument("--out", metavar="CORPUS", required=made is runs, help="the corpus: a folder, or s3://bucket/prefix")
    retries = command(
        "retry",
        _retry,
        "try again what was dropped but need not have been, and nothing else",
        "headset retry corpus/ --reason rate_limited",
    )
    retries.add_argument("corpus")
    retries.add_argument(
        "--reason", action="append", default=[], help="of the drops to try again; may be given again (default: all that are retryable)"
    )
    retries.add_argument("--operator", default="", help="whose drops (default: of all operators of the last run)")
    for made in (runs, plans, retries):
        made.add_argument(
            "--set",
            metavar="OPERATOR.FIELD=VALUE",
            action="append",
            default=[],
            help="another value for a field of the recipe; may be given again",
        )
        made.add_argument("--workers", type=_positive, help="actors per stage (default: as many as fit)")
    for made in (runs, retries):
        made.add_argument("--cpus", type=_positive, help="cores to use on this machine (default: all)")

    status = command("status", _status, "say where a corpus stands, and print its funnel", "headset status corpus/")
    status.add_argument("corpus")
    status.add_argument("--picture", metavar="PNG", help="draw the funnel too")
    explain = command(
        "explain", _explain, "tell the story of one source or clip, with the numbers", "headset explain corpus/ interview.mp4"
    )
    explain.add_argument("corpus")
    explain.add_argument("id", help="a source id, a clip id, a file name or an address")
    sql = command("sql", _sql, "query the tables as they stand now, by DuckDB", 'headset sql corpus/ "select * from clips" --format csv')
    sql.add_argument("corpus")
    sql.add_argument(
        "query", help="the tables: sources shots faces tracks turns speaking clips renders scores drops fingerprints duplicates"
    )
    sql.add_argument("--format", choices=("table", "json", "csv"), default="table")
    duplicates = command(
        "duplicates", _duplicates, "find the sources that show what another one shows, copies by any name", "headset duplicates corpus/"
    )
    duplicates.add_argument("corpus")
    sheet = command("sheet", _sheet, "draw a contact sheet of the kept clips", "headset sheet corpus/ --out clips.png")
    sheet.add_argument("corpus")
    sheet.add_argument("--out", metavar="PNG", required=True)
    sheet.add_argument("--most", type=_positive, default=40, help="clips to draw, evenly chosen (default: 40)")
    weights = command("weights", _weights, "fetch the model files a recipe needs, and print where they are", "headset weights talking_head")
    weights.add_argument("recipe")
    return parser


def _positive(text: str) -> int:
    if not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text} is not a whole number above 0")
    return int(text)


def _recipe(options: argparse.Namespace) -> Recipe:
    recipe = recipe_named(options.recipe)
    for assignment in options.set:
        recipe = recipe.set(assignment)
    return recipe


def _list(options: argparse.Namespace, console: Console) -> Listing:
    with console.status("listing sources"):
        return list_sources(options.videos, skip=[Path(options.out)] if options.out and "://" not in options.out else [])


def _run(options: argparse.Namespace) -> int:
    console = Console()
    recipe = _recipe(options)
    recipe.plan()  # says what is wrong with it before anything is listed
    listing = _list(options, console)
    MediaStore(options.out).check()
    manifest = Manifest(options.out)
    new = manifest.add(listing.sources, listing.dropped, listing.lists)
    if not manifest.exists():
        raise RecipeError(f"nothing to run: name {VIDEOS}")
    for drop in listing.dropped:
        console.print(f"[yellow]{drop.reason}[/]: {drop.detail}", highlight=False)
    if options.videos:
        console.print(f"{len(listing.sources)} sources named, {len(new)} of them new to {options.out}.", highlight=False)
    _go_on(recipe, manifest, options, console, _done(recipe, manifest))
    return 0


def _retry(options: argparse.Namespace) -> int:
    console = Console()
    manifest = _existing(options.corpus)
    recipe = _last_recipe(manifest, options.set)
    before = _done(recipe, manifest)
    found = retry(manifest, reasons=tuple(options.reason), operator=options.operator)
    if found.left:
        console.print(f"Going on with {found.left} sources of a retry that was stopped.", highlight=False)
    if found.drops:
        sources = len({drop.source_id for drop in found.drops})
        console.print(
            f"Trying {len(found.drops)} rows of {sources} sources again: {_counted(drop.reason for drop in found.drops)}.", highlight=False
        )
    elif not found.left:
        console.print(
            "Nothing to try again." + (f" Dropped for good: {_counted(found.others.elements())}." if found.others else ""), highlight=False
        )
        return 0
    _go_on(recipe, manifest, options, console, before)
    return 0


def _counted(reasons: Iterable[str]) -> str:
    return ", ".join(f"{reason} {n}" for reason, n in sorted(Counter(reasons).items(), key=lambda item: (-item[1], item[0])))


def _last_recipe(manifest: Manifest, changes: list[str]) -> Recipe:
    """
    Raises:
        RecipeError: where nothing ran, or the recipe would no longer do the steps that ran.
    """
    last = manifest.run
    if last is None or not last.origin:
        what = "nothing ran here yet" if last is None else f"{last.recipe} was run by a program, not by `headset run`"
        raise RecipeError(f"{manifest.root}: {what}; `headset run RECIPE --out {manifest.root}` runs a recipe")
    recipe = recipe_named(last.origin)
    for assignment in (*last.changes, *changes):
        recipe = recipe.set(assignment)
    if [step.version for step in recipe.plan()] != [step.version for step in last.steps]:
        raise RecipeError(
            f"{last.origin} would now do other steps than it did last, since a field, the code or the machine is another; "
            f"do those first: headset run {last.origin} --out {manifest.root}"
        )
    return recipe


def _done(recipe: Recipe, manifest: Manifest) -> dict[str, set[int]]:
    """By step the shards that were done before, if only in part: what they cost is known."""
    return {step.version: manifest.committed(step.version) | manifest.retries(step.version).keys() for step in recipe.plan()}


def _go_on(recipe: Recipe, manifest: Manifest, options: argparse.Namespace, console: Console, before: dict[str, set[int]]) -> None:
    """Runs what is not done, and prints the funnel."""
    _fetch_weights(recipe, console)
    began = time.monotonic()
    ours = _start_ray(options.cpus, console)
    if ours:
        signal.signal(signal.SIGINT, _stop_at_once)
    try:
        _watch(recipe, manifest, options.workers, console)
    finally:
        if ours:
            _stop_ray()
    root = manifest.root
    manifest = Manifest(root)
    learn(manifest, before)
    console.print()
    report.print_funnel(manifest, console)
    console.print(
        f"{report.clock(time.monotonic() - began)}. Look: headset status {root}, headset explain {root} ID, headset sql {root} QUERY",
        highlight=False,
        soft_wrap=True,
    )


def _watch(recipe: Recipe, manifest: Manifest, workers: int | None, console: Console) -> None:
    """Runs with a live table where there is a terminal, else with a line whenever a stage has got on."""
    if console.is_terminal:
        from rich.live import Live

        with Live(console=console, refresh_per_second=4) as live:
            run(recipe, manifest, workers=workers, watch=lambda lines: live.update(report.progress(lines)))
        return
    told: dict[str, tuple[int, float]] = {}

    def tell(lines: list[Progress]) -> None:
        for line in lines:
            done, at = told.get(line.stage, (-1, 0.0))
            if line.sources_done > max(done, 0) and (line.done or time.monotonic() - at > 10):
                told[line.stage] = line.sources_done, time.monotonic()
                counts = f"{line.kept} kept, {line.dropped} dropped, {line.failed} failed"
                console.print(f"{line.stage}: {line.sources_done}/{line.sources} sources, {counts}", highlight=False)

    run(recipe, manifest, workers=workers, watch=tell)


def _start_ray(cpus: int | None, console: Console) -> bool:
    """Joins the cluster that RAY_ADDRESS names, else starts Ray on this machine. False where Ray runs already."""
    import logging

    import ray

    if ray.is_initialized():
        return False

    paths = [str(Path(__file__).resolve().parents[1]), *filter(None, [os.environ.get("PYTHONPATH")])]
    environment = {**WORKER_ENVIRONMENT, "PYTHONPATH": os.pathsep.join(paths)}
    with console.status("starting ray"):
        if os.environ.get("RAY_ADDRESS"):
            ray.init(runtime_env={"env_vars": WORKER_ENVIRONMENT})
        else:
            os.environ.update(environment)
            ray.init(
                num_cpus=cpus or os.cpu_count(),
                include_dashboard=False,
                log_to_driver=False,
                logging_level=logging.ERROR,
                object_store_memory=200 * 2**20,
            )
    return True


def _stop_ray() -> None:
    import ray

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a Ctrl-C now must not leave workers behind
    ray.shutdown()
    signal.signal(signal.SIGINT, signal.default_int_handler)


def _stop_at_once(*_: object) -> None:
    """Ends the process, and with it the Ray it started. An orderly end would wait for the rows in work, a minute or an hour."""
    console = Console(stderr=True)
    console.show_cursor(True)
    console.print(STOPPED)
    os._exit(130)


def _fetch_weights(recipe: Recipe, console: Console) -> None:
    for weight in recipe.weights():
        if weight.found() is None:
            with console.status(f"fetching {weight.file} ({weight.what}, {weight.bytes / 1e6:.0f} MB)"):
                weight.path()


def _plan(options: argparse.Namespace) -> int:
    console = Console()
    recipe = _recipe(options)
    steps = recipe.plan()
    missing = [weight for weight in recipe.weights() if weight.found() is None and not weight.inside and not weight.url]
    if missing:
        raise WeightError("\n".join(weight.ways() for weight in missing))
    listing = _list(options, console)
    manifest = Manifest(options.out) if options.out and Manifest(options.out).exists() else None
    lengths = [_length_s(source.uri) for source in listing.sources]
    media_s = sum(length for length in lengths if length is not None)
    for drop in listing.dropped:
        console.print(f"[yellow]{drop.reason}[/]: {drop.detail}", highlight=False)
    cores = float(options.workers or os.cpu_count() or 1)
    report.print_plan(
        recipe, steps, manifest, media_s if listing.sources else None, sum(length is None for length in lengths), rates(), cores, console
    )
    return 0


def _length_s(uri: str) -> float | None:
    """What the header of a local file claims; None for what cannot be opened or lies elsewhere."""
    import av
    from av.error import FFmpegError

    if not Path(uri).is_file():
        return None
    try:
        with av.open(uri) as container:
            return container.duration / av.time_base if container.duration else None
    except FFmpegError:
        return None


def _status(options: argparse.Namespace) -> int:
    manifest = _existing(options.corpus)
    report.print_status(manifest, Console())
    if options.picture:
        from pipeline.picture import draw_funnel

        draw_funnel(manifest, Path(options.picture))
    return 0


def _explain(options: argparse.Namespace) -> int:
    report.print_story(_existing(options.corpus), options.id, Console())
    return 0


def _sql(options: argparse.Namespace) -> int:
    rows = report.rows_of(_existing(options.corpus), options.query)
    if options.format == "table":
        if rows is not None:
            from rich.table import Table

            shown = Table(box=None, pad_edge=False, header_style="dim")
            for name in rows.columns:
                shown.add_column(name, overflow="fold")
            for row in rows.fetchall():
                shown.add_row(*("" if value is None else f"{value:.6g}" if isinstance(value, float) else str(value) for value in row))
            Console().print(shown, highlight=False)
    elif rows is not None:
        table = rows.to_arrow_table()
        if options.format == "csv":
            import pyarrow.csv

            pyarrow.csv.write_csv(table, sys.stdout.buffer)
        else:
            json.dump(table.to_pylist(), sys.stdout, indent=1, default=str)
            print()
    return 0


def _duplicates(options: argparse.Namespace) -> int:
    from pipeline.duplicates import print_duplicates

    print_duplicates(_existing(options.corpus), Console())
    return 0


def _sheet(options: argparse.Namespace) -> int:
    from pipeline.sheet import draw_sheet

    drawn = draw_sheet(_existing(options.corpus), Path(options.out), options.most)
    Console().print(f"{drawn} clips on {options.out}", highlight=False)
    return 0


def _existing(root: str) -> Manifest:
    MediaStore(root).check()
    manifest = Manifest(root)
    if not manifest.exists():
        raise RecipeError(f"{root} holds no corpus; `headset run RECIPE VIDEO... --out {root}` makes one")
    return manifest


def _weights(options: argparse.Namespace) -> int:
    console = Console()
    recipe = recipe_named(options.recipe)
    _fetch_weights(recipe, console)
    for weight in recipe.weights():
        console.print(f"{weight.path()}  {weight.what}, {weight.licence}", highlight=False, soft_wrap=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
