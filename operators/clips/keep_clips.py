"""Which clips are good enough."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from math import isnan

from manifests.tables import Clip, Score
from operators.base import Drop, Operator


@dataclass(frozen=True)
class KeepClips(Operator):
    """Clips whose scores lie in the given ranges.

    A clip outside is dropped as `<metric>_low` or `<metric>_high`, or `<metric>_missing` where it has no score or the
    score is not a number. The reason is that of the first range, in the order given, that fails; the detail has the
    numbers of all that fail, those after the first by name.
    """

    ranges: Mapping[str, Sequence[float | None]] = field(
        default_factory=dict
    )  # by metric: lowest, highest, both inclusive; None is no limit

    def __post_init__(self) -> None:
        """
        Raises:
            ValueError: for a range that is not two limits, or whose lowest is above its highest.
        """
        ranges = {}
        for metric, limits in self.ranges.items():
            if len(limits) != 2:
                raise ValueError(
                    f"KeepClips.ranges[{metric!r}] is {limits!r}; write [lowest, highest], null for no limit"
                )
            low, high = (None if limit is None else float(limit) for limit in limits)
            if low is not None and high is not None and low > high:
                raise ValueError(f"KeepClips.ranges[{metric!r}] is {limits!r}: no value is in it")
            ranges[metric] = (low, high)
        object.__setattr__(self, "ranges", ranges)  # JSON has no tuples: equal ranges must be equal however they came

    def check(self, metrics: Collection[str] | None = None) -> None:
        """
        Raises:
            ValueError: for a metric that no earlier step gives: every clip would end as `<metric>_missing`, after all
                the measuring.
        """
        super().check(metrics)
        if metrics is None:
            return
        for metric in self.ranges:
            if metric not in metrics:
                close = get_close_matches(metric, metrics, 1)
                instead = f"did you mean {close[0]}? There are" if close else "there are"
                raise ValueError(
                    f"KeepClips.ranges: no operator of an earlier Stage names {metric!r} in its `measures`; {instead}"
                    f" {', '.join(sorted(metrics)) or 'none'}"
                )

    def __call__(self, clip: Clip, scores: list[Score]) -> Iterator[Clip]:
        values = {score.metric: score.value for score in scores if score.subject == clip.clip_id}
        failed: list[tuple[str, str, str]] = []
        for metric, (low, high) in self.ranges.items():
            value = values.get(metric)
            if value is None or isnan(value):
                failed.append((metric, "missing", "no score" if value is None else "not a number"))
            elif low is not None and value < low:
                failed.append((metric, "low", f"{value:.6g} < {low:.6g}"))
            elif high is not None and value > high:
                failed.append((metric, "high", f"{value:.6g} > {high:.6g}"))
        if failed:
            (metric, side, numbers), *rest = failed
            raise Drop(f"{metric}_{side}", detail="; ".join([numbers, *(f"{name} {text}" for name, _, text in rest)]))
        yield clip
