"""What came in, was dropped and was kept, by group, and which group each filter costs most."""

import math
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from manifests.manifest import Manifest
from pipeline.query.balance import Balance, Cost, Group, Groups
from pipeline.query.shares import LEAST_SOURCES
from pipeline.views.facts import BLANK, Cell, Content, Fact, Grid, Line, Part, clock, json_of

MOST = 12  # groups of a grouping that are shown; JSON has all
REASONS = 2  # that are shown of a group


@dataclass(frozen=True)
class BalanceView(Fact):
    """The groups of each grouping, then what costs one group more than the others."""

    found: Balance

    def parts(self) -> Iterator[Part]:
        found = self.found
        part = f" ({found.kept_seconds / found.seconds:.1%})" if found.seconds else ""
        yield Line.of(f"{clock(found.seconds)} came in, {clock(found.kept_seconds)} are kept{part}: seconds of each"
                      " face in view; of what shows no face, of the film.")  # fmt: skip
        if found.shards_done < found.shards:
            yield Line.of(
                Cell(f"{found.shards - found.shards_done} of {found.shards} shards are not done: not counted.", "warn")
            )
        if not found.by:
            yield Line.of("No grouping tells two groups apart.")
        for groups in found.by:
            yield BLANK
            yield from _table(groups)
        yield BLANK
        yield from self._costs()

    def _costs(self) -> Iterator[Part]:
        found, sure = self.found, [cost for cost in self.found.costs if cost.is_sure]
        if not found.comparisons:
            yield Line.of(
                f"No filter is compared by group: that takes {LEAST_SOURCES} sources of a group, and of others."
            )
            return
        rows = [
            [
                f"{cost.operator}: {cost.reason}", cost.grouping, Cell(cost.group, "strong"), f"{cost.share:.1%}",
                f"{cost.others:.1%}", _times(cost), cost.sources,
            ]
            for cost in sure
        ]  # fmt: skip
        if rows:
            names = ("filter", "grouping", "costs most", ">it loses", ">others lose", ">times", ">sources")
            yield Grid.of(names, rows, "Filters that cost one group more, of what reached them")
        else:
            yield Line.of("No filter surely costs one group more than the others.")
        said = (
            f"{found.comparisons} comparisons of groups with {LEAST_SOURCES} sources or more; chance alone names one in"
            " 1 corpus of 20 at most. A difference is no cause: groups differ in other things too."
        )
        yield Line.of(Cell(said, "quiet"))

    def to_json(self) -> dict[str, Any]:
        """The fields, with `sure` of each cost; what is infinite or not known is null."""
        made = json_of(self.found)
        for cost, told in zip(self.found.costs, made["costs"], strict=True):
            told["sure"] = cost.is_sure
        return made


def balance_view(manifest: Manifest, by: tuple[str, ...] = ()) -> BalanceView:
    """
    Args:
        by: names of groupings; () for all that tell two groups apart.

    Raises:
        UsageError: where the last run proposes no clips, or no grouping has such a name.
    """
    from pipeline.query.balance import balance

    return BalanceView(balance(manifest, by))


def _table(groups: Groups) -> Iterator[Part]:
    of = groups.grouping
    yield Line.of(Cell(of.name, "strong"), Cell(f"  {of.made_of}", "quiet"))
    names = ("", ">sources", ">faces", ">came in", ">kept", ">clips", "share kept", ">95 %", "most dropped by")
    shown = groups.groups[:MOST] if len(groups.groups) > MOST + 1 else groups.groups
    yield Grid.of(names, (_row(group, group.name == of.unknown) for group in shown))
    if hidden := groups.groups[len(shown) :]:
        yield Line.of(Cell(f"and {len(hidden)} more, {clock(sum(one.seconds for one in hidden))}: --json", "quiet"))


def _row(group: Group, is_unknown: bool) -> list[Content]:
    lost = Counter[str]()
    for filter, seconds in group.dropped.items():
        lost[filter.partition(": ")[2]] += seconds / group.seconds  # pyright: ignore[reportArgumentType] - a share
    why = ", ".join(f"{reason} {part:.0%}" for reason, part in lost.most_common(REASONS))
    share = Cell("") if math.isnan(group.kept_share) else Cell(f" {group.kept_share:.0%}", share=group.kept_share)
    reach = "" if math.isnan(group.low) else f"{group.low:.0%} to {group.high:.0%}"
    return [
        Cell(group.name, "quiet" if is_unknown else "name"), group.sources, group.faces, clock(group.seconds),
        clock(group.kept_seconds), group.clips, share, reach, why,
    ]  # fmt: skip


def _times(cost: Cost) -> str:
    top = "any" if math.isinf(cost.high) else f"{cost.high:.3g}"
    return f"{'others none' if math.isinf(cost.times) else f'{cost.times:.1f}'} ({cost.low:.2f} to {top})"
