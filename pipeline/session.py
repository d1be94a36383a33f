"""A run as a person at a terminal sees it: model files, Ray, live progress, and the funnel at the end."""

import argparse
import os
import signal
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.text import Text

from manifests.lease import Lease
from manifests.manifest import Manifest
from operators.weights import Weight
from pipeline.changes import changes_since
from pipeline.corpus import existing as existing  # every command opens its corpus by it
from pipeline.engine import metrics
from pipeline.engine.costs import learn
from pipeline.engine.progress import Progress
from pipeline.engine.ray_session import check_root, start_ray, stop_ray
from pipeline.engine.run import Part, run
from pipeline.engine.submit import await_end, follow
from pipeline.recipe import Plan
from pipeline.views.console import alone, waiting
from pipeline.views.facts import Line, Told, clock
from pipeline.views.funnel import funnel, given_up_sources
from pipeline.views.progress import Log, Watch

STOPPED = "\nStopped. What is committed stays; run the same command again to go on."


@contextmanager
def driving(manifest: Manifest, command: str, wait: bool, console: Console, part: Part | None = None) -> Iterator[None]:
    """Holds the corpus while something rewrites it: one command at a time, or the parts of one run beside each other.

    Args:
        command: of this one, as who comes second is told; without arguments.
        wait: whether to wait for another one.
        part: of a run whose other parts may be at work at the same time.

    Raises:
        UsageError: where another one is at work and this one does not wait, naming it.
    """

    def lease(name: str) -> Lease:
        return Lease(manifest.storage, name, command, wait, lambda text: console.print(Text(text)))

    with lease("corpus" if part is None else f"{_PART}{part.number}-of-{part.of}"):
        there = manifest.names("leases", folders=True)
        for other in [name for name in there if name.startswith(_PART)] if part is None else ["corpus"]:
            lease(other).await_end()
        manifest.refresh()
        yield


_PART = "part-"


def may_wait(parser: argparse.ArgumentParser) -> None:
    """What every command takes that rewrites a corpus."""
    parser.add_argument("--wait", action="store_true", help="wait for another command that is at work on the corpus")


def positive(text: str) -> int:
    """For argparse: a whole number above 0."""
    if not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text} is not a whole number above 0")
    return int(text)


def part(text: str) -> Part:
    """For argparse: `3/64`, the third of 64 parts."""
    number, slash, of = text.partition("/")
    if not slash or not number.isdigit() or not of.isdigit() or not 1 <= int(number) <= int(of):
        raise argparse.ArgumentTypeError(f"{text} is no part, such as 3/64, from 1/64 to 64/64")
    return Part(int(number), int(of))


def as_json(parser: argparse._ActionsContainer) -> None:
    """For every command that tells facts: the same for programs."""
    parser.add_argument("--json", action="store_true", help="print as JSON, for programs")


def changes(parser: argparse.ArgumentParser) -> None:
    """What every command takes that runs, or would run, a recipe."""
    parser.add_argument(
        "--set",
        metavar="OPERATOR.FIELD=VALUE",
        action="append",
        default=[],
        help="another value for a field of the recipe; may be given again",
    )
    parser.add_argument("--workers", type=positive, help="units of work at a time (default: one a core)")


def of_cluster(parser: argparse.ArgumentParser) -> None:
    """What every command takes that asks a cluster."""
    parser.add_argument(
        "--cluster",
        metavar="FILE",
        type=Path,
        help="the cluster's file, see infra/clusters/ray (default: the Ray of this machine, 127.0.0.1:8265)",
    )


def followed(client: Any, job: str, out: Console) -> int:
    """Shows what a job prints until it ends. Returns its exit status. A Ctrl-C ends the showing, not the job."""
    try:
        for piece in follow(client, job):
            out.print(piece, end="", soft_wrap=True)
    except KeyboardInterrupt:
        out.print(f"\n{job} goes on; headset cancel {job} stops it.")
        return 130
    ended = await_end(client, job)
    out.print(f"{job} {ended.status.lower()}.")
    return 0 if ended.status == "SUCCEEDED" else ended.exit_code or 1


