"""Notes what a process imports, which models it loads and which units it does, for `benchmarks.speed.startup`.

Python imports this file by its name at the start of every process that has its folder on PYTHONPATH.
"""

import functools
import importlib
import json
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

NOTES = Path(os.environ["HEADSET_STARTUP_NOTES"])
SHORT_S = 0.005  # what takes less is not noted
_bootstrap: Any = importlib.import_module("importlib._bootstrap")
_find_and_load: Callable[..., Any] = _bootstrap._find_and_load
_calls: dict[int, list[list[float]]] = {}  # of each thread, the seconds that were spent inside each call it is in


def measured(kind: str, name: str, call: Callable[[], Any]) -> Any:
    """Does a call and notes its seconds; `own` are those without the noted calls inside it."""
    stack = _calls.setdefault(threading.get_ident(), [])
    stack.append([0.0, 0.0])
    at, began, cpu = time.time(), time.monotonic(), time.thread_time()
    try:
        return call()
    finally:
        wall_s, cpu_s = time.monotonic() - began, time.thread_time() - cpu
        inside = stack.pop()
        if stack and wall_s > SHORT_S:
            stack[-1][0] += wall_s
            stack[-1][1] += cpu_s
        if wall_s > SHORT_S:
            note = {"kind": kind, "name": name, "at": at, "depth": len(stack), "wall_s": wall_s, "cpu_s": cpu_s}
            note |= {"own_wall_s": wall_s - inside[0], "own_cpu_s": cpu_s - inside[1]}
            with (NOTES / f"{os.getpid()}.jsonl").open("a") as file:
                file.write(json.dumps(note) + "\n")


def wrapped(owner: Any, name: str, kind: str, told: Callable[..., str]) -> None:
    call = getattr(owner, name)

    @functools.wraps(call)
    def noted(*some: Any, **more: Any) -> Any:
        return measured(kind, told(*some), lambda: call(*some, **more))

    setattr(owner, name, noted)


def find_and_load(name: str, import_: Any) -> Any:
    module = measured("imports", name, lambda: _find_and_load(name, import_))
    if name == "pipeline.engine.worker" and not hasattr(module.Worker.do, "__wrapped__"):
        wrapped(module.Worker, "do", "units", lambda worker, unit, *_: repr(worker.stages[unit.stage]))
        wrapped(module.Worker, "open", "units", lambda *_: "open")
        wrapped(module.Worker, "commit", "units", lambda *_: "commit")
    if name == "ray" and not hasattr(module.init, "noted"):
        for call in ("init", "shutdown"):
            wrapped(module, call, "ray", lambda *_, call=call: call)
        module.init.noted = True
    return module


class CachedProperty(functools.cached_property):
    """As the one of functools; those of operators and networks are noted."""

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        get = super().__get__
        if instance is None or self.attrname in vars(instance) or not owner.__module__.startswith("operators"):
            return get(instance, owner)
        return measured("models", f"{owner.__name__}.{self.attrname}", lambda: get(instance, owner))


_bootstrap._find_and_load = find_and_load
functools.cached_property = CachedProperty
