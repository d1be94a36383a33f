"""Which finished steps a plan does again, and why."""

from collections.abc import Iterator, Mapping
from typing import Any

from manifests.manifest import RunRecord, StepRecord
from pipeline.recipe import Plan


def changes_since(plan: Plan, before: RunRecord | None) -> list[str]:
    """What makes steps of the run before be done again, a line each; none where all that was finished stays.

    First the operators that changed themselves, with their fields and models, then how many steps are done again for
    their sake alone.
    """
    if before is None:
        return []
    then = {step.operator: step for step in before.steps}
    now = {step.operator.name: step.record() for step in plan.steps}
    lines, behind = [], []
    for name, step in now.items():
        old = then.get(name)
        if old is None or old.version == step.version:
            continue
        if own := list(_own(old, step)):
            lines.append(f"{name} is done again: {'; '.join(own)}")
        elif _reads_alike(old, step, then, now):
            lines.append(f"{name} is done again: its code is of another version")
        else:
            behind.append(name)
    if behind:
        lines.append(f"so are {len(behind)} steps that read what these write: {', '.join(behind)}")
    return lines


def _own(old: StepRecord, new: StepRecord) -> Iterator[str]:
    """What changed in an operator itself: fields, then models."""
    yield from (f"{field} {was!r} -> {what!r}" for field, was, what in _differences(old.parameters, new.parameters))
    sums = [{weight["file"]: weight["sha256"] for weight in step.weights} for step in (old, new)]
    yield from (f"another {file}" for file in sorted(sums[0].keys() & sums[1].keys()) if sums[0][file] != sums[1][file])


def _differences(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[tuple[str, Any, Any]]:
    for field in sorted(old.keys() | new.keys()):
        was, what = _plain(old.get(field)), _plain(new.get(field))
        if was != what:
            yield field, was, what


def _plain(value: Any) -> Any:
    """A field as JSON keeps it: a tuple comes back as a list."""
    if isinstance(value, Mapping):
        return {name: _plain(one) for name, one in value.items()}
    return [_plain(one) for one in value] if isinstance(value, list | tuple) else value


def _reads_alike(
    old: StepRecord, new: StepRecord, then: Mapping[str, StepRecord], now: Mapping[str, StepRecord]
) -> bool:
    """Whether every step whose rows it reads is the same as before: then nothing but its own code can differ."""
    if {table: list(steps) for table, steps in old.inputs.items()} == {
        table: list(steps) for table, steps in new.inputs.items()
    }:
        return True
    changed = {step.version for name, step in now.items() if name not in then or then[name].version != step.version}
    return not any(version in changed for steps in new.inputs.values() for version in steps)
