"""What became of each clip of a rebuild."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from manifests.manifest import Manifest
from pipeline.rebuild import VERDICTS, Verdict, drift, exact_subset_sha256
from pipeline.views.facts import Fact, Grid, Line, Part

MOST = 40  # clips that are told of one by one


@dataclass(frozen=True)
class Drift(Fact):
    """How many clips ended how, and each one that is not the same to the pixel."""

    counts: dict[str, int]  # by verdict
    identical_subset_sha256: str
    clips: tuple[Verdict, ...]

    def parts(self) -> Iterator[Part]:
        rows = (
            [str(self.counts[verdict]), verdict, meaning]
            for verdict, meaning in VERDICTS.items()
            if self.counts.get(verdict)
        )
        yield Grid.of((">clips", "verdict", "which means"), rows)
        others = [one for one in self.clips if one.verdict not in ("identical", "rendered")]
        if others:
            names = ("clip", "verdict", ">moved", ">distance", "why")
            yield Grid.of(
                names,
                (
                    [one.published_id, one.verdict, _signed(one.moved_s), _far(one.distance), one.why]
                    for one in others[:MOST]
                ),
            )
        if len(others) > MOST:
            yield Line.of(f"and {len(others) - MOST} more; --json has them all")
        if builds := sum(one.verdict == "identical" and one.why != "" for one in self.clips):
            yield Line.of(
                f"{builds} identical clips lie in files of other bytes: another encoder, or another build of it, wrote"
                " them"
            )
        same = f"{self.counts.get('identical', 0)} of {len(self.clips)} clips are identical"
        yield Line.of(f"{same}; sha256 of that subset: {self.identical_subset_sha256}")


def _signed(moved_s: float | None) -> str:
    return "" if moved_s is None else f"{moved_s:+.3f} s"


def _far(distance: float | None) -> str:
    return "" if distance is None else f"{distance:.4f}"


def drift_of(manifest: Manifest) -> Drift:
    """What became of each published clip of a corpus."""
    verdicts = drift(manifest)
    return Drift(
        dict(Counter(one.verdict for one in verdicts)), exact_subset_sha256(manifest, verdicts), tuple(verdicts)
    )
