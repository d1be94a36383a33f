# ruff: noqa: S608 - the queries are of this file and of the user, over tables that DuckDB cannot change
"""What differs between two selections, or two corpora: clips added, removed and changed, and why."""

import json
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from manifests.errors import UsageError
from manifests.manifest import Manifest
from pipeline.corpus import existing
from pipeline.query.clip_view import lay_down, run_plainly, see_wide
from pipeline.query.database import connect, parquet, quoted, write_parquet
from pipeline.query.predicates import Predicate, predicates
from pipeline.query.selection import Selection, selection


@dataclass(frozen=True)
class Side:
    """One of the two that are compared: a corpus as it is, or what was chosen from it."""

    manifest: Manifest
    chosen: Selection | None

    @classmethod
    def of(cls, reference: str) -> "Side":
        """`corpus/`, `corpus/@name` or `corpus/@name:version`.

        Raises:
            UsageError: where there is no such corpus or selection, with what there is.
        """
        root, at, name = reference.rpartition("/@")
        if not at:
            return cls(existing(reference), None)
        manifest = existing(root)
        return cls(manifest, selection(manifest, name))

    def __str__(self) -> str:
        return f"{self.manifest.root}/@{self.chosen.name}:{self.chosen.version}" if self.chosen else self.manifest.root

    def register(self, connection: Any, name: str, folder: Path) -> list[str]:
        """Has DuckDB see its clips under a name: the selection's file, or `wide` laid down in the folder. Returns the
        columns.
        """
        if self.chosen:
            connection.register(name, self.manifest.parquet(self.chosen.file))
        else:
            path = folder / f"{name}.parquet"
            lay_down(self.manifest, path)
            connection.register(name, parquet(path))
        return [column for column, *_ in connection.execute(f"describe {name}").fetchall()]


@dataclass(frozen=True)
class Change:
    """A clip that is on one side only, or differs."""

    clip_id: str
    what: str  # added, removed or changed
    why: str  # of an added clip: why it was not there before; "" for a changed one
    columns: dict[str, tuple[Any, Any]]  # of a changed one: from, to


@dataclass(frozen=True)
class Difference:
    """The counts of all changes, and the changes."""

    both: int
    added: int
    removed: int
    changed: int
    columns: dict[str, int]  # clips in which a column differs
    why_added: dict[str, int]
    why_removed: dict[str, int]
    changes: list[Change]  # the first, by kind and clip


def differ(before: Side, after: Side, most: int) -> Difference:
    """Compares two sides clip by clip, in the columns that both know.

    Args:
        most: changes of each kind to list; all are counted.
    """
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        connection = connect()
        first, second = before.register(connection, "a", folder), after.register(connection, "b", folder)
        common = [name for name in first if name in second and name != "clip_id"]
        differs = {name: f"a.{quoted(name)} is distinct from b.{quoted(name)}" for name in common}
        # First by a hash of each row, which is small; then the values of those that differ.
        shown = ", ".join(map(quoted, common))
        for side in "ab":
            connection.execute(
                f"create temp table keys_{side} as select clip_id, source_id, hash({shown}) as content from {side}"
            )
        pairs = "keys_a as a full outer join keys_b as b on a.clip_id = b.clip_id"
        both = "a.clip_id is not null and b.clip_id is not null"
        conditions = (both, "a.clip_id is null", "b.clip_id is null", f"{both} and a.content != b.content")
        asked = ", ".join(f"count(*) filter (where {condition})" for condition in conditions)
        n_both, n_added, n_removed, n_changed = connection.execute(f"select {asked} from {pairs}").fetchall()[0]
        connection.execute(f"create temp table altered as select a.clip_id from {pairs} where {conditions[3]}")
        altered = " join ".join(
            f"(select * from {side} where clip_id in (select clip_id from altered)) as {side}" for side in "ab"
        )
        altered += " on a.clip_id = b.clip_id"
        asked = ", ".join(f"count(*) filter (where {test})" for test in differs.values())
        by_column = (
            connection.execute(f"select {asked} from {altered}").fetchall()[0] if n_changed else [0] * len(common)
        )
        changes: list[Change] = []
        why: dict[str, dict[str, int]] = {"added": {}, "removed": {}}
        for what, absent, there, count in (("added", before, "b", n_added), ("removed", after, "a", n_removed)):
            if not count:
                continue
            path = folder / f"{what}.parquet"
            one = "a.clip_id is null" if what == "added" else "b.clip_id is null"
            write_parquet(connection.sql(f"select {there}.clip_id, {there}.source_id from {pairs} where {one}"), path)
            why[what], first = _why(absent, path, most)
            changes += [Change(clip, what, reason, {}) for clip, reason in first]
        if n_changed:
            shown = ", ".join(f"a.{quoted(name)}, b.{quoted(name)}" for name in common)
            query = f"select a.clip_id, {shown} from {altered} order by a.clip_id limit {most}"
            for clip, *values in connection.execute(query).fetchall():
                columns = {
                    name: (values[2 * i], values[2 * i + 1])
                    for i, name in enumerate(common)
                    if values[2 * i] != values[2 * i + 1]
                }
                changes.append(Change(clip, "changed", "", columns))
        columns = {name: count for name, count in zip(common, by_column, strict=True) if count}
        return Difference(n_both, n_added, n_removed, n_changed, columns, why["added"], why["removed"], changes)


