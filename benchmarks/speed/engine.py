"""What the engine itself takes: operators that do nothing, beside Ray Data alone, which keeps no account of anything.

python -m benchmarks.speed.engine 1000 10000 100000 [--two-cores]

CPU seconds are those of all processes, Ray's own among them. Each corpus is then asked as a person does: `status`,
`sql`, `check` and `check --all`, each a process of its own, with its peak memory. With `--two-cores`: eleven films of
which one is twenty times as long as the others, through operators that take time and no core, so that it tells on a
busy machine too: one worker beside two.
"""

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from manifests.manifest import Manifest
from manifests.tables import Clip, Score, Shot, Source
from operators.base import Operator
from pipeline.engine.run import run
from pipeline.recipe import Recipe, Stage

STAGES = 3


@dataclass(frozen=True)
class MakeShot(Operator):
    def __call__(self, source: Source) -> Iterator[Shot]:
        yield Shot(source.source_id, f"{source.source_id}/0", 0.0, 1.0)


@dataclass(frozen=True)
class MakeClip(Operator):
    def __call__(self, shot: Shot) -> Iterator[Clip]:
        yield Clip(
            shot.source_id, f"{shot.shot_id}/c", shot.shot_id, "", "", shot.start_s, shot.end_s, 0.0, 0.0, 1.0, 1.0
        )


@dataclass(frozen=True)
class MakeScore(Operator):
    def __call__(self, clip: Clip) -> Iterator[Score]:
        yield Score(clip.source_id, f"{clip.clip_id}#one", clip.clip_id, "one", "", 1.0)


NOTHING = Recipe("nothing", "operators that do nothing", (Stage(MakeShot()), Stage(MakeClip()), Stage(MakeScore())))


@dataclass(frozen=True)
class CutMinutes(Operator):
    """A shot a minute."""

    def __call__(self, source: Source) -> Iterator[Shot]:
        for number in range(int(source.end_s // 60)):
            yield Shot(source.source_id, f"{source.source_id}/{number:03d}", number * 60.0, number * 60.0 + 60)


@dataclass(frozen=True)
class TakeTime(Operator):
    """A clip a shot, after a thousandth of its length."""

    def __call__(self, shot: Shot) -> Iterator[Clip]:
        time.sleep((shot.end_s - shot.start_s) / 1000)
        yield Clip(
            shot.source_id, f"{shot.shot_id}/c", shot.shot_id, "", "", shot.start_s, shot.end_s, 0.0, 0.0, 1.0, 1.0
        )


@dataclass(frozen=True)
class TakeMore(Operator):
    def __call__(self, clip: Clip) -> Iterator[Score]:
        time.sleep((clip.end_s - clip.start_s) / 1000)
        yield Score(clip.source_id, f"{clip.clip_id}#one", clip.clip_id, "one", "", 1.0)


FILMS = Recipe("films", "operators that take time", (Stage(CutMinutes()), Stage(TakeTime()), Stage(TakeMore())))


class Nothing:
    def __call__(self, row: dict) -> dict:
        return row


def by_ray_data(count: int) -> None:
    """The same number of items through as many stages, sixteen a block, without a table or a receipt."""
    import ray

    dataset = ray.data.from_items([{"n": n} for n in range(count)], override_num_blocks=max(1, count // 16))
    for _ in range(STAGES):
        dataset = dataset.map(Nothing, compute=ray.data.ActorPoolStrategy(size=1), num_cpus=0.5)  # pyright: ignore[reportArgumentType]
    for _ in dataset.iter_rows():
        pass


def spent(what: Callable[[], None]) -> tuple[float, float]:
    """Seconds, and CPU seconds of this process and all that it started."""
    import psutil

    def cpu_s() -> float:
        here = psutil.Process()
        times = [process.cpu_times() for process in (here, *here.children(recursive=True))]
        return sum(one.user + one.system + one.children_user + one.children_system for one in times)

    began, before = time.monotonic(), cpu_s()
    what()
    return time.monotonic() - began, cpu_s() - before


def listed(folder: str, sources: list[Source]) -> Manifest:
    manifest = Manifest(str(Path(folder, "corpus")))
    manifest.add(sources)
    return manifest


ASKED = (("status",), ("sql", "select count(*) from clips"), ("check",), ("check", "--all"))


def asking(corpus: str, words: tuple[str, ...]) -> str:
    """Seconds, CPU seconds and peak MB of a command over a corpus, which has to end well."""
    began = time.monotonic()
    command = [sys.executable, "-m", "pipeline", words[0], corpus, *words[1:]]
    child = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(child.pid, 0)
    assert os.waitstatus_to_exitcode(status) == 0, words
    cpu_s = used.ru_utime + used.ru_stime
    return f"{time.monotonic() - began:.1f} s, {cpu_s:.1f} CPU s, {used.ru_maxrss / 1024:.0f} MB"


def overhead(count: int) -> str:
    with tempfile.TemporaryDirectory() as folder:
        manifest = listed(folder, [Source(f"s{n:06d}", "", end_s=1.0) for n in range(count)])
        run_s, run_cpu_s = spent(lambda: run(NOTHING.plan(), manifest))
        files = sum(path.is_file() for path in Path(folder).rglob("*"))
        assert Manifest(manifest.root).count_rows(Score) == count
        asked = " | ".join(asking(manifest.root, words) for words in ASKED)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    data_s, data_cpu_s = spent(lambda: by_ray_data(count))
    item_us, data_us = (1e6 * cpu_s / count / STAGES for cpu_s in (run_cpu_s, data_cpu_s))
    return (
        f"| {count} | {run_s:.1f} | {item_us:.0f} | {data_s:.1f} | {data_us:.0f} | {item_us / data_us:.1f} | {files} |"
        f" {peak:.0f} | {asked} |"
    )


def two_cores() -> str:
    lengths = [1200.0] * 10 + [24000.0]
    seconds = []
    for workers in (1, 2):
        with tempfile.TemporaryDirectory() as folder:
            manifest = listed(folder, [Source(f"s{n:02d}", "", end_s=length) for n, length in enumerate(lengths)])
            seconds.append(
                spent(lambda workers=workers, manifest=manifest: run(FILMS.plan(), manifest, workers=workers))[0]
            )
    return f"one worker {seconds[0]:.1f} s, two {seconds[1]:.1f} s: {seconds[0] / seconds[1]:.2f} times as fast"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sources", type=int, nargs="*")
    parser.add_argument("--two-cores", action="store_true")
    options = parser.parse_args()
    import logging

    import ray

    os.environ["PYTHONPATH"] = str(Path(__file__).parents[2])
    ray.init(
        "local",
        num_cpus=2,
        include_dashboard=False,
        log_to_driver=False,
        object_store_memory=200 * 2**20,
        logging_level=logging.ERROR,
    )
    logging.getLogger("ray.data").setLevel(logging.ERROR)
    ray.data.DataContext.get_current().enable_progress_bars = False
    with tempfile.TemporaryDirectory() as folder:  # so that no start of a process is in the figures
        run(NOTHING.plan(), listed(folder, [Source(f"s{n}", "", end_s=1.0) for n in range(64)]))
    if options.sources:
        print(
            "| sources | s | CPU us an item and stage | Ray Data alone, s | CPU us | ratio | files | driver's peak MB |"
            + "".join(f" {' '.join(words)} |" for words in ASKED)
        )
        print("|---|---|---|---|---|---|---|---|" + "---|" * len(ASKED))
    for count in options.sources:
        print(overhead(count), flush=True)
    if options.two_cores:
        print(two_cores())
    ray.shutdown()


if __name__ == "__main__":
    sys.exit(main())
