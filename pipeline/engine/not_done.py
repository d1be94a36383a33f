"""What depends on a failure: rows that a step cannot judge, since a step before it failed on what it would look at.

A failed step leaves no rows, and what joins them would take that for an answer: no face detected, nobody speaking. Such
a row is dropped as `not_done`, naming the step that failed.
"""

from collections.abc import Iterable, Iterator

from manifests.manifest import Manifest
from manifests.tables import Dropped, Row
from pipeline.engine.outcome import DUPLICATE_KEY, NOT_DONE
from pipeline.engine.row_media import span_of
from pipeline.recipe import Plan, Step


class Failures:
    """The failures in a shard of the steps before, by the step they matter to."""

    def __init__(self, manifest: Manifest, plan: Plan, shard: int):
        self.manifest, self.shard = manifest, shard
        self.steps = {step.version: step for step in plan.steps}
        self._failed: dict[str, list[tuple[Row | None, Dropped]]] = {}

    def cause(self, step: Step, row: Row) -> str:
        """Which failure keeps a step from judging a row, such as `DetectFaces failed: MemoryError`; "" for none."""
        for version in self._asked(step):
            for failed, drop in self._failures(version):
                if concerns(failed, drop, row):
                    return drop.detail if drop.reason == NOT_DONE else f"{drop.operator} failed: {drop.reason}"
        return ""

    def _asked(self, step: Step) -> Iterator[str]:
        """The steps behind what a step joins, in the plan's order. Those behind the row itself were asked when it was
        made.
        """
        signature = step.operator.signature
        joined = self._behind(version for table in signature.joins.values() for version in step.inputs[table])
        if joined:
            lineage = self._behind(step.inputs[signature.reads])
            yield from (version for version in self.steps if version in joined - lineage)

    def _behind(self, versions: Iterable[str]) -> set[str]:
        found, left = set[str](), [version for version in versions if version in self.steps]
        while left:
            version = left.pop()
            if version not in found:
                found.add(version)
                left += [one for inputs in self.steps[version].inputs.values() for one in inputs if one in self.steps]
        return found

    def _failures(self, version: str) -> list[tuple[Row | None, Dropped]]:
        """The rows a step failed on, or could not judge for the failure of another."""
        if version not in self._failed:
            step = self.steps[version]
            reads = step.operator.signature.reads
            drops = [
                drop
                for drop in self.manifest.read(Dropped, [version], self.shard)
                if (drop.failed or drop.reason == NOT_DONE)
                and drop.reason != DUPLICATE_KEY
                and drop.subject_table == reads.table
            ]
            rows = (
                {row.row_id: row for row in self.manifest.read(reads, step.inputs[reads], self.shard)} if drops else {}
            )
            self._failed[version] = [(rows.get(drop.subject), drop) for drop in drops]
        return self._failed[version]


def concerns(failed: Row | None, drop: Dropped, row: Row) -> bool:
    """Whether what a step would have made of a row is asked for by another row.

    It is where both are the same row, or one names the other. Else it may be where they are of one source and their
    spans meet.
    """
    if drop.source_id != row.source_id:
        return False
    if failed is None:
        return True
    if type(failed) is type(row):
        return failed.row_id == row.row_id
    if type(failed).key in row.__dataclass_fields__:
        return getattr(row, type(failed).key) == failed.row_id
    if type(row).key in failed.__dataclass_fields__:
        return getattr(failed, type(row).key) == row.row_id
    spans = [span for one in (failed, row) if (span := span_of(one)) is not None]
    return len(spans) < 2 or max(span[0] for span in spans) < min(span[1] for span in spans)