def watching(parser: argparse.ArgumentParser) -> None:
    """What every command takes that may run for long."""
    parser.add_argument("--quiet", action="store_true", help="say nothing but errors")
    parser.add_argument(
        "--log",
        metavar="FILE",
        type=Path,
        help="add records of the run to a file, a JSON object a line, each with its time",
    )


def done(plan: Plan, manifest: Manifest) -> dict[str, set[int]]:
    """By step the shards that were done before, if only in part: what they cost is known."""
    return {
        step.version: manifest.committed(step.version) | manifest.retries(step.version).keys() for step in plan.steps
    }


def go_on(
    plan: Plan,
    manifest: Manifest,
    console: Console,
    before: dict[str, set[int]],
    *,
    workers: int | None = None,
    cpus: int | None = None,
    part: Part | None = None,
    log: Path | None = None,
) -> None:
    """Runs what is not done, and prints the funnel.

    Args:
        before: what was done already, from `done`.
        workers: units of work at a time; None for one a core.
        cpus: cores to use on this machine; None for all.
        part: the share of the shards to do; None for all.
        log: a file that records of the run are added to.
    """
    check_root(manifest.root)
    tell_before(plan, manifest, console)
    with Log(log) as record:
        fetch_weights(plan.weights, console)
        began = time.monotonic()
        errors = os.dup(2)  # what a Ctrl-C says is no answer, and is heard whoever talks meanwhile
        with alone(console):
            with waiting(console, "starting Ray"):
                ours = start_ray(cpus)
            if ours:
                signal.signal(signal.SIGINT, partial(_stop_at_once, console, errors))
            record.tell(
                "started", recipe=plan.recipe, corpus=manifest.root, steps=[step.version for step in plan.steps]
            )
            try:
                with Watch(console, record) as watch:

                    def tell(lines: list[Progress]) -> None:
                        watch(lines)
                        metrics.told(lines)

                    run(plan, manifest, workers=workers, part=part, watch=tell)
            finally:
                if ours:
                    stop_ray()
                os.close(errors)
        root = manifest.root
        manifest = Manifest(root)
        learn(manifest, before)
        found = funnel(manifest)
        record.tell("done", seconds=round(time.monotonic() - began, 1), funnel=found.to_json())
    console.print()
    console.print(found)
    if lost := given_up_sources(manifest, found):
        console.print(Told((Line.of(lost),)))
    ask = f"headset sheet {root}, headset explore {root}, headset explain {root} FILE, headset status {root}"
    console.print(f"{clock(time.monotonic() - began)}. Look: {ask}", soft_wrap=True)


def tell_before(plan: Plan, manifest: Manifest, console: Console) -> None:
    """Says, before any work, which weaker things act in place of models, and which finished steps are done again and
    why.
    """
    for name, value in plan.choices:
        console.print(Text(f"{name}: auto is {value} on this machine", "bold"), soft_wrap=True)
    for name, line in plan.stand_ins.items():
        console.print(Text.assemble((f"{name}: ", "bold"), line), soft_wrap=True)
    for line in changes_since(plan, manifest.run):
        console.print(Text(line), soft_wrap=True)


def fetch_weights(weights: Iterable[Weight], console: Console) -> None:
    """Gets the model files that are not at hand."""
    for weight in weights:
        if weight.found() is None:
            with waiting(console, f"fetching {weight.file} ({weight.what}, {weight.bytes / 1e6:.0f} MB)"):
                weight.path()


def _stop_at_once(console: Console, errors: int, *_: object) -> None:
    """Ends the process, and with it the Ray it started. An orderly end would wait for the rows in work, a minute or an
    hour.
    """
    console.show_cursor(True)
    os.write(errors, f"{STOPPED}\n".encode())
    os._exit(130)
