"""What a run would take on other machines, as a fact."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pipeline.engine.costs import Rates
from pipeline.engine.simulate import BY_POOLS, BY_ROWS, Machines, Simulated, simulate, stage_costs
from pipeline.recipe import Plan
from pipeline.views.facts import BLANK, Cell, Fact, Grid, Line, Part, clock, size
from pipeline.views.plan import told_error


@dataclass(frozen=True)
class SimulationSummary(Fact):
    """A run on machines that are not at hand."""

    recipe: str
    sources: int
    media_s: float
    machines: Machines
    runs: tuple[Simulated, ...]  # the first is how headset divides the work
    rates: str  # where the figures come from
    error: float | None  # of these in the last run: took / foretold - 1
    dollars: float | None  # for the first of `runs`; None where no price is known
    bytes: float | None  # of the corpus; None where no run has told

    def parts(self) -> Iterator[Part]:
        gpus = f" and {self.machines.gpus} GPUs" if self.machines.gpus else ""
        yield Line.of(
            Cell(self.recipe, "strong"),
            f": {self.sources} sources, {clock(self.media_s)}, on {self.machines.cores} cores{gpus}",
        )
        yield BLANK
        names = (
            "flow",
            ">takes",
            ">of the ideal",
            ">cores busy",
            ">GPUs busy",
            ">first source",
            ">lost",
            "what holds it up",
        )
        yield Grid.of(names, map(self._row, self.runs))
        yield BLANK
        sums = []
        if self.dollars is not None:
            sums.append(f"${self.dollars:,.2f}")
        if self.bytes is not None:
            sums.append(f"{size(self.bytes)} of tables and renders")
        if sums:
            yield Line.of(Cell(" and ".join(sums), "strong"), f" with {self.runs[0].flow}.")
        yield Line.of(f"Simulated, with {self.rates}{told_error(self.error)}; a source is taken to survive whole.")

    def _row(self, run: Simulated) -> list[str]:
        gpus = f"{run.gpus_busy:.0%}" if self.machines.gpus else "-"
        times = [
            clock(run.seconds),
            f"{run.ratio:.2f}",
            f"{run.cores_busy:.0%}",
            gpus,
            clock(run.first_s),
            clock(run.lost_s),
        ]
        return [run.flow, *times, run.bottleneck]


def simulation(
    plan: Plan, lengths: Sequence[float], rates: Rates, machines: Machines, dollars_per_hour: float = 0.0
) -> SimulationSummary:
    """What a plan would take for sources of these lengths, in seconds, on some machines: as it is done, and by fixed
    pools beside it.

    Args:
        dollars_per_hour: of all machines together; 0 where no price is known.
    """
    stages = stage_costs(plan, rates, on_gpu=machines.gpus > 0)
    runs = tuple(simulate(stages, lengths, machines, flow) for flow in (BY_ROWS, BY_POOLS))
    return SimulationSummary(
        plan.recipe,
        len(lengths),
        sum(lengths),
        machines,
        runs,
        rates.origin,
        rates.error,
        runs[0].seconds / 3600 * dollars_per_hour if dollars_per_hour else None,
        None if rates.bytes is None else rates.bytes * sum(lengths),
    )
