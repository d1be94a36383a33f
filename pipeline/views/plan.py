"""What a recipe would do: its stages, its models, what is done already, and how long the rest will take."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from manifests.manifest import Manifest
from operators.base import Frames
from pipeline.engine.costs import Rates
from pipeline.recipe import Plan
from pipeline.views.facts import BLANK, Cell, Fact, Grid, Line, Part, clock


@dataclass(frozen=True)
class PlannedStep:
    """One operator of a recipe."""

    stage: int  # from 1
    operator: str
    version: str
    reads: str
    joins: tuple[str, ...]
    writes: tuple[str, ...]
    parameters: dict[str, Any]
    seconds: float | None  # of one core, for what is left; None where that is not known
    measured: bool  # whether its rate is known
    done: int  # shards
    looks: bool  # whether it looks at frames


@dataclass(frozen=True)
class PlannedModel:
    """A model file of a recipe."""

    file: str
    what: str
    bytes: int
    licence: str
    commercial: bool
    path: str  # "" where it is not here
    origin: str  # where it comes from


@dataclass(frozen=True)
class PlanSummary(Fact):
    """What would run, with which models, for how long."""

    recipe: str
    what: str
    steps: tuple[PlannedStep, ...]
    models: tuple[PlannedModel, ...]
    shards: int  # of the corpus; 0 where none was named
    media_s: float | None  # of the videos named; None where none was named
    unknown: int  # videos whose length is not known before they are fetched
    seconds: float | None  # of this machine, for all that is left
    cores: float
    rates: str  # where the figures come from
    error: float | None  # of these in the last run: took / foretold - 1
    choices: dict[str, str]  # by field that said "auto" what it is on this machine
    stand_ins: dict[str, str]  # by operator what acts in place of its model, and how to have the model

    def parts(self) -> Iterator[Part]:
        yield Line.of(Cell(self.recipe, "strong"), f": {self.what}")
        stage = 0
        for step in self.steps:
            if step.stage != stage:
                stage, here = step.stage, [one for one in self.steps if one.stage == step.stage]
                together = f", {len(here)} operators over one decode" if sum(one.looks for one in here) > 1 else ""
                yield BLANK
                yield Line.of(Cell(str(stage), "strong"), f" {step.reads}{together}")
            yield self._told(step)
            if step.parameters:
                text = ", ".join(f"{name}={json.dumps(value)}" for name, value in step.parameters.items())
                yield Line.of(Cell(text, "quiet"), indent=6)
        if self.choices:
            yield BLANK
        for name, value in self.choices.items():
            yield Line.of(Cell(f"{name}: auto is {value} on this machine", "strong"))
        for operator, line in self.stand_ins.items():
            yield BLANK
            yield Line.of(Cell(f"{operator}: ", "strong"), Cell(line, "warn"))
        yield BLANK
        yield Grid.of(("model", "what", ">size", "licence", "where"), map(_model_row, self.models))
        if self.media_s is not None and self.seconds is not None:
            more = f", and {self.unknown} sources of unknown length" if self.unknown else ""
            rest = "" if all(step.measured for step in self.steps) else "; some steps are not measured yet"
            yield BLANK
            yield Line.of(
                f"{clock(self.media_s)} of video{more}. About {clock(self.seconds)} on {self.cores:g} cores"
                f" ({self.rates}{told_error(self.error)}){rest}."
            )

    def _told(self, step: PlannedStep) -> Line:
        joined = "".join(f" + {table}" for table in step.joins)
        cost = clock(step.seconds) if step.seconds is not None else "?" if step.measured else "not measured yet"
        state = f", {step.done} of {self.shards} shards done" if self.shards else ""
        return Line.of(
            Cell(step.operator, "name"), f"  {step.reads}{joined} -> {', '.join(step.writes)}   {cost}{state}", indent=2
        )


def told_error(error: float | None) -> str:
    """How far the rates were off in the last run, for people; "" where none told."""
    if error is None:
        return ""
    return f"; the last run took {abs(error):.0%} {'more' if error > 0 else 'less'} work than was foretold"


def _model_row(model: PlannedModel) -> list[str]:
    licence = model.licence + ("" if model.commercial else " (no commercial use)")
    where = model.path or f"not here yet; comes from {model.origin}"
    return [model.file, model.what, f"{model.bytes / 1e6:.1f} MB", licence, where]


def plan_summary(
    plan: Plan, manifest: Manifest | None, media_s: float | None, unknown: int, rates: Rates, cores: float
) -> PlanSummary:
    """What a recipe would do.

    Args:
        manifest: the corpus, to tell what is done already; None for a new one.
        media_s: of the videos whose length is known; None where none was named.
        unknown: videos of unknown length.
    """
    shards = set(manifest.shards()) if manifest else set[int]()
    steps = []
    for step in plan.steps:
        signature, rate = step.operator.signature, rates.of(step.operator.name)
        done = len(manifest.committed(step.version) & shards) if manifest else 0
        left = 1 - done / len(shards) if shards else 1.0
        steps.append(
            PlannedStep(
                stage=step.stage + 1,
                operator=step.operator.name,
                version=step.version,
                reads=signature.reads.table,
                joins=tuple(table.table for table in signature.joins.values()),
                writes=tuple(table.table for table in signature.writes),
                parameters=step.operator.parameters(),
                seconds=None if rate is None or media_s is None else rate * media_s * left,
                measured=rate is not None,
                done=done,
                looks=Frames in signature.asks.values(),
            )
        )
    models = tuple(
        PlannedModel(
            weight.file,
            weight.what,
            weight.bytes,
            weight.licence,
            weight.commercial,
            str(weight.found() or ""),
            weight.inside.split(":")[1] if weight.inside else weight.url,
        )
        for weight in plan.weights
    )
    total = None if media_s is None else sum(step.seconds or 0.0 for step in steps) / cores
    return PlanSummary(
        plan.recipe,
        plan.what,
        tuple(steps),
        models,
        len(shards),
        media_s,
        unknown,
        total,
        cores,
        rates.origin,
        rates.error,
        dict(plan.choices),
        dict(plan.stand_ins),
    )
