"""Another try for what was dropped but need not have been, and for nothing else."""

from collections import Counter, defaultdict
from dataclasses import dataclass
from graphlib import TopologicalSorter

from manifests.manifest import Manifest
from manifests.tables import Dropped


@dataclass(frozen=True)
class Retry:
    """What the next run will try again."""

    drops: list[Dropped]
    left: int  # sources that an earlier retry, which was stopped, still has to do
    others: Counter[str]  # the reasons of the drops that are not tried again


def retry(manifest: Manifest, *, reasons: tuple[str, ...] = (), operator: str = "") -> Retry:
    """Takes back the receipts of the steps that dropped these rows, and of all that read them, for the rows' sources
    alone.

    The next run then does these sources again, from the step that dropped them on, and leaves all others as they are.
    Steps that another recipe or another `--set` made from the same rows are taken back too: they are done again when
    they are next asked for.

    Args:
        reasons: of the drops to try again; () for all that are marked `retryable`.
        operator: whose drops; "" for all operators of the last run.
    """
    inputs = manifest.steps_done()
    readers: dict[str, set[str]] = defaultdict(set)
    for version, tables in inputs.items():
        for one in {one for steps in tables.values() for one in steps}:
            readers[one].add(version)
    drops: list[Dropped] = []
    others: Counter[str] = Counter()
    again: dict[tuple[str, int], set[str]] = defaultdict(set)  # sources by step and shard
    for step in manifest.run.steps if manifest.run else []:
        for shard in sorted(manifest.committed(step.version)):
            for drop in manifest.read(Dropped, [step.version], shard):
                if (drop.reason in reasons if reasons else drop.retryable) and operator in ("", step.operator):
                    drops.append(drop)
                    for behind in _behind(step.version, readers):
                        again[behind, shard].add(drop.source_id)
                else:
                    others[drop.reason] += 1
    left = _left(manifest)
    order = TopologicalSorter(
        {version: {one for steps in tables.values() for one in steps} for version, tables in inputs.items()}
    )
    # From the end to the start: a reader must never keep its receipt when what it read has lost its own.
    for version in reversed([*order.static_order()]):
        done = manifest.committed(version) | manifest.retries(version).keys()
        for shard in sorted(shard for one, shard in again if one == version and shard in done):
            manifest.take_back(version, shard, again[version, shard])
    return Retry(drops, left, others)


def _behind(version: str, readers: dict[str, set[str]]) -> set[str]:
    """A step and all that read its rows, or read what those made of them."""
    found, next_ones = {version}, [version]
    while next_ones:
        new = readers[next_ones.pop()] - found
        found |= new
        next_ones += new
    return found


def _left(manifest: Manifest) -> int:
    sources: set[str] = set()
    for step in manifest.run.steps if manifest.run else []:
        done = manifest.committed(step.version)
        for shard, note in manifest.retries(step.version).items():
            if shard not in done:
                sources.update(note["sources"])
    return len(sources)
