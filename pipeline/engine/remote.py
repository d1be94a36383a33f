"""What runs in Ray's processes: tasks of one core, which any process takes, and actors that hold a share of a GPU."""

import os
import pickle
from collections.abc import Sequence
from typing import Any

from pipeline.engine.rows import Payload
from pipeline.engine.units import Commit, Job, Open
from pipeline.engine.worker import Worker, prepare_worker

_held: tuple[str, Worker] | None = None  # of this process: by the run it belongs to


def task(run: str, setup: bytes, on_gpu: bool, job: Job, failures: Any, names: Sequence[str], *handles: Any) -> Any:
    """A job, done by this process's own worker, whose models stay.

    Args:
        run: its name; another run has other operators.
        setup: the plan, the manifest, the takedowns and the progress actor, pickled.
        names: the step that each of the handles is of.

    Returns: what is to be known of it, then what was read or made: by step, each in an answer of its own where it was
        made.
    """
    global _held
    if _held is None:
        prepare_worker()
    if _held is not None and _held[0] != run:
        _held[1].close()
    if _held is None or _held[0] != run:
        _held = run, Worker(*pickle.loads(setup), on_gpu=on_gpu)  # noqa: S301 - from this run's own driver
    worker = _held[1]
    inputs: dict[str, list[Payload]] = {}
    for name, payload in zip(names, handles, strict=True):
        inputs.setdefault(name, []).append(payload[name])
    if isinstance(job, Open):
        return worker.open(job)
    if isinstance(job, Commit):
        return worker.commit(job, inputs)
    done, made = worker.do(job, inputs, failures)
    return [done, *({version: made[version]} for version in job.steps)]


class GpuWorker:
    """An actor that holds a share of a GPU, and does the units of every stage that asks for one."""

    def ready(self) -> int:
        return os.getpid()

    def do(self, *arguments: Any) -> Any:
        return task(*arguments)
