"""What depends on a failure: rows that a step cannot judge, since a step before it failed on what it would look at.

A failed step leaves no rows, and what joins them would take that for an answer: no face detected, nobody speaking. Such
a row is dropped as `not_done`, naming the step that failed.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from manifests.manifest import Manifest
from manifests.tables import Dropped, Row
from pipeline.engine.outcome import DUPLICATE_KEY, NOT_DONE
from pipeline.engine.row_media import span_of
from pipeline.recipe import Plan, Step

Failed = tuple[Row | None, Dropped]  # the row a step failed on, where it is known, and what was said of it


class Failures:
    """The failures of the steps before, by the step they matter to."""

    def __init__(self, plan: Plan, failed: Mapping[str, Iterable[Failed]]):
        """
        Args:
            failed: by step, of the sources that are looked at.
        """
        self.steps = {step.version: step for step in plan.steps}
        self.failed = {
            version: sorted(some, key=lambda one: one[1].drop_id) for version, some in failed.items() if some
        }

    def cause(self, step: Step, row: Row) -> str:
        """Which failure keeps a step from judging a row, such as `DetectFaces failed: MemoryError`; "" for none."""
        for version in asked(self.steps, step) if self.failed else ():
            for failed, drop in self.failed.get(version, ()):
                if concerns(failed, drop, row):
                    return drop.detail if drop.reason == NOT_DONE else f"{drop.operator} failed: {drop.reason}"
        return ""


def asked(steps: Mapping[str, Step], step: Step) -> Iterator[str]:
    """The steps behind what a step joins, in the plan's order. Those behind the row itself were asked when it was made.

    Args:
        steps: of the plan, by version.
    """
    signature = step.operator.signature
    joined = _behind(steps, (version for table in signature.joins.values() for version in step.inputs.get(table, ())))
    if joined:
        lineage = _behind(steps, step.inputs[signature.reads])
        yield from (version for version in steps if version in joined - lineage)


def _behind(steps: Mapping[str, Step], versions: Iterable[str]) -> set[str]:
    found, left = set[str](), [version for version in versions if version in steps]
    while left:
        version = left.pop()
        if version not in found:
            found.add(version)
            left += [one for inputs in steps[version].inputs.values() for one in inputs if one in steps]
    return found


def failures_of(step: Step, drops: Iterable[Dropped], rows: Sequence[Row]) -> list[Failed]:
    """The rows a step failed on, or could not judge for the failure of another.

    Args:
        rows: among which those are that it read.
    """
    reads = step.operator.signature.reads
    some = [
        drop
        for drop in drops
        if (drop.failed or drop.reason == NOT_DONE)
        and drop.reason != DUPLICATE_KEY
        and drop.subject_table == reads.table
    ]
    known = {row.row_id: row for row in rows} if some else {}
    return [(known.get(drop.subject), drop) for drop in some]


def failures_in(manifest: Manifest, step: Step, shard: int) -> list[Failed]:
    """The same of a step that is committed on a shard."""
    drops = manifest.read(Dropped, [step.version], shard)
    if not failures_of(step, drops, ()):
        return []
    reads = step.operator.signature.reads
    return failures_of(step, drops, manifest.read(reads, step.inputs[reads], shard))


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
