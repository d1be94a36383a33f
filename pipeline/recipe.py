"""A recipe: the stages of a corpus, in order. A stage: operators that share one pass over one table."""

import hashlib
import importlib
import importlib.util
import json
import pkgutil
import traceback
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields, replace
from difflib import get_close_matches
from functools import cached_property
from itertools import groupby
from pathlib import Path
from typing import Any

import pipeline.recipes
from manifests.errors import NotFound, UsageError
from manifests.manifest import LISTED, RunRecord, StepRecord
from manifests.tables import Row, Score, Source
from operators.base import Audio, Frames, Media, Operator, RenderMedia, Resources, SourceFetcher, with_field
from operators.weights import Weight


class Stage:
    """Operators that read the same table; each row's frames are decoded once for all of them."""

    def __init__(self, *operators: Operator):
        self.operators = operators
        self.reads: type[Row] = operators[0].signature.reads
        if any(operator.signature.reads is not self.reads for operator in operators):
            what = ", ".join(f"{operator.name} reads {operator.signature.reads.table}" for operator in operators)
            raise UsageError(f"a stage reads one table, but {what}: give each table a Stage of its own")

    def __repr__(self) -> str:
        return " + ".join(operator.name for operator in self.operators)

    @property
    def resources(self) -> Resources:
        """What an actor of the stage holds: its operators work side by side on one row."""
        return Resources(
            max(op.resources.cpus for op in self.operators), sum(op.resources.gpus for op in self.operators)
        )


@dataclass(frozen=True)
class Step:
    """An operator with the steps whose rows it reads; `version` names the ones it writes."""

    operator: Operator
    version: str
    stage: int
    inputs: dict[type[Row], tuple[str, ...]]
    # of a step beside a recipe: `pipeline/engine/beside.py`
    looks_up: Mapping[type[Row], tuple[str, ...]] = field(default_factory=dict)  # the steps that lookups read, by table
    where: Mapping[str, str] = field(default_factory=dict)  # the rows that it reads, by the value of a column

    def wants(self, row: Row) -> bool:
        return all(getattr(row, column) == value for column, value in self.where.items())

    @property
    def told_inputs(self) -> dict[str, list[str]]:
        """By table the steps whose rows it reads, but for a table of which it reads some rows only: what a receipt says
        was read is counted against all there are.
        """
        reads = self.operator.signature.reads
        return {table.table: list(steps) for table, steps in self.inputs.items() if not (self.where and table is reads)}

    @property
    def refines(self) -> tuple[type[Row], ...]:
        return self.operator.signature.refines

    def record(self) -> StepRecord:
        signature = self.operator.signature
        return StepRecord(
            operator=self.operator.name,
            version=self.version,
            stage=self.stage,
            reads=signature.reads.table,
            writes=[table.table for table in signature.writes],
            refines=[table.table for table in self.refines],
            inputs=self.told_inputs,
            parameters=self.operator.parameters(),
            weights=[_weight_record(weight) for weight in self.operator.weights],
            stand_in=self.operator.stand_in,
        )


@dataclass(frozen=True)
class Plan:
    """A recipe as it is run. It is made once, by `Recipe.plan`, and travels as it was decided: to workers, to other
    machines.
    """

    recipe: str
    what: str  # one line for people
    steps: tuple[Step, ...]  # in order
    origin: str = ""  # see `Recipe`
    changes: tuple[str, ...] = ()
    choices: tuple[tuple[str, str], ...] = ()  # of each field that said "auto", as in `EmbedFaces.network`, what it is

    @cached_property
    def stages(self) -> tuple[Stage, ...]:
        """The stages, by the number that steps name."""
        return tuple(
            Stage(*(step.operator for step in group)) for _, group in groupby(self.steps, lambda step: step.stage)
        )

    @property
    def weights(self) -> tuple[Weight, ...]:
        """The model files the steps need, each once, sorted by name."""
        found = {weight.file: weight for step in self.steps for weight in step.operator.weights}
        return tuple(found[name] for name in sorted(found))

    @property
    def stand_ins(self) -> dict[str, str]:
        """By operator, the line that says which weaker thing acts in place of its model; see `Operator.stand_in`."""
        return {step.operator.name: line for step in self.steps if (line := step.operator.stand_in)}

    @property
    def fetcher(self) -> SourceFetcher | None:
        """The operator that fetches the sources; None where they are files already."""
        return next((step.operator for step in self.steps if isinstance(step.operator, SourceFetcher)), None)

    def of_stage(self, number: int) -> list[Step]:
        return [step for step in self.steps if step.stage == number]

    def record(self) -> RunRecord:
        return RunRecord(self.recipe, [step.record() for step in self.steps], self.origin, list(self.changes))


