# ruff: noqa: S608 - the queries are of this file and of the user, over tables that DuckDB cannot change
"""What each part of a condition costs, alone and jointly, and what other thresholds would leave."""

from dataclasses import dataclass
from typing import Any

from manifests.errors import UsageError
from manifests.manifest import Manifest
from pipeline.query.clip_view import run_plainly, view_for
from pipeline.query.database import quoted
from pipeline.query.predicates import Predicate, predicates

STEPS = 10  # of a curve: its thresholds are the deciles of what there is


@dataclass(frozen=True)
class Point:
    """How much survives a threshold: by itself, and where all other predicates hold."""

    threshold: float
    clips: int
    seconds: float
    joint_clips: int
    joint_seconds: float


@dataclass(frozen=True)
class Cut:
    """What one predicate costs."""

    predicate: str
    column: str
    sign: str
    threshold: float
    clips: int  # that survive it, alone
    seconds: float
    unknown: int  # clips for which it can be neither true nor false: they have no value
    joint_cost: int  # clips that survive all other predicates, and fall to this one
    joint_cost_seconds: float
    curve: list[Point]


@dataclass(frozen=True)
class Yield:
    """What is left of a corpus, and what each predicate costs; those that cost most come first."""

    clips: int
    seconds: float
    left_clips: int
    left_seconds: float
    cuts: list[Cut]


def yields(manifest: Manifest, where: str, metric: str = "") -> Yield:
    """What each predicate of a condition costs, alone and jointly, and how that changes with its threshold.

    Args:
        metric: a column to draw the curve of besides, as if the condition held `metric >=` its least value too.

    Raises:
        UsageError: for a condition that cannot be, with the columns there are.
    """
    parts = predicates(where) if where else []
    if metric:
        parts.append(Predicate("", metric, ">=", float("-inf")))
    tests = [f"({part.text})" if part.threshold != float("-inf") else "true" for part in parts]
    swept = [number for number, part in enumerate(parts) if part.column]
    connection, known = view_for(manifest, " ".join(tests), "seconds", metric)
    shown = ["seconds"]
    shown += [f"{test} as p{number}" for number, test in enumerate(tests)]
    shown += [f"cast({quoted(parts[number].column)} as double) as v{number}" for number in swept]
    run_plainly(connection.execute, f"create temp table rows as select {', '.join(shown)} from wide", known)
    true = [f"coalesce(p{number}, false)" for number in range(len(parts))]
    others = [
        " and ".join([test for other, test in enumerate(true) if other != number] or ["true"])
        for number in range(len(parts))
    ]
    every = " and ".join(true or ["true"])
    points: dict[int, list[float]] = {}
    shares = ", ".join(str(step / STEPS) for step in range(STEPS + 1))
    for number in swept:
        found = connection.execute(f"select quantile_disc(v{number}, [{shares}]) from rows").fetchall()[0][0] or []
        own = [] if parts[number].threshold == float("-inf") else [parts[number].threshold]
        points[number] = sorted({float(value) for value in found} | set(own))

    asked = _counted("true") + _counted(every)
    for number, (test, other) in enumerate(zip(true, others, strict=True)):
        asked += [*_counted(test), f"count(*) filter (where p{number} is null)", *_counted(f"{other} and not {test}")]
    answers = iter(connection.execute(f"select {', '.join(asked)} from rows").fetchall()[0])
    clips, seconds, left_clips, left_seconds = (next(answers) for _ in range(4))
    cuts = []
    for number, part in enumerate(parts):
        alone, alone_s, unknown, cost, cost_s = (next(answers) for _ in range(5))
        curve = _curve(connection, f"v{number}", part.sign, points.get(number, []), others[number])
        cuts.append(
            Cut(part.text, part.column, part.sign, part.threshold, alone, alone_s, unknown, cost, cost_s, curve)
        )
    cuts.sort(key=lambda cut: (-cut.joint_cost, cut.clips, cut.predicate))
    return Yield(clips, seconds, left_clips, left_seconds, cuts)


def _counted(condition: str) -> list[str]:
    """How many clips meet a condition, and their seconds, as columns of a query."""
    return [f"count(*) filter (where {condition})", f"coalesce(sum(seconds) filter (where {condition}), 0)"]


def _curve(connection: Any, column: str, sign: str, thresholds: list[float], others: str) -> list[Point]:
    """What survives each threshold, alone and where a condition holds besides. `thresholds` rise."""
    if not thresholds:
        return []
    # Each clip falls between two thresholds; what survives one is the sum of what lies on its right side.
    passed = " + ".join(f"({column} {sign} {threshold!r})::int" for threshold in thresholds)
    counts = ", ".join(_counted("true") + _counted(others))
    bins = connection.execute(
        f"select {passed} as passed, {counts} from rows where {column} is not null group by 1"
    ).fetchall()
    curve = []
    for rank, threshold in enumerate(thresholds, 1):
        # thresholds that a clip passes if it passes this one
        needed = rank if sign.startswith(">") else len(thresholds) - rank + 1
        sums = (sum(found[place] for found in bins if found[0] >= needed) for place in range(1, 5))
        curve.append(Point(threshold, *sums))
    return curve


def draw_yield(found: Yield, out: Any) -> None:
    """Draws a panel a curve: hours that survive each threshold, alone and where all other predicates hold.

    Raises:
        UsageError: where no predicate compares a column with a number.
    """
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    curves = [cut for cut in found.cuts if cut.curve]
    if not curves:
        raise UsageError("nothing to draw: no predicate compares a column that has values with a number")
    figure, axes = plt.subplots(1, len(curves), figsize=(4.2 * len(curves), 3.4), dpi=110, squeeze=False)
    for panel, cut in zip(axes[0], curves, strict=True):
        at = [point.threshold for point in cut.curve]
        panel.plot(
            at, [point.seconds / 3600 for point in cut.curve], color="#9a9a9a", marker=".", label="this cut alone"
        )
        panel.plot(
            at,
            [point.joint_seconds / 3600 for point in cut.curve],
            color="#3a9d5d",
            marker=".",
            label="with all others",
        )
        if cut.threshold != float("-inf"):
            panel.axvline(cut.threshold, color="#c0392b", linewidth=1)
        panel.set_xlabel(f"{cut.column} {cut.sign}")
        panel.set_ylim(bottom=0)
    axes[0][0].set_ylabel("hours left")
    axes[0][0].legend(fontsize=8, frameon=False)
    figure.tight_layout()
    out.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(out)
    plt.close(figure)