def _why(side: Side, clips: Path, most: int) -> tuple[dict[str, int], list[tuple[str, str]]]:
    """Why some clips are not on a side: how many for which reason, and the reasons of the first by id, with the
    numbers.
    """
    parts: list[Predicate] = predicates(side.chosen.where) if side.chosen else []
    connection = connect()
    connection.register("absent", parquet(clips))
    named = " ".join(part.text for part in parts)
    known = see_wide(side.manifest, connection, f"{named} drops sources")
    there = {name.lower() for name in known}
    if lost := [column for part in parts if (column := part.column) and column.lower() not in there]:
        raise UsageError(f"{side}: the corpus no longer has the column {lost[0]!r} that the selection was made by")
    fails = "".join(f" when not coalesce(({part.text}), false) then {number}" for number, part in enumerate(parts))
    values = ", ".join(f"cast(wide.{quoted(part.column)} as varchar)" if part.column else "null" for part in parts)
    fallen = f"case{fails} else {len(parts)} end" if parts else "0"
    # A condition may name clip_id or source_id: of the two tables only `wide` has columns of these names.
    query = f"""create temp table gone as
        select lost_clip as clip_id, lost_source as source_id,
            case when wide.clip_id is not null then {fallen}
                when lost_source in (select source_id from sources) then -1 else -2 end as part,
            [{values}]::varchar[] as numbers
        from (select clip_id as lost_clip, source_id as lost_source from absent)
        left join wide on wide.clip_id = lost_clip"""
    run_plainly(connection.execute, query, known)
    connection.execute("""create temp table told as
        select clip_id, part, numbers, drops.operator, drops.reason, drops.detail from gone
        left join (select subject, last(operator order by drop_id) as operator, last(reason order by drop_id) as reason,
                          last(detail order by drop_id) as detail from drops where subject in
                   (select clip_id from gone where part < 0 union all select source_id from gone where part < 0)
                   group by subject) as drops
        on gone.part < 0 and drops.subject = (case
            when gone.clip_id in (select subject from drops) then gone.clip_id else gone.source_id end)""")  # fmt: skip

    def reason(part: int, operator: str | None, why: str | None) -> str:
        if part >= 0:
            return (
                parts[part].text
                if part < len(parts)
                else "chosen by now: the corpus changed after the selection was made"
            )
        nothing = "not proposed: no row of this span and track" if part == -1 else "its source is not in the corpus"
        return f"{operator}: {why}" if operator else nothing

    counts = connection.execute(
        "select part, operator, reason, count(*) from told group by all order by 4 desc, 1, 2, 3"
    ).fetchall()
    first = []
    for clip, part, numbers, operator, why, detail in connection.execute(
        f"select * from told order by clip_id limit {most}"
    ).fetchall():
        failed = parts[part] if 0 <= part < len(parts) else None
        more = ""
        if failed and failed.column:
            more = " (no value)" if numbers[part] is None else f" ({failed.column} is {numbers[part]})"
        first.append((clip, reason(part, operator, why) + more + (f" ({detail})" if detail else "")))
    return {reason(part, operator, why): count for part, operator, why, count in counts}, first


def lines(found: Difference) -> Iterator[str]:
    """One line a change, for people."""
    for change in found.changes:
        sign = {"added": "+", "removed": "-", "changed": "~"}[change.what]
        told = change.why or ", ".join(f"{name}: {old} -> {new}" for name, (old, new) in change.columns.items())
        yield f"{sign} {change.clip_id}  {told}"


def as_json(found: Difference) -> str:
    return json.dumps(found, default=vars, indent=1)
