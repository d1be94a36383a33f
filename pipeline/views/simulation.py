"""What a run would take on other machines, as a fact."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pipeline.engine.costs import Rates
from pipeline.engine.simulate import BY_POOLS, BY_SOURCE, Machines, Simulated, simulate, stage_costs
from pipeline.recipe import Plan
from pipeline.views.facts import BLANK, Cell, Fact, Grid, Line, Part, clock


@dataclass(frozen=True)
class SimulationSummary(Fact):
    """A run on machines that are not at hand."""

    recipe: str
    sources: int
    media_s: float
    machines: Machines
    runs: tuple[Simulated, ...]  # the first is how headset divides the work
    rates: str  # where the figures come from

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
        yield Line.of(f"Simulated, with {self.rates}; a source is taken to survive whole.")

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


def simulation(plan: Plan, lengths: Sequence[float], rates: Rates, machines: Machines) -> SimulationSummary:
    """What a plan would take for sources of these lengths, in seconds, on some machines: as it is done, and by fixed
    pools beside it.
    """
    stages = stage_costs(plan, rates, on_gpu=machines.gpus > 0)
    runs = tuple(simulate(stages, lengths, machines, flow) for flow in (BY_SOURCE, BY_POOLS))
    return SimulationSummary(plan.recipe, len(lengths), sum(lengths), machines, runs, rates.origin)
