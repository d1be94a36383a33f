"""How far a run is: told by workers, kept by an actor, asked by whoever shows it."""

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast

from pipeline.recipe import Plan


@dataclass
class Progress:
    """How far one stage is."""

    stage: str
    sources: int  # to do in this run
    sources_done: int = 0
    kept: int = 0
    dropped: int = 0
    failed: int = 0
    seconds: float = 0.0  # since its first row of this run
    done: bool = False


class Ticker:
    """Calls something twice a second while the main thread waits."""

    def __init__(self, tell: Callable[[], None]):
        from threading import Event, Thread

        self.tell, self.over = tell, Event()
        self.thread = Thread(target=self._tick, daemon=True)

    def _tick(self) -> None:
        while not self.over.wait(0.5):
            self.tell()

    def __enter__(self) -> None:
        self.thread.start()

    def __exit__(self, *_: Any) -> None:
        self.over.set()
        self.thread.join()


class ProgressActor:
    """A Ray actor that workers tell how far they are."""

    def __init__(self) -> None:
        self.began: dict[int, float] = {}
        self.last: dict[int, float] = {}
        self.shares: dict[tuple[int, int], tuple[float, Counter[str]]] = {}

    def report(self, stage: int, shard: int, share: float, counts: Counter[str]) -> None:
        now = time.monotonic()
        self.began.setdefault(stage, now)
        self.last[stage] = now
        self.shares[stage, shard] = share, counts

    def snapshot(self) -> dict[int, tuple[float, dict[int, tuple[float, Counter[str]]]]]:
        """By stage: seconds from its first report to its last, and by shard the share done and the counts."""
        found: dict[int, tuple[float, dict[int, tuple[float, Counter[str]]]]] = {}
        for (stage, shard), told in self.shares.items():
            found.setdefault(stage, (self.last[stage] - self.began[stage], {}))[1][shard] = told
        return found


def progress_of(board: Any, plan: Plan, todo: list[int], sizes: dict[int, int]) -> list[Progress]:
    import ray

    told: dict[int, Any] = cast(Any, ray.get(board.snapshot.remote()))
    lines = []
    for stage in todo:
        seconds, shards = told.get(stage, (0.0, {}))
        counts: Counter[str] = Counter()
        for _, told_of in shards.values():
            counts.update(told_of)
        share = sum(share * sizes[shard] for shard, (share, _) in shards.items())
        total = sum(sizes.values())
        done = int(share + 1e-6)
        lines.append(
            Progress(
                repr(plan.stages[stage]), total, done, counts["kept"], counts["dropped"], counts["failed"], seconds, share >= total - 1e-6
            )
        )
    return lines
