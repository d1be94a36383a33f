"""What was found on the nodes of a cluster."""

from collections.abc import Iterator
from dataclasses import dataclass

from pipeline.engine.cluster_check import Node
from pipeline.engine.plan_file import Versions
from pipeline.views.facts import BLANK, Cell, Fact, Grid, Line, Part


@dataclass(frozen=True)
class NodeList(Fact):
    """Each node, and what stands against a run on it."""

    expected: Versions  # what each must have
    models: int  # files that the recipe needs
    nodes: tuple[Node, ...]

    @property
    def sound(self) -> bool:
        return bool(self.nodes) and not any(node.faults for node in self.nodes)

    def parts(self) -> Iterator[Part]:
        names = (
            "node",
            "headset",
            "Python",
            "Ray",
            ">cores",
            ">memory",
            ">shared memory",
            ">models",
            ">clock",
            "GPUs",
            "",
        )
        yield Grid.of(names, map(self._row, self.nodes))
        for node in self.nodes:
            for fault in node.faults:
                yield Line.of(Cell(f"{node.host}: ", "name"), Cell(fault, "bad"))
        yield BLANK
        wrong = sum(bool(node.faults) for node in self.nodes)
        many = "1 node" if len(self.nodes) == 1 else f"{len(self.nodes)} nodes"
        yield Line.of(f"{many}, {wrong} not fit for the run." if wrong else f"{many}, fit for the run.")

    def _row(self, node: Node) -> list[Cell | str]:
        state = Cell("not sound", "bad") if node.faults else Cell("sound", "good")
        if node.versions is None:
            return [Cell(node.host, "name"), *[""] * 9, state]
        theirs, ours = node.versions, self.expected
        told = [(theirs.headset, ours.headset), (theirs.python, ours.python), (theirs.ray, ours.ray)]
        return [
            Cell(node.host, "name"),
            *(Cell(one, "" if one == other else "bad") for one, other in told),
            str(node.cores),
            f"{node.memory_bytes / 2**30:.1f} GiB",
            f"{node.shm_bytes / 2**30:.1f} GiB",
            f"{node.weights}/{self.models}",
            f"{node.clock_s:+.3f} ±{node.clock_within_s:.3f} s",
            "; ".join(node.gpus) or "none",
            state,
        ]
