"""What each part of a condition costs, and what other thresholds would leave."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from pipeline.query.yields import Yield
from pipeline.views.facts import BLANK, Fact, Grid, Line, Part, clock, json_of


@dataclass(frozen=True)
class YieldView(Fact):
    """The cuts of a condition, the dearest first, each with the curve of its threshold."""

    found: Yield

    def parts(self) -> Iterator[Part]:
        found, of = self.found, max(self.found.clips, 1)
        if cuts := [cut for cut in found.cuts if cut.predicate]:
            left = f"{found.left_clips} clips, {clock(found.left_seconds)}"
            alone = "Each cut alone, and what only it takes of what the others leave:"
            yield Line.of(f"{found.clips} clips, {clock(found.seconds)} -> {left}. {alone}")
            names = ("cut", ">left by it alone", ">share", ">length", ">no value", ">only it takes", ">length")
            rows = [
                [
                    cut.predicate,
                    cut.clips,
                    f"{cut.clips / of:.1%}",
                    clock(cut.seconds),
                    cut.unknown,
                    cut.joint_cost,
                    clock(cut.joint_cost_seconds),
                ]
                for cut in cuts
            ]
            yield Grid.of(names, rows)
        for cut in found.cuts:
            if cut.curve:
                yield BLANK
                names = (f"{cut.column} {cut.sign}", ">clips alone", ">length", ">clips with all others", ">length")
                rows = []
                for point in cut.curve:
                    here = " <-" if point.threshold == cut.threshold else ""
                    joint = point.joint_clips, clock(point.joint_seconds)
                    rows.append([f"{point.threshold:.6g}{here}", point.clips, clock(point.seconds), *joint])
                yield Grid.of(names, rows)

    def to_json(self) -> dict[str, Any]:
        """The counts and cuts; the threshold of a cut is null where it has none."""
        made = json_of(self.found)
        for cut in made["cuts"]:
            cut["threshold"] = cut["threshold"] if cut["column"] else None
        return made
