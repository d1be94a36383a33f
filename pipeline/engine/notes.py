"""Answers that are dear: each is noted when it is there, so that neither a killed run nor a new choice of rows has it
made again.

    <root>/generation/<operator and fingerprint>/<hash of the row and of what it was given>.json

A note holds the rows and drops of one answer, and is named by all that the answer depends on. The steps of operators
that are `Noted` write their shards from notes.
"""

import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict
from typing import Any, NamedTuple, cast

from manifests.manifest import Manifest
from manifests.media import MediaStore
from manifests.tables import Dropped, Row, tables
from operators.base import Noted, Operator
from pipeline.engine.lookups import Lookups
from pipeline.engine.outcome import Answer
from pipeline.engine.rows import StageRows
from pipeline.recipe import Step

NOTES = "generation"  # the folder, which corpora of before there were other steps hold


class NotedRow(NamedTuple):
    """A row of a step, and the name of its note."""

    step: Step
    shard: int
    row: Row
    note: str


class Notes:
    """The notes of a corpus."""

    def __init__(self, manifest: Manifest):
        self.manifest, self.store = manifest, MediaStore(manifest.root)

    def name(self, operator: Operator, row: Row, given: Mapping[str, Any]) -> str:
        """Of the note of a row; "" for an operator that notes nothing."""
        if not isinstance(operator, Noted):
            return ""
        what = "".join(f"{line}\n" for line in operator.made_of(row, **given))
        return f"{NOTES}/{operator.name}-{operator.fingerprint()}/{hashlib.sha256(what.encode()).hexdigest()[:32]}.json"

    def answer(self, name: str) -> Answer | None:
        """What is noted; None where nothing is, or a file that it tells of is gone."""
        if (said := self.manifest.load(name)) is None:
            return None
        drops = [Dropped(**drop) for drop in said["drops"]]
        rows = [table(**row) for kind, table in tables().items() if table is not Dropped for row in said.get(kind, ())]
        if not all(self.store.has(place) for row in rows if (place := getattr(row, "media", ""))):
            return None
        (row_id,) = (value for value in said.values() if isinstance(value, str))
        ended = [drop for drop in drops if drop.subject == row_id]
        status = "answered" if not ended else "failed" if any(drop.failed for drop in ended) else "dropped"
        return Answer(status, rows, drops)

    def asked(self, step: Step, row: Row, given: Mapping[str, Any], make: Callable[[], Answer]) -> Answer:
        """The answer that is noted; else what `make` gives, which is noted then."""
        name = self.name(step.operator, row, given)
        if name and (noted := self.answer(name)):
            return noted
        answer = make()
        if name:
            said: dict[str, Any] = {table.table: [] for table in step.operator.signature.writes}
            for one in answer.rows:
                said[one.table].append(asdict(one))
            drops = [asdict(drop) for drop in answer.drops]
            self.manifest.save(name, {type(row).key: row.row_id, **said, "drops": drops})
        return answer

    def rows(self, steps: list[Step]) -> Iterator[NotedRow]:
        """The rows of the steps that note their answers."""
        lookups = Lookups(self.manifest)
        for step in steps:
            if isinstance(step.operator, Noted):
                for shard in self.manifest.shards():
                    for row, given in _given(self.manifest, step, shard, lookups):
                        yield NotedRow(step, shard, row, self.name(step.operator, row, given))

    def take_back(self, steps: list[Step]) -> None:
        """Has the next run do again what is committed and has no note: its files are gone, or it was made of something
        else.
        """
        done = {step.version: self.manifest.committed(step.version) for step in steps}
        lost: dict[tuple[str, int], set[str]] = {}
        for one in self.rows(steps):
            if one.shard in done[one.step.version] and self.answer(one.note) is None:
                lost.setdefault((one.step.version, one.shard), set()).add(one.row.source_id)
        for (version, shard), sources in lost.items():
            self.manifest.take_back(version, shard, sources)

    def forget_retryable(self, steps: list[Step]) -> None:
        """Deletes the notes of what was given up and may end otherwise."""
        for one in self.rows(steps):
            if (answer := self.answer(one.note)) and any(drop.retryable for drop in answer.drops):
                self.manifest.delete(one.note)


def _given(manifest: Manifest, step: Step, shard: int, lookups: Lookups) -> Iterator[tuple[Row, dict[str, Any]]]:
    """The rows that a step reads in a shard, each with what the step is given beside it."""
    held = manifest.current(shard)

    def read(table: type[Row], versions: Any) -> list[Row]:
        there = [version for version in held.get(table.table, ()) if version in versions]
        return sorted(manifest.read(table, there, shard), key=lambda row: row.row_id)

    rows = StageRows([step], read)
    for row in rows.rows:
        if step.wants(row):
            yield row, cast(dict[str, Any], {**rows.joined(row, step), **lookups.of(step)})