@dataclass(frozen=True)
class Recipe:
    """How a corpus is made."""

    name: str
    what: str  # one line for people
    stages: tuple[Stage, ...]
    given: tuple[type[Row], ...] = ()  # tables that come with the sources, from a published list or another manifest
    origin: str = ""  # its name, or the absolute path of its file, where it has one
    changes: tuple[str, ...] = ()  # what `set` was given

    def plan(self, wholes: Mapping[type[Row], tuple[str, ...]] = {}) -> "Plan":
        """The recipe as it is run: every choice that depends on this machine made, every step named by all it depends
        on.

        Args:
            wholes: what the corpus has of the whole of it, such as reviews: `Manifest.wholes`. A step that joins such a
                table is done anew when it is made anew.

        Raises:
            UsageError: when a table is read that no earlier stage writes, or refined twice in one stage, or a field of
                an operator has a value that can never be meant.
        """
        versions = {**wholes, **{table: (LISTED,) for table in (Source, *self.given)}}
        steps: list[Step] = []
        choices: list[tuple[str, str]] = []
        everyone = [operator for stage in self.stages for operator in stage.operators]
        for number, stage in enumerate(self.stages):
            try:
                resolved = [operator.resolved() for operator in stage.operators]
                choices += [one for pair in zip(stage.operators, resolved, strict=True) for one in _choices(*pair)]
                for operator in resolved:
                    operator.check(self._metrics_before(number))
                resolved = [operator.fitted(everyone) for operator in resolved]
            except ValueError as error:
                raise UsageError(f"{self.name}: {error}") from None
            made = [self._step(operator, number, versions) for operator in resolved]
            refined = [table for step in made for table in step.refines]
            if twice := {table.table for table in refined if refined.count(table) > 1}:
                raise UsageError(
                    f"{self.name}: two operators of {stage} refine {', '.join(twice)}; give them a Stage each"
                )
            for step in made:
                for table in step.operator.signature.writes:
                    versions[table] = (
                        (step.version,) if table in step.refines else (*versions.get(table, ()), step.version)
                    )
            steps += made
        return Plan(self.name, self.what, tuple(steps), self.origin, self.changes, tuple(choices))

    def _metrics_before(self, stage: int) -> set[str] | None:
        """The metrics that earlier stages score; None where one of their operators does not say which."""
        scoring = [one for before in self.stages[:stage] for one in before.operators if Score in one.signature.writes]
        return {name for one in scoring for name in one.measures} if all(one.measures for one in scoring) else None

    def _step(self, operator: Operator, stage: int, versions: dict[type[Row], tuple[str, ...]]) -> Step:
        signature = operator.signature
        if looked := sorted(table.table for table in operator.lookups.values()):
            raise UsageError(
                f"{self.name}: {operator.name} looks up {', '.join(looked)} of other sources; it is a step beside a"
                " recipe, not one of it"
            )
        needed = {signature.reads}
        for name, table in signature.joins.items():
            if table in versions or name not in signature.optional:
                needed.add(table)
        if {Frames, Audio, Media, RenderMedia} & set(signature.asks.values()):
            needed.add(Source)  # says where the bytes are
        for table in needed - versions.keys():
            raise UsageError(f"{self.name}: {operator.name} reads {table.table}, which no earlier stage writes")
        inputs = {table: versions[table] for table in sorted(needed, key=lambda table: table.table)}
        text = json.dumps([operator.fingerprint(), *([table.table, *steps] for table, steps in inputs.items())])
        return Step(operator, f"{operator.name}-{hashlib.sha256(text.encode()).hexdigest()[:12]}", stage, inputs)

    def set(self, assignment: str) -> "Recipe":
        """The recipe with a field set, as in `DetectShots.threshold=4`.

        A dotted rest reaches into a field that is a dict or an operator: `KeepClips.ranges.dnsmos_ovrl=[3, null]`,
        `EmbedFaces.detector.detector=yunet`. Values are JSON, else text.

        Raises:
            UsageError: for an operator, a field or a type that does not fit, with what would.
        """
        path, equals, text = assignment.partition("=")
        operator_name, dot, field = path.partition(".")
        if not equals or not dot:
            raise UsageError(f"--set {assignment}: write Operator.field=value, such as DetectShots.threshold=4")
        names = [operator.name for stage in self.stages for operator in stage.operators]
        if operator_name not in names:
            close = get_close_matches(operator_name, names, 1)
            instead = f"did you mean {close[0]}?" if close else f"it has {', '.join(names)}"
            raise UsageError(f"--set {assignment}: {self.name} has no {operator_name}; {instead}")
        return replace(
            self,
            changes=(*self.changes, assignment),
            stages=tuple(
                Stage(
                    *(
                        _assigned(op, field, text, assignment) if op.name == operator_name else op
                        for op in stage.operators
                    )
                )
                for stage in self.stages
            ),
        )


