"""The funnel: what each step made of what it read, the sums by table, and the chain from sources to kept clips."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from manifests.errors import Inconsistent
from manifests.manifest import LISTED, Manifest
from manifests.tables import Dropped, Row, Source, tables
from pipeline.views.facts import BLANK, Cell, Fact, Grid, Line, Part, by_number, count

CHAIN = ("sources", "published", "shots", "tracks", "turns", "clips")


@dataclass(frozen=True)
class FunnelStep:
    """One step: what went in, and what became of it."""

    step: str  # the operator; "listed" for what the user named
    table: str  # that was read
    read: int
    answered: int
    dropped: int
    failed: int
    wrote: dict[str, int]  # rows by table
    given_up: dict[str, int]  # rows of written tables that were proposed and dropped
    reasons: dict[str, int]
    shards: int  # that are done


@dataclass(frozen=True)
class TableSum:
    """The rows of a table: proposed = kept + dropped + failed. Kept is counted in the files that hold the current
    rows.
    """

    table: str
    proposed: int
    kept: int
    dropped: int
    failed: int


@dataclass(frozen=True)
class Funnel(Fact):
    """Every step of the last run with its counts over all shards that are done; empty where nothing ran."""

    steps: tuple[FunnelStep, ...]
    sums: tuple[TableSum, ...]
    chain: str  # `12 sources -> 40 shots -> ... -> 14 clips proposed -> 9 clips kept`

    def sum_of(self, table: str) -> TableSum:
        return next((one for one in self.sums if one.table == table), TableSum(table, 0, 0, 0, 0))

    def parts(self) -> Iterator[Part]:
        names = ("step", ">read", ">ok", ">dropped", ">failed", "wrote", "why not")
        yield Grid.of(names, ([one.step, f"{one.read} {one.table}", one.answered, one.dropped, count(one.failed),
                               _wrote(one), by_number(one.reasons)]
                              for one in self.steps))  # fmt: skip
        yield BLANK
        names = ("table", ">proposed", ">kept", ">dropped", ">failed")
        yield Grid.of(names, ([one.table, one.proposed, one.kept, one.dropped, count(one.failed)] for one in self.sums))
        yield BLANK
        yield Line.of(Cell(self.chain, "strong"))


def _wrote(step: FunnelStep) -> str:
    return ", ".join(
        f"{n} {name}" + (f" of {n + step.given_up[name]}" if step.given_up.get(name) else "")
        for name, n in step.wrote.items()
    )


def funnel(manifest: Manifest) -> Funnel:
    """The funnel of the last run.

    Raises:
        Inconsistent: when the sums of a table do not add up.
    """
    steps = _steps(manifest)
    return Funnel(tuple(steps), tuple(_sums(manifest, steps)), _chain(steps))


def given_up_sources(manifest: Manifest, found: Funnel, most: int = 3) -> str:
    """`Given up: a.mp4 (truncated), b.mp4 (no_video_stream).`, the first of them by name; "" where there is none. Only
    shards are read whose receipts tell of one.
    """
    losing = {step.step for step in found.steps if step.table == Source.table and step.dropped + step.failed}
    names = list[str]()
    for step in manifest.run.steps if manifest.run else []:
        if step.operator not in losing or Source.table not in step.writes:
            continue
        for shard, receipt in manifest.receipts(step.version, manifest.done(step.version)).items():
            if len(names) <= most and receipt.calls.get("dropped", 0) + receipt.calls.get("failed", 0):
                files = {row.source_id: Path(row.uri).name for row in manifest.read(Source, [LISTED], shard)}
                lost = manifest.read(Dropped, [step.version], shard)
                names += [f"{files[one.source_id]} ({one.reason})" for one in lost]
    return f"Given up: {', '.join(names[:most])}{' and others' if len(names) > most else ''}." if names else ""


def _steps(manifest: Manifest) -> list[FunnelStep]:
    if manifest.run is None:
        return []
    shards = manifest.shards()
    listed = [drop for shard in shards for drop in manifest.read(Dropped, [LISTED], shard)]
    given = {
        table.table: sum(manifest.count(table, LISTED, shard) for shard in shards)
        for table in [Source, *manifest.given()]
    }
    reasons, refused = Counter(drop.reason for drop in listed), Counter(drop.subject_table for drop in listed)
    sources, lost = given[Source.table], refused.pop(Source.table, 0)
    steps = [
        FunnelStep(
            "listed", "sources", sources + lost, sources, lost, 0, given, dict(refused), dict(reasons), len(shards)
        )
    ]
    for step in manifest.run.steps:
        calls: Counter[str] = Counter()
        wrote: Counter[str] = Counter({table: 0 for table in step.writes})
        counted: Counter[str] = Counter()
        given_up: Counter[str] = Counter()
        receipts = manifest.receipts(step.version, manifest.done(step.version))
        for receipt in receipts.values():
            calls.update(receipt.calls)
            wrote.update(receipt.rows)
            counted.update(receipt.reasons)
            given_up.update(receipt.given_up)
        ends = (calls["read"], calls["answered"], calls["dropped"], calls["failed"])
        steps.append(
            FunnelStep(step.operator, step.reads, *ends, dict(wrote), dict(given_up), dict(counted), len(receipts))
        )
    return steps


def _sums(manifest: Manifest, steps: Sequence[FunnelStep]) -> Iterator[TableSum]:
    """
    Raises:
        Inconsistent: when what was proposed is not what was kept, dropped and failed.
    """
    refined_by = {
        (step.operator, table) for step in (manifest.run.steps if manifest.run else []) for table in step.refines
    }
    for name, table in tables().items():
        writers = [line for line in steps if name in line.wrote]
        if not writers or name == Dropped.table:
            continue
        first = [line for line in writers if (line.step, name) not in refined_by]
        refiners = [line for line in writers if (line.step, name) in refined_by and line.table == name]
        lost = [
            line.dropped if (line.step, name) == ("listed", Source.table) else line.given_up.get(name, 0)
            for line in first
        ]
        proposed = sum(line.wrote[name] for line in first) + sum(lost) + sum(_divided(line, name) for line in refiners)
        proposed += _told_anew(manifest, table)
        kept = _kept(manifest, table)
        dropped = (
            sum(lost) + sum(line.dropped for line in refiners) + sum(line.given_up.get(name, 0) for line in refiners)
        )
        failed = sum(line.failed for line in refiners)
        if proposed != kept + dropped + failed:
            total = kept + dropped + failed
            told = f"{kept} kept + {dropped} dropped + {failed} failed = {total}"
            raise Inconsistent(f"{name}: {proposed} proposed, but {told}; please report this")
        yield TableSum(name, proposed, kept, dropped, failed)


def _kept(manifest: Manifest, table: type[Row]) -> int:
    """Current rows that the run wrote, or that were listed; what systems and metrics added later was never proposed."""
    later = {step.version for step in manifest.attached.values()}
    return sum(
        manifest.count(table, step, shard)
        for shard in manifest.shards()
        for step in manifest.current(shard).get(table.table, [])
        if step not in later
    )


def _divided(line: FunnelStep, name: str) -> int:
    """How many rows a step that refines its table proposed beyond those it was given: each may be divided, none is left
    out.
    """
    return max(line.wrote[name] + line.given_up.get(name, 0) - line.answered, 0) if line.table == name else 0


def _told_anew(manifest: Manifest, table: type[Row]) -> int:
    """How many rows more, or fewer, the steps wrote that were given all rows of a table by source and told them anew:
    a turn may be divided, and two may be one.
    """
    more = 0
    for step in manifest.run.steps if manifest.run else []:
        if table.table in step.refines and table.table != step.reads:
            shards = manifest.done(step.version)
            given = step.inputs.get(table.table, [])
            more += sum(manifest.count(table, step.version, shard) for shard in shards)
            more -= sum(manifest.count(table, version, shard) for version in given for shard in shards)
    return more


def _chain(steps: Sequence[FunnelStep]) -> str:
    parts = []
    for table in CHAIN:
        writers = [line for line in steps if table in line.wrote]
        if not writers:
            continue
        first, last = writers[0], writers[-1]
        if table == "clips":
            proposed = (
                first.wrote[table] + first.given_up.get(table, 0) + sum(_divided(line, table) for line in writers[1:])
            )
            parts += [f"{proposed} clips proposed", f"{last.wrote[table]} clips kept"]
        elif table == "sources":
            parts.append(
                f"{first.read} sources" + (f" ({last.wrote[table]} usable)" if last.wrote[table] != first.read else "")
            )
        else:
            parts.append(f"{last.wrote[table]} {table}")
    return " -> ".join(parts)