def _assigned(operator: Operator, field: str, text: str, assignment: str) -> Operator:
    try:
        value: Any = json.loads(text)
    except json.JSONDecodeError:
        value = text
    field, dot, key = field.partition(".")
    inner = getattr(operator, field, {})
    try:
        if dot:
            value = with_field(inner, key, value) if isinstance(inner, Operator) else {**inner, key: value}
        return with_field(operator, field, value)
    except ValueError as error:
        raise UsageError(f"--set {assignment}: {error}") from None


def recipe_named(name: str) -> Recipe:
    """A recipe of `pipeline/recipes/`, or of a Python file of the user's that defines `RECIPE`.

    Raises:
        UsageError: when there is none, with those there are; for a file that is wrong, with its line.
    """
    if name.endswith(".py"):
        if not Path(name).is_file():
            raise NotFound(f"{name}: no such file")
        spec = importlib.util.spec_from_file_location(f"recipe_{Path(name).stem}", name)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        try:
            spec.loader.exec_module(module)
        except Exception as error:
            raise UsageError(_wrong_in(name, error)) from error
        if not isinstance(getattr(module, "RECIPE", None), Recipe):
            raise UsageError(f"{name} defines no RECIPE = Recipe(...)")
        return replace(module.RECIPE, origin=str(Path(name).absolute()))
    names = recipe_names()
    if name not in names:
        raise NotFound(f"no recipe {name!r}; there are {', '.join(names)}, and any Python file with a RECIPE")
    return replace(importlib.import_module(f"pipeline.recipes.{name}").RECIPE, origin=name)


def _choices(asked: Operator, resolved: Operator, name: str = "") -> Iterator[tuple[str, str]]:
    """The fields of an operator, and of those in its fields, that said "auto", and what each became."""
    for one in fields(asked):
        before, after = getattr(asked, one.name), getattr(resolved, one.name)
        place = f"{name or asked.name}.{one.name}"
        if isinstance(before, Operator):
            yield from _choices(before, after, place)
        elif before == "auto" != after:
            yield place, str(after)


def _wrong_in(name: str, error: Exception) -> str:
    """One sentence: the file, the last of its lines that led to the error, and the error."""
    if isinstance(error, SyntaxError):
        return f"{name}, line {error.lineno}: {error.msg}" if error.lineno else f"{name}: {error.msg}"
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if Path(frame.filename) == Path(name)]
    told = " ".join(f"{type(error).__name__}: {error}".split())
    return f"{name}, line {lines[-1]}: {told}" if lines else f"{name}: {told}"


def recipe_names() -> list[str]:
    return sorted(module.name for module in pkgutil.iter_modules(pipeline.recipes.__path__))


def _weight_record(weight: Weight) -> dict[str, Any]:
    return {"file": weight.file, "sha256": weight.sha256, "licence": weight.licence, "commercial": weight.commercial}
